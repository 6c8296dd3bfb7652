"""What the trainer and the experiments ask of a model: implement this, and they run on yours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Questions:
    """Pictures with questions.

    Attributes:
        pictures: [n, 3, S, S] float, RGB in -1 to 1.
        texts: n questions.
        answers: [n] int64, numbers in the list of answers that a model is made with; -1 where the
            answer is none of these (it counts as wrong, and is not learnt).
    """

    pictures: Tensor
    texts: Sequence[str]
    answers: Tensor


@dataclass(frozen=True, slots=True)
class Drawings:
    """Pictures with what to draw of them.

    Attributes:
        pictures, targets: [m, 3, S, S] float, RGB in -1 to 1.
        texts: m instructions.
    """

    pictures: Tensor
    texts: Sequence[str]
    targets: Tensor


@dataclass(frozen=True, slots=True)
class TrainingBatch:
    """One step's share of one rank; either part may be missing."""

    questions: Questions | None
    drawings: Drawings | None

    def to(self, device: torch.device) -> TrainingBatch:
        """The same on another device."""
        asked, drawn = self.questions, self.drawings
        if asked is not None:
            asked = Questions(asked.pictures.to(device), asked.texts, asked.answers.to(device))
        if drawn is not None:
            drawn = Drawings(drawn.pictures.to(device), drawn.texts, drawn.targets.to(device))
        return TrainingBatch(asked, drawn)


@runtime_checkable
class Learner(Protocol):
    """A unified model: a `torch.nn.Module` that has these methods. `make(answers, settings)`, named
    in a configuration as `package.module:make`, returns one."""

    def forward(self, batch: TrainingBatch) -> Mapping[str, Tensor]:
        """Losses, each a scalar mean: `answers` and `drawings`, where the batch has such. Also
        `accuracy` if the model likes, the share of right answers, for the log."""
        ...

    def answer(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Scores of every answer [n, answers] for pictures [n, 3, S, S] and questions."""
        ...

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Generated pictures [n, 3, S, S] in -1 to 1."""
        ...

    def features(self, pictures: Tensor) -> Tensor:
        """What it sees: features of a grid of places [n, rows, columns, D], from which probes read
        shapes."""
        ...

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Share of attention that the token (or tokens) which gives the answer pays to visual
        tokens, per layer [layers, n], each 0 to 1; [0, n] for a model without attention."""
        ...
