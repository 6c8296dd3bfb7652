"""What the process of a `where` expression is told, and what it answers: frames of bytes.

A frame is a kind, one byte; a length, eight bytes; and so many bytes. The first frame holds the
expression, each further one a table as an Arrow stream. An answer holds a bit per row, or a
sentence.
"""

from __future__ import annotations

import struct
from typing import Any

import pyarrow as pa

MATCHES, REFUSED, EXCEEDED = b"m", b"r", b"e"
"""Kinds of frames: what is asked and answered, a refusal with its sentence, too much memory."""

_HEAD = struct.Struct("<cQ")


def write_frame(pipe: Any, kind: bytes, data: bytes) -> None:
    """Write a frame.

    Raises:
        OSError: nobody reads any more.
    """
    pipe.write(_HEAD.pack(kind, len(data)))
    pipe.write(data)
    pipe.flush()


def read_frame(pipe: Any) -> tuple[bytes, bytes]:
    """Kind and bytes of the next frame.

    Raises:
        EOFError: there is none.
    """
    head = pipe.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    kind, length = _HEAD.unpack(head)
    data = pipe.read(length)
    if len(data) < length:
        raise EOFError
    return kind, data


def encode_table(table: pa.Table) -> bytes:
    """A table as an Arrow stream."""
    out = pa.BufferOutputStream()
    with pa.ipc.new_stream(out, table.schema) as stream:
        stream.write_table(table)
    encoded: bytes = out.getvalue().to_pybytes()
    return encoded


def decode_table(data: bytes) -> pa.Table:
    """A table from an Arrow stream."""
    with pa.ipc.open_stream(data) as stream:
        return stream.read_all()
