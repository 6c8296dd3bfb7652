"""How far long work is: one shape for builds, copies, exports, questions, runs and pushes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sgt_data.redaction import shown_text


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a piece of long work is.

    Attributes:
        done: units that are finished (pictures, samples, shards, steps), `kept` among them.
        total: units of the whole work; None where that is not known.
        exact: whether `total` is counted; False where it is an estimate.
        shards: shards that this run has committed, where the work commits shards.
        nbytes: bytes of tars that this run has written, where it writes tars.
        note: a remark for a person.
        phase: what is being done, in words; a display says how long it takes.
        kept: units that earlier runs had finished.
        slowest: the stage that takes most of the workers' time, with its share, in words.
    """

    done: int
    total: int | None = None
    exact: bool = True
    shards: int = 0
    nbytes: int = 0
    note: str = ""
    phase: str = ""
    kept: int = 0
    slowest: str = ""

    def __post_init__(self) -> None:
        if self.note:
            object.__setattr__(self, "note", shown_text(self.note))


OnProgress = Callable[[Progress], None]
"""Called every time that some units are finished, in the process that asked for the work."""

ProgressTo = bool | OnProgress
"""Where long functions report: True shows a bar or lines, a function is called; False is silent."""


def ignore(progress: Progress) -> None:
    """Take note of nothing."""
