"""Parquet files of edits, as BAGEL's `unified_edit` and its kin read them.

A row is a sample:
  image_list        list<binary>         input and target, as the corpus holds them
  instruction_list  list<list<string>>   the instruction that leads from the one to the other
  key, proxy        string               which sample it is
  facts             string               its JSON, so that the target decodes

Readers take the first two and leave the others alone. Bytes are a function of the samples and of
the version of pyarrow: no dates, fixed settings. Pictures are neither packed nor looked through for
repeats or statistics, as they are packed already.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.exports.gathered_file import GatheredFile
from sgt_data.exports.parquet_files import ROW_GROUP_BYTES_MAX, BytesColumn
from sgt_data.files.writing import Writable
from sgt_data.foreign_errors import in_words

SCHEMA = pa.schema(
    [
        ("image_list", pa.list_(pa.binary())),
        ("instruction_list", pa.list_(pa.list_(pa.string()))),
        ("key", pa.string()),
        ("proxy", pa.string()),
        ("facts", pa.string()),
    ]
)

_PLAIN = (
    "image_list.list.element", "instruction_list.list.element.list.element", "key", "proxy",
)  # fmt: skip
_PAGE_BYTES, _PAGE_VALUES = 128 << 10, 2
"""A page ends after so many bytes, looked at after so many values: pages of a picture or two stay
in the processor's cache, and the file is written in two thirds of the time."""


class EditWriter:
    """Writes a Parquet file, a row group at a time; its memory is that of one row group."""

    def __init__(self, out: Writable) -> None:
        """
        Args:
            out: takes the file's bytes.
        """
        self._out = GatheredFile(out)
        self._memory = BytesColumn()
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._out, "w"), SCHEMA, version="2.6", data_page_version="1.0",
            compression={**dict.fromkeys(_PLAIN, "none"), "facts": "zstd"},
            use_dictionary=False, write_statistics=False, store_schema=False,
            data_page_size=_PAGE_BYTES, write_batch_size=_PAGE_VALUES,
        )  # fmt: skip

    def write(self, samples: Sequence[Sample]) -> None:
        """Write a row group.

        Raises:
            CorpusError: the facts of a sample are no text, or its pictures are too large.
        """
        self._writer.write_table(self._table(samples), row_group_size=len(samples))

    def close(self) -> int:
        """Write the file's footer; the size of the file in bytes."""
        self._writer.close()
        self._out.flush()
        return self._out.nbytes

    def _table(self, samples: Sequence[Sample]) -> pa.Table:
        pairs, singles = _offsets(len(samples), 2), _offsets(len(samples), 1)
        texts = pa.array([sample.instruction for sample in samples], pa.string())
        return pa.table(
            [
                pa.ListArray.from_arrays(pairs, self._pictures(samples)),
                pa.ListArray.from_arrays(singles, pa.ListArray.from_arrays(singles, texts)),
                [sample.key for sample in samples],
                [sample.proxy for sample in samples],
                list(map(_facts_text, samples)),
            ],
            schema=SCHEMA,
        )

    def _pictures(self, samples: Sequence[Sample]) -> pa.Array:
        """All pictures of a row group, in memory that the next one takes again."""
        pictures = [data for sample in samples for data in (sample.input, sample.target)]
        nbytes = sum(map(len, pictures))
        if nbytes > ROW_GROUP_BYTES_MAX:
            raise CorpusError(
                f"{samples[0].place} and the {len(samples) - 1} after it have pictures of "
                f"{nbytes:,} bytes, and a row group of these files holds at most "
                f"{ROW_GROUP_BYTES_MAX:,}; build with a smaller max_side"
            )
        return self._memory.array(pictures)


def _offsets(lists: int, length: int) -> pa.Array:
    return pa.array(np.arange(lists + 1, dtype=np.int32) * length)


def _facts_text(sample: Sample) -> str:
    try:
        return sample.facts_json.decode()
    except ValueError as why:
        raise CorpusError(f"{sample.place}: {in_words(why)}") from why
