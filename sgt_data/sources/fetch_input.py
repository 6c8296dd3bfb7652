"""Fetch the files of an input of which only the place is known."""

from __future__ import annotations

from dataclasses import replace

from sgt_data.errors import InputError
from sgt_data.files.reading import read_range
from sgt_data.records import FilePart, RawInput


def fetched(raw: RawInput) -> RawInput:
    """The input with the bytes of all its files.

    Raises:
        SourceError: a file cannot be read at present.
        InputError: a file is shorter than it was when it was listed.
    """
    if not raw.parts:
        return raw
    files = {role: _read(part) for role, part in raw.parts.items()}
    picture = files.pop("picture", raw.picture)
    return replace(raw, picture=picture, extras={**raw.extras, **files}, parts={})


def _read(part: FilePart) -> bytes:
    data = read_range(part.url, part.start, part.length)
    if len(data) != part.length:
        raise InputError(f"{part.url} ends {part.length - len(data)} bytes too early")
    return data
