"""The arms of an experiment: pure, from a plan and training data to configurations of runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan, names_in
from sgt_data.experiment.plan.primary_contrast import check_primary
from sgt_data.experiment.plan.varied_axis import AxisValue, axis_text
from sgt_data.suggestions import not_among
from sgt_data.training.config import TrainConfig, parse_config

QUESTIONS_ALONE = "questions alone"
SAME_COMPUTE = "questions alone, same compute"
BLIND = "pictures of questions hidden"
LABELS = "labels as questions"
UNTRAINED = "untrained"
EQUAL_EPOCHS = ", equal epochs"
CONTROLS = (SAME_COMPUTE, LABELS, BLIND, UNTRAINED)
"""Names of the control arms of a `scale` experiment."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of an experiment at one value of the axis; it runs once with each of its seeds.

    Attributes:
        name: name in tables and plots.
        x: value on the axis; None for an arm off the axis.
        config: configuration of its runs; each run has its own seed.
        pictures: number of distinct pictures whose targets are drawn in training.
        trained: False for a model that keeps its initial weights.
        seeds: seeds of its runs.
    """

    name: str
    x: AxisValue
    config: TrainConfig
    pictures: int = 0
    trained: bool = True
    seeds: Sequence[int] = ()

    @property
    def label(self) -> str:
        """The arm's name and its value on the axis."""
        return self.name if self.x is None else f"{self.name}, {axis_text(self.x)}"

    def run(self, seed: int) -> tuple[str, TrainConfig]:
        """Name (lower case letters, digits, `-` and `.`) and configuration of one run."""
        value = "" if self.x is None else f"-{axis_text(self.x).replace(',', '')}"
        name = "".join(
            character if character.isalnum() or character in "-." else "-"
            for character in f"{self.name}{value}"
        )
        return f"{name.lower()}-seed{seed}", replace(self.config, seed=seed)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """The data that the runs of an experiment learn from.

    Attributes:
        corpus: URL of the pictures that may be drawn.
        pictures: number of these pictures.
        questions: folder of the questions.
        labels: by number of pictures, a file of questions that state the labels of so many drawn
            pictures, for the control `LABELS`.
    """

    corpus: str
    pictures: int
    questions: str
    labels: Mapping[int, str] = field(default_factory=dict)


def arms_of(kind: ExperimentKind, plan: Plan, data: TrainingData) -> list[Arm]:
    """All arms of an experiment: those that are compared first, then the controls.

    Raises:
        RequestError: the plan lacks a field that this experiment needs, or has settings or a primary
            contrast for an arm that does not exist.
    """
    arms = {"scale": _scale_arms, "proxies": _proxy_arms, "ratio": _ratio_arms}[kind](plan, data)
    unknown = set(plan.settings) - {arm.name for arm in arms}
    if unknown:
        names = dict.fromkeys(arm.name for arm in arms)
        raise RequestError(f"settings: {not_among(sorted(unknown)[0], names)}")
    check_primary(plan.primary, [name for arm in arms for name in (arm.name, arm.label)])
    control_seeds = plan.control_seeds or plan.seeds
    return [
        replace(
            arm, seeds=control_seeds if kind == "scale" and arm.name in CONTROLS else plan.seeds
        )
        for arm in arms
    ]


def _scale_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    proxies = plan.proxy_names
    ladder = [count for count in plan.ladder if count < data.pictures]
    if not plan.ladder or min(plan.ladder) < 1:
        raise RequestError("ladder: a scale experiment needs numbers of pictures, from 1 on")
    if len(ladder) < len(plan.ladder):
        ladder.append(data.pictures)
    arms = [
        replace(_arm_without_drawings(plan, data, QUESTIONS_ALONE), x=0.0),
        *(_drawing_arm(plan, data, proxies, count) for count in ladder),
        _arm_without_drawings(plan, data, SAME_COMPUTE, whole_batch=True),
        Arm(BLIND, None, _config(plan, data, BLIND, {"blind": True})),
    ]
    for count, file in sorted(data.labels.items()):
        config = _config(plan, data, LABELS, {"more_questions": [file]}, whole_batch=True)
        arms.append(Arm(LABELS, float(count), config))
    return [*arms, _untrained_arm(plan, data)]


def _proxy_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    arms = [
        replace(_drawing_arm(plan, data, names_in(entry), data.pictures), x=None)
        for entry in plan.proxies
    ]
    return [
        *arms, _arm_without_drawings(plan, data, QUESTIONS_ALONE), _untrained_arm(plan, data),
    ]  # fmt: skip


def _ratio_arms(plan: Plan, data: TrainingData) -> list[Arm]:
    proxies = plan.proxy_names
    name = " and ".join(proxies)
    if not plan.ratios:
        raise RequestError("ratios: a ratio experiment needs some, such as 2:1")
    arms = []
    for ratio in plan.ratios:
        config = _config(plan, data, name, {"proxies": proxies})
        batch = config.questions + config.drawings
        drawings = round(batch * _drawing_share(ratio))
        if not 0 < drawings < batch:
            raise RequestError(f"ratios: {ratio} of a batch of {batch} leaves one part empty")
        config = replace(config, drawings=drawings, questions=batch - drawings)
        arms.append(Arm(name, ratio, config, data.pictures))
    return [*arms, _arm_without_drawings(plan, data, QUESTIONS_ALONE, whole_batch=True)]


def _drawing_share(ratio: str) -> float:
    """Share of drawings in a batch, 0 to 1, of `drawings:questions`."""
    try:
        drawings, questions = map(float, ratio.split(":"))
        return drawings / (drawings + questions)
    except (ValueError, ZeroDivisionError) as why:
        raise RequestError(f"ratios: found {ratio!r}; write drawings:questions as 2:1") from why


def _drawing_arm(plan: Plan, data: TrainingData, proxies: Sequence[str], count: int) -> Arm:
    name = " and ".join(proxies)
    fraction = None if count == data.pictures else count / data.pictures
    config = _config(plan, data, name, {"proxies": list(proxies), "fraction": fraction})
    return Arm(name, float(count), config, count)


def _arm_without_drawings(
    plan: Plan, data: TrainingData, name: str, whole_batch: bool = False
) -> Arm:
    return Arm(name, None, _config(plan, data, name, whole_batch=whole_batch))


def _untrained_arm(plan: Plan, data: TrainingData) -> Arm:
    return Arm(UNTRAINED, None, _config(plan, data, UNTRAINED), trained=False)


def _config(
    plan: Plan,
    data: TrainingData,
    arm: str,
    data_fields: Mapping[str, Any] | None = None,
    whole_batch: bool = False,
) -> TrainConfig:
    """Configuration of an arm: the plan's settings, then the arm's own.

    Without proxies there are no drawings. Their places in a batch are then taken by questions if
    `whole_batch` is set; else the batch is smaller.
    """
    document = {**plan.train, **plan.settings.get(arm, {})}
    document["data"] = {
        "corpus": data.corpus, "questions": data.questions, **(data_fields or {}),
    }  # fmt: skip
    if document["data"].get("proxies"):
        return parse_config(document)
    without_drawings = {**document, "drawings": 0}
    if whole_batch and "questions" not in plan.settings.get(arm, {}):
        batch = parse_config({**document, "data": {**document["data"], "proxies": ["-"]}})
        without_drawings["questions"] = batch.questions + batch.drawings
    return parse_config(without_drawings)
