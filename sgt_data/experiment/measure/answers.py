"""Answers of a model to questions: all of a split, or a part of it while the model is trained."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan

from torch import nn

from sgt_data.experiment.measure.accuracy import AskedQuestion, chance_accuracy, mark_answers
from sgt_data.experiment.measure.held_out import HeldOutQuestion
from sgt_data.experiment.measure.model_outputs import NoNumbers, answers_given
from sgt_data.experiment.measure.run_result import Marks

QUESTIONS_WHILE_TRAINING = 1500
"""Most questions of validation that are asked at each point of a validation curve."""


def marks_of(model: nn.Module, questions: Sequence[HeldOutQuestion]) -> Marks:
    """Marks of a model's answers."""
    given = answers_given(model, questions)
    return mark_answers([question.asked for question in questions], given)


def mean_of_tasks(marks: Marks) -> float:
    """Mean over tasks of the share of right answers, 0 to 1."""
    shares = []
    for pictures in marks.values():
        right, count = map(sum, zip(*pictures.values(), strict=True))
        shares.append(right / count)
    return sum(shares) / len(shares)


def mean_chance(questions: Sequence[HeldOutQuestion]) -> float:
    """Mean over tasks of the expected accuracy of a random pick among each question's choices."""
    by_task: dict[str, list[AskedQuestion]] = {}
    for question in questions:
        by_task.setdefault(question.asked.task, []).append(question.asked)
    return sum(map(chance_accuracy, by_task.values())) / len(by_task)


def spread_out(questions: Sequence[HeldOutQuestion], most: int) -> list[HeldOutQuestion]:
    """At most so many questions, evenly spread over each task; in their order."""
    if len(questions) <= most:
        return list(questions)
    by_task: dict[str, list[int]] = {}
    for place, question in enumerate(questions):
        by_task.setdefault(question.asked.task, []).append(place)
    kept: list[int] = []
    for places in by_task.values():
        count = max(1, len(places) * most // len(questions))
        kept += [places[number * len(places) // count] for number in range(count)]
    return [questions[place] for place in sorted(kept)]


class ValidationPart:
    """Measures a model that is being trained on a part of the validation questions."""

    def __init__(self, questions: Sequence[HeldOutQuestion]) -> None:
        """
        Args:
            questions: all questions of validation.
        """
        self.questions = spread_out(questions, QUESTIONS_WHILE_TRAINING)

    def __call__(self, model: nn.Module) -> float:
        """Mean accuracy over tasks, 0 to 1, of a model in evaluation mode; NaN if it diverged."""
        try:
            return mean_of_tasks(marks_of(model, self.questions))
        except NoNumbers:  # a pace that is too fast loses its trial, and stops nothing
            return nan
