"""Pages of a gallery: the samples that a query takes, with their instructions."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from sgt_data.errors import SgtDataError
from sgt_data.view.collection import Collection, Place
from sgt_data.view.matches import counts_of, item_of, matching
from sgt_data.view.query import PAGE_SIZE, Query
from sgt_data.view.sample_table import SampleTable
from sgt_data.view.text_search import PLACES_MAX, TextSearch

SEARCHES_MAX = 4
"""Searches of instructions that are kept; the one that was not asked for longest goes first."""
_PROBLEMS_SHOWN = 20


class Gallery:
    """Answers queries on a collection. Any thread may ask."""

    def __init__(self, collection: Collection) -> None:
        self.collection = collection
        self._searches: OrderedDict[tuple[str, Query], TextSearch] = OrderedDict()
        self._threads = ThreadPoolExecutor(16, "gallery")
        self._lock = threading.Lock()

    def page(self, proxy: str, query: Query, seconds: float) -> dict[str, Any]:
        """A page of the samples of a proxy that a query takes, as JSON.

        `matches` counts the samples among the `looked_at`. Where these are not all (`of`) and the
        answer is not `final`, the same call goes on looking.

        Args:
            proxy: the proxy.
            query: what is asked for.
            seconds: for about so long, what has to be read is read on.

        Raises:
            RequestError: there is no such proxy.
        """
        table = self.collection.table(proxy)
        if query.takes_all:
            items = self._page_of_all(proxy, table, query.page)
            answer = _answer(items, table.total, table.total, table.total)
        else:
            self.collection.reading(proxy).advance(seconds)
            if query.searches_instructions:
                answer = self._page_of_search(proxy, table, query, seconds)
            else:
                answer = self._page_of_index(table, query)
        return {
            **answer,
            "items": self._with_instructions(proxy, answer["items"]),
            "page": query.page,
            "size": PAGE_SIZE,
            "problems": [*answer["problems"], *table.problems][:_PROBLEMS_SHOWN],
        }

    def counts(self, proxy: str, query: Query, seconds: float) -> dict[str, Any]:
        """How many samples there are by source, licence and category, as JSON.

        `counted` samples are looked at, of which some may not match; `of` is how many there are.
        Where an index cannot be read, `counted` stays smaller.
        """
        self.collection.reading(proxy).advance(seconds)
        table = self.collection.table(proxy)
        seen = table.seen()
        counts = counts_of(table, seen.columns, query)
        return {
            **counts, "counted": len(seen.columns), "read": seen.done, "of": table.total,
            "complete": seen.complete,
        }  # fmt: skip

    def _page_of_all(self, proxy: str, table: SampleTable, page: int) -> list[dict[str, Any]]:
        """A page of all samples: only the shards that hold them are read."""
        items: list[dict[str, Any]] = []
        begin, end, first = page * PAGE_SIZE, (page + 1) * PAGE_SIZE, 0
        for number, count in enumerate(table.counts):
            if first < end and first + count > begin:
                self.collection.load(proxy, number)
                columns = table.of_shard(number)
                if columns is not None:
                    places = range(max(begin - first, 0), min(end - first, len(columns)))
                    items += [item_of(table, columns, place) for place in places]
            first += count
        return items

    def _page_of_index(self, table: SampleTable, query: Query) -> dict[str, Any]:
        seen = table.seen()
        places = matching(table, seen.columns, query)
        shown = places[query.page * PAGE_SIZE :][:PAGE_SIZE].tolist()
        items = [item_of(table, seen.columns, place) for place in shown]
        answer = _answer(items, len(places), seen.done, table.total)
        return {**answer, "final": seen.complete}

    def _page_of_search(
        self, proxy: str, table: SampleTable, query: Query, seconds: float
    ) -> dict[str, Any]:
        search = self._search(proxy, query)
        search.advance(seconds)
        places, columns = search.places, search.columns
        shown = places[query.page * PAGE_SIZE :][:PAGE_SIZE] if columns is not None else ()
        items = [item_of(table, columns, place) for place in shown] if columns is not None else []
        answer = _answer(items, len(places), search.looked_at, search.of)
        problems = []
        if search.unread:
            problems.append(f"{search.unread:,} instructions could not be read")
        if search.finished and search.looked_at < search.of:
            problems.append(f"the search ended after {PLACES_MAX:,} matches; narrow it down")
        return {
            **answer, "final": search.finished, "what": "instructions", "problems": problems,
            "waiting": columns is None,
        }  # fmt: skip

    def _search(self, proxy: str, query: Query) -> TextSearch:
        name = proxy, replace(query, page=0)
        with self._lock:
            if name not in self._searches:
                self._searches[name] = TextSearch(self.collection, proxy, query, self._threads)
                if len(self._searches) > SEARCHES_MAX:
                    self._searches.popitem(last=False)
            self._searches.move_to_end(name)
            return self._searches[name]

    def _with_instructions(
        self, proxy: str, items: Sequence[Mapping[str, Any]]
    ) -> list[dict[str, Any]]:
        return list(self._threads.map(lambda item: self._with_instruction(proxy, item), items))

    def _with_instruction(self, proxy: str, item: Mapping[str, Any]) -> dict[str, Any]:
        place = Place(proxy, item["shard"], item["key"])
        try:
            members = self.collection.members(place, ("instruction",))
        except SgtDataError as why:
            return {**item, "instruction": "", "problem": str(why)}
        return {**item, "instruction": members.get("instruction", b"").decode(errors="replace")}


def _answer(
    items: Sequence[Mapping[str, Any]], matches: int, looked_at: int, of: int
) -> dict[str, Any]:
    return {
        "items": items,
        "matches": matches,
        "looked_at": looked_at,
        "of": of,
        "what": "indexes",
        "final": True,
        "problems": [],
    }
