"""An example of an own model: --set model.make=sgt_data.training.example_learner:make"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sgt_data.training.hashed_words import hashed_words
from sgt_data.training.learner import Drawings, TrainingBatch, VisualAttention


class Convolutional(nn.Module):
    """A `Learner` of convolutions for the picture and a bag of words for texts and answers."""

    def __init__(self, width: int = 32, classes: int = 160) -> None:
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, width, 4, 4), nn.GELU(), nn.Conv2d(width, width, 3, padding=1), nn.GELU()
        )
        self.words = nn.EmbeddingBag(4096, width, padding_idx=0)
        self.ask = nn.Linear(2 * width, width)
        self.to_draw = nn.ConvTranspose2d(width, 3, 4, 4)
        self.to_classes = nn.Conv2d(width, 1 + classes, 1)

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        losses = {}
        if (asked := batch.questions) is not None:
            answers = list(asked.candidates)
            right = torch.tensor([answers.index(answer) for answer in asked.answers])
            scores = self._asked(asked.pictures, asked.texts) @ self._read(answers).T
            losses["answers"] = F.cross_entropy(scores, right.to(scores.device))
        for name in ("drawings", "captions"):
            if (shown := getattr(batch, name)) is not None:
                losses[name] = self._drawing_loss(shown)
        return losses

    def answer(
        self, pictures: Tensor, texts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> Tensor:
        asked = self._asked(pictures, texts)
        scores = asked.new_full((len(texts), max(map(len, choices))), -torch.inf)
        for row, each in enumerate(choices):
            scores[row, : len(each)] = self._read(each) @ asked[row]
        return scores

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        return self.to_draw(self._told(pictures, texts)).clamp(-1, 1)  # type: ignore[no-any-return]

    def features(self, pictures: Tensor) -> Tensor:
        return self.see(pictures).permute(0, 2, 3, 1)  # type: ignore[no-any-return]

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> VisualAttention:
        return VisualAttention(torch.zeros(0, len(texts)), torch.ones(len(texts)))  # it has none

    def _asked(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        mean = self.see(pictures).mean((2, 3))
        return self.ask(torch.cat([mean, self._read(texts)], 1))  # type: ignore[no-any-return]

    def _drawing_loss(self, shown: Drawings) -> Tensor:
        told = self._told(shown.pictures, shown.texts)
        if shown.classes is not None:
            return F.cross_entropy(
                F.interpolate(self.to_classes(told), scale_factor=4.0), shown.classes
            )
        return F.mse_loss(self.to_draw(told), shown.targets)

    def _told(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        return self.see(pictures) * (1 + self._read(texts)[:, :, None, None])  # type: ignore[no-any-return]

    def _read(self, texts: Sequence[str]) -> Tensor:
        return self.words(hashed_words(texts, 48, 4096).to(self.ask.weight.device))  # type: ignore[no-any-return]


def make(settings: Mapping[str, Any]) -> Convolutional:
    """The model; the setting `width` is its number of channels."""
    return Convolutional(settings.get("width", 32))
