"""What the trainer and the experiments require of a model, and the batches that they give to it.

Any model with the methods of `Learner` can be trained and measured like the bundled one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Questions:
    """Pictures with questions and their answers.

    Attributes:
        pictures: [n, 3, S, S] float, RGB in -1 to 1.
        texts: n questions.
        answers: [n] int64, numbers in the list of answers that the model is made with; -1 where
            the answer is not in this list (it counts as wrong and is not learnt).
    """

    pictures: Tensor
    texts: Sequence[str]
    answers: Tensor


@dataclass(frozen=True, slots=True)
class Drawings:
    """Pictures with instructions and the targets to draw.

    Attributes:
        pictures: [m, 3, S, S] float, RGB in -1 to 1.
        texts: m instructions.
        targets: [m, 3, S, S] float, RGB in -1 to 1.
    """

    pictures: Tensor
    texts: Sequence[str]
    targets: Tensor


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """What one rank learns from in one step.

    Attributes:
        questions: pictures with questions; None where the run has no questions.
        drawings: pictures with targets; None where the run draws nothing.
    """

    questions: Questions | None
    drawings: Drawings | None

    def to(self, device: torch.device) -> TrainingBatch:
        """A copy of the batch on another device."""
        questions, drawings = self.questions, self.drawings
        if questions is not None:
            questions = Questions(
                questions.pictures.to(device), questions.texts, questions.answers.to(device)
            )
        if drawings is not None:
            drawings = Drawings(
                drawings.pictures.to(device), drawings.texts, drawings.targets.to(device)
            )
        return TrainingBatch(questions, drawings)


@runtime_checkable
class Learner(Protocol):
    """A unified model: a `torch.nn.Module` with these methods.

    `make(answers, settings)`, named in a configuration as `package.module:make`, returns one.
    """

    def forward(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Losses of a batch, each a scalar mean.

        `answers` and `drawings` where the batch has such, and for the log `accuracy`, the share of
        right answers, if the model reports it.
        """
        ...

    def answer(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Scores of all answers [n, answers] for pictures [n, 3, S, S] and n questions."""
        ...

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Generated pictures [n, 3, S, S], in -1 to 1, for n pictures and instructions."""
        ...

    def features(self, pictures: Tensor) -> Tensor:
        """Features of a grid of places [n, rows, columns, D], from which probes read shapes."""
        ...

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Share of attention, 0 to 1, that the answering tokens pay to visual tokens.

        [layers, n]; [0, n] for a model without attention.
        """
        ...
