"""The control arms of an experiment (pure)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.arm_configs import arm_config, arm_without_drawings, whole_batch
from sgt_data.experiment.plan.arms import (
    BASE,
    BLIND,
    CLASSIFIED,
    LABELS,
    SAME_COMPUTE,
    SAME_SAMPLES,
    UNTRAINED,
    WRONG_TARGETS,
    Arm,
    TrainingData,
    drawn_in,
)
from sgt_data.experiment.plan.experiment_plan import Plan
from sgt_data.suggestions import not_among

_Maker = Callable[[Plan, TrainingData], Arm]


def control_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    """The arms that `Plan.controls` names, in order.

    Raises:
        RequestError: a name is unknown.
    """
    return [_control_arm(plan, data, name) for name in plan.controls]


def equal_compute_questions(plan: Plan, data: TrainingData) -> int:
    """Questions of a step that take as many arithmetic operations as its questions and drawings.

    Raises:
        ValueError: the cost of a drawing was not measured.
    """
    if data.drawing_cost is None:
        raise ValueError("the cost of a drawing was not measured")
    config = whole_batch(plan, data)
    return config.questions + round(config.drawings * data.drawing_cost)


def _control_arm(plan: Plan, data: TrainingData, name: str) -> Arm:
    if (maker := _MAKERS.get(name)) is not None:
        return maker(plan, data)
    drawn, end = drawn_in(name)
    if end not in _DRAWING:
        ways = [*_MAKERS, *(f"PROXY{end}" for end in _DRAWING)]
        raise RequestError(f"controls: {not_among(name, dict.fromkeys(ways))}")
    proxies = drawn.split(" and ")
    wrong = {"wrong_targets": True} if end == WRONG_TARGETS else {}
    fields = {"objective": "classify"} if end == CLASSIFIED else {}
    config = arm_config(plan, data, name, {"proxies": proxies, **wrong}, fields)
    return Arm(name, None, config, data.pictures)


def _base(plan: Plan, data: TrainingData) -> Arm:
    config = arm_config(plan, data, BASE)
    return Arm(UNTRAINED if config.model.init is None else BASE, None, config, trained=False)


def _same_samples(plan: Plan, data: TrainingData) -> Arm:
    config = whole_batch(plan, data)
    return arm_without_drawings(plan, data, SAME_SAMPLES, config.questions + config.drawings)


def _same_compute(plan: Plan, data: TrainingData) -> Arm:
    return arm_without_drawings(plan, data, SAME_COMPUTE, equal_compute_questions(plan, data))


def _blind(plan: Plan, data: TrainingData) -> Arm:
    return Arm(BLIND, None, arm_config(plan, data, BLIND, {"blind": True}))


def _labels(plan: Plan, data: TrainingData) -> Arm:
    """Questions that state the labels of the drawn pictures, in the drawings' places."""
    ((count, file),) = data.labels.items()
    batch = whole_batch(plan, data)
    questions = {"questions": batch.questions + batch.drawings}
    config = arm_config(plan, data, LABELS, {"more_questions": [file]}, questions)
    return Arm(LABELS, float(count) if plan.ladder else None, config)


_MAKERS: Mapping[str, _Maker] = {
    BASE: _base,
    SAME_SAMPLES: _same_samples,
    SAME_COMPUTE: _same_compute,
    BLIND: _blind,
    LABELS: _labels,
}

_DRAWING = (WRONG_TARGETS, CLASSIFIED)
