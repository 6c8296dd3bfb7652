"""Which runs an experiment has: pure, from its plan and the corpus' size to configurations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import yaml
from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass as checked

from sgt_data.errors import RequestError
from sgt_data.experiment.report.series import place_text
from sgt_data.overrides import override_fields
from sgt_data.training.config import TrainConfig, parse_config, validated

Kind = Literal["scale", "proxies", "ratio"]

QUESTIONS_ALONE = "questions alone"
SAME_COMPUTE = "questions alone, same compute"
BLIND = "pictures of questions hidden"
LABELS = "labels as questions"
UNTRAINED = "untrained"
CONTROLS = (SAME_COMPUTE, LABELS, BLIND, UNTRAINED)
"""Of a scale experiment."""

_CHECKED = ConfigDict(extra="forbid")


@checked(frozen=True, config=_CHECKED)
class Plan:
    """An experiment.

    Attributes:
        train: settings of every run (`TrainConfig` without `data`).
        proxies: what is drawn. `scale` and `ratio` draw all of them together, `proxies` has an arm
            for each (lists within the list are drawn together).
        seeds: of the runs of every arm.
        control_seeds: of `scale`'s controls; those of all arms where there are none.
        ladder: of `scale`: numbers of pictures; those beyond the corpus are left out.
        ratios: of `ratio`: drawings to questions in a batch, such as `2:1`.
        settings: by arm, settings of its own that were tuned for it (`scale`: the controls).
        question_share: of the corpus' pictures, those asked about in training.
        held_out_share: of the corpus' pictures, for validation and test each.
        per_picture: questions of a task about one picture, at most.
        per_task: questions of a task in a split, at most.
        tasks: of the questions; all that the corpus can answer where there are none.
    """

    train: Mapping[str, Any]
    proxies: Sequence[str | Sequence[str]]
    seeds: Sequence[int] = (0, 1, 2)
    control_seeds: Sequence[int] = ()
    ladder: Sequence[int] = ()
    ratios: Sequence[str] = ()
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    question_share: float = 0.2
    held_out_share: float = 0.1
    per_picture: int = 4
    per_task: int | None = None
    tasks: Sequence[str] = ()


def parse_plan(text: str, overrides: Sequence[str] = ()) -> Plan:
    """A plan from YAML and `key=value` overrides.

    Raises:
        RequestError: names the field, what was found and what would be right.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as why:
        raise RequestError(f"the plan is no YAML: {why}") from why
    if not isinstance(document, dict):
        raise RequestError(f"the plan is {document!r:.40}, not fields with values")
    override_fields(document, overrides)
    return validated(_ADAPTER, document, "plan")


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm at one place of the axis; each seed of the plan runs it.

    Attributes:
        name: as it is shown.
        x: see `RunResult`.
        config: of its runs, but for the seed.
        pictures: distinct ones whose targets are drawn.
        trained: False for a model as its weights were drawn.
        seeds: of its runs.
    """

    name: str
    x: float | str | None
    config: TrainConfig
    pictures: int = 0
    trained: bool = True
    seeds: Sequence[int] = ()

    @property
    def label(self) -> str:
        """Name and place."""
        return self.name if self.x is None else f"{self.name}, {place_text(self.x)}"

    def run(self, seed: int) -> tuple[str, TrainConfig]:
        """Name and configuration of a run."""
        place = "" if self.x is None else f"-{place_text(self.x).replace(',', '')}"
        name = "".join(
            one if one.isalnum() or one in "-." else "-" for one in f"{self.name}{place}"
        )
        return f"{name.lower()}-seed{seed}", replace(self.config, seed=seed)


@dataclass(frozen=True, slots=True)
class Material:
    """What the runs learn from.

    Attributes:
        corpus: of the pictures that may be drawn.
        pictures: how many.
        questions: folder.
        labels: by number of pictures: a file of questions about these, for the label-matched
            control.
    """

    corpus: str
    pictures: int
    questions: str
    labels: Mapping[int, str] = field(default_factory=dict)


def arms_of(kind: Kind, plan: Plan, material: Material) -> list[Arm]:
    """All arms, the compared ones first, controls after them.

    Raises:
        RequestError: the plan lacks what this experiment needs, or names an arm that it has not.
    """
    found = {"scale": _scale, "proxies": _proxies, "ratio": _ratio}[kind](plan, material)
    unknown = set(plan.settings) - {arm.name for arm in found}
    if unknown:
        raise RequestError(
            f"settings: found {sorted(unknown)[0]!r}; arms: "
            f"{', '.join(dict.fromkeys(arm.name for arm in found))}"
        )
    controls = plan.control_seeds or plan.seeds
    return [
        replace(arm, seeds=controls if kind == "scale" and arm.name in CONTROLS else plan.seeds)
        for arm in found
    ]


def _scale(plan: Plan, material: Material) -> list[Arm]:
    together = _together(plan)
    name = " and ".join(together)
    ladder = [count for count in plan.ladder if count < material.pictures]
    if not plan.ladder or min(plan.ladder) < 1:
        raise RequestError("ladder: a scale experiment needs numbers of pictures, from 1 on")
    if len(ladder) < len(plan.ladder):
        ladder.append(material.pictures)
    drawn = [_drawn(name, count, plan, material, together) for count in ladder]
    arms = [replace(_alone(plan, material, QUESTIONS_ALONE), x=0.0), *drawn]
    arms.append(_alone(plan, material, SAME_COMPUTE, whole_batch=True))
    hidden = _config(plan, material, BLIND, data={"blind": True})
    arms.append(Arm(BLIND, None, hidden))
    for count, file in sorted(material.labels.items()):
        data = {"more_questions": [file]}
        config = _config(plan, material, LABELS, data=data, whole_batch=True)
        arms.append(Arm(LABELS, float(count), config))
    arms.append(Arm(UNTRAINED, None, _config(plan, material, UNTRAINED), trained=False))
    return arms


def _proxies(plan: Plan, material: Material) -> list[Arm]:
    arms = []
    for proxy in plan.proxies:
        several = [proxy] if isinstance(proxy, str) else list(proxy)
        name = " and ".join(several)
        arms.append(replace(_drawn(name, material.pictures, plan, material, several), x=None))
    untrained = Arm(UNTRAINED, None, _config(plan, material, UNTRAINED), trained=False)
    return [*arms, _alone(plan, material, QUESTIONS_ALONE), untrained]


def _ratio(plan: Plan, material: Material) -> list[Arm]:
    together = _together(plan)
    name = " and ".join(together)
    if not plan.ratios:
        raise RequestError("ratios: a ratio experiment needs some, such as 2:1")
    arms = []
    for ratio in plan.ratios:
        config = _config(plan, material, name, data={"proxies": together})
        batch = config.questions + config.drawings
        drawings = round(batch * _share(ratio))
        if not 0 < drawings < batch:
            raise RequestError(f"ratios: {ratio} of a batch of {batch} leaves one part empty")
        config = replace(config, drawings=drawings, questions=batch - drawings)
        arms.append(Arm(name, ratio, config, material.pictures))
    return [*arms, _alone(plan, material, QUESTIONS_ALONE, whole_batch=True)]


def _share(ratio: str) -> float:
    """Drawings of a batch, 0 to 1, of `drawings:questions`."""
    try:
        drawings, questions = map(float, ratio.split(":"))
        return drawings / (drawings + questions)
    except (ValueError, ZeroDivisionError) as why:
        raise RequestError(f"ratios: found {ratio!r}; write drawings:questions as 2:1") from why


def _drawn(name: str, count: int, plan: Plan, material: Material, proxies: Sequence[str]) -> Arm:
    whole = count == material.pictures
    data = {"proxies": list(proxies), "fraction": None if whole else count / material.pictures}
    return Arm(name, float(count), _config(plan, material, name, data=data), count)


def _alone(plan: Plan, material: Material, name: str, whole_batch: bool = False) -> Arm:
    return Arm(name, None, _config(plan, material, name, whole_batch=whole_batch))


def _together(plan: Plan) -> list[str]:
    return [one for proxy in plan.proxies for one in ([proxy] if isinstance(proxy, str) else proxy)]


def _config(
    plan: Plan,
    material: Material,
    arm: str,
    data: Mapping[str, Any] | None = None,
    whole_batch: bool = False,
) -> TrainConfig:
    """Settings of an arm: the plan's, then its own. Without proxies nothing is drawn; then
    questions take the drawings' places in a batch (`whole_batch`), or none do."""
    document = {**plan.train, **plan.settings.get(arm, {})}
    document["data"] = {
        "corpus": material.corpus, "questions": material.questions, **(data or {}),
    }  # fmt: skip
    if not document["data"].get("proxies"):
        alone = {**document, "drawings": 0}
        if whole_batch and "questions" not in plan.settings.get(arm, {}):
            batch = parse_config({**document, "data": {**document["data"], "proxies": ["-"]}})
            alone["questions"] = batch.questions + batch.drawings
        document = alone
    return parse_config(document)


_ADAPTER: TypeAdapter[Plan] = TypeAdapter(Plan)
