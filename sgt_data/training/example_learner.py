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
    """A `Learner` of convolutions for the picture and a bag of words for the text."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        self.see = nn.Sequential(
            nn.Conv2d(3, width, 4, 4), nn.GELU(), nn.Conv2d(width, width, 3, padding=1), nn.GELU()
        )
        self.words = nn.EmbeddingBag(4096, width, padding_idx=0)
        self.to_answer = nn.Linear(2 * width, width)
        self.to_draw = nn.ConvTranspose2d(width, 3, 4, 4)

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        losses = {}
        if (asked := batch.questions) is not None:
            answers = list(asked.candidates)
            scores = self._scores(asked.pictures, asked.texts, answers)
            right = torch.tensor([answers.index(answer) for answer in asked.answers])
            losses["answers"] = F.cross_entropy(scores, right.to(scores.device))
        if batch.drawings is not None:
            losses["drawings"] = self._drawing_loss(batch.drawings)
        if batch.captions is not None:
            losses["captions"] = self._drawing_loss(batch.captions)
        return losses

    def answer(
        self, pictures: Tensor, texts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> Tensor:
        scores = torch.full((len(texts), max(map(len, choices))), -torch.inf)
        for row, each in enumerate(choices):
            one = slice(row, row + 1)
            scores[row, : len(each)] = self._scores(pictures[one], texts[one], each)[0]
        return scores.to(pictures.device)

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        words = self._read(texts, pictures)[:, :, None, None]
        return self.to_draw(self.see(pictures) * (1 + words)).clamp(-1, 1)  # type: ignore[no-any-return]

    def features(self, pictures: Tensor) -> Tensor:
        return self.see(pictures).permute(0, 2, 3, 1)  # type: ignore[no-any-return]

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> VisualAttention:
        return VisualAttention(torch.zeros(0, len(pictures)), torch.zeros(len(pictures)))

    def _scores(self, pictures: Tensor, texts: Sequence[str], answers: Sequence[str]) -> Tensor:
        seen = torch.cat([self.see(pictures).mean((2, 3)), self._read(texts, pictures)], 1)
        return self.to_answer(seen) @ self._read(answers, pictures).T  # type: ignore[no-any-return]

    def _drawing_loss(self, shown: Drawings) -> Tensor:
        return F.mse_loss(self.draw(shown.pictures, shown.texts), shown.targets)

    def _read(self, texts: Sequence[str], like: Tensor) -> Tensor:
        return self.words(hashed_words(texts, 24, 4096).to(like.device))  # type: ignore[no-any-return]


def make(settings: Mapping[str, Any]) -> Convolutional:
    """The model; the setting `width` is its number of channels."""
    return Convolutional(settings.get("width", 32))
