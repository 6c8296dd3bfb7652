"""Paths as lists and configurations of an export state them."""

from __future__ import annotations

import os

from sgt_data.errors import RequestError
from sgt_data.exports.export_format import Export
from sgt_data.exports.export_options import ExportOptions
from sgt_data.files.urls import absolute, is_local


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
    return os.path.relpath(place, folder)


def note_absolute_paths(export: Export) -> None:
    """Say that lists hold absolute paths, where nobody asked for others."""
    if export.options.relative_to is None:
        export.report.note(
            "lists and configurations hold absolute paths; to move the folder, export with "
            "--relative-to DIR"
        )
