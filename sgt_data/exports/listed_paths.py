"""Paths as lists and configurations of an export state them."""

from __future__ import annotations

import os
import re

from sgt_data.errors import RequestError
from sgt_data.exports.export_format import Export
from sgt_data.exports.export_options import ExportOptions
from sgt_data.files.urls import absolute, is_local
from sgt_data.value_text import cut

_NO_TEXT = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""Characters that break the line of a list, and bytes that are no UTF-8."""


def listed_path(place: str, options: ExportOptions) -> str:
    """A path as a list states it: absolute, or relative to the folder that a person stated.

    Args:
        place: absolute path of a local file or folder.
        options: of the export.

    Raises:
        RequestError: the stated folder is not local.
    """
    if options.relative_to is None:
        return place
    folder = absolute(options.relative_to)
    if not is_local(folder):
        raise RequestError(
            f"relative_to is {options.relative_to}; a path can be relative to a local folder only"
        )
    if os.path.isfile(folder):
        raise RequestError(
            f"relative_to is {options.relative_to}, which is a file; name the folder in which the "
            "training starts"
        )
    return os.path.relpath(place, folder)


def check_listed(name: str, place: str) -> None:
    """Check that a path can stand in lists, one per line, and in comments of configurations.

    Args:
        name: of the option, for messages.
        place: the path that was stated for it.

    Raises:
        RequestError: it holds a control character, or bytes that are no UTF-8.
    """
    if wrong := _NO_TEXT.search(place):
        raise RequestError(
            f"{name} is {cut(place)}: lists and configurations of this format hold its path, in "
            f"which {wrong[0]!r} cannot stand; rename the folder"
        )


def check_paths(export: Export) -> None:
    """Check the folders that lists and configurations name, and say that these hold absolute paths
    where nobody asked for others.

    Raises:
        RequestError: a path cannot stand in a list, or cannot be relative to the stated folder.
    """
    check_listed("output", export.root)
    if export.options.relative_to is not None:
        check_listed("relative_to", export.options.relative_to)
    listed_path(export.root, export.options)
    if export.options.relative_to is None:
        export.report.note(
            "lists and configurations hold absolute paths; to move the folder, export with "
            "--relative-to DIR"
        )
