"""The words of an experiment's page: from its plan and facts, never from its numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgt_data.experiment.plan.arms import Arm, TrainingData
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.report.arm_descriptions import arm_text
from sgt_data.experiment.report.limits import limits_of
from sgt_data.value_text import counted


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
        title=f"{_TITLES[facts.kind]} {_STAGES[facts.plan.from_scratch]}",
        question=f"{_STARTS[facts.plan.from_scratch]} {_QUESTIONS[facts.kind]}",
        setting=[
            _data_text(facts), _model_text(facts), _training_text(facts), _EQUAL[facts.kind],
            _probes_text(facts), *facts.notes,
        ],
        arms={arm.name: arm_text(arm, facts.kind) for arm in facts.arms},
        limits=limits_of(facts.kind, facts.plan),
        command=_command(facts),
    )  # fmt: skip


def _command(facts: ExperimentFacts) -> str:
    test = " --test" if facts.test else ""
    return (
        f"sgt-data experiment {facts.kind} {facts.corpus} --plan plan.yaml "
        f"--output {facts.folder}{test}    # plan.yaml lies beside this page"
    )


_TITLES: Mapping[ExperimentKind, str] = {
    "scale": "Answers and the number of pictures drawn",
    "proxies": "Answers and what is drawn",
    "ratio": "How many drawings to a question",
}
_STAGES = {False: "in post-training", True: "in training from random weights"}
"""By whether the arms begin with random weights."""

_STARTS = {
    False: "A pretrained model is trained further",
    True: "A model that begins with random weights is trained",
}
_QUESTIONS: Mapping[ExperimentKind, str] = {
    "scale": "on questions about pictures. Does it answer better when it also draws the "
    "segmentations of more pictures?",
    "proxies": "on questions about pictures. Does it answer better when it also draws "
    "segmentations, and do other targets do the same?",
    "ratio": "with batches of fixed size. How should they be shared between drawings and "
    "questions?",
}

_EQUAL: Mapping[ExperimentKind, str] = {
    "scale": "Held equal: the weights at the start, the questions asked in training, how many of "
    "them a step has, replayed captions, and model. On the ladder of equal steps the number of "
    "drawings is equal too, so fewer pictures are drawn more often each; on a ladder of equal "
    "epochs each picture is drawn equally often, so fewer pictures mean fewer steps, with fewer "
    "questions asked in all. Each smaller set of pictures lies within the larger ones. Questions "
    "alone do not spend the compute of drawing; a control spends it on questions.",
    "proxies": "Held equal: the weights at the start, the questions asked in training, how many of "
    "them a step has, replayed captions, the pictures that are drawn and how often, steps and "
    "model. Arms differ in the target, and in learning rates, which are stated above. The arm that "
    "draws nothing takes the same steps with the same questions, and so less compute.",
    "ratio": "Held equal: the weights at the start, the size of a batch, pictures, steps, replayed "
    "captions and model. More drawings mean fewer questions. A drawing costs more compute than a "
    "question.",
}


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
    start = "random weights: nothing here is post-training"
    if model.init is not None:
        start = f"the weights of {model.init}, which was pretrained on other pictures"
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
    if config.captions:
        batch += f"; {config.captions} captions are replayed as well, in every arm"
    seeds = ", ".join(map(str, facts.plan.seeds))
    text = (
        f"Training: {config.steps:,} steps; a step's batch has {batch}. The loss of drawings "
        f"weighs {config.drawing_weight:g} times that of answers. Optimiser: {config.optimiser}. "
        f"Every arm runs with each seed of {seeds}; a seed decides order and new weights."
    )
    if facts.kind == "scale" and facts.plan.control_seeds:
        text += f" Controls run with {', '.join(map(str, facts.plan.control_seeds))} alone."
    by_pace: dict[str, list[str]] = {}
    for arm in facts.arms:
        if arm.trained:
            pace = f"{arm.config.matrix_rate:g} and {arm.config.rate:g}"
            by_pace.setdefault(pace, []).append(arm.label)
    paces = "; ".join(
        pace if len(by_pace) == 1 else f"{pace} ({'; '.join(arms)})"
        for pace, arms in by_pace.items()
    )
    text += f" Learning rates of Muon and AdamW: {paces}."
    if facts.plan.paces:
        text += (
            f" They were chosen from {counted(len(facts.plan.paces), 'pair')} for each arm, on "
            f"validation, with seed {facts.plan.tuning_seed}, which no run here has."
        )
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
