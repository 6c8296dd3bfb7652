"""Parquet files of encoded pictures: written a row group at a time, whole or not at all.

Pictures are compressed already, so bytes are stored as they are: without dictionary, compression
and statistics, of which the smallest and the largest value would be two whole pictures. All other
columns are compressed. The same rows give the same bytes with the same version of Arrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.errors import FileMissing
from sgt_data.exports.gathered_file import GatheredFile
from sgt_data.files.reading import read_range, size_of
from sgt_data.files.spooled_writing import open_spooled

COMPRESSION = "zstd"
"""Of all columns but those of bytes."""

ROW_GROUP_BYTES_MAX = (1 << 31) - 1
"""Columns of bytes are counted in 32 bits, also by those who read them."""

_PAGE_BYTES, _PAGE_ROWS = 128 << 10, 2
"""A page ends after so many bytes, looked at after so many rows: it stays in the processor's cache,
and a reader that knows where pages begin reads little more than a picture."""

_END_BYTES = 64 << 10
"""So much of a file's end is read at first; most footers fit."""


class BytesColumn:
    """Makes arrays of byte strings in memory that is used again: new memory for each row group
    takes longer than the copy."""

    def __init__(self) -> None:
        self._data = bytearray()

    def array(self, values: Sequence[bytes]) -> pa.Array:
        """An array of these strings; it holds until the next one is made."""
        ends = np.zeros(len(values) + 1, np.int64)
        np.cumsum([len(value) for value in values], out=ends[1:])
        if ends[-1] > ROW_GROUP_BYTES_MAX:
            raise ValueError(
                f"{ends[-1]} bytes do not fit into a row group; {ROW_GROUP_BYTES_MAX} do"
            )
        if len(self._data) < ends[-1]:
            self._data = bytearray(int(ends[-1]))
        with memoryview(self._data) as data:
            for value, start, end in zip(
                values, ends[:-1].tolist(), ends[1:].tolist(), strict=True
            ):
                data[start:end] = value
        buffers = [None, pa.py_buffer(ends.astype(np.int32)), pa.py_buffer(self._data)]
        return pa.Array.from_buffers(pa.binary(), len(values), buffers)


class ParquetFile:
    """A Parquet file that is being written."""

    def __init__(self, writer: pq.ParquetWriter, out: GatheredFile) -> None:
        self._writer, self._out = writer, out
        self.rows = 0

    def add(self, group: pa.Table) -> None:
        """Write a row group."""
        self._writer.write_table(group, row_group_size=max(1, len(group)))
        self.rows += len(group)

    @property
    def nbytes(self) -> int:
        """Bytes that were written; all of them once the file is whole."""
        return self._out.nbytes


@contextmanager
def open_parquet(
    place: str, schema: pa.Schema, *, page_index: bool = False
) -> Iterator[ParquetFile]:
    """A Parquet file to write, which appears when the block ends without an error; of it, no more
    than a row group is in memory.

    Args:
        place: URL of the file.
        schema: of the rows, with the metadata that the file should carry.
        page_index: also state where pages begin, so that readers find a row without its row group.

    Raises:
        StorageError: the file cannot be written.
    """
    stored = [path for path, kind in _leaves(schema) if _is_bytes(kind)]
    others = [path for path, kind in _leaves(schema) if not _is_bytes(kind)]
    with open_spooled(place) as out:
        gathered = GatheredFile(out)
        with pq.ParquetWriter(
            gathered,
            schema,
            compression=dict.fromkeys(stored, "none") | dict.fromkeys(others, COMPRESSION),
            use_dictionary=others,
            write_statistics=others,
            column_encoding=dict.fromkeys(stored, "PLAIN"),
            write_page_index=page_index,
            data_page_size=_PAGE_BYTES,
            write_batch_size=_PAGE_ROWS,
        ) as writer:
            yield ParquetFile(writer, gathered)
        gathered.flush()


def row_groups_in(place: str) -> list[int] | None:
    """How many rows each row group of an existing Parquet file has; None where there is no whole
    file.

    Raises:
        SourceError: it cannot be read just now.
    """
    try:
        size = size_of(place) or 0
        end = read_range(place, max(0, size - _END_BYTES), min(size, _END_BYTES))
        footer = int.from_bytes(end[-8:-4], "little") + 8
        if len(end) < footer <= size:
            end = read_range(place, size - footer, footer)
    except FileMissing:
        return None
    try:
        stated = pq.read_metadata(pa.BufferReader(end))
    except (OSError, pa.ArrowException):  # no Parquet file, or one that was cut or damaged
        return None
    return [stated.row_group(number).num_rows for number in range(stated.num_row_groups)]


def _leaves(fields: Iterable[pa.Field], above: str = "") -> Iterator[tuple[str, pa.DataType]]:
    """Path, as Parquet names it, and type of every column that holds values."""
    for field in fields:
        path = f"{above}{field.name}"
        if pa.types.is_struct(field.type):
            yield from _leaves(field.type, f"{path}.")
        elif pa.types.is_list(field.type):
            item = field.type.value_field.with_name("element")
            yield from _leaves([item], f"{path}.list.")
        else:
            yield path, field.type


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
