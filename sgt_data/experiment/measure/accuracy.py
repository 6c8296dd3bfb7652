"""Accuracy of answers per task, and the difference in mean accuracy between two arms."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from sgt_data.experiment.measure.run_result import Marks, TaskAccuracy
from sgt_data.experiment.measure.seed_means import mean_over_seeds, t_quantile
from sgt_data.scoring.intervals import (
    Estimate,
    Floats,
    as_share,
    bootstrap,
    divide_or_nan,
    ratio_of_sums,
    resamples,
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


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean accuracy of one arm minus that of another, on the same pictures and seeds.

    Attributes:
        value: difference of the means over seeds.
        low, high: ends of the 95 % interval; None for one seed on one picture.
        seed_error: standard error from the choice of seeds; None for one seed, where the interval
            holds for these two trained models only.
        picture_error: standard error from the choice of pictures; None for one picture.
        seeds: number of seeds.
        pictures: number of pictures.
    """

    value: float
    low: float | None
    high: float | None
    seed_error: float | None
    picture_error: float | None
    seeds: int
    pictures: int


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
    keys = _picture_keys([marks])
    right, count = _count_arrays(marks, keys)
    return as_share(bootstrap(lambda weights: _task_mean(weights, right, count), len(keys), seed))


def paired_difference(
    first: Sequence[Marks], second: Sequence[Marks], seed: int
) -> PairedDifference:
    """Mean accuracy of a first arm minus that of a second, from marks of each seed.

    Seeds and pictures are both samples, so their variances are added (Student's t with the degrees
    of freedom of Welch and Satterthwaite; scipy has this for two independent samples only). What a
    picture does to a single seed is in both terms, so the interval is rather too wide than too
    narrow.

    Args:
        first, second: marks of each arm by seed, with seeds in the same order.
        seed: seed of the bootstrap.

    Raises:
        ValueError: the arms differ in seeds, tasks, pictures or numbers of questions.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"{len(first)} seeds of one arm against {len(second)} of the other")
    if len({_question_counts(marks) for marks in (*first, *second)}) > 1:
        raise ValueError("the arms were not asked the same questions of the same pictures")
    keys = _picture_keys(first)
    counts_by_seed = [
        (_count_arrays(ours, keys), _count_arrays(theirs, keys)[0])
        for ours, theirs in zip(first, second, strict=True)
    ]

    def difference(weights: Floats) -> Floats:
        """Difference per seed and resample [seeds, R]."""
        return np.stack(
            [
                _task_mean(weights, ours, count) - _task_mean(weights, theirs, count)
                for (ours, count), theirs in counts_by_seed
            ]
        )

    by_seed = mean_over_seeds(difference(np.ones((1, len(keys))))[:, 0].tolist())
    errors = [(by_seed.error, len(first) - 1)]
    picture_error = None
    if len(keys) > 1:
        resampled = [difference(weights).mean(axis=0) for weights in resamples(len(keys), seed)]
        picture_error = float(np.std(np.concatenate(resampled), ddof=1))
        errors.append((picture_error, len(keys) - 1))
    half = _half_interval([(error, freedom) for error, freedom in errors if error is not None])
    low, high = (None, None) if half is None else (by_seed.mean - half, by_seed.mean + half)
    return PairedDifference(
        by_seed.mean, low, high, by_seed.error, picture_error, len(first), len(keys)
    )


def _half_interval(errors: Sequence[tuple[float, int]]) -> float | None:
    """Half the 95 % interval of a sum of independent errors with their degrees of freedom."""
    if not errors:
        return None
    variance = sum(error**2 for error, _ in errors)
    if variance == 0:
        return 0.0
    freedom = variance**2 / sum(error**4 / degrees for error, degrees in errors)
    return t_quantile(freedom) * float(variance**0.5)


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


def _picture_keys(marks_by_seed: Iterable[Marks]) -> list[str]:
    return sorted(
        {key for marks in marks_by_seed for pictures in marks.values() for key in pictures}
    )


def _question_counts(marks: Marks) -> frozenset[tuple[str, str, int]]:
    return frozenset(
        (task, key, count)
        for task, pictures in marks.items()
        for key, (_, count) in pictures.items()
    )
