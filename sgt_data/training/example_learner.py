"""An example of an own model: --set model.make=sgt_data.training.example_learner:make"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sgt_data.training.hashed_words import hashed_words
from sgt_data.training.learner import TrainingBatch


class Convolutional(nn.Module):
    """A `Learner` of convolutions for the picture and a bag of words for the text."""

    def __init__(self, answers: int, width: int = 32) -> None:
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, width, 4, 4), nn.GELU(), nn.Conv2d(width, width, 3, padding=1), nn.GELU()
        )
        self.words = nn.EmbeddingBag(4096, width, padding_idx=0)
        self.to_answer = nn.Linear(2 * width, answers)
        self.to_draw = nn.ConvTranspose2d(width, 3, 4, 4)

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        losses = {}
        if batch.questions is not None:
            scores = self.answer(batch.questions.pictures, batch.questions.texts)
            losses["answers"] = F.cross_entropy(scores, batch.questions.answers, ignore_index=-1)
        if batch.drawings is not None:
            drawn = self.draw(batch.drawings.pictures, batch.drawings.texts)
            losses["drawings"] = F.mse_loss(drawn, batch.drawings.targets)
        return losses

    def answer(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        mean = self.see(pictures).mean((2, 3))
        return self.to_answer(torch.cat([mean, self._read(texts, pictures)], 1))  # type: ignore[no-any-return]

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        words = self._read(texts, pictures)[:, :, None, None]
        return self.to_draw(self.see(pictures) * (1 + words)).clamp(-1, 1)  # type: ignore[no-any-return]

    def features(self, pictures: Tensor) -> Tensor:
        return self.see(pictures).permute(0, 2, 3, 1)  # type: ignore[no-any-return]

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        return torch.zeros(0, len(pictures))  # there is no attention

    def _read(self, texts: Sequence[str], like: Tensor) -> Tensor:
        return self.words(hashed_words(texts, 24, 4096).to(like.device))  # type: ignore[no-any-return]


def make(answers: Sequence[str], settings: Mapping[str, Any]) -> Convolutional:
    """The model, for so many answers; the setting `width` is its number of channels."""
    return Convolutional(len(answers), settings.get("width", 32))
