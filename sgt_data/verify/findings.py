"""What a verification reports: findings, and the verdict over a whole corpus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sgt_data.notebook_html import heading, table
from sgt_data.value_text import counted


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
        samples: number of samples in these shards, over all proxies.
        findings: all that is wrong.
        parent: of a subset file, URL of the corpus that it was compared with; else None.
        not_decoded: by type of proxy that is not installed: samples whose targets were read and
            compared by digest, and not decoded.
        inputs: number of shared inputs in these shards, which samples of several proxies use.
        limit: of a corpus that is limited to the first pictures of each source, and not complete:
            how many pictures; else None.
        accepted: by who wrote them (`files.side_files`): how many files lie in the corpus that are
            not of it, and harm nothing.
    """

    shards: int
    samples: int
    findings: tuple[Finding, ...]
    parent: str | None = None
    not_decoded: Mapping[str, int] = field(default_factory=dict)
    inputs: int = 0
    limit: int | None = None
    accepted: Mapping[str, int] = field(default_factory=dict)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings

    def __repr__(self) -> str:
        state = "sound" if self.sound else counted(len(self.findings), "finding")
        return f"<Verdict {state}: {self.counts}>"

    @property
    def counts(self) -> str:
        """What was checked, in words; shared inputs only where there are any."""
        inputs = f", {counted(self.inputs, 'shared input')}" if self.inputs else ""
        return f"{counted(self.shards, 'shard')}, {counted(self.samples, 'sample')}{inputs}"

    def _repr_html_(self) -> str:
        """The findings, as a notebook shows them."""
        if self.sound:
            return heading("sound", self.counts)
        rows = [(finding.place, finding.problem) for finding in self.findings]
        title = heading(counted(len(self.findings), "finding"), self.counts)
        return title + table(("place", "problem"), rows)
