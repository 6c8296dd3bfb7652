"""What to ask about a corpus: tasks, numbers of questions, splits and seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sgt_data.errors import RequestError
from sgt_data.questions.splits import SHARES, exact_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPlan:
    """What to ask about a corpus; the defaults ask all tasks about all pictures.

    Attributes:
        seed: seed of every choice.
        tasks: of count, presence, position, relation and nearer; None for all that the corpus can
            answer.
        per_picture: most questions of each task about one picture.
        per_task: most questions of each task in each split; None for no limit.
        shares: shares of the pictures by split, 0 to 1; the rest of the pictures is not asked
            about.

    Raises:
        RequestError: a limit or the seed is out of range, or the shares are no shares of train,
            val and test.
    """

    seed: int = 0
    tasks: Collection[str] | None = None
    per_picture: int = 4
    per_task: int | None = None
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))

    def __post_init__(self) -> None:
        exact_shares(self.shares)
        for name, limit in (("per_picture", self.per_picture), ("per_task", self.per_task)):
            if limit is not None and not 1 <= limit < 2**63:
                raise RequestError(f"{name}: found {limit}, must be 1 to 2**63 - 1")
        if not 0 <= self.seed < 2**63:
            raise RequestError(f"seed: found {self.seed}, must be 0 to 2**63 - 1")
