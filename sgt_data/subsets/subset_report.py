"""What came of taking a subset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.engine.drive import ShardResult
from sgt_data.subsets.shard_likeness import ShardLikeness


@dataclass(slots=True, kw_only=True, repr=False)
class SubsetReport(ShardResult):
    """What came of a subset: a file that names its keys, or a copy.

    Failures are shards that could not be copied.

    Attributes:
        place: URL of its file, or of its copy.
        corpus: URL of what it was taken from.
        rule: how it was chosen: seed, strata, `where`; `samples` or `shards`, and `from` how many.
        totals: by folder.
        copied: whether it has become a corpus of its own, shard by shard.
        available: keys of the corpus itself, as the first proxy that takes a source has them; None
            for whole shards.
        likeness: of whole shards: how alike their pictures are.
    """

    place: str
    corpus: str
    rule: Mapping[str, Any]
    totals: Mapping[str, Mapping[str, int]]
    copied: bool = False
    available: int | None = None
    likeness: tuple[ShardLikeness, ...] = ()

    @property
    def succeeded(self) -> bool:
        """Whether the subset is there and holds a sample."""
        samples = any(totals["samples"] for totals in self.totals.values())
        return self.complete and not self.failures and samples

    @classmethod
    def of(cls, subset: Corpus, place: str) -> SubsetReport:
        """The report on a subset of which nothing is written yet."""
        header = subset.header
        return cls(
            place=place, corpus=subset.url, rule=header.identity["subset"], totals=header.totals
        )
