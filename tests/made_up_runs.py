"""Results of runs that never ran: numbers drawn about a plan, in the form that real ones have.

A skill is the share of questions that a run solves of those that guessing leaves; the base, from
which training began, has skill `BASE_SKILL`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sgt_data.experiment.measure.lift_off import lift_off
from sgt_data.experiment.measure.run_result import (
    PLATEAU_RISE,
    LayerAttention,
    Marks,
    Plateau,
    ProbeResult,
    RunResult,
    Samples,
    TaskAccuracy,
    TestSet,
)
from sgt_data.scoring.intervals import Estimate

CHANCE = {"count": 1 / 3, "presence": 0.5, "nearer": 0.5, "left or right": 0.5, "category": 0.2}
GENERATION = ("one object", "two objects", "counting", "position", "colour", "mean")
PICTURES = 40
BASE_SKILL = 0.1
NOT_TRAINED = ("base", "untrained")


def estimate(value: float, reach: float = 0.02) -> Estimate:
    return Estimate(float(value), float(value - reach), float(value + reach), PICTURES)


def drawn_marks(
    draws: np.random.Generator,
    skill: float,
    chance: Mapping[str, float],
    pictures: int,
    asked: int = 4,
) -> Marks:
    """Answers about pictures of which some are harder than others, for every run alike."""
    hardness = np.random.default_rng(3).normal(scale=0.1, size=pictures)
    marks = {}
    for number, (task, guessing) in enumerate(sorted(chance.items())):
        share = guessing + (1 - guessing) * np.clip(skill * (1.3 - 0.2 * number), 0, 1)
        right = draws.binomial(asked, np.clip(share + hardness, 0, 1))
        marks[task] = {f"p{k:04}": (int(count), asked) for k, count in enumerate(right)}
    return marks


def accuracies(marks: Marks, chance: Mapping[str, float]) -> dict[str, TaskAccuracy]:
    found = {}
    for task, pictures in marks.items():
        right, asked = np.array(list(pictures.values())).sum(axis=0)
        value = float(right / asked)
        found[task] = TaskAccuracy(
            value, value - 0.03, value + 0.03, int(asked), chance[task], chance[task] + 0.02
        )
    return found


def made_set(
    draws: np.random.Generator,
    skill: float,
    chance: Mapping[str, float],
    pictures: int,
    asked: int = 4,
) -> TestSet:
    marks = drawn_marks(draws, skill, chance, pictures, asked)
    accuracy = accuracies(marks, chance)
    return TestSet(accuracy, estimate(np.mean([task.value for task in accuracy.values()])), marks)


def run(
    arm: str, x: float | str | None, seed: int, skill: float, pictures: int = PICTURES
) -> RunResult:
    draws = np.random.default_rng([seed, *f"{arm} {x}".encode()])
    answers = made_set(draws, skill, CHANCE, pictures)
    arithmetic = made_set(draws, 0.4, {"sum": 0.25, "difference": 0.25}, pictures, 1)
    trained = arm not in NOT_TRAINED
    draws_targets = x not in (0, None) or arm not in ("questions alone", *NOT_TRAINED)
    noise = iter(draws.normal(scale=0.015, size=400))
    steps = range(20, 801, 20) if trained else range(0)
    base = 0.4 + 0.5 * BASE_SKILL
    validation = tuple(
        (step, float(0.4 + 0.5 * (BASE_SKILL + (skill - BASE_SKILL) / (1 + np.exp(3 - step / 60)))))
        for step in steps
    )
    quarter = len(validation) // 4
    late = [accuracy for _, accuracy in validation[-quarter:]] if trained else [0.0]
    rise = late[-1] - late[0]
    return RunResult(
        arm=arm,
        x=x,
        seed=seed,
        config={"arm": arm, "seed": seed},
        digest=f"{seed:016x}",
        split="validation",
        accuracy=answers.accuracy,
        mean=answers.mean,
        marks=answers.marks,
        training_accuracy=float(0.4 + 0.8 * skill + next(noise)) if trained else None,
        lift_off=lift_off(validation, base) if trained else None,
        samples=Samples(
            19200 if trained else 0,
            19200 if draws_targets else 0,
            int(x) if isinstance(x, int | float) else 1024,
        ),
        seconds=float(120 + 10 * next(noise)),
        probes={
            name: ProbeResult(
                estimate(level + (0.95 - level) * skill + next(noise)),
                level,
                ("a", "b"),
                300,
                200,
                0.1,
            )
            for name, level in (("shape", 0.2), ("pair", 0.5), ("number", 0.3))
        },
        layout={"segmentation": {"mIoU": estimate(skill), "PQ": estimate(skill * 0.9)}}
        if draws_targets
        else {},
        generation={
            output: {task: estimate(0.3 + level * skill + next(noise)) for task in GENERATION}
            for output, level in (("class map", 0.6), ("picture", 0.1))
        }
        | {
            f"{output}, captions shuffled": {"mean": estimate(0.2 + 0.01 * (seed % 7))}
            for output in ("class map", "picture")
        },
        others={
            "arithmetic": arithmetic,
            "rich scenes": made_set(draws, 0.8 * skill, CHANCE, pictures // 4),
        },
        attention=tuple(
            LayerAttention(estimate(0.2 + 0.1 * k + 0.2 * skill + next(noise)), 0.7)
            for k in range(4)
        ),
        plateau=Plateau(float(np.mean(late)), rise, rise < PLATEAU_RISE) if trained else None,
        validation_curve=validation,
        curve=tuple((step, 1.5 - skill * step / 800, 0.2, 0.5) for step in steps),
    )


def runs(plan: Iterable[tuple[str, float | str | None, float]], seeds: int = 3) -> list[RunResult]:
    results = []
    for arm, x, skill in plan:
        for seed in range(seeds):
            noise = np.random.default_rng([seed, 7]).normal(scale=0.03)
            results.append(run(arm, x, seed, skill + noise))
    return results


SCALE = [
    ("questions alone", 0, 0.1),
    ("entity", 128, 0.28),
    ("entity", 1024, 0.5),
    ("entity", 4096, 0.58),
    ("entity", 16384, 0.6),
    ("entity, equal epochs", 128, 0.12),
    ("entity, equal epochs", 1024, 0.3),
    ("questions alone, equal compute", None, 0.12),
    ("labels as questions", 16384, 0.3),
    ("pictures of questions hidden", None, 0.02),
    ("base", None, 0.1),
]
PROXIES = [
    (name, None, skill)
    for name, skill in (
        ("questions alone", 0.25), ("entity", 0.62), ("semantic", 0.55), ("instance", 0.4),
        ("depth", 0.35), ("edge", 0.22), ("inpainting", 0.12), ("entity, wrong targets", 0.11),
        ("base", 0.1),
    )
]  # fmt: skip
RATIO = [
    ("entity", x, skill)
    for x, skill in (("1:4", 0.3), ("1:2", 0.45), ("1:1", 0.55), ("2:1", 0.6), ("4:1", 0.5))
] + [("questions alone", None, 0.1)]
