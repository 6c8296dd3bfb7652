"""What an experiment's page says in words: from its plan and facts, never from its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgt_data.experiment.arms import (
    BLIND,
    LABELS,
    QUESTIONS_ALONE,
    SAME_COMPUTE,
    UNTRAINED,
    Arm,
    Kind,
    Material,
    Plan,
)
from sgt_data.experiment.report.page import Story


@dataclass(frozen=True, slots=True)
class Setting:
    """An experiment that is told of.

    Attributes:
        kind, plan: what was done.
        corpus, folder: as they were named.
        material, arms: of the runs.
        pair: of categories that the fine-grained probe tells apart.
        counts: questions by split and task, as `questions.json` has them.
        notes: what a reader must know.
        test: whether the test split is read.
    """

    kind: Kind
    plan: Plan
    corpus: str
    folder: Path
    material: Material
    arms: Sequence[Arm]
    pair: tuple[str, str] | None
    counts: Mapping[str, Mapping[str, Mapping[str, Any]]]
    notes: Sequence[str]
    test: bool


def story_of(setting: Setting) -> Story:
    """The story of an experiment."""
    return Story(
        _TITLES[setting.kind],
        _QUESTIONS[setting.kind],
        [*_data(setting), *_model(setting), *_training(setting), _EQUAL[setting.kind],
         *_probes(setting), *setting.notes],
        {arm.name: _deed(arm, setting) for arm in setting.arms},
        [*_LIMITS[setting.kind], *_COMMON_LIMITS],
        command_of(setting),
    )  # fmt: skip


def command_of(setting: Setting) -> str:
    """What does it all again, with the plan that lies beside the page."""
    test = " --test" if setting.test else ""
    return (
        f"sgt-data experiment {setting.kind} {setting.corpus} --plan plan.yaml "
        f"--output {setting.folder}{test}    # plan.yaml lies beside this page"
    )


_TITLES: Mapping[Kind, str] = {
    "scale": "Answers against the number of pictures drawn",
    "proxies": "What is drawn, and what it does for answers",
    "ratio": "How many drawings to a question",
}

_QUESTIONS: Mapping[Kind, str] = {
    "scale": "Does a model answer questions about pictures better when it also learns to draw "
    "the segmentations of more pictures?",
    "proxies": "Which kind of target, drawn beside learning to answer, helps a model most to "
    "answer questions about pictures?",
    "ratio": "How should a batch of fixed size be shared between drawings and questions?",
}

_EQUAL: Mapping[Kind, str] = {
    "scale": "Held equal: the questions asked in training, how many of them a step has, steps, "
    "model and settings; and among the arms that draw, also the number of drawings. So fewer "
    "pictures are drawn more often each. Each smaller set of pictures lies within the larger ones. "
    "What drawing costs in compute, the arm without it does not spend; a control spends it on "
    "questions.",
    "proxies": "Held equal: the questions asked in training, how many of them a step has, the "
    "pictures that are drawn and how often, steps, model and settings. Arms differ in the target "
    "alone. The arm that draws nothing takes the same steps with the same questions, and so "
    "less compute.",
    "ratio": "Held equal: the size of a batch, and with it the compute of all arms, also of the "
    "one that draws nothing; pictures, steps, model and settings. More drawings mean fewer "
    "questions.",
}

_LIMITS: Mapping[Kind, Sequence[str]] = {
    "scale": (
        "A target tells labels: it shows what is where. So more targets are more supervision, not "
        "only more pictures. The arm that gets the same labels as questions is there to tell the "
        "two apart; yet questions carry only part of what a segmentation shows.",
        "Fewer pictures are repeated more often, so an arm may differ by what it learnt by heart.",
    ),
    "proxies": (
        "Targets differ in how much they tell: segmentations tell labels that people gave, depth "
        "and edges less, restored pictures none. This compares kinds of supervision as they come, "
        "not at an equal amount of information.",
        "All arms share one weight of the drawing loss and one set of learning rates; a kind of "
        "target might do better with its own.",
    ),
    "ratio": (
        "At a fixed batch every drawing takes a question's place; with more compute the best share "
        "may be another one.",
    ),
}

_COMMON_LIMITS = (
    "The model is small and learns from little data. Large models that were trained on much before "
    "may behave otherwise.",
    "Questions are made by rule from the annotations of this corpus: they measure what these rules "
    "ask, on pictures like these. What is synthetic about the pictures is synthetic about the "
    "answer.",
    "Few seeds: an interval over so few is wide, and a difference that it does not show may still "
    "be there.",
    "Settings were chosen on the validation split, where some arms may have been tuned with more "
    "care than others; arms with settings of their own are named above.",
)


def _data(setting: Setting) -> list[str]:
    counts = {
        split: sum(task["questions"] for task in tasks.values())
        for split, tasks in setting.counts.items()
    }
    tasks = list(dict.fromkeys(task for one in setting.counts.values() for task in one))
    return [
        f"Data: the corpus {setting.corpus}. {counts.get('train', 0):,} questions are asked in "
        f"training, {counts.get('val', 0):,} on validation and {counts.get('test', 0):,} on test "
        f"({', '.join(tasks)}). Their words do not tell the answers: within a split every text has "
        f"each of its answers equally often. {setting.material.pictures:,} pictures may be drawn. "
        "No picture that validation or test asks about is drawn, or asked about, in training."
    ]


def _model(setting: Setting) -> list[str]:
    model = setting.arms[0].config.model
    given = ", ".join(f"{name} {value}" for name, value in sorted(model.settings.items()))
    trunk = model.settings.get("trunk")
    start = "random weights" if trunk is None else f"the trunk of {trunk}, which stays as it is"
    return [
        f"Model: {model.make}{f' ({given})' if given else ''}, which sees and draws pictures of "
        f"{model.picture}x{model.picture} pixels. One network answers and draws; it starts from "
        f"{start}."
    ]


def _training(setting: Setting) -> list[str]:
    config = setting.arms[0].config
    batch = f"{config.questions} questions"
    drawing = [arm for arm in setting.arms if arm.config.drawings]
    if drawing and setting.kind != "ratio":
        batch = (
            f"{drawing[0].config.questions} questions and, where something is drawn, "
            f"{drawing[0].config.drawings} drawings, shared equally by what is drawn together"
        )
    elif drawing:
        batch = f"{drawing[0].config.questions + drawing[0].config.drawings} samples"
    seeds = ", ".join(map(str, setting.plan.seeds))
    text = (
        f"Training: {config.steps:,} steps; a step's batch has {batch}. The loss of drawings "
        f"weighs {config.drawing_weight:g} times that of answers. Optimiser: {config.optimiser}. "
        f"Every arm runs with each seed of {seeds}; a seed decides weights and order."
    )
    if setting.kind == "scale" and setting.plan.control_seeds:
        text += f" Controls run with {', '.join(map(str, setting.plan.control_seeds))} alone."
    own = [
        f"{name} ({', '.join(f'{field} {value}' for field, value in fields.items())})"
        for name, fields in setting.plan.settings.items()
        if fields
    ]
    return [
        text + (f" Settings of their own, tuned on validation: {'; '.join(own)}." if own else "")
    ]


def _probes(setting: Setting) -> list[str]:
    text = (
        "Linear probes read the frozen features of a trained model: the category of a thing "
        "(shape), how many things a picture shows (number)"
    )
    if setting.pair is None:
        return [f"{text}."]
    return [
        f"{text}, and which of two categories a thing is (pair): {setting.pair[0]} or "
        f"{setting.pair[1]}, the two that the features of a model without training (seed 0) "
        "confuse most on validation. They were chosen before any run, and are the same for "
        "all arms."
    ]


def _deed(arm: Arm, setting: Setting) -> str:
    config = arm.config
    fixed = {
        QUESTIONS_ALONE: f"Draws nothing; {config.questions} questions a step, as many steps.",
        SAME_COMPUTE: "Draws nothing; questions take the drawings' places, "
        f"{config.questions} a step, so it costs as much compute. It may have settings of its own.",
        BLIND: "Draws nothing, and every question shows a grey picture, in training and when it is "
        "measured. What it answers right, words and habit tell.",
        LABELS: "Draws nothing; the same labels of the same pictures as in the largest arm, given "
        f"as more questions ({config.questions} a step, the compute of drawing).",
        UNTRAINED: "The model as it was made, with no training here.",
    }
    if arm.name in fixed:
        return fixed[arm.name]
    proxies = " and ".join(config.data.proxies)
    if setting.kind == "ratio":
        return f"Draws {proxies} beside learning to answer, in the stated share of the batch."
    return (
        f"Draws {proxies} beside learning to answer: {config.questions} questions and "
        f"{config.drawings} drawings a step"
        + (", of so many distinct pictures as the axis says." if setting.kind == "scale" else ".")
    )
