"""A unified model, small enough to read in a sitting: one trunk over a picture's patches and a
text's words, a head that answers and a head that draws.

Two shapes, after the two models of Semantic Generative Tuning: `joint` as BAGEL, where every weight
learns from both losses; `frozen` as OmniGen2, where a trained trunk stays as it is and the heads
learn to read it. Pictures are drawn by regression, in one pass, or by rectified flow (Liu et al.
2022), in steps from noise.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import torch
from pydantic import ConfigDict, TypeAdapter
from pydantic.dataclasses import dataclass
from torch import Tensor, nn
from torch.nn import functional as F

from sgt_data.errors import RequestError
from sgt_data.training.config import validated
from sgt_data.training.hashed_words import hashed_words
from sgt_data.training.layers import (
    PATCH,
    AnswerHead,
    Block,
    Convolution,
    Residual,
    from_patches,
    grid_waves,
    to_patches,
)
from sgt_data.training.learner import TrainingBatch

_SHIFT = 3.0
"""Of flow's times towards noise (Esser et al. 2024), in training by so many logits and in drawing
as a factor: where little noise is left a target can be told from itself, and nothing of the picture
need be known."""


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class ModelSettings:
    """Sizes and shape.

    Attributes:
        picture: side of pictures, pixels; a multiple of 8, which is the side of a patch.
        width, layers, heads: of the trunk.
        residuals: convolutions before the trunk that add to what they are given.
        words: of a text that are read.
        rows: of the table of word vectors, see `hashed_words`.
        shape: see the module.
        trunk: of a `frozen` model: a checkpoint of a `joint` one, whose trunk and answers it takes.
        generation: by which the target is drawn.
        generator_layers: of the drawing head's own, between the trunk and the patches.
        flow_steps: in which a picture is drawn by flow.
    """

    picture: int = 48
    width: int = 64
    layers: int = 2
    heads: int = 4
    residuals: int = 2
    words: int = 24
    rows: int = 4096
    shape: Literal["joint", "frozen"] = "joint"
    trunk: str | None = None
    generation: Literal["regression", "flow"] = "regression"
    generator_layers: int = 0
    flow_steps: int = 16


def make(answers: Sequence[str], settings: Mapping[str, Any]) -> UnifiedModel:
    """The bundled model, for so many answers.

    Raises:
        RequestError: the settings are none of `ModelSettings`.
    """
    found = validated(
        TypeAdapter(ModelSettings), dict(settings), "model.settings", "model.settings."
    )
    if found.picture % PATCH or found.width % (4 * found.heads) or found.width % 8:
        raise RequestError(
            f"model.settings: picture is {found.picture}, a multiple of {PATCH} is needed; width "
            f"is {found.width}, a multiple of 8 and of 4 times the heads is"
        )
    model = UnifiedModel(len(answers), found)
    if found.shape == "frozen":
        model.take_trunk(found.trunk)
    return model


class UnifiedModel(nn.Module):
    """See the module; implements `Learner`."""

    adamw_parts = ("answers", "tell", "patches", "noised", "clock")

    def __init__(self, answers: int, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = s = settings
        self.side = s.picture // PATCH
        self.stem = nn.Sequential(
            Convolution(3, 48, 6, 4), nn.GroupNorm(1, 48), nn.GELU(),
            *(Residual(48) for _ in range(s.residuals)),
            nn.GroupNorm(1, 48), Convolution(48, s.width, 2, 2),
        )  # fmt: skip
        self.stem_norm = nn.LayerNorm(s.width)
        self.word_vectors = nn.Embedding(s.rows, s.width)
        nn.init.normal_(self.word_vectors.weight, std=0.5)
        self.tell = nn.Linear(s.width, s.width, bias=False)
        self.patch_places = nn.Parameter(0.5 * grid_waves(self.side, s.width))
        self.word_places = nn.Parameter(0.5 * torch.randn(1 + s.words, s.width))
        self.trunk = nn.ModuleList(Block(s.width, s.heads) for _ in range(s.layers))
        self.trunk_norm = nn.LayerNorm(s.width)
        self.answers = AnswerHead(s.width, answers)
        values = 3 * PATCH**2
        self.generator = nn.ModuleList(Block(s.width, s.heads) for _ in range(s.generator_layers))
        self.generator_norm = nn.LayerNorm(s.width)
        self.patches = nn.Linear(s.width, values)
        if s.generation == "flow":
            self.noised = nn.Linear(values, s.width)
            self.clock = nn.Sequential(
                nn.Linear(32, s.width), nn.GELU(), nn.Linear(s.width, s.width)
            )

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Losses: cross-entropy of the answers, mean squared error of drawn pixels (-1 to 1)."""
        parts = [part for part in (batch.questions, batch.drawings) if part is not None]
        tokens = self._trunk(
            torch.cat([part.pictures for part in parts]),
            [text for part in parts for text in part.texts],
        )
        losses = {}
        asked = 0 if batch.questions is None else len(batch.questions.texts)
        if batch.questions is not None:
            scores, right = self._answers(tokens[:asked]), batch.questions.answers
            losses["answers"] = F.cross_entropy(scores, right, ignore_index=-1)
            losses["accuracy"] = (scores.detach().argmax(1) == right).float().mean()
        if batch.drawings is not None:
            wanted = to_patches(batch.drawings.targets)
            losses["drawings"] = self._drawing_loss(tokens[asked:], wanted)
        return losses

    def answer(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        return self._answers(self._trunk(pictures, texts))

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        tokens = self._trunk(pictures, texts)
        if self.settings.generation == "regression":
            return from_patches(self._drawn(tokens)).clamp(-1, 1)
        drawn = torch.randn(len(tokens), self.side**2, 3 * PATCH**2).to(tokens)
        even = torch.linspace(0, 1, self.settings.flow_steps + 1)
        times = (even / (even + _SHIFT * (1 - even))).to(tokens)
        for now, then in pairwise(times):
            clean = self._drawn(tokens, drawn, now.expand(len(tokens)))
            drawn = drawn + (then - now) / (1 - now) * (clean - drawn)
        return from_patches(drawn).clamp(-1, 1)

    def features(self, pictures: Tensor) -> Tensor:
        tokens = self._trunk(pictures, [""] * len(pictures))
        return tokens[:, : self.side**2].reshape(len(tokens), self.side, self.side, -1)

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        x, shares = self._tokens(pictures, texts), []
        for block in self.trunk:
            assert isinstance(block, Block)
            paid = block.attention(x)[:, :, self.side**2, : self.side**2]
            shares.append(paid.sum(2).mean(1))
            x = block(x)
        return torch.stack(shares)

    def take_trunk(self, checkpoint: str | None) -> None:
        """Take all but the drawing head from a checkpoint; what comes before the heads learns no
        more.

        Raises:
            RequestError: there is none, or it is of another model.
        """
        from sgt_data.training.checkpoint import read_checkpoint

        if checkpoint is None:
            raise RequestError("model.settings.trunk: a frozen model needs a checkpoint")
        drawing = ("generator", "patches", "noised", "clock")
        found = {
            name: weight
            for name, weight in read_checkpoint(checkpoint).model.items()
            if not name.startswith(drawing)
        }
        try:
            lacking = self.load_state_dict(found, strict=False).missing_keys
        except RuntimeError as why:
            raise RequestError(f"{checkpoint} is of another model: {why}") from why
        if other := [name for name in lacking if not name.startswith(drawing)]:
            raise RequestError(f"{checkpoint} is of another model: it has no {other[0]}")
        learning = ("answers", *drawing)
        for name, weight in self.named_parameters():
            weight.requires_grad = name.startswith(learning)

    def _tokens(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """[n, side^2 + 1 + words, width]: patches, the token that answers, words.

        The mean of the words is told to every patch, and is what the answering token starts from:
        without it, finding out which patches a text means took half again as many steps.
        """
        s = self.settings
        words = hashed_words(texts, s.words, s.rows).to(pictures.device)
        pictures = pictures.contiguous(
            memory_format=torch.channels_last
        )  # convolved a tenth faster
        seen = self.stem_norm(self.stem(pictures).flatten(2).transpose(1, 2)) + self.patch_places
        there = (words > 0).unsqueeze(2).to(seen)
        said = self.word_vectors(words).to(seen) * there
        gist = said.sum(1, keepdim=True) / there.sum(1, keepdim=True).clamp(min=1).sqrt()
        read = torch.cat([gist, said], 1) + self.word_places
        return torch.cat([seen + self.tell(gist), read], 1)

    def _trunk(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """[n, side^2 + 1, width]: of patches and of the token that answers, which have read the
        words by then."""
        x = self._tokens(pictures, texts)
        last = len(self.trunk) - 1
        for number, block in enumerate(self.trunk):
            x = block(x, self.side**2 + 1 if number == last else None)
        found: Tensor = self.trunk_norm(x)
        return found

    def _answers(self, tokens: Tensor) -> Tensor:
        places = self.side**2
        found: Tensor = self.answers(tokens[:, places], tokens[:, :places], self.patch_places)
        return found

    def _drawn(
        self, tokens: Tensor, noisy: Tensor | None = None, time: Tensor | None = None
    ) -> Tensor:
        """Clean patches [n, side^2, 3 * PATCH^2]; for flow, of patches part way from noise (`time`
        0) to the target (1)."""
        places = self.side**2
        if noisy is not None and time is not None:
            waves = time[:, None] * torch.exp(torch.linspace(0, 6, 16)).to(time)
            clock = self.clock(torch.cat([waves.sin(), waves.cos()], 1))
            shown = tokens[:, :places] + self.noised(noisy) + clock[:, None]
            tokens = torch.cat([shown, tokens[:, places:]], 1)
        for block in self.generator:
            tokens = block(tokens)
        found: Tensor = self.patches(self.generator_norm(tokens[:, :places]))
        return found

    def _drawing_loss(self, tokens: Tensor, wanted: Tensor) -> Tensor:
        if self.settings.generation == "regression":
            return F.mse_loss(self._drawn(tokens), wanted)
        time = torch.sigmoid(torch.randn(len(wanted)) - _SHIFT).to(wanted)
        noise = torch.randn(wanted.shape).to(wanted)
        part = time[:, None, None]
        return F.mse_loss(self._drawn(tokens, part * wanted + (1 - part) * noise, time), wanted)
