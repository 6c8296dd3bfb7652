"""What each arm does, in words."""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.experiment.plan.arms import (
    BASE,
    BLIND,
    CLASSIFIED,
    EQUAL_EPOCHS,
    LABELS,
    QUESTIONS_ALONE,
    SAME_COMPUTE,
    SAME_SAMPLES,
    UNTRAINED,
    WRONG_TARGETS,
    Arm,
    drawn_in,
)
from sgt_data.experiment.plan.experiment_plan import ExperimentKind

_WAYS: Mapping[str, str] = {
    WRONG_TARGETS: ", but each with the target of another picture: the same pixels to draw, "
    "without their meaning",
    CLASSIFIED: ", not as colours but as a class of each patch: the same labels, and no drawing",
    EQUAL_EPOCHS: ", for steps in proportion to the pictures, so that each is drawn as often as on "
    "the top rung",
}


def arm_text(arm: Arm, kind: ExperimentKind) -> str:
    """One or two sentences on what the runs of an arm do."""
    config = arm.config
    texts = {
        BASE: "The checkpoint that all arms begin with, measured without post-training.",
        UNTRAINED: "The model with random weights, with no training.",
        QUESTIONS_ALONE: f"Draws nothing; {config.questions} questions a step.",
        SAME_SAMPLES: "Draws nothing; as many more questions as there are drawings elsewhere, "
        f"{config.questions} a step.",
        SAME_COMPUTE: "Draws nothing; as many more questions as cost the compute of the drawings, "
        f"{config.questions} a step.",
        BLIND: "Draws nothing, and every question shows a grey picture, in training and when it is "
        "measured. What it answers right, words and habit tell.",
        LABELS: "Draws nothing; the labels of the drawn pictures are given as more questions, "
        f"{config.questions} a step.",
    }
    if arm.name in texts:
        return texts[arm.name]
    drawn, way = drawn_in(arm.name)
    if kind == "ratio":
        return f"Draws {drawn} beside answering, in the stated share of the batch."
    end = ", of so many distinct pictures as the axis says" if arm.x is not None else ""
    return (
        f"Draws {drawn} beside answering{_WAYS.get(way, '')}: {config.questions} questions and "
        f"{config.drawings} drawings a step{end}."
    )
