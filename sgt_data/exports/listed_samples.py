"""The lists of exports, read again: which sample a row is of, and where its pictures lie.

The paths in rows are not followed. Their last parts name the files, whose folders are known.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.exports.folder_configs import CAPTION, INPUT, TARGET
from sgt_data.exports.sgt_layouts import LAYOUTS, Layout
from sgt_data.names import is_key
from sgt_data.value_text import cut

Row = Mapping[str, Any]

_SGT_EXTENSIONS = ("jpg", "jpeg", "image")


@dataclass(frozen=True, slots=True)
class ListedSample:
    """A sample as the row of a list names it.

    Attributes:
        key: of the sample.
        picture: path of its input, relative to the folder of its proxy.
        target: path of its target, relative to the same folder.
        instruction: its text.
    """

    key: str
    picture: str
    target: str
    instruction: str


@dataclass(frozen=True, slots=True)
class ListForm:
    """The lists of a format.

    Attributes:
        path: of a proxy's list within an export, with `{proxy}` for its name.
        sample: the sample that a row is of; raises a ValueError where no export writes such a row.
    """

    path: str
    sample: Callable[[Row], ListedSample]


def _of_bagel(row: Row) -> ListedSample:
    return _of_layout(LAYOUTS["bagel"], row.get("image"), row.get("generation_prompt", ""))


def _of_omnigen2(row: Row) -> ListedSample:
    paths = row.get("input_images")
    path = paths[0] if isinstance(paths, list) and paths else None
    return _of_layout(LAYOUTS["omnigen2"], path, row.get("instruction", ""))


def _of_layout(layout: Layout, path: Any, instruction: Any) -> ListedSample:
    key, extension = _key_and_extension(path, _SGT_EXTENSIONS)
    picture = f"{layout.pictures}/{key}.{extension}"
    return ListedSample(key, picture, layout.target_of(picture), str(instruction))


def _of_folders(row: Row) -> ListedSample:
    key, shown = _key_and_extension(row.get(f"{INPUT}_file_name"), ("jpg", "png"))
    of_target, drawn = _key_and_extension(row.get(f"{TARGET}_file_name"), ("jpg", "png"))
    if of_target != key:
        raise ValueError(f"it names the input of {key} and the target of {of_target}")
    text = str(row.get(CAPTION, ""))
    return ListedSample(key, f"input/{key}.{shown}", f"target/{key}.{drawn}", text)


def _key_and_extension(path: Any, extensions: tuple[str, ...]) -> tuple[str, str]:
    """Key of a sample and format of a picture, from the picture's path.

    Raises:
        ValueError: no export names a picture so.
    """
    name = posixpath.basename(path) if isinstance(path, str) else ""
    key, _, extension = name.partition(".")
    if not is_key(key) or extension not in extensions:
        allowed = " or ".join(f"<key>.{extension}" for extension in extensions)
        raise ValueError(f"it names the picture {cut(path)}; an export names them {allowed}")
    return key, extension


LISTS: Mapping[str, ListForm] = {
    "bagel": ListForm("{proxy}.jsonl", _of_bagel),
    "omnigen2": ListForm("{proxy}.jsonl", _of_omnigen2),
    "folders": ListForm("{proxy}/metadata.jsonl", _of_folders),
}
"""By format: its lists, where these name every sample."""
