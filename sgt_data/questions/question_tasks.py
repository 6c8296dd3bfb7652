"""The tasks of visual questions, and what a question is before it is chosen.

The tasks are those of CV-Bench (S. Tong et al., "Cambrian-1", 2024): count, presence, position in
the picture, relation of two things, and which of two things is nearer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

Task = Literal["count", "presence", "position", "relation", "nearer"]
TASKS: tuple[Task, ...] = get_args(Task)


@dataclass(frozen=True, slots=True)
class Rules:
    """The bounds within which an answer is certain.

    Attributes:
        min_area: least visible share of the picture of what is asked about.
        count_max: the largest number that is asked for.
        centre_margin: least distance of two centres, or of a centre and the picture's middle line,
            as a share of the picture's side.
        nearness_margin: least difference of two medians of inverse depth, as a share of the range
            that the depth map shows.
        unlabelled_max: the largest share of a picture without label in which stuff may be said to
            be absent.
    """

    min_area: float = 0.005
    count_max: int = 10
    centre_margin: float = 0.1
    nearness_margin: float = 0.15
    unlabelled_max: float = 0.05


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that could be asked, with its answer.

    Attributes:
        key: key of the picture.
        task: task of the question.
        text: text of the question.
        answer: the right answer.
        rank: a number from the seed, the picture and the text, not from the answer; of several
            candidates those of the lowest rank are chosen.
    """

    key: str
    task: Task
    text: str
    answer: str
    rank: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A question that is not asked.

    Attributes:
        task: task of the question.
        reason: why it is not asked.
    """

    task: Task
    reason: str


Outcome = Candidate | LeftOut
"""What comes of a possible question: it can be asked, or is left out."""
