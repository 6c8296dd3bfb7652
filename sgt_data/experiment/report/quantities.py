"""The quantities that arms are compared on, and what may be said of a difference in them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sgt_data.experiment.measure.run_result import Marks, RunResult
from sgt_data.experiment.report.groups import (
    Measure,
    generation_measure,
    less_shuffled,
    mean_attention,
)

NEGATIVE_CONTROLS = ("arithmetic",)
"""Further sets of questions that need no picture: accuracy is expected to stay the same."""

EQUIVALENCE_MARGIN = 0.03
"""Difference in accuracy on a negative control that counts as none: about half of what SGT reports
as its gain in perception (CV-Bench, 73.2 to 79.2 %)."""


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number of each run. Exactly one of `marks` and `measure` is given.

    Attributes:
        name: name in tables, `mean accuracy`.
        higher, lower, same: what a sentence says of a difference that is shown, and of one that
            is not.
        marks: answers to questions, so that the interval covers seeds and pictures.
        measure: a number; the interval covers seeds alone.
        digits: digits after the point that are shown.
    """

    name: str
    higher: str = "the first is higher"
    lower: str = "the first is lower"
    same: str = "no difference is shown"
    marks: Callable[[RunResult], Marks | None] | None = None
    measure: Measure | None = None
    digits: int = 3

    def is_known(self, run: RunResult) -> bool:
        """Whether a run has the number."""
        number = self.marks or self.measure
        return number is not None and number(run) is not None


ANSWERS = Quantity("mean accuracy", marks=lambda run: run.marks)
SLOPE = Quantity(
    "mean accuracy per doubling of pictures",
    "accuracy rises with pictures",
    "accuracy falls with pictures",
    "no rise or fall with pictures is shown",
    marks=lambda run: run.marks,
    digits=4,
)
ATTENTION = Quantity("attention to the picture, mean of layers", measure=mean_attention)


def other_set(name: str) -> Quantity:
    """Mean accuracy on a further set of questions."""
    return Quantity(
        f"accuracy on {name}",
        marks=lambda run: run.others[name].marks if name in run.others else None,
    )


def generation(output: str, task: str) -> Quantity:
    """Share of captions drawn right, of one kind of output."""
    return Quantity(
        f"captions drawn right ({output}, {task})", measure=generation_measure(output, task)
    )


def generation_of_captions(output: str) -> Quantity:
    """Mean share of captions drawn right, less what captions of other pictures get."""
    return Quantity(
        f"captions drawn right, own less shuffled ({output})", measure=less_shuffled(output)
    )
