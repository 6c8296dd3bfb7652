"""How many questions are answered right, per task, and whether two arms differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sgt_data.experiment.measure.intervals import (
    Estimate,
    Floats,
    as_share,
    bootstrap,
    divided,
    over_seeds,
    ratio,
    resamples,
    t_quantile,
)
from sgt_data.experiment.measure.results import Marks, TaskAccuracy


@dataclass(frozen=True, slots=True)
class Asked:
    """One question of a split.

    Attributes:
        key: of its picture.
        task: such as `count`.
        answer: the right one.
        choices: all answers that the question admits, the right one among them.
    """

    key: str
    task: str
    answer: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """Mean accuracy of one arm less that of another, on the same pictures and seeds.

    Attributes:
        value: of the means over seeds.
        low, high: 95 % interval; None for one seed on one picture.
        seed_error, picture_error: standard errors, of the choice of seeds (None for one: then the
            interval speaks of these two trained models alone) and of pictures.
        seeds, pictures: how many.
    """

    value: float
    low: float | None
    high: float | None
    seed_error: float | None
    picture_error: float | None
    seeds: int
    pictures: int


def mark(asked: Sequence[Asked], given: Sequence[str]) -> Marks:
    """Right answers and questions per task and picture. An answer is right where it is the same
    text, letter by letter.

    Raises:
        ValueError: there are not as many answers as questions, or none.
    """
    if len(asked) != len(given) or not asked:
        raise ValueError(f"{len(given)} answers to {len(asked)} questions")
    marks: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for question, answer in zip(asked, given, strict=True):
        right, count = marks[question.task].get(question.key, (0, 0))
        marks[question.task][question.key] = (right + (answer == question.answer), count + 1)
    return {task: dict(sorted(marks[task].items())) for task in sorted(marks)}


def accuracy_per_task(asked: Sequence[Asked], marks: Marks, seed: int) -> dict[str, TaskAccuracy]:
    """Accuracy by task with intervals over pictures, and what guessing gives."""
    found = {}
    for task, pictures in marks.items():
        right, count = np.array(list(pictures.values()), float).T
        share = as_share(ratio(right, count, seed))
        questions = [one for one in asked if one.task == task]
        found[task] = TaskAccuracy(
            share.value, share.low, share.high, len(questions), chance_of(questions),
            commonest_of(questions),
        )  # fmt: skip
    return found


def chance_of(questions: Sequence[Asked]) -> float:
    """Expected accuracy of a guess among each question's choices.

    Raises:
        ValueError: a question's answer is not among its choices.
    """
    for one in questions:
        if one.answer not in one.choices:
            raise ValueError(
                f"picture {one.key}, task {one.task}: the answer {one.answer!r:.40} is not among "
                f"its choices {one.choices!r:.80}"
            )
    return sum(1 / len(set(one.choices)) for one in questions) / len(questions)


def commonest_of(questions: Sequence[Asked]) -> float:
    """Accuracy of the one answer that is right most often; what balanced answers keep at chance."""
    return max(Counter(one.answer for one in questions).values()) / len(questions)


def mean_accuracy(marks: Marks, seed: int) -> Estimate:
    """Mean over tasks of their accuracies, every task counting the same; its interval is over the
    pictures of all tasks drawn together. A resample that has lost a task is a mean of the rest."""
    keys = _keys([marks])
    right, count = _table(marks, keys)
    return as_share(bootstrap(lambda weights: _task_mean(weights, right, count), len(keys), seed))


def paired_difference(
    ours: Sequence[Marks], theirs: Sequence[Marks], seed: int
) -> PairedDifference:
    """How much better one arm is than another: marks of each by seed, in the same order of seeds.

    Seeds and pictures are both a sample, and their variances are added (Student's t with the
    degrees of freedom of Welch and Satterthwaite). What a picture does to one seed alone is in both
    terms, so the interval is rather too wide than too narrow.

    Raises:
        ValueError: the arms have not the same seeds, tasks, pictures or numbers of questions.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"{len(ours)} seeds of one arm against {len(theirs)} of the other")
    if len({_asked_in(marks) for marks in (*ours, *theirs)}) > 1:
        raise ValueError("the arms were not asked the same questions of the same pictures")
    keys = _keys(ours)
    pairs = [(_table(a, keys), _table(b, keys)[0]) for a, b in zip(ours, theirs, strict=True)]

    def difference(weights: Floats) -> Floats:
        """Per seed and resample [seeds, R]."""
        return np.stack(
            [_task_mean(weights, a, n) - _task_mean(weights, b, n) for (a, n), b in pairs]
        )

    by_seed = over_seeds(difference(np.ones((1, len(keys))))[:, 0].tolist())
    errors = [(by_seed.error, len(ours) - 1)]
    picture_error = None
    if len(keys) > 1:
        drawn = [difference(weights).mean(axis=0) for weights in resamples(len(keys), seed)]
        picture_error = float(np.std(np.concatenate(drawn), ddof=1))
        errors.append((picture_error, len(keys) - 1))
    reach = _reach([(error, freedom) for error, freedom in errors if error is not None])
    low, high = (None, None) if reach is None else (by_seed.mean - reach, by_seed.mean + reach)
    return PairedDifference(
        by_seed.mean, low, high, by_seed.error, picture_error, len(ours), len(keys)
    )


def _reach(errors: Sequence[tuple[float, int]]) -> float | None:
    """Half the 95 % interval of a sum of independent errors with their degrees of freedom."""
    if not errors:
        return None
    variance = sum(error**2 for error, _ in errors)
    if variance == 0:
        return 0.0
    freedom = variance**2 / sum(error**4 / degrees for error, degrees in errors)
    return t_quantile(freedom) * float(variance**0.5)


def _task_mean(weights: Floats, right: Floats, count: Floats) -> Floats:
    """Mean over tasks [R] of accuracies, from weights [R, pictures]; tasks a resample has lost are
    left out."""
    shares = divided(weights @ right.T, weights @ count.T)
    present = np.isfinite(shares)
    return divided(np.where(present, shares, 0).sum(axis=1), present.sum(axis=1).astype(float))


def _table(marks: Marks, keys: Sequence[str]) -> tuple[Floats, Floats]:
    """Right answers and questions [tasks, pictures]."""
    table = np.array(
        [[pictures.get(key, (0, 0)) for key in keys] for _, pictures in sorted(marks.items())],
        float,
    )
    return table[..., 0], table[..., 1]


def _keys(several: Iterable[Marks]) -> list[str]:
    return sorted({key for marks in several for pictures in marks.values() for key in pictures})


def _asked_in(
    marks: Mapping[str, Mapping[str, tuple[int, int]]],
) -> frozenset[tuple[str, str, int]]:
    return frozenset(
        (task, key, count)
        for task, pictures in marks.items()
        for key, (_, count) in pictures.items()
    )
