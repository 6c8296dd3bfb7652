"""All arms of an experiment: pure, from a plan and training data to configurations of runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.arm_configs import (
    arm_config,
    arm_without_drawings,
    drawing_arm,
    whole_batch,
)
from sgt_data.experiment.plan.arms import CONTROLS, QUESTIONS_ALONE, Arm, TrainingData, drawn_in
from sgt_data.experiment.plan.control_arms import control_arms
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan, names_in
from sgt_data.experiment.plan.ladders import ladder_arms
from sgt_data.experiment.plan.primary_contrast import check_primary
from sgt_data.suggestions import not_among


def arms_of(kind: ExperimentKind, plan: Plan, data: TrainingData) -> list[Arm]:
    """All arms of an experiment: those that are compared first, then the controls.

    Raises:
        RequestError: the plan lacks a field that this experiment needs, or has settings or a
            primary contrast for an arm that does not exist.
    """
    compared = {"scale": ladder_arms, "proxies": _proxy_arms, "ratio": _ratio_arms}[kind]
    arms = [*compared(plan, data), *control_arms(plan, data)]
    if unknown := set(plan.settings) - {arm.name for arm in arms}:
        names = dict.fromkeys(arm.name for arm in arms)
        raise RequestError(f"settings: {not_among(sorted(unknown)[0], names)}")
    check_primary(plan.primary, [name for arm in arms for name in (arm.name, arm.label)])
    return [
        replace(arm, seeds=_seeds(kind, plan, arm), family=arm.family or arm.label) for arm in arms
    ]


def _seeds(kind: ExperimentKind, plan: Plan, arm: Arm) -> Sequence[int]:
    of_ladder = arm.name not in CONTROLS and (arm.x is not None or not drawn_in(arm.name)[1])
    return plan.seeds if kind != "scale" or of_ladder else plan.control_seeds or plan.seeds


def _proxy_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    drawing = [
        replace(drawing_arm(plan, data, names_in(entry), data.pictures), x=None)
        for entry in plan.proxies
    ]
    return [arm_without_drawings(plan, data, QUESTIONS_ALONE), *drawing]


def _ratio_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    proxies = plan.proxy_names
    name = " and ".join(proxies)
    if not plan.ratios:
        raise RequestError("ratios: a ratio experiment needs some, such as 2:1")
    arms = []
    for ratio in plan.ratios:
        config = arm_config(plan, data, name, {"proxies": proxies})
        batch = config.questions + config.drawings
        drawings = round(batch * _drawing_share(ratio))
        if not 0 < drawings < batch:
            raise RequestError(f"ratios: {ratio} of a batch of {batch} leaves one part empty")
        config = replace(config, drawings=drawings, questions=batch - drawings)
        arms.append(Arm(name, ratio, config, data.pictures))
    batch_config = whole_batch(plan, data)
    questions = batch_config.questions + batch_config.drawings
    return [*arms, arm_without_drawings(plan, data, QUESTIONS_ALONE, questions)]


def _drawing_share(ratio: str) -> float:
    """Share of drawings in a batch, 0 to 1, of `drawings:questions`."""
    try:
        drawings, questions = map(float, ratio.split(":"))
        return drawings / (drawings + questions)
    except (ValueError, ZeroDivisionError) as why:
        raise RequestError(f"ratios: found {ratio!r}; write drawings:questions as 2:1") from why
