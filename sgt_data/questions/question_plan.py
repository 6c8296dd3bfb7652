"""What to ask about a corpus: tasks, numbers of questions, splits and seed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from sgt_data import checks
from sgt_data.questions.question_tasks import TASKS
from sgt_data.questions.splits import SHARES, exact_shares


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionPlan:
    """What to ask about a corpus; the defaults ask all tasks about all pictures.

    Attributes:
        seed: seed of every choice.
        tasks: of count, presence, position, relation and nearer, or one of these; None for all that
            the corpus can answer.
        per_picture: most questions of each task about one picture.
        per_task: most questions of each task in each split; None for no limit.
        shares: shares of the pictures by split, 0 to 1; the rest of the pictures is not asked
            about.

    Raises:
        RequestError: a limit or the seed is out of range, or the shares are no shares of train,
            val and test.
    """

    seed: int = 0
    tasks: Collection[str] | str | None = None
    per_picture: int = 4
    per_task: int | None = None
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))

    def __post_init__(self) -> None:
        exact_shares(self.shares)
        checks.whole_number("seed", self.seed, 0, 2**63 - 1)
        checks.whole_number("per_picture", self.per_picture, 1, 2**63 - 1)
        if self.per_task is not None:
            checks.whole_number("per_task", self.per_task, 1, 2**63 - 1)
        for task in checks.texts("tasks", self.tasks or ()):
            checks.one_of("tasks", task, TASKS)
