"""Which inputs of a corpus may stand on a contact sheet: their shards and keys, source by source.

Nothing is drawn and no sample is read here; `cards` reads the samples of those that are taken.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, TypeVar

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.reasons import lost_inputs, without_own_words
from sgt_data.corpus.receipt import Receipt
from sgt_data.files.read_ahead import read_ahead, threads_for
from sgt_data.preview.candidate import Candidate
from sgt_data.preview.searched_keys import searched_keys
from sgt_data.preview.sheet_choice import SheetChoice

_SHARDS_MAX = 6
_Item = TypeVar("_Item")


@dataclass(frozen=True, slots=True)
class Candidates:
    """The candidates of one source.

    Attributes:
        source: its name.
        proxies: that may have a sample of them, in the order of the manifest.
        inputs: in the order in which a sheet takes them.
    """

    source: str
    proxies: tuple[str, ...]
    inputs: Sequence[Candidate]


def find_candidates(corpus: Corpus, choice: SheetChoice) -> list[Candidates]:
    """The inputs that a choice admits, of each source that has any.

    Args:
        corpus: the corpus, or a subset of one.
        choice: a checked one.

    Raises:
        CorpusError, SourceError: an index or ledger is damaged or cannot be read.
        RequestError: there is no such key, or the expression is none.
    """
    proxies = choice.proxies or corpus.proxies
    names = [str(source["name"]) for source in corpus.header.manifest["sources"]]
    if choice.quarantined:
        inputs = _rejected(corpus, proxies)
        return [
            Candidates(name, _takers(corpus, name, proxies), inputs[name])
            for name in names
            if inputs.get(name)
        ]
    if choice.is_all:
        shards = _shards_by_source(corpus, proxies)
        most = choice.per_source or _SHARDS_MAX
        every = [
            _evenly_spread(corpus, name, evenly_spaced(shards.get(name, []), most), proxies)
            for name in names
        ]
        return [candidates for candidates in every if candidates.inputs]
    searched = searched_keys(corpus, choice, proxies)
    return [
        Candidates(name, _takers(corpus, name, proxies), searched[name])
        for name in names
        if name in searched
    ]


def evenly_spaced(items: Sequence[_Item], count: int) -> list[_Item]:
    """At most `count` of the items."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * number + 1) * len(items) // (2 * count)] for number in range(count)]


def _takers(corpus: Corpus, source: str, proxies: Sequence[str]) -> tuple[str, ...]:
    """The proxies that the manifest draws for a source."""
    return tuple(
        proxy["name"]
        for proxy in corpus.header.manifest["proxies"]
        if proxy["name"] in proxies and (proxy.get("sources") is None or source in proxy["sources"])
    )


def _shards_by_source(corpus: Corpus, proxies: Sequence[str]) -> dict[str, list[str]]:
    """The shards of each source, in order. Shards of one name are of one source in every proxy."""
    proxy_of: dict[str, str] = {}
    for proxy in proxies:
        for shard in corpus.shards(proxy):
            proxy_of.setdefault(shard, proxy)
    if len(names := corpus.header.manifest["sources"]) == 1:
        return {str(names[0]["name"]): list(proxy_of)}
    shards: dict[str, list[str]] = {}

    def read(shard: str) -> Receipt:
        return corpus.receipt(proxy_of[shard], shard)

    with closing(read_ahead(read, proxy_of, threads_for(corpus.url))) as receipts:
        for shard, receipt in zip(proxy_of, receipts, strict=True):
            shards.setdefault(receipt["source"], []).append(shard)
    return shards


def _evenly_spread(
    corpus: Corpus, source: str, shards: Sequence[str], proxies: Sequence[str]
) -> Candidates:
    """Keys of some shards of a source: those that the largest number of proxies has."""
    count: Counter[str] = Counter()
    shard_of: dict[str, str] = {}
    takers = []
    for proxy in proxies:
        held = set(corpus.shards(proxy)).intersection(shards)
        before = len(count), count.total()
        for shard in (shard for shard in shards if shard in held):
            for key in corpus.index(proxy, shard)["key"].to_pylist():
                count[key] += 1
                shard_of[key] = shard
        if before != (len(count), count.total()):
            takers.append(proxy)
    most = max(count.values(), default=0)
    keys = sorted(key for key in count if count[key] == most)
    return Candidates(source, tuple(takers), [Candidate(shard_of[key], key) for key in keys])


def _rejected(corpus: Corpus, proxies: Sequence[str]) -> dict[str, list[Candidate]]:
    """The inputs that the ledgers name, by source: one of every kind of reason first, the most
    frequent reason before the others."""
    places = [(proxy, shard) for proxy in proxies for shard in corpus.shards(proxy)]
    inputs: dict[tuple[str, ...], dict[str, str]] = {}

    def lost(place: tuple[str, str]) -> list[dict[str, Any]]:
        return lost_inputs(corpus.url, *place)

    with closing(read_ahead(lost, places, threads_for(corpus.url))) as ledgers:
        for (proxy, shard), rows in zip(places, ledgers, strict=True):
            for row in rows:
                identity = row["source"], shard, row["key"], row["member"]
                inputs.setdefault(identity, {}).setdefault(proxy, row["reason"])
    groups: dict[str, dict[str, list[Candidate]]] = {}
    for (source, shard, key, member), reasons in inputs.items():
        kind = without_own_words(next(iter(reasons.values())))
        candidate = Candidate(shard, key, member, reasons)
        groups.setdefault(source, {}).setdefault(kind, []).append(candidate)
    return {source: _in_turns(by_kind.values()) for source, by_kind in groups.items()}


def _in_turns(groups: Iterable[Sequence[Candidate]]) -> list[Candidate]:
    """One candidate of each group in turn, the largest group first."""
    largest_first = sorted(groups, key=lambda group: -len(group))
    turns = zip_longest(*largest_first)
    return [candidate for turn in turns for candidate in turn if candidate is not None]
