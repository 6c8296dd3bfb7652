"""The export for Hugging Face `datasets` and its Hub: Parquet files with pictures in them.

OUTPUT/
  README.md                                card: a configuration per proxy, columns, licences
  <proxy>/train-00000-of-00012.parquet     input, target, instruction, key, source, licence, facts

How many files a proxy has is known from the indexes, before a sample is read. A file appears whole,
so an export that was stopped goes on with the first file that is missing.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from importlib.metadata import version
from itertools import islice
from typing import Any

from sgt_data.corpus.paths import README_FILE
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.hf_card import ExportedProxy, card
from sgt_data.exports.hf_plan import FILE_BYTES, ROW_GROUP_BYTES, plan_files
from sgt_data.exports.hf_rows import PICTURES, Row, RowTables, read_rows
from sgt_data.exports.parquet_files import open_parquet, row_groups_in
from sgt_data.exports.picture_limits import is_16_bit_png
from sgt_data.exports.stored_sizes import sizes_of_proxy
from sgt_data.files.read_ahead import read_ahead
from sgt_data.files.reading import list_files

NOT_TO_PASS_ON = (
    "the files hold the pictures; whether they may be passed on depends on their licences, which "
    "README.md counts (SA-1B's does not allow it). `sgt-data push` publishes a corpus without them"
)

_READ_ROWS = 16
"""Samples that the reading thread hands over at a time."""


class HuggingFace(ExportFormat):
    """Parquet files that Hugging Face `datasets` and the viewer of its Hub read."""

    name = "hf"
    trainers = "Hugging Face datasets, and what reads Parquet"

    def __init__(self) -> None:
        self._proxies: list[ExportedProxy] = []

    def identity(self, options: ExportOptions) -> dict[str, Any]:
        # another version of Arrow writes other bytes, and other bounds other files
        bounds = {"file_bytes": FILE_BYTES, "row_group_bytes": ROW_GROUP_BYTES}
        return {"pyarrow": version("pyarrow"), **bounds}

    def check(self, export: Export) -> None:
        export.report.note(NOT_TO_PASS_ON)

    def write(self, export: Export, proxy: str) -> Generator[int, None, None]:
        corpus = export.corpus
        sizes = sizes_of_proxy(corpus, proxy)
        files = plan_files(map(int, sizes), ROW_GROUP_BYTES, FILE_BYTES)
        samples = sum(map(sum, files))
        tables = RowTables(rgb=not _has_16_bits(export, proxy, samples))
        start = 0
        for number, groups in enumerate(files):
            path = f"{proxy}/train-{number:05d}-of-{len(files):05d}.parquet"
            rows = sum(groups)
            if row_groups_in(export.files.place(path)) == list(groups):
                export.report.kept += 1
                yield rows
            else:
                with closing(read_rows(corpus, proxy, start, start + rows)) as reading:
                    yield from _write_file(export, path, tables, groups, reading)
            start += rows
        nbytes = sum(list_files(export.files.place(proxy)).values()) if files else 0
        self._proxies.append(ExportedProxy(proxy, samples, nbytes, tables.rgb))

    def finish(self, export: Export) -> dict[str, str]:
        return {README_FILE: card(export.corpus, self._proxies)}


def _has_16_bits(export: Export, proxy: str, samples: int) -> bool:
    """Whether the first sample of a proxy has a picture of 16 bits: the proxy's fields decide it
    for all of them."""
    if not samples:
        return False
    with closing(read_rows(export.corpus, proxy, 0, 1)) as reading:
        first = next(reading)
    return _is_16_bit(first)


def _write_file(
    export: Export, path: str, tables: RowTables, groups: Sequence[int], reading: Iterator[Row]
) -> Generator[int, None, None]:
    """Write a file of these row groups, while a thread reads a little ahead; yields the samples of
    each."""

    def read(rows: int) -> list[Row]:
        return list(islice(reading, rows))

    place = export.files.place(path)
    with (
        closing(read_ahead(read, _pieces(groups), 1)) as pieces,
        open_parquet(place, tables.schema, page_index=True) as file,
    ):
        for samples in groups:
            rows: list[Row] = []
            while len(rows) < samples:
                rows += next(pieces)
            if tables.rgb and any(_is_16_bit(row) for row in rows):
                export.report.note(
                    f"{path}: some pictures have 16 bits, which `datasets` clips to 8; its first "
                    "sample has 8"
                )
            group = tables.table(rows)
            del rows  # the group has its own copy
            file.add(group)
            yield samples
    export.report.written += 1
    export.report.nbytes += file.nbytes


def _pieces(groups: Sequence[int]) -> Iterator[int]:
    """Row groups in pieces of a few samples each, by number of samples."""
    for samples in groups:
        for first in range(0, samples, _READ_ROWS):
            yield min(_READ_ROWS, samples - first)


def _is_16_bit(row: Row) -> bool:
    return any(is_16_bit_png(row.members[name]) for name in PICTURES)
