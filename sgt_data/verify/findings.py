"""What a verification reports: findings, and the verdict over a whole corpus."""

from __future__ import annotations

from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification saw.

    Attributes:
        shards: number of shards checked, over all folders.
        samples: number of samples in these shards.
        findings: all that is wrong.
        parent: of a subset file, URL of the corpus that it was compared with; else None.
    """

    shards: int
    samples: int
    findings: tuple[Finding, ...]
    parent: str | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings
