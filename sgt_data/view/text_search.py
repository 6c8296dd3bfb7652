"""Search instructions, which lie in the tars and in no index: as far as somebody asks."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor

import numpy as np

from sgt_data.errors import SgtDataError
from sgt_data.view.collection import Collection, Place
from sgt_data.view.gradual_work import GradualWork
from sgt_data.view.matches import matching
from sgt_data.view.query import Query
from sgt_data.view.shard_columns import ShardColumns

PLACES_MAX = 20_000
"""Matches after which a search ends, and says so."""

_TASKS = 16
_ROWS_MIN, _ROWS_MAX = 8, 512  # of a task: few where a read takes long, as on an object store
_FAST, _SLOW = 0.1, 0.5  # seconds


class TextSearch:
    """A search for a text in the instructions of the samples that the other filters take.

    Attributes:
        columns: the samples; None until all indexes are read, which comes first.
        looked_at: instructions that were looked for.
        of: instructions that have to be read; all samples until it is known.
        unread: instructions that could not be read.
    """

    def __init__(self, collection: Collection, proxy: str, query: Query, threads: Executor) -> None:
        """
        Args:
            collection, proxy: whose samples.
            query: the text and the other filters; its page is not looked at.
            threads: that read.
        """
        self._collection, self._proxy, self._query = collection, proxy, query
        self._threads = threads
        self._work = GradualWork(self._steps())
        self._found: list[int] = []
        self._rank: dict[int, int] = {}
        self.columns: ShardColumns | None = None
        self.looked_at, self.unread = 0, 0
        self.of = collection.table(proxy).total

    @property
    def finished(self) -> bool:
        """Whether nothing is left to read, or there are `PLACES_MAX` matches."""
        return self._work.finished

    @property
    def places(self) -> Sequence[int]:
        """Places of the matches in `columns`, in the order of the query."""
        return sorted(self._found, key=self._rank.__getitem__) if self._rank else self._found

    def advance(self, seconds: float) -> None:
        """Go on for about so long; nothing is read before the indexes are."""
        if self._collection.table(self._proxy).complete:
            self._work.advance(seconds)

    def _steps(self) -> Iterator[int]:
        table = self._collection.table(self._proxy)
        self.columns = table.seen().columns
        ordered = matching(table, self.columns, self._query)
        if self._query.order != "corpus":
            self._rank = {place: rank for rank, place in enumerate(ordered.tolist())}
        candidates = np.sort(ordered).tolist()  # neighbours lie in one shard
        self.of = len(candidates)
        begin, rows = 0, _ROWS_MIN
        while begin < len(candidates) and len(self._found) < PLACES_MAX:
            began = time.monotonic()
            end = begin + _TASKS * rows
            tasks = [candidates[at : min(at + rows, end)] for at in range(begin, end, rows)]
            for found_places, unread in self._threads.map(self._look_at, tasks):
                self._found += found_places
                self.unread += unread
            self.looked_at = begin = min(end, len(candidates))
            took = time.monotonic() - began
            rows = min(2 * rows, _ROWS_MAX) if took < _FAST else rows
            rows = max(rows // 2, _ROWS_MIN) if took > _SLOW else rows
            yield begin

    def _look_at(self, places: Sequence[int]) -> tuple[list[int], int]:
        """The places whose instruction holds the text, and how many could not be read."""
        assert self.columns is not None
        table, text = self._collection.table(self._proxy), self._query.text.casefold()
        matches, unread = [], 0
        for place in places:
            shard = table.shards[int(self.columns.shard[place])]
            key = self.columns.keys[place].as_py()
            try:
                where = Place(self._proxy, shard, key)
                members = self._collection.members(where, ("instruction",))
            except SgtDataError:
                unread += 1
                continue
            if text in members.get("instruction", b"").decode(errors="replace").casefold():
                matches.append(place)
        return matches, unread
