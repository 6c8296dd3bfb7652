"""The configuration of an arm: the plan's settings, the arm's own, and the training data (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.arms import Arm, TrainingData
from sgt_data.experiment.plan.experiment_plan import Plan
from sgt_data.training.config import TrainConfig, parse_config


def arm_config(
    plan: Plan,
    data: TrainingData,
    arm: str,
    data_fields: Mapping[str, Any] | None = None,
    fields: Mapping[str, Any] | None = None,
) -> TrainConfig:
    """Configuration of an arm.

    Args:
        plan: the plan; its settings of this arm go before all.
        data: what the runs learn from.
        arm: name of the arm.
        data_fields: fields of `DataConfig` that the arm has of its own.
        fields: fields of `TrainConfig` that the arm has of its own.

    Raises:
        RequestError: a field is wrong; or captions are replayed, and there are none.
    """
    document = {**plan.train, **(fields or {}), **plan.settings.get(arm, {})}
    own = dict(data_fields or {})
    more = [*data.arithmetic, *own.pop("more_questions", ())]
    document["data"] = {
        "corpus": data.corpus, "questions": data.questions, "more_questions": more,
        "captions": list(data.captions) if document.get("captions") else [], **own,
    }  # fmt: skip
    if document.get("captions") and not data.captions:
        raise RequestError(
            f"train.captions: the plan replays {document['captions']} captions a step, and there "
            "are none; give --captions FILE, the captions of the corpus' pictures in COCO's form, "
            "or --set train.captions=0"
        )
    if not document["data"].get("proxies"):
        document["drawings"] = 0
    return parse_config(document)


def drawing_arm(
    plan: Plan, data: TrainingData, proxies: Sequence[str], count: int, name: str | None = None
) -> Arm:
    """The arm that draws some proxies of so many pictures, which are its value on the axis."""
    name = name or " and ".join(proxies)
    fraction = None if count == data.pictures else count / data.pictures
    config = arm_config(plan, data, name, {"proxies": list(proxies), "fraction": fraction})
    return Arm(name, float(count), config, count)


def arm_without_drawings(
    plan: Plan, data: TrainingData, name: str, questions: int | None = None
) -> Arm:
    """The arm that draws nothing, with the plan's number of questions a step or another one."""
    fields = {} if questions is None else {"questions": questions}
    return Arm(name, None, arm_config(plan, data, name, fields=fields))


def whole_batch(plan: Plan, data: TrainingData) -> TrainConfig:
    """The plan's configuration with drawings, whatever is drawn: its numbers of samples count."""
    return arm_config(plan, data, "", {"proxies": plan.proxy_names})


def for_fewer_steps(config: TrainConfig, steps: int) -> TrainConfig:
    """A configuration for fewer steps, with as many checkpoints, where its steps allow it."""
    share = steps / config.steps
    checkpoint_every = max(1, round(config.checkpoint_every * share))
    wanted = max(1, round(config.log_every * share))
    divisors = [n for n in range(1, wanted + 1) if checkpoint_every % n == 0]
    return replace(
        config,
        steps=steps,
        warm_up=round(config.warm_up * share),
        log_every=divisors[-1],
        checkpoint_every=checkpoint_every,
    )
