"""The arms of an experiment: their names, and what one of them is (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from sgt_data.experiment.plan.varied_axis import AxisValue, axis_text
from sgt_data.training.config import TrainConfig

QUESTIONS_ALONE = "questions alone"
SAME_SAMPLES = "questions alone, equal samples"
SAME_COMPUTE = "questions alone, equal compute"
BLIND = "pictures of questions hidden"
LABELS = "labels as questions"
BASE = "base"
UNTRAINED = "untrained"
"""The model that nothing here trained: the checkpoint that all arms begin with, or random
weights."""

WRONG_TARGETS, CLASSIFIED, EQUAL_EPOCHS = ", wrong targets", ", classified", ", equal epochs"
"""Ends of the names of arms: after what is drawn, how."""

CONTROLS = (BASE, SAME_SAMPLES, SAME_COMPUTE, LABELS, BLIND, UNTRAINED)
"""Names of the control arms that draw nothing."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of an experiment at one value of the axis; it runs once with each of its seeds.

    Attributes:
        name: name in tables and plots.
        x: value on the axis; None for an arm off the axis.
        config: configuration of its runs; each run has its own seed.
        pictures: number of distinct pictures whose targets are drawn in training.
        trained: False for a model that keeps the weights that it begins with.
        seeds: seeds of its runs.
        family: arms of one family have one pace, which is found on the arm that has this label.
    """

    name: str
    x: AxisValue
    config: TrainConfig
    pictures: int = 0
    trained: bool = True
    seeds: Sequence[int] = ()
    family: str = ""

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
        captions: files of captions that are replayed.
        arithmetic: files of arithmetic questions, which are mixed into the questions of all arms.
        drawing_cost: arithmetic operations of a drawing in training, as a multiple of those of a
            question, for the control `SAME_COMPUTE`; None where they were not measured.
    """

    corpus: str
    pictures: int
    questions: str
    labels: Mapping[int, str] = field(default_factory=dict)
    captions: Sequence[str] = ()
    arithmetic: Sequence[str] = ()
    drawing_cost: float | None = None


def drawn_in(name: str) -> tuple[str, str]:
    """What is drawn, and how, of the name of an arm: `("entity", ", wrong targets")`."""
    for end in (WRONG_TARGETS, CLASSIFIED, EQUAL_EPOCHS):
        if name.endswith(end):
            return name.removesuffix(end), end
    return name, ""
