"""Cut a list of inputs into slices; pack what workers must know of a slice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

import pyarrow as pa

_Item = TypeVar("_Item")


def chunked(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    """Parts of a list, in order, of `size` items each; the last part may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def packed(note: bytes) -> bytes:
    """A note of a slice, packed to a third or less: the driver keeps the notes of all slices."""
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(note)
    data: bytes = sink.getvalue().to_pybytes()
    return data


def unpacked(data: bytes) -> bytes:
    """The note that was packed."""
    with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
        note: bytes = stream.read()
    return note
