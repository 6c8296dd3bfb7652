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
from itertools import chain, islice
from typing import Any

from sgt_data.corpus.paths import README_FILE
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.hf_card import ExportedProxy, card
from sgt_data.exports.hf_plan import FILE_BYTES, ROW_GROUP_BYTES, plan_files
from sgt_data.exports.hf_rows import PICTURES, Row, RowTables, is_16_bit, read_rows
from sgt_data.exports.parquet_files import open_parquet, rows_of_parquet
from sgt_data.exports.sample_sizes import sample_sizes
from sgt_data.files.reading import list_files

NOT_TO_PASS_ON = (
    "the files hold the pictures; whether they may be passed on depends on their licences, which "
    "README.md counts (SA-1B's does not allow it). `sgt-data push` publishes a corpus without them"
)


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
        sizes = chain.from_iterable(of_shard.tolist() for of_shard in sample_sizes(corpus, proxy))
        files = plan_files(sizes, ROW_GROUP_BYTES, FILE_BYTES)
        samples = sum(map(sum, files))
        rgb = not _has_16_bits(export, proxy, samples)
        start = 0
        for number, groups in enumerate(files):
            path = f"{proxy}/train-{number:05d}-of-{len(files):05d}.parquet"
            rows = sum(groups)
            if rows_of_parquet(export.files.place(path)) == rows:
                export.report.kept += 1
                yield rows
            else:
                with closing(read_rows(corpus, proxy, start, start + rows)) as reading:
                    yield from _write_file(export, path, rgb, groups, reading)
            start += rows
        nbytes = sum(list_files(export.files.place(proxy)).values()) if files else 0
        self._proxies.append(ExportedProxy(proxy, samples, nbytes, rgb))

    def finish(self, export: Export) -> dict[str, str]:
        return {README_FILE: card(export.corpus, self._proxies)}


def _has_16_bits(export: Export, proxy: str, samples: int) -> bool:
    """Whether the first sample of a proxy has a picture of 16 bits: the proxy's fields decide it
    for all of them."""
    if not samples:
        return False
    with closing(read_rows(export.corpus, proxy, 0, 1)) as reading:
        first = next(reading)
    return any(is_16_bit(first.members[name]) for name in PICTURES)


def _write_file(
    export: Export, path: str, rgb: bool, groups: Sequence[int], reading: Iterator[Row]
) -> Generator[int, None, None]:
    """Write a file of these row groups; yields the samples of each."""
    tables = RowTables(rgb)
    with open_parquet(export.files.place(path), tables.schema, page_index=True) as file:
        for samples in groups:
            rows = list(islice(reading, samples))
            if rgb and any(is_16_bit(row.members[name]) for row in rows for name in PICTURES):
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
