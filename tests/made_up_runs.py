"""Results of runs that never ran: numbers drawn about a plan, in the form that real ones have."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from sgt_data.experiment.measure.lift_off import lift_off
from sgt_data.experiment.measure.run_result import (
    ProbeResult,
    RunResult,
    Samples,
    TaskAccuracy,
)
from sgt_data.scoring.intervals import Estimate

CHANCE = {"count": 1 / 3, "presence": 0.5, "nearer": 0.5, "left or right": 0.5, "category": 0.2}
PICTURES = 40


def estimate(value: float, reach: float = 0.02) -> Estimate:
    return Estimate(float(value), float(value - reach), float(value + reach), PICTURES)


def run(arm: str, x: float | str | None, seed: int, skill: float) -> RunResult:
    """A run whose tasks are solved by so much of what lies between guessing and all right."""
    draws = np.random.default_rng([seed, *f"{arm} {x}".encode()])
    marks, accuracy = {}, {}
    for number, (task, chance) in enumerate(CHANCE.items()):
        share = chance + (1 - chance) * min(1, max(0, skill * (1.3 - 0.2 * number)))
        right = draws.binomial(5, share, PICTURES)
        marks[task] = {f"p{k:03}": (int(count), 5) for k, count in enumerate(right)}
        value = float(right.mean() / 5)
        accuracy[task] = TaskAccuracy(
            value, value - 0.03, value + 0.03, 5 * PICTURES, chance, chance + 0.02
        )
    noise = iter(draws.normal(scale=0.015, size=200))
    curve = tuple(
        (
            step,
            float(1.5 - skill * step / 800 + next(noise)),
            float(0.2 / (1 + step / 200)),
            float(0.4 + 0.8 * skill / (1 + np.exp(-(step - 500 + 400 * skill) / 50)) + next(noise)),
        )
        for step in range(20, 801, 20)
    )
    probes = {
        name: ProbeResult(
            estimate(level + (0.95 - level) * skill + next(noise)), level, ("a", "b"), 300, 200, 0.1
        )
        for name, level in (("shape", 0.2), ("pair", 0.5), ("number", 0.3))
    }
    return RunResult(
        arm=arm,
        x=x,
        seed=seed,
        config={"arm": arm, "seed": seed},
        digest=f"{seed:016x}",
        split="validation",
        accuracy=accuracy,
        mean=estimate(np.mean([task_accuracy.value for task_accuracy in accuracy.values()])),
        marks=marks,
        training_accuracy=float(0.4 + 0.8 * skill + next(noise)),
        lift_off=lift_off([(row[0], row[3] or 0) for row in curve], 0.4),
        samples=Samples(19200, 19200 if x else 0, int(x) if isinstance(x, int | float) else 1024),
        seconds=float(120 + 10 * next(noise)),
        probes=probes,
        layout={"segmentation": {"mIoU": estimate(skill), "PQ": estimate(skill * 0.9)}}
        if x
        else {},
        attention=tuple(estimate(0.2 + 0.15 * k + 0.2 * skill + next(noise)) for k in range(4)),
        curve=curve,
    )


def runs(plan: Iterable[tuple[str, float | str | None, float]], seeds: int = 3) -> list[RunResult]:
    results = []
    for arm, x, skill in plan:
        for seed in range(seeds):
            noise = np.random.default_rng([seed, 7]).normal(scale=0.03)
            results.append(run(arm, x, seed, skill + noise))
    return results


SCALE = [
    ("segmentation", 0, 0.1),
    ("segmentation", 128, 0.28),
    ("segmentation", 1024, 0.5),
    ("segmentation", 4096, 0.58),
    ("segmentation", 16384, 0.6),
    ("questions alone, three times the steps", None, 0.12),
    ("more questions on the same pictures", None, 0.3),
    ("blind", None, 0.02),
]
PROXIES = [
    (name, None, skill)
    for name, skill in (
        ("referring", 0.62), ("semantic", 0.55), ("instance", 0.4), ("depth", 0.35),
        ("boxes", 0.3), ("edge", 0.22), ("inpainting", 0.18), ("reconstruction", 0.1),
        ("no drawing", 0.08),
    )
]  # fmt: skip
RATIO = [
    ("segmentation : questions", x, skill)
    for x, skill in (("0:1", 0.1), ("1:4", 0.3), ("1:2", 0.45), ("1:1", 0.55), ("2:1", 0.6),
                     ("4:1", 0.5))
]  # fmt: skip
