"""The words of an experiment's page: from its plan and facts, never from its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgt_data.experiment.plan.arms import (
    BLIND,
    LABELS,
    QUESTIONS_ALONE,
    SAME_COMPUTE,
    UNTRAINED,
    Arm,
    TrainingData,
)
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan


@dataclass(frozen=True, slots=True)
class ExperimentFacts:
    """The facts of an experiment that its page describes.

    Attributes:
        kind: what differs between the arms.
        plan: the plan, with the corpus' own names of proxies.
        corpus: URL of the corpus as the command named it.
        folder: folder of the experiment as the command named it.
        data: what the runs learn from.
        arms: all arms.
        confused_categories: the two categories of the probe `pair`; None for no such probe.
        question_counts: by split and task, the counts that `questions.json` holds.
        notes: what a reader must know about the plan.
        test: whether the test split is read.
    """

    kind: ExperimentKind
    plan: Plan
    corpus: str
    folder: Path
    data: TrainingData
    arms: Sequence[Arm]
    confused_categories: tuple[str, str] | None
    question_counts: Mapping[str, Mapping[str, Mapping[str, Any]]]
    notes: Sequence[str]
    test: bool


@dataclass(frozen=True, slots=True)
class Description:
    """The words of an experiment's page.

    Attributes:
        title: title of the page.
        question: the question that the experiment answers.
        setting: paragraphs on data, model, training, and what is equal in all arms.
        arms: what each arm does, by its name in the results.
        limits: what the numbers cannot show, one sentence or more each.
        command: command line that repeats the experiment.
    """

    title: str
    question: str
    setting: Sequence[str]
    arms: Mapping[str, str]
    limits: Sequence[str]
    command: str


def describe(facts: ExperimentFacts) -> Description:
    """Describe an experiment in words."""
    return Description(
        title=_TITLES[facts.kind],
        question=_QUESTIONS[facts.kind],
        setting=[
            _data_text(facts), _model_text(facts), _training_text(facts), _EQUAL[facts.kind],
            _probes_text(facts), *facts.notes,
        ],
        arms={arm.name: _arm_text(arm, facts) for arm in facts.arms},
        limits=[*_LIMITS[facts.kind], *_COMMON_LIMITS],
        command=_command(facts),
    )  # fmt: skip


def _command(facts: ExperimentFacts) -> str:
    test = " --test" if facts.test else ""
    return (
        f"sgt-data experiment {facts.kind} {facts.corpus} --plan plan.yaml "
        f"--output {facts.folder}{test}    # plan.yaml lies beside this page"
    )


_TITLES: Mapping[ExperimentKind, str] = {
    "scale": "Answers against the number of pictures drawn",
    "proxies": "What is drawn, and what it does for answers",
    "ratio": "How many drawings to a question",
}

_QUESTIONS: Mapping[ExperimentKind, str] = {
    "scale": "Does a model answer questions about pictures better when it also learns to draw "
    "the segmentations of more pictures?",
    "proxies": "Which kind of target, drawn beside learning to answer, helps a model most to "
    "answer questions about pictures?",
    "ratio": "How should a batch of fixed size be shared between drawings and questions?",
}

_EQUAL: Mapping[ExperimentKind, str] = {
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

_LIMITS: Mapping[ExperimentKind, Sequence[str]] = {
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


def _data_text(facts: ExperimentFacts) -> str:
    counts = {
        split: sum(task["questions"] for task in tasks.values())
        for split, tasks in facts.question_counts.items()
    }
    tasks = list(dict.fromkeys(task for tasks in facts.question_counts.values() for task in tasks))
    return (
        f"Data: the corpus {facts.corpus}. {counts.get('train', 0):,} questions are asked in "
        f"training, {counts.get('val', 0):,} on validation and {counts.get('test', 0):,} on test "
        f"({', '.join(tasks)}). Their words do not tell the answers: within a split every text has "
        f"each of its answers equally often. {facts.data.pictures:,} pictures may be drawn. "
        "No picture that validation or test asks about is drawn, or asked about, in training."
    )


def _model_text(facts: ExperimentFacts) -> str:
    model = facts.arms[0].config.model
    settings = ", ".join(f"{name} {value}" for name, value in sorted(model.settings.items()))
    trunk = model.settings.get("trunk")
    start = "random weights" if trunk is None else f"the trunk of {trunk}, which stays as it is"
    return (
        f"Model: {model.make}{f' ({settings})' if settings else ''}, which sees and draws pictures "
        f"of {model.picture}x{model.picture} pixels. One network answers and draws; it starts from "
        f"{start}."
    )


def _training_text(facts: ExperimentFacts) -> str:
    config = facts.arms[0].config
    batch = f"{config.questions} questions"
    drawing = [arm.config for arm in facts.arms if arm.config.drawings]
    if drawing and facts.kind != "ratio":
        batch = (
            f"{drawing[0].questions} questions and, where something is drawn, "
            f"{drawing[0].drawings} drawings, shared equally by what is drawn together"
        )
    elif drawing:
        batch = f"{drawing[0].questions + drawing[0].drawings} samples"
    seeds = ", ".join(map(str, facts.plan.seeds))
    text = (
        f"Training: {config.steps:,} steps; a step's batch has {batch}. The loss of drawings "
        f"weighs {config.drawing_weight:g} times that of answers. Optimiser: {config.optimiser}. "
        f"Every arm runs with each seed of {seeds}; a seed decides weights and order."
    )
    if facts.kind == "scale" and facts.plan.control_seeds:
        text += f" Controls run with {', '.join(map(str, facts.plan.control_seeds))} alone."
    tuned = [
        f"{name} ({', '.join(f'{field} {value}' for field, value in fields.items())})"
        for name, fields in facts.plan.settings.items()
        if fields
    ]
    if tuned:
        text += f" Settings of their own, tuned on validation: {'; '.join(tuned)}."
    return text


def _probes_text(facts: ExperimentFacts) -> str:
    text = (
        "Linear probes read the frozen features of a trained model: the category of a thing "
        "(shape), how many things a picture shows (number)"
    )
    if facts.confused_categories is None:
        return f"{text}."
    first, second = facts.confused_categories
    return (
        f"{text}, and which of two categories a thing is (pair): {first} or "
        f"{second}, the two that the features of a model without training (seed 0) "
        "confuse most on validation. They were chosen before any run, and are the same for "
        "all arms."
    )


def _arm_text(arm: Arm, facts: ExperimentFacts) -> str:
    config = arm.config
    texts = {
        QUESTIONS_ALONE: f"Draws nothing; {config.questions} questions a step, as many steps.",
        SAME_COMPUTE: "Draws nothing; questions take the drawings' places, "
        f"{config.questions} a step, so it costs as much compute. It may have settings of its own.",
        BLIND: "Draws nothing, and every question shows a grey picture, in training and when it is "
        "measured. What it answers right, words and habit tell.",
        LABELS: "Draws nothing; the same labels of the same pictures as in the largest arm, given "
        f"as more questions ({config.questions} a step, the compute of drawing).",
        UNTRAINED: "The model as it was made, with no training here.",
    }
    if arm.name in texts:
        return texts[arm.name]
    proxies = " and ".join(config.data.proxies)
    if facts.kind == "ratio":
        return f"Draws {proxies} beside learning to answer, in the stated share of the batch."
    end = ", of so many distinct pictures as the axis says." if facts.kind == "scale" else "."
    return (
        f"Draws {proxies} beside learning to answer: {config.questions} questions and "
        f"{config.drawings} drawings a step{end}"
    )
