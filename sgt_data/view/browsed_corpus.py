"""A corpus, or a subset of one, as a collection of a page."""

from __future__ import annotations

import threading
from collections.abc import Collection as Names
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.corpus.reasons import rows_in_ledger
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.errors import CorpusError, RequestError, SgtDataError
from sgt_data.value_text import counted, cut
from sgt_data.view.collection import Holder, Kind, Place
from sgt_data.view.corpus_columns import read_all, read_shard
from sgt_data.view.corpus_overview import corpus_overview, folder_totals
from sgt_data.view.gradual_work import GradualWork
from sgt_data.view.ledgers import Ledger, Ledgers
from sgt_data.view.sample_table import SampleTable

_LEFT_OUT = "The input is not in this copy: its licence does not let it be passed on."


class BrowsedCorpus:
    """Reads indexes of a proxy when somebody looks at it, and members by their byte ranges."""

    def __init__(self, corpus: Corpus) -> None:
        self.corpus = corpus
        self.url = corpus.url
        self.kind: Kind = "corpus" if corpus.selection is None else "subset"
        self.proxies = tuple(
            proxy for proxy in corpus.proxies if proxy not in corpus.header.left_out
        )
        self._tables: dict[str, tuple[SampleTable, GradualWork]] = {}
        self._lock = threading.Lock()
        self._own = threading.local()
        self._threads = ThreadPoolExecutor(8, "members")

    def overview(self) -> dict[str, Any]:
        return corpus_overview(self.corpus)

    def table(self, proxy: str) -> SampleTable:
        return self._of(proxy)[0]

    def reading(self, proxy: str) -> GradualWork:
        return self._of(proxy)[1]

    def load(self, proxy: str, number: int) -> None:
        read_shard(self.corpus, proxy, self.table(proxy), number)

    def members(self, place: Place, names: Names[str]) -> Mapping[str, bytes]:
        row = self._row(place)
        if row is None:
            raise RequestError(f"{place.proxy}/{place.shard} has no sample {place.key}")
        return self._reader.members(place.proxy, place.shard, row, names)

    def missing_input(self, proxy: str) -> str:
        header = self.corpus.header
        shares = header.manifest.get("inputs") == "shared" and INPUT in header.left_out
        if not shares:
            return ""
        return _LEFT_OUT if proxy in self._clean else ""

    def holders(self, shard: str, key: str) -> Sequence[Holder]:
        return list(self._threads.map(lambda proxy: self._holder(proxy, shard, key), self.proxies))

    def ledgers(self) -> Ledgers:
        return self._ledgers

    @cached_property
    def _ledgers(self) -> Ledgers:
        lossy = [
            folder
            for folder, totals in folder_totals(self.corpus).items()
            if totals["damaged"] + totals["filtered"] + totals.get("notes", 0)
        ]
        ledgers = [
            Ledger(folder, shard) for folder in lossy for shard in self.corpus.shards(folder)
        ]
        return Ledgers(ledgers, self._ledger_rows)

    @cached_property
    def _clean(self) -> frozenset[str]:
        """Proxies whose samples have the picture itself as input; not those of unknown kinds."""
        proxies = corpus_overview(self.corpus)["proxies"]
        return frozenset(
            proxy["name"] for proxy in proxies if proxy["tier"] and not proxy["degrades"]
        )

    def _of(self, proxy: str) -> tuple[SampleTable, GradualWork]:
        if proxy not in self.proxies:
            raise RequestError(f"proxy: found {cut(proxy)}; allowed: {', '.join(self.proxies)}")
        with self._lock:
            if proxy not in self._tables:
                table = SampleTable(*_shards_and_counts(self.corpus, proxy))
                work = GradualWork(read_all(self.corpus, proxy, table))
                self._tables[proxy] = table, work
            return self._tables[proxy]

    @property
    def _reader(self) -> SampleReader:
        """The reader of this thread: readers share no files."""
        if not hasattr(self._own, "reader"):
            self._own.reader = SampleReader(self.corpus)
        reader: SampleReader = self._own.reader
        return reader

    def _row(self, place: Place) -> int | None:
        """The row of a sample in its index; None where there is no such sample."""
        if place.shard not in self._shards_of(place.proxy):
            return None
        return self._reader.row(place.proxy, place.shard, place.key)

    def _shards_of(self, folder: str) -> Names[str]:
        if folder == INPUT and INPUT in self.corpus.folders:
            return self._input_shards
        if folder not in self.proxies:
            return ()
        table = self.table(folder)
        return _Numbered(table)

    @cached_property
    def _input_shards(self) -> frozenset[str]:
        return frozenset(self.corpus.shards(INPUT))

    def _holder(self, proxy: str, shard: str, key: str) -> Holder:
        try:
            if self._row(Place(proxy, shard, key)) is not None:
                return Holder(proxy, True)
            if shard not in self._shards_of(proxy):
                return Holder(proxy, False, "it is not drawn for this source")
            return Holder(proxy, False, self._reason(Ledger(proxy, shard), key))
        except SgtDataError as why:
            return Holder(proxy, False, str(why))

    def _reason(self, ledger: Ledger, key: str) -> str:
        for row in self._ledger_rows(ledger):
            if row["key"] == key and row["kind"] != "note":
                return f"{row['kind']}: {row['reason']}"
        return ""

    def _ledger_rows(self, ledger: Ledger) -> list[dict[str, Any]]:
        rows = rows_in_ledger(self.corpus.url, ledger.folder, ledger.shard)
        selection = self.corpus.selection
        if selection is None or selection.whole:
            return rows
        keys = set(selection.of(ledger.shard).to_pylist())
        return [row for row in rows if row["key"] in keys]


def _shards_and_counts(corpus: Corpus, proxy: str) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Names of a proxy's shards, and how many samples each has.

    Raises:
        CorpusError: the header contradicts itself.
    """
    try:
        shards, counts = corpus.shards(proxy), corpus.samples_per_shard(proxy)
    except KeyError:
        raise CorpusError(f"{corpus.url}: corpus.json lists no shards of {proxy}") from None
    if len(shards) != len(counts) or min(counts, default=0) < 0:
        raise CorpusError(
            f"{corpus.url}: corpus.json lists {counted(len(shards), 'shard')} of {proxy}, and "
            f"{len(counts)} counts of samples"
        )
    return shards, counts


class _Numbered:
    """The shards of a table, by name."""

    def __init__(self, table: SampleTable) -> None:
        self._table = table

    def __contains__(self, shard: object) -> bool:
        return isinstance(shard, str) and self._table.number(shard) is not None

    def __iter__(self) -> Any:
        return iter(self._table.shards)

    def __len__(self) -> int:
        return len(self._table.shards)
