"""Accuracy of answers per task, and its mean over tasks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sgt_data.experiment.measure.run_result import Marks, TaskAccuracy
from sgt_data.scoring.intervals import (
    Estimate,
    Floats,
    as_share,
    bootstrap,
    divide_or_nan,
    ratio_of_sums,
)
from sgt_data.value_text import cut


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """One question of a held-out split.

    Attributes:
        key: key of its picture.
        task: task of the question, such as `count`.
        answer: the right answer.
        choices: all answers that the question admits, with the right one among them.
    """

    key: str
    task: str
    answer: str
    choices: tuple[str, ...]


def mark_answers(questions: Sequence[AskedQuestion], given: Sequence[str]) -> Marks:
    """Count right answers and questions per task and picture.

    An answer is right where it equals the right answer letter by letter.

    Raises:
        ValueError: the numbers of answers and questions differ, or there are none.
    """
    if len(questions) != len(given) or not questions:
        raise ValueError(f"{len(given)} answers to {len(questions)} questions")
    marks: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for question, answer in zip(questions, given, strict=True):
        right, count = marks[question.task].get(question.key, (0, 0))
        marks[question.task][question.key] = (right + (answer == question.answer), count + 1)
    return {task: dict(sorted(marks[task].items())) for task in sorted(marks)}


def accuracy_per_task(
    questions: Sequence[AskedQuestion], marks: Marks, seed: int
) -> dict[str, TaskAccuracy]:
    """Accuracy by task with intervals over pictures, and the accuracy of guessing."""
    accuracies = {}
    for task, pictures in marks.items():
        right, count = np.array(list(pictures.values()), float).T
        share = as_share(ratio_of_sums(right, count, seed))
        of_task = [question for question in questions if question.task == task]
        accuracies[task] = TaskAccuracy(
            share.value, share.low, share.high, len(of_task), chance_accuracy(of_task),
            commonest_answer_accuracy(of_task),
        )  # fmt: skip
    return accuracies


def chance_accuracy(questions: Sequence[AskedQuestion]) -> float:
    """Expected accuracy of a random pick among each question's choices, 0 to 1.

    Raises:
        ValueError: a question's answer is not among its choices.
    """
    for question in questions:
        if question.answer not in question.choices:
            raise ValueError(
                f"picture {question.key}, task {question.task}: the answer "
                f"{cut(question.answer, 40)} is not among its choices {cut(question.choices)}"
            )
    return sum(1 / len(set(question.choices)) for question in questions) / len(questions)


def commonest_answer_accuracy(questions: Sequence[AskedQuestion]) -> float:
    """Accuracy of always giving the answer that is right most often, 0 to 1."""
    return max(Counter(question.answer for question in questions).values()) / len(questions)


def mean_accuracy(marks: Marks, seed: int) -> Estimate:
    """Mean over tasks of their accuracies, with its interval over pictures.

    Every task counts the same. The pictures of all tasks are resampled together; a resample that
    has lost a task gives the mean of the others.
    """
    keys = sorted({key for pictures in marks.values() for key in pictures})
    right, count = _count_arrays(marks, keys)
    return as_share(bootstrap(lambda weights: _task_mean(weights, right, count), len(keys), seed))


def _task_mean(weights: Floats, right: Floats, count: Floats) -> Floats:
    """Mean over tasks of accuracies [R], from weights [R, pictures] and counts [tasks, pictures].

    Tasks that a resample has lost are left out.
    """
    shares = divide_or_nan(weights @ right.T, weights @ count.T)
    present = np.isfinite(shares)
    sums = np.where(present, shares, 0).sum(axis=1)
    return divide_or_nan(sums, present.sum(axis=1).astype(float))


def _count_arrays(marks: Marks, keys: Sequence[str]) -> tuple[Floats, Floats]:
    """Numbers of right answers and of questions, each [tasks, pictures]."""
    counts = np.array(
        [[pictures.get(key, (0, 0)) for key in keys] for _, pictures in sorted(marks.items())],
        float,
    )
    return counts[..., 0], counts[..., 1]
