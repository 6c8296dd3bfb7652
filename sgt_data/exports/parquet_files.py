"""Parquet files of encoded pictures: written a row group at a time, whole or not at all.

Pictures are compressed already, so bytes are stored as they are: without dictionary, compression
and statistics, of which the smallest and the largest value would be two whole pictures. All other
columns are compressed. The same rows give the same bytes with the same version of Arrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.errors import StorageError
from sgt_data.files.large_files import open_large
from sgt_data.files.urls import open_filesystem

COMPRESSION = "zstd"
"""Of all columns but those of bytes."""


class _Counted:
    """A file to write that counts its bytes, as Arrow takes one."""

    closed = False

    def __init__(self, out: Any) -> None:
        self._out, self.nbytes = out, 0

    def write(self, data: Any) -> int:
        self._out.write(data)
        self.nbytes += len(data)
        return len(data)

    def flush(self) -> None:
        """Nothing: the file is flushed when it is whole."""

    def close(self) -> None:
        """Nothing: who opened the file closes it."""


class ParquetFile:
    """A Parquet file that is being written."""

    def __init__(self, writer: pq.ParquetWriter, out: _Counted) -> None:
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
    with open_large(place) as out:
        counted = _Counted(out)
        with pq.ParquetWriter(
            counted,
            schema,
            compression=dict.fromkeys(stored, "none") | dict.fromkeys(others, COMPRESSION),
            use_dictionary=others,
            write_statistics=others,
            column_encoding=dict.fromkeys(stored, "PLAIN"),
            write_page_index=page_index,
        ) as writer:
            yield ParquetFile(writer, counted)


def rows_of_parquet(place: str) -> int | None:
    """How many rows an existing Parquet file states at its end; None where it is not whole.

    Raises:
        StorageError: it cannot be read just now.
    """
    filesystem, path = open_filesystem(place)
    try:
        with filesystem.open(path) as file:
            rows: int = pq.read_metadata(file).num_rows
    except (FileNotFoundError, pa.ArrowInvalid):
        return None
    except OSError as why:
        raise StorageError(f"cannot read {place}: {why.strerror or why}") from why
    return rows


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
