"""What the targets of pairs from elsewhere are: the audits in the JSON of samples, summed up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from statistics import median
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.reasons import without_own_words
from sgt_data.errors import CorpusError
from sgt_data.value_text import counted

PAIRED = "paired"
"""Type of the proxies whose samples state an audit."""

_WORDS = {"colors": "by their colours", "facts": "by facts taken along", "no": "not"}
_SAMPLES_MAX = 2000
"""Of more samples, so many are read, evenly spread."""
_REASONS = 3
_THREADS = 16


@dataclass(frozen=True, slots=True)
class TargetAudits:
    """The audits of the targets of a proxy.

    Attributes:
        samples: how many samples the proxy has.
        read: of how many the JSON was read.
        kinds: how many targets are `labels`, `blended labels` and `picture`.
        decodable: how many are decoded by `facts`, by `colors`, and `no` way.
        stored: how many are stored `as it is`, by `nearest centre`, and so on.
        other_size: how many have another size than their picture.
        colors: least, median and largest number of colours.
        blended: least, median and largest share of blended pixels.
        reasons: why targets are not decoded, the most frequent first, each with its number.
    """

    samples: int
    read: int
    kinds: Mapping[str, int]
    decodable: Mapping[str, int]
    stored: Mapping[str, int]
    other_size: int
    colors: tuple[float, float, float]
    blended: tuple[float, float, float]
    reasons: Mapping[str, int]

    def lines(self, proxy: str) -> Iterator[str]:
        """The summary as sentences."""
        of = "" if self.read == self.samples else f" of {self.samples:,}, evenly spread"
        yield (
            f"{proxy}: audited {counted(self.read, 'target')}{of}: {_listed(self.kinds)}; decoded: "
            f"{_listed(self.decodable)}; stored: {_listed(self.stored)}"
        )
        low, middle, high = (f"{value:.3%}" for value in self.blended)
        yield (
            f"{proxy}: {self.colors[0]:g} to {self.colors[2]:g} colours, median "
            f"{self.colors[1]:g}; blended pixels {low} to {high}, median {middle}; "
            f"{counted(self.other_size, 'target')} of another size than the picture"
        )
        for reason, count in self.reasons.items():
            yield f"{proxy}: {count:,} not decoded by labels: {reason}"


def audits_of_corpus(corpus: Corpus) -> dict[str, TargetAudits]:
    """The audits of the proxies of a corpus whose targets were made elsewhere, by name.

    Raises:
        CorpusError: the JSON of a sample states no audit.
        SourceError: it cannot be read just now.
    """
    paired = [
        entry["name"] for entry in corpus.header.manifest["proxies"] if entry["type"] == PAIRED
    ]
    return {
        proxy: audits
        for proxy in paired
        if proxy in corpus.proxies and (audits := _audits(corpus, proxy)) is not None
    }


def _audits(corpus: Corpus, proxy: str) -> TargetAudits | None:
    places = [
        (shard, row)
        for shard in corpus.shards(proxy)
        for row in range(corpus.reader.count(proxy, shard))
    ]
    chosen = places[:: -(-len(places) // _SAMPLES_MAX) or 1]
    if not chosen:
        return None
    with ThreadPoolExecutor(_THREADS) as threads:
        facts = list(threads.map(lambda place: corpus.reader.facts(proxy, *place), chosen))
    try:
        return _summed_up(facts, len(places))
    except (KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"{corpus.url}: a sample of {proxy} states no audit") from why


def _summed_up(facts: Sequence[Mapping[str, Any]], samples: int) -> TargetAudits:
    audits = [each["audit"] for each in facts]
    reasons = Counter(without_own_words(audit["why"]) for audit in audits if audit["why"])
    return TargetAudits(
        samples,
        len(facts),
        dict(Counter(str(audit["kind"]) for audit in audits)),
        dict(Counter(str(audit["decodable"]) for audit in audits)),
        dict(Counter(str(each["stored"]) for each in facts)),
        sum(not audit["same_size"] for audit in audits),
        _spread([audit["colors"] for audit in audits]),
        _spread([audit["blended"] for audit in audits]),
        dict(reasons.most_common(_REASONS)),
    )


def _spread(values: Sequence[float]) -> tuple[float, float, float]:
    return min(values), median(values), max(values)


def _listed(counts: Mapping[str, int]) -> str:
    named = ((_WORDS.get(name, name), count) for name, count in sorted(counts.items()))
    return ", ".join(f"{count:,} {name}" for name, count in named)
