"""What the page asks, and the JSON that it gets: the same from a server and within a report."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus.paths import INPUT
from sgt_data.errors import CorpusError, RequestError, SgtDataError
from sgt_data.foreign_errors import in_words
from sgt_data.redaction import redacted
from sgt_data.value_text import cut
from sgt_data.view.collection import Collection, Place
from sgt_data.view.distributions import Distributions
from sgt_data.view.gallery import Gallery
from sgt_data.view.ledgers import EXAMPLES_MAX, ReasonGroup
from sgt_data.view.query import PAGE_SIZE, Query
from sgt_data.view.sample_document import sample_document

Fields = Mapping[str, Sequence[str]]


class Answers:
    """Answers the questions of a page. Any thread may ask."""

    def __init__(self, collection: Collection, seed: int = 0) -> None:
        self.collection = collection
        self.gallery = Gallery(collection)
        self._seed = seed
        self._distributions: dict[str, Distributions] = {}
        self._lock = threading.Lock()

    def overview(self) -> dict[str, Any]:
        """What the collection is, and its totals."""
        overview = self.collection.overview()
        for proxy in overview["proxies"]:
            proxy["missing_input"] = self.collection.missing_input(proxy["name"])
        return {**redacted(overview), "page_size": PAGE_SIZE}

    def samples(self, proxy: str, query: Query, seconds: float) -> dict[str, Any]:
        """A page of the gallery (see `Gallery.page`)."""
        return self.gallery.page(proxy, query, seconds)

    def counts(self, proxy: str, query: Query, seconds: float) -> dict[str, Any]:
        """Counts for the filters (see `Gallery.counts`)."""
        return self.gallery.counts(proxy, query, seconds)

    def all_counts(self, proxy: str) -> dict[str, Any]:
        """Counts of all samples of a proxy, when all indexes are read."""
        self.collection.reading(proxy).finish()
        return self.gallery.counts(proxy, Query(), 0)

    def sample(self, place: Place) -> dict[str, Any]:
        """All that is known of a sample, and which proxies have the same key.

        Raises:
            RequestError: there is no such sample.
            CorpusError: it is damaged.
        """
        members = self.collection.members(place, ("instruction", "facts"))
        try:
            facts = loads_bounded(members.get("facts", b"{}"))
            if not isinstance(facts, dict):
                raise ValueError("its JSON is no object")
        except ValueError as why:
            raise CorpusError(
                f"{place.proxy}/{place.shard}, sample {place.key}: {in_words(why)}"
            ) from why
        instruction = members.get("instruction", b"").decode(errors="replace")
        return {
            "proxy": place.proxy,
            "shard": place.shard,
            "key": place.key,
            **sample_document(facts, instruction),
            "missing_input": self.collection.missing_input(place.proxy),
            "holders": [
                {"proxy": holder.proxy, "holds": holder.holds, "reason": holder.reason}
                for holder in self.collection.holders(place.shard, place.key)
            ],
        }

    def picture(self, place: Place, member: str) -> bytes:
        """A stored picture: the `input` or the `target` of a sample.

        Raises:
            RequestError: there is no such sample, or it has no such picture.
            CorpusError: it is damaged.
        """
        if member not in ("input", "target"):
            raise RequestError(f"found {cut(member, 40)}; allowed: input, target")
        members = self.collection.members(place, (member,))
        if member not in members:
            raise RequestError(f"{place.proxy}/{place.shard}: {place.key} has no {member} here")
        return members[member]

    def distributions(self, proxy: str, seconds: float) -> dict[str, Any]:
        """The charts of a proxy (see `Distributions`)."""
        return self._of(proxy).charts(seconds)

    def all_distributions(self, proxy: str) -> dict[str, Any]:
        """The charts of a proxy, when all is read that they need."""
        return self._of(proxy).finish()

    def reasons(self, seconds: float) -> dict[str, Any]:
        """Why inputs were rejected: groups of rows, the most frequent first."""
        ledgers = self.collection.ledgers()
        ledgers.work.advance(seconds)
        return {
            "groups": [
                {"kind": group.kind, "reason": group.reason, "rows": group.rows}
                for group in ledgers.groups()
            ],
            "read": ledgers.done,
            "of": ledgers.chosen,
            "all": ledgers.total,
            "complete": ledgers.work.finished,
            "problems": ledgers.problems[:20],
        }

    def rejected(self, kind: str, reason: str, folder: str, page: int) -> dict[str, Any]:
        """A page of the inputs of a reason: at most `EXAMPLES_MAX` of each folder are kept."""
        groups = self.collection.ledgers().groups(folder)
        group = next((own for own in groups if (own.kind, own.reason) == (kind, reason)), None)
        rows = [] if group is None else _rows(group, folder)
        shown = rows[page * PAGE_SIZE : (page + 1) * PAGE_SIZE]
        return {
            "items": [{**row, "picture": self._picture_of(row)} for row in shown],
            "kept": len(rows),
            "rows": 0 if group is None else _count(group, folder),
            "kept_of_each": EXAMPLES_MAX,
            "page": page,
            "size": PAGE_SIZE,
        }

    def _picture_of(self, row: Mapping[str, str]) -> dict[str, str] | None:
        """Where the picture of a rejected input lies: with another proxy that could use it."""
        if not row["key"]:
            return None
        place = Place(INPUT, row["shard"], row["key"])
        try:
            if self.collection.members(place, ("facts",)):
                return {"proxy": INPUT, "shard": place.shard, "key": place.key}
        except SgtDataError:
            pass
        holding = [
            holder.proxy
            for holder in self.collection.holders(row["shard"], row["key"])
            if holder.holds and not self.collection.missing_input(holder.proxy)
        ]
        return {"proxy": holding[0], "shard": row["shard"], "key": row["key"]} if holding else None

    def _of(self, proxy: str) -> Distributions:
        self.collection.table(proxy)
        with self._lock:
            if proxy not in self._distributions:
                self._distributions[proxy] = Distributions(self.collection, proxy, self._seed)
            return self._distributions[proxy]


def _rows(group: ReasonGroup, folder: str) -> list[dict[str, str]]:
    return [row for row in group.examples if not folder or row["folder"] == folder]


def _count(group: ReasonGroup, folder: str) -> int:
    return group.rows.get(folder, 0) if folder else sum(group.rows.values())
