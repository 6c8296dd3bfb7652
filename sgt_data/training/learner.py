"""What the trainer and the experiments require of a model, and the batches that they give to it.

Any model with the methods of `Learner` can be trained and measured like the bundled one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from torch import Tensor


@dataclass(frozen=True, slots=True)
class Questions:
    """Pictures with questions and their answers.

    Attributes:
        pictures: [n, 3, S, S] float, RGB in -1 to 1; grey where a question has no picture.
        texts: n questions.
        answers: n right answers, as text.
    """

    pictures: Tensor
    texts: Sequence[str]
    answers: Sequence[str]


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
