"""What the trainer and the experiments require of a model, and the batches that they give to it.

Any model with the methods of `Learner` can be trained and measured like the bundled one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Questions:
    """Pictures with questions and their answers.

    Attributes:
        pictures: [n, 3, S, S] float, RGB in -1 to 1; grey where a question has no picture.
        texts: n questions; a later one of a conversation has the earlier ones and their answers
            before it.
        answers: n right answers, as text.
        candidates: the distinct answers of the whole batch, of all parts and processes, sorted. A
            model that learns to choose chooses from these, so that a divided batch teaches what
            the whole one does. The trainer always gives them.
    """

    pictures: Tensor
    texts: Sequence[str]
    answers: Sequence[str]
    candidates: Sequence[str] = ()

    def to(self, device: torch.device) -> Questions:
        """These questions on a device, see `TrainingBatch.to`."""
        return replace(self, pictures=_moved(self.pictures, device))


@dataclass(frozen=True, slots=True)
class Drawings:
    """Pictures with instructions and the targets to draw.

    Attributes:
        pictures: [m, 3, S, S] float, RGB in -1 to 1; grey where the text alone tells what to draw.
        texts: m instructions or captions.
        targets: [m, 3, S, S] float, RGB in -1 to 1.
        classes: [m, S, S] int64, the category of every pixel, 0 for none; None where the run draws.
    """

    pictures: Tensor
    texts: Sequence[str]
    targets: Tensor
    classes: Tensor | None = None

    def to(self, device: torch.device) -> Drawings:
        """These drawings on a device, see `TrainingBatch.to`."""
        classes = self.classes
        return replace(
            self,
            pictures=_moved(self.pictures, device),
            targets=_moved(self.targets, device),
            classes=None if classes is None else classes.to(device, non_blocking=True).long(),
        )


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """What one rank learns from in one step.

    Attributes:
        questions: pictures with questions; None where the run has no questions.
        drawings: pictures with targets; None where the run draws nothing.
        captions: captions with what they describe as targets; None where the run has no captions.
    """

    questions: Questions | None = None
    drawings: Drawings | None = None
    captions: Drawings | None = None

    def to(self, device: torch.device) -> TrainingBatch:
        """The batch on a device, as a model reads it.

        As it is loaded, its pictures are uint8, 0 to 255, a quarter of the bytes; there they become
        floats in -1 to 1.
        """
        parts = (self.questions, self.drawings, self.captions)
        questions, drawings, captions = (part and part.to(device) for part in parts)
        return TrainingBatch(questions, drawings, captions)  # type: ignore[arg-type]


def in_unit_range(pictures: Tensor) -> Tensor:
    """Pictures of uint8, 0 to 255, as float in -1 to 1, where they lie."""
    return pictures.float().div_(127.5).sub_(1)


def _moved(pictures: Tensor, device: torch.device) -> Tensor:
    moved = pictures.to(device, non_blocking=True)
    return in_unit_range(moved) if moved.dtype == torch.uint8 else moved


@dataclass(frozen=True, slots=True)
class VisualAttention:
    """Attention that answering tokens pay to visual tokens.

    Attributes:
        shares: [layers, n], 0 to 1; [0, n] for a model without attention.
        uniform: [n], the share that attention would have if all tokens that may be attended to
            (padding is none) got the same.
    """

    shares: Tensor
    uniform: Tensor


@runtime_checkable
class Learner(Protocol):
    """A unified model: a `torch.nn.Module` with these methods.

    `make(settings)`, named in a configuration as `package.module:make`, returns one.
    """

    def forward(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Losses of a batch, each a scalar mean: `answers`, `drawings`, `captions`.

        Each where the batch has such, and for the log `accuracy`, the share of right answers, if
        the model reports it. Drawings with `classes` are classified, not drawn.
        """
        ...

    def answer(
        self, pictures: Tensor, texts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> Tensor:
        """Scores of each question's choices [n, most choices], as text; -inf where it has fewer."""
        ...

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Generated pictures [n, 3, S, S], in -1 to 1, for n pictures and instructions."""
        ...

    def features(self, pictures: Tensor) -> Tensor:
        """Features of a grid of places [n, rows, columns, D], from which probes read shapes."""
        ...

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> VisualAttention:
        """Attention that the answering tokens of n questions pay to visual tokens."""
        ...
