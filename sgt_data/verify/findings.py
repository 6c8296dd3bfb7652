"""What a verification reports: findings, and the verdict over a whole corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sgt_data.notebook_html import heading, table


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction between what a corpus promises and what it holds.

    Attributes:
        place: path of a file in the corpus, or `folder/shard`.
        problem: what is wrong with it.
    """

    place: str
    problem: str

    def __str__(self) -> str:
        return f"{self.place}: {self.problem}"


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """What a verification saw.

    Attributes:
        shards: number of shards checked, over all folders.
        samples: number of samples in these shards.
        findings: all that is wrong.
        parent: of a subset file, URL of the corpus that it was compared with; else None.
        not_decoded: by type of proxy that is not installed: samples whose targets were read and
            compared by digest, and not decoded.
    """

    shards: int
    samples: int
    findings: tuple[Finding, ...]
    parent: str | None = None
    not_decoded: Mapping[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __repr__(self) -> str:
        state = "sound" if self.sound else f"{len(self.findings):,} findings"
        return f"<Verdict {state}: {self.shards:,} shards, {self.samples:,} samples>"

    def _repr_html_(self) -> str:
        """The findings, as a notebook shows them."""
        counted = f"{self.shards:,} shards, {self.samples:,} samples"
        if self.sound:
            return heading("sound", counted)
        rows = [(finding.place, finding.problem) for finding in self.findings]
        title = heading(f"{len(self.findings):,} findings", counted)
        return title + table(("place", "problem"), rows)
