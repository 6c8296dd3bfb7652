"""The file of a contact sheet: its format is that of its name."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from PIL import Image

from sgt_data.errors import RequestError
from sgt_data.files.output_place import check_file_place
from sgt_data.files.writing import write_atomic

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
_SIDE_MAX = {"JPEG": 65_535, "WEBP": 16_383}
_OPTIONS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 92, "subsampling": "4:4:4"},
    "WEBP": {"quality": 92},
}


def check_sheet_file(path: Path) -> str:
    """Check that a sheet can be written to a file, before it is drawn; returns Pillow's format.

    Raises:
        RequestError: its suffix is that of no format, it is a folder, or lies in none.
    """
    if path.is_dir():
        raise RequestError(f"{path} is a folder; give the name of a file, such as {path}/sheet.png")
    if path.suffix.lower() not in _FORMATS:
        raise RequestError(
            f"{path}: found the suffix {path.suffix!r}; allowed: {', '.join(_FORMATS)}"
        )
    check_file_place(path)
    return _FORMATS[path.suffix.lower()]


def write_sheet(sheet: Image.Image, path: Path) -> None:
    """Write a contact sheet in the format of its name.

    Raises:
        RequestError: the format does not fit (see `check_sheet_file`), or cannot hold the sheet.
        StorageError: the file cannot be written.
    """
    form = check_sheet_file(path)
    if max(sheet.size) > _SIDE_MAX.get(form, max(sheet.size)):
        raise RequestError(
            f"{path}: the sheet has {sheet.width}x{sheet.height} pixels, a {form} at most "
            f"{_SIDE_MAX[form]} on a side; write a .png, or give a smaller --per-source"
        )
    out = io.BytesIO()
    sheet.save(out, form, **_OPTIONS.get(form, {}))
    write_atomic(str(path.absolute()), out.getvalue())
