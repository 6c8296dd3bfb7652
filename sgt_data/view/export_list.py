"""The list of a proxy in an export: a line per sample, read piece by piece."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import CorpusError
from sgt_data.exports.listed_samples import ListedSample, ListForm
from sgt_data.files.reading import read_range
from sgt_data.foreign_errors import in_words
from sgt_data.view.sample_table import SampleTable
from sgt_data.view.shard_columns import ShardColumns

SHARD = "list"
"""The one shard of each proxy of an export."""

_PIECE = 4 << 20  # bytes of a list that are read at a time
_LINE_MAX = 1 << 20


class ExportList:
    """Where the lines of a list lie, and the keys of its samples.

    Attributes:
        rows: number of the line of each key, once the list is read.
    """

    def __init__(self, place: str, form: ListForm) -> None:
        """
        Args:
            place: URL of the list.
            form: of the lists of its format.
        """
        self._place, self._form = place, form
        self._ends: list[int] = []
        self.rows: dict[str, int] = {}

    def read_into(self, table: SampleTable) -> Iterator[int]:
        """Read the list; yields after each piece. Its samples are in the table at the end.

        Raises:
            CorpusError: a line is not what an export writes.
        """
        rest, offset, begin = b"", 0, 0
        while piece := read_range(self._place, offset, _PIECE):
            offset += len(piece)
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                begin = self._take(line, begin)
            if len(rest) > _LINE_MAX:
                raise CorpusError(f"{self._place}: a line is longer than {_LINE_MAX} bytes")
            yield offset
        if rest:
            self._take(rest, begin)
        table.counts = (len(self.rows),)
        table.add(0, _columns(self.rows, table))

    def sample(self, key: str) -> ListedSample:
        """The sample of a key."""
        row = self.rows[key]
        begin = self._ends[row - 1] if row else 0
        return self._parsed(read_range(self._place, begin, self._ends[row] - begin))

    def _take(self, line: bytes, begin: int) -> int:
        """Note a line that begins at a byte; returns where the next one begins."""
        self.rows[self._parsed(line).key] = len(self._ends)
        self._ends.append(begin + len(line) + 1)
        return self._ends[-1]

    def _parsed(self, line: bytes) -> ListedSample:
        try:
            fields = loads_bounded(line)
            if not isinstance(fields, dict):
                raise ValueError("it is no object")
            return self._form.sample(fields)
        except ValueError as why:
            raise CorpusError(
                f"{self._place}: a line is not what an export writes: {in_words(why)}"
            ) from why


def _columns(rows: dict[str, int], table: SampleTable) -> ShardColumns:
    """The columns of a list, which states neither sizes nor segments."""
    count = len(rows)
    zeros = np.zeros(count, np.int32)
    nothing = pa.array([""] * count, pa.string())
    return ShardColumns(
        pa.chunked_array([pa.array(list(rows), pa.string())]),
        np.array(list(rows.values()), np.int32),
        table.sources.encode(nothing).astype(np.int16),
        table.licences.encode(nothing).astype(np.int16), zeros, zeros, zeros,
        zeros, np.empty(0, np.int32), zeros,
    )  # fmt: skip
