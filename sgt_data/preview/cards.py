"""Which samples a contact sheet shows: a card per picture, with its sample of each proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.preview.sheet_layout import usual_cards
from sgt_data.proxies.registry import proxy_kinds

TIERS = ("high", "mid", "low")
"""The tiers of proxies, in the order of a sheet."""

_SHARDS_MAX = 6
_Item = TypeVar("_Item")

_Place = tuple[str, str]
"""Where a sample is: the name of its shard, and its key."""


@dataclass(frozen=True, slots=True)
class Card:
    """A picture with its sample of each proxy.

    Attributes:
        key: key of the samples.
        samples: sample by proxy; None where the proxy has no sample of the picture.
    """

    key: str
    samples: Mapping[str, Sample | None]

    @property
    def drawn(self) -> list[Sample]:
        """The samples of those proxies that have one."""
        return [sample for sample in self.samples.values() if sample is not None]

    @property
    def clean_picture(self) -> bytes:
        """The picture as it is: a clean input, or a target where every proxy degrades the input."""
        inputs = (sample.input for sample in self.drawn if not has_degraded_input(sample))
        return next(inputs, self.drawn[0].target)


@dataclass(frozen=True, slots=True)
class Section:
    """The cards of one source.

    Attributes:
        source: name of the source.
        tiers: tier by proxy, in the order of the cells.
        cards: one for each picture that is shown.
    """

    source: str
    tiers: Mapping[str, str]
    cards: Sequence[Card]


def choose_sections(corpus: Corpus, per_source: int | None) -> list[Section]:
    """Choose the pictures that a sheet shows, spread evenly over each source, and read them.

    Args:
        corpus: the corpus, or a subset of one.
        per_source: most pictures of each source; None for as many as make a sheet of sensible
            height, 6 at most.

    Raises:
        CorpusError: the corpus holds no sample.
    """
    names = [source["name"] for source in corpus.header.manifest["sources"]]
    places_of = {name: _find_samples(corpus, name, per_source or _SHARDS_MAX) for name in names}
    places_of = {name: places for name, places in places_of.items() if places}
    if not places_of:
        raise CorpusError(f"{corpus.url} holds no sample to show")
    tiers_of = {name: _read_tiers(corpus, places) for name, places in places_of.items()}
    count = per_source or usual_cards([len(tiers) + 1 for tiers in tiers_of.values()])
    return [
        Section(name, tiers_of[name], _read_cards(corpus, places, list(tiers_of[name]), count))
        for name, places in places_of.items()
    ]


def tier_rank(tier: str) -> int:
    """Place of a tier in the order of a sheet; tiers that are not known come last."""
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def has_degraded_input(sample: Sample) -> bool:
    """Whether the input of a sample is a degraded picture, to be shown next to the target."""
    kind = proxy_kinds().get(sample.facts["type"])
    return "degradation" in sample.facts or (kind is not None and kind.degrades)


def _find_samples(corpus: Corpus, source: str, shards_max: int) -> dict[str, dict[str, _Place]]:
    """Places of the samples in some shards of a source, by key and proxy."""
    places: dict[str, dict[str, _Place]] = {}
    for proxy in corpus.proxies:
        shards = [
            shard
            for shard in corpus.shards(proxy)
            if corpus.receipt(proxy, shard)["source"] == source
        ]
        for shard in _evenly_spaced(shards, shards_max):
            for key in corpus.index(proxy, shard)["key"].to_pylist():
                places.setdefault(key, {})[proxy] = shard, key
    return places


def _read_tiers(corpus: Corpus, places: Mapping[str, Mapping[str, _Place]]) -> dict[str, str]:
    """The tier of each proxy that has a sample, by rank; within a tier as in the manifest."""
    tiers: dict[str, str] = {}
    for proxy in corpus.proxies:
        place = next((by_proxy[proxy] for by_proxy in places.values() if proxy in by_proxy), None)
        if place is not None:
            tiers[proxy] = str(corpus.sample(proxy, *place).facts["tier"])
    return dict(sorted(tiers.items(), key=lambda item: tier_rank(item[1])))


def _read_cards(
    corpus: Corpus,
    places: Mapping[str, Mapping[str, _Place]],
    proxies: Sequence[str],
    count: int,
) -> list[Card]:
    """Cards of evenly spaced keys, among the keys that the largest number of proxies has."""
    most = max(map(len, places.values()))
    keys = [key for key in sorted(places) if len(places[key]) == most]
    return [
        Card(
            key,
            {
                proxy: corpus.sample(proxy, *places[key][proxy]) if proxy in places[key] else None
                for proxy in proxies
            },
        )
        for key in _evenly_spaced(keys, count)
    ]


def _evenly_spaced(items: Sequence[_Item], count: int) -> list[_Item]:
    """At most `count` of the items."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * number + 1) * len(items) // (2 * count)] for number in range(count)]
