"""Choose the pace of every arm on validation: trials with one seed, never the test split."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from math import isfinite
from pathlib import Path

import orjson

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.validation_curve import plateau_of, validation_curve
from sgt_data.experiment.plan.arms import Arm
from sgt_data.experiment.plan.experiment_plan import Pace, Plan
from sgt_data.experiment.plan.paces import (
    ChosenPace,
    PaceTrial,
    families,
    trial_arms,
    with_paces,
)
from sgt_data.experiment.runs import Job, RunFailure
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words

FILE = "paces.json"

RunJobs = Callable[[Sequence[Job]], Sequence[RunFailure]]
JobsOf = Callable[[Sequence[Arm]], Sequence[Job]]


def choose_paces(
    arms: Sequence[Arm], plan: Plan, folder: Path, jobs_of_arms: JobsOf, run: RunJobs
) -> tuple[list[Arm], list[ChosenPace], list[RunFailure]]:
    """Try every pace of the plan on one arm of each family, and give all arms the best one.

    Args:
        arms: all arms.
        plan: the plan.
        folder: folder of the experiment; `paces.json` says what was tried and chosen.
        jobs_of_arms: makes the jobs of trials, in the order of the arms.
        run: runs jobs that have no result yet, and returns those that failed.

    Returns:
        The arms whose pace is known, the choices, and the trials that failed; the arms of a family
        with a failed trial are left out.

    Raises:
        CorpusError: the result of a trial is damaged.
    """
    trials = {arm.family: jobs_of_arms(trial_arms(arm, plan)) for arm in families(arms, plan)}
    failures = list(run([job for jobs in trials.values() for job in jobs]))
    failed = {failure.part for failure in failures}
    chosen = [
        ChosenPace(family, tuple(_trial(job) for job in jobs))
        for family, jobs in trials.items()
        if not failed & {job.name for job in jobs}
    ]
    _write(folder / FILE, plan, chosen)
    unknown = set(trials) - {each.family for each in chosen}
    known = [arm for arm in arms if arm.family not in unknown or not arm.trained]
    return with_paces(known, plan, chosen), chosen, failures


def _trial(job: Job) -> PaceTrial:
    """What a trial came to, from its curve."""
    try:
        curve = validation_curve(orjson.loads(job.result_bytes()))
    except (orjson.JSONDecodeError, TypeError, ValueError) as why:
        raise CorpusError(f"{job.result} is no curve of a run: {in_words(why)}") from why
    if not curve:
        raise CorpusError(f"{job.result} holds no accuracy on validation")
    last = [accuracy for _, accuracy in curve[-max(1, len(curve) // 4) :]]
    accuracy, plateau = sum(last) / len(last), plateau_of(curve)
    return PaceTrial(
        Pace(job.config.matrix_rate, job.config.rate),
        accuracy if isfinite(accuracy) else None,
        None if plateau is None else plateau.reached,
    )


def _write(path: Path, plan: Plan, chosen: Sequence[ChosenPace]) -> None:
    document = {
        "tuning_seed": plan.tuning_seed,
        "arms": [{**asdict(each), "chosen": asdict(each.best.pace)} for each in chosen],
    }
    data = orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    write_atomic(str(path), data)
