"""What came of long work: one shape for builds, copies, exports, questions, runs and pushes."""

from __future__ import annotations

from dataclasses import dataclass, field

from sgt_data.redaction import without_secrets


@dataclass(frozen=True, slots=True)
class Failure:
    """A part of the work that failed; what was done before is kept.

    Attributes:
        part: its name: `source/slice`, `proxy/shard`, or that of a run.
        message: why it failed.
    """

    part: str
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", without_secrets(self.message))

    def __str__(self) -> str:
        return f"{self.part}: {self.message}"


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of long work; each verb adds its own counts.

    Attributes:
        complete: everything that was asked for is done; else the same call goes on.
        failures: parts that failed.
        notes: remarks for the person who asked.
    """

    complete: bool = False
    failures: list[Failure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.notes = [without_secrets(note) for note in self.notes]

    @property
    def succeeded(self) -> bool:
        """Whether the work is complete and no part of it failed."""
        return self.complete and not self.failures
