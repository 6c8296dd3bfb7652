"""Arms of the `scale` experiment: ladders of numbers of drawn pictures (pure)."""

from __future__ import annotations

from dataclasses import replace

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.arm_configs import (
    arm_without_drawings,
    drawing_arm,
    for_fewer_steps,
)
from sgt_data.experiment.plan.arms import EQUAL_EPOCHS, QUESTIONS_ALONE, Arm, TrainingData
from sgt_data.experiment.plan.experiment_plan import Plan
from sgt_data.value_text import cut


def ladder_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    """The rungs of both ladders, with questions alone as rung 0.

    The first ladder takes the same steps on every rung, so fewer pictures are drawn more often
    each. The second takes steps in proportion to its pictures, so each picture is drawn as often as
    on the top rung of the first, which is the top of both and stands in the first alone.

    Raises:
        RequestError: the plan has no ladder, or a second one with other rungs than the first.
    """
    counts = rungs(plan, data.pictures)
    arms = [drawing_arm(plan, data, plan.proxy_names, count) for count in counts]
    top = arms[-1]
    arms = [replace(arm, family=top.label) for arm in arms]
    for count in plan.equal_epochs:
        if count not in plan.ladder:
            raise RequestError(
                f"equal_epochs: found {cut(count)}; must be rungs of the ladder, which has "
                f"{', '.join(map(str, plan.ladder))}"
            )
        if count < top.pictures:
            arms.append(_rung_of_equal_epochs(plan, data, count, top))
    alone = replace(arm_without_drawings(plan, data, QUESTIONS_ALONE), x=0.0)
    return [alone, *arms]


def rungs(plan: Plan, pictures: int) -> list[int]:
    """Numbers of drawn pictures, rising; what the corpus does not have is one rung with all of it.

    Args:
        plan: the plan.
        pictures: number of pictures that may be drawn.

    Raises:
        RequestError: the plan has no ladder.
    """
    if not plan.ladder or min(plan.ladder) < 1:
        raise RequestError("ladder: a scale experiment needs numbers of pictures, from 1 on")
    counts = sorted({count for count in plan.ladder if count < pictures})
    return counts if len(counts) == len(set(plan.ladder)) else [*counts, pictures]


def _rung_of_equal_epochs(plan: Plan, data: TrainingData, count: int, top: Arm) -> Arm:
    name = f"{top.name}{EQUAL_EPOCHS}"
    arm = drawing_arm(plan, data, plan.proxy_names, count, name)
    steps = max(1, round(top.config.steps * count / top.pictures))
    return replace(arm, config=for_fewer_steps(arm.config, steps), family=top.label)
