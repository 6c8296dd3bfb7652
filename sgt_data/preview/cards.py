"""What a contact sheet shows: a card per picture, with its sample of each proxy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.reasons import lost_inputs
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, FileMissing, RequestError
from sgt_data.facts import reversed_facts
from sgt_data.preview.candidate import Candidate
from sgt_data.preview.candidates import Candidates, evenly_spaced, find_candidates
from sgt_data.preview.sheet_choice import SheetChoice
from sgt_data.preview.sheet_layout import usual_cards
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.value_text import cut

TIERS = ("high", "mid", "low")
"""The tiers of proxies, in the order of a sheet."""


@dataclass(frozen=True, slots=True)
class Card:
    """A picture with its sample of each proxy.

    Attributes:
        key: key of the samples; of an input without one, its name within its source.
        samples: sample by proxy; None where the proxy has no sample of the picture.
        reasons: by proxy, why it has none, where its ledger says so.
        elsewhere: a sample of a proxy that is not shown, where no proxy that is shown has one.
    """

    key: str
    samples: Mapping[str, Sample | None]
    reasons: Mapping[str, str] = field(default_factory=dict)
    elsewhere: Sample | None = None

    @property
    def known(self) -> list[Sample]:
        """The samples of the picture that were read; empty where the corpus holds none."""
        drawn = [sample for sample in self.samples.values() if sample is not None]
        return drawn if drawn or self.elsewhere is None else [self.elsewhere]

    @property
    def clean_picture(self) -> bytes | None:
        """The picture as it is: a clean input, or a target where every proxy degrades the input.

        None where the corpus does not hold the picture.
        """
        if not self.known:
            return None
        inputs = (sample.input for sample in self.known if not has_degraded_input(sample))
        return next(inputs, _clean(self.known[0]))


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


def choose_sections(corpus: Corpus, choice: SheetChoice) -> list[Section]:
    """Choose the pictures that a sheet shows, and read their samples.

    Args:
        corpus: the corpus, or a subset of one.
        choice: what is asked for.

    Raises:
        CorpusError: the corpus holds no sample, or a part of it is damaged.
        RequestError: the choice contradicts itself, or nothing fits it.
    """
    choice.check(corpus)
    every = find_candidates(corpus, choice)
    if not every:
        raise _nothing(corpus, choice)
    count = choice.per_source or usual_cards([len(each.proxies) + 1 for each in every])
    pages = max(-(-len(each.inputs) // count) for each in every)
    if choice.page is not None and choice.page > pages:
        raise RequestError(f"page: found {choice.page}; allowed: 1 to {pages}")
    return [_section(corpus, each, _taken(each.inputs, choice, count)) for each in every]


def tier_rank(tier: str) -> int:
    """Place of a tier in the order of a sheet; tiers that are not known come last."""
    return TIERS.index(tier) if tier in TIERS else len(TIERS)


def has_degraded_input(sample: Sample) -> bool:
    """Whether the input of a sample is no clean picture, but a degraded one or a map: it is shown
    next to the target."""
    kind = proxy_kinds().usable(sample.facts["type"])
    return "degradation" in sample.facts or (kind is not None and kind.degrades)


def _clean(sample: Sample) -> bytes:
    """The clean picture of a sample whose proxy degrades it, or reverses another."""
    base = reversed_facts(sample.facts)
    kind = None if base is None else proxy_kinds().usable(base.get("type"))
    return sample.input if kind is not None and kind.degrades else sample.target


def _nothing(corpus: Corpus, choice: SheetChoice) -> CorpusError | RequestError:
    if choice.quarantined:
        return RequestError(f"{corpus.url}: every input became a sample; its quarantine is empty")
    if choice.where is not None:
        return RequestError(f"where: {cut(choice.where, 400)} is true of no sample of {corpus.url}")
    return CorpusError(f"{corpus.url} holds no sample to show")


def _taken(inputs: Sequence[Candidate], choice: SheetChoice, count: int) -> Sequence[Candidate]:
    if choice.keys:
        return inputs
    if choice.page is not None:
        return inputs[(choice.page - 1) * count : choice.page * count]
    return inputs[:count] if choice.quarantined else evenly_spaced(inputs, count)


def _section(corpus: Corpus, source: Candidates, inputs: Sequence[Candidate]) -> Section:
    shards = {proxy: frozenset(corpus.shards(proxy)) for proxy in corpus.proxies}
    ledgers = _Ledgers(corpus.url)
    cards = [_card(corpus, shards, ledgers, source.proxies, candidate) for candidate in inputs]
    tiers = {proxy: _tier(corpus, proxy, cards) for proxy in source.proxies}
    in_order = dict(sorted(tiers.items(), key=lambda item: tier_rank(item[1])))
    ordered = [
        replace(card, samples={proxy: card.samples[proxy] for proxy in in_order}) for card in cards
    ]
    return Section(source.source, in_order, ordered)


class _Ledgers:
    """Why proxies lack keys; each ledger is read once."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._reasons: dict[tuple[str, str], dict[str, str]] = {}

    def reason(self, proxy: str, candidate: Candidate) -> str:
        """Why a proxy has no sample of a key; empty where no ledger says so."""
        place = proxy, candidate.shard
        if place not in self._reasons:
            self._reasons[place] = self._read(*place)
        return self._reasons[place].get(candidate.key, "")

    def _read(self, proxy: str, shard: str) -> dict[str, str]:
        try:
            rows = lost_inputs(self._root, proxy, shard)
        except FileMissing:
            return {}
        return {str(row["key"]): str(row["reason"]) for row in reversed(rows)}


def _card(
    corpus: Corpus,
    shards: Mapping[str, frozenset[str]],
    ledgers: _Ledgers,
    proxies: Sequence[str],
    candidate: Candidate,
) -> Card:
    def sample_of(proxy: str) -> Sample | None:
        if not candidate.key or candidate.shard not in shards[proxy]:
            return None
        row = corpus.reader.row(proxy, candidate.shard, candidate.key)
        return None if row is None else corpus.reader.read(proxy, candidate.shard, row)

    samples = {proxy: sample_of(proxy) for proxy in proxies}
    reasons = dict(candidate.reasons)
    for proxy, sample in samples.items():
        if sample is None and proxy not in reasons and candidate.shard in shards[proxy]:
            reasons[proxy] = ledgers.reason(proxy, candidate)
    elsewhere = None
    if not any(samples.values()):
        others = (sample_of(proxy) for proxy in corpus.proxies if proxy not in samples)
        elsewhere = next(filter(None, others), None)
    return Card(candidate.key or candidate.member, samples, reasons, elsewhere)


def _tier(corpus: Corpus, proxy: str, cards: Sequence[Card]) -> str:
    """The tier of a proxy: as its samples state it, or its kind."""
    for card in cards:
        if (sample := card.samples[proxy]) is not None:
            return str(sample.facts["tier"])
    manifest = corpus.header.manifest["proxies"]
    kind = next(entry["type"] for entry in manifest if entry["name"] == proxy)
    known = proxy_kinds().usable(kind)
    return known.tier if known else ""
