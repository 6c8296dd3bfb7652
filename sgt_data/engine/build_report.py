"""What came of a build, and whether it succeeded."""

from __future__ import annotations

from dataclasses import dataclass, field

from sgt_data.corpus.reasons import Reason
from sgt_data.engine.drive import ShardResult


@dataclass(slots=True, kw_only=True, repr=False)
class BuildReport(ShardResult):
    """What came of a build.

    Failures are slices that could not be read.

    Attributes:
        output: root of the corpus.
        totals: by folder (see `corpus.receipt.add_up`).
        too_damaged: share of damaged inputs, for each folder where it is above the manifest's
            `max_quarantined`.
        too_filtered: share of filtered inputs, for each folder where it is above `max_filtered`.
        empty: folders of a complete corpus that hold no sample.
        reasons: the most frequent reasons for which inputs did not become samples.
        limit: of a corpus that is not complete as it was limited to the first pictures of each
            source, and has their shards: how many pictures; else None.
        start_seconds: until the first shard began to be rendered (listing inputs, starting Ray and
            its workers, reading the first inputs).
        work_seconds: from then until the last shard was committed.
    """

    output: str
    totals: dict[str, dict[str, int]] = field(default_factory=dict)
    too_damaged: dict[str, float] = field(default_factory=dict)
    too_filtered: dict[str, float] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    limit: int | None = None
    start_seconds: float = 0.0
    work_seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        """Whether the corpus has all that was asked for, holds samples of every proxy, and lost no
        more than the manifest allows."""
        lost_too_much = self.too_damaged or self.too_filtered or self.empty
        has_all = self.complete or self.limit is not None
        return has_all and not self.failures and not lost_too_much
