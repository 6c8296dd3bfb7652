"""Fetch the files of an input of which only the place is known."""

from __future__ import annotations

from dataclasses import replace

from sgt_data.files.promised_reads import read_promised
from sgt_data.records import RawInput


def fetched(raw: RawInput) -> RawInput:
    """The input with the bytes of all its files.

    Raises:
        SourceError: a file cannot be read at present, or is shorter than it was when it was listed.
    """
    if not raw.parts:
        return raw
    files = {
        role: read_promised(part.url, part.start, part.length) for role, part in raw.parts.items()
    }
    picture = files.pop("picture", raw.picture)
    return replace(raw, picture=picture, extras={**raw.extras, **files}, parts={})
