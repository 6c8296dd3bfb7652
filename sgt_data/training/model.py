"""The bundled unified model: one trunk over patches and words, two heads that answer and draw.

It has two shapes: `joint`, where all weights learn from all losses; `frozen`, where a trained trunk
stays as it is and the drawing head and the answer head learn to read it. Pictures are drawn by
regression, in one pass, or by rectified flow, in steps from noise; what is drawn
of a caption needs flow, as one caption describes many pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sgt_data.training.frozen_trunk import take_trunk
from sgt_data.training.hashed_words import hashed_words
from sgt_data.training.learner import Drawings, Questions, TrainingBatch, VisualAttention
from sgt_data.training.model_settings import ModelSettings, parse_settings
from sgt_data.training.network_layers import (
    PATCH,
    AnswerScores,
    Block,
    Convolution,
    Refinement,
    Residual,
    from_patches,
    grid_waves,
    patch_shares,
    to_patches,
)
from sgt_data.training.rectified_flow import WAVES, drawn_by_flow, flow_loss, time_waves


def make(settings: Mapping[str, Any]) -> UnifiedModel:
    """The bundled model.

    Args:
        settings: fields of `ModelSettings`.

    Raises:
        RequestError: a setting is wrong, or a `frozen` model has no checkpoint that fits.
    """
    sizes = parse_settings(settings)
    model = UnifiedModel(sizes)
    if sizes.shape == "frozen":
        take_trunk(model, sizes.trunk)
    return model


class UnifiedModel(nn.Module):
    """A `Learner` with one trunk for questions, drawings and captions.

    The names of its parts are those in checkpoints. `adamw_parts` are the parts that AdamW trains,
    `drawing_parts` those that draw alone.
    """

    adamw_parts = ("answers", "tell", "patches", "noised", "clock", "classes")
    drawing_parts = (
        "generator", "generator_norm", "patches", "noised", "clock", "refinement", "classes",
    )  # fmt: skip

    def __init__(self, settings: ModelSettings) -> None:
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
        self.answers = AnswerScores(s.width)
        self.classes = nn.Linear(s.width, 1 + s.classes)
        values = 3 * PATCH**2
        self.generator = nn.ModuleList(Block(s.width, s.heads) for _ in range(s.generator_layers))
        self.generator_norm = nn.LayerNorm(s.width)
        self.patches = nn.Linear(s.width, values)
        if s.generation == "flow":
            self.noised = nn.Linear(values, s.width)
            self.clock = nn.Sequential(
                nn.Linear(WAVES, s.width), nn.GELU(), nn.Linear(s.width, s.width)
            )
            self.refinement = Refinement(s.width, 24)

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Losses: cross-entropy of the answers, mean squared error of drawn pixels in -1 to 1.

        An answer is chosen from the distinct answers of the batch, so there is no list of answers.
        Drawings with classes: cross-entropy of the shares that categories have in each patch.
        """
        parts = [each for each in (batch.questions, batch.drawings, batch.captions) if each]
        tokens = self._trunk(
            torch.cat([part.pictures for part in parts]),
            [text for part in parts for text in part.texts],
        )
        sizes = [len(part.texts) for part in parts]
        losses, rest = dict[str, Tensor](), iter(torch.split(tokens, sizes))
        if batch.questions is not None:
            losses |= self._answer_losses(next(rest), batch.questions)
        if batch.drawings is not None:
            losses["drawings"] = self._drawing_loss(next(rest), batch.drawings)
        if batch.captions is not None:
            losses["captions"] = self._drawing_loss(next(rest), batch.captions)
        return losses

    def answer(
        self, pictures: Tensor, texts: Sequence[str], choices: Sequence[Sequence[str]]
    ) -> Tensor:
        """Scores of each question's choices [n, most choices]; -inf where it has fewer."""
        distinct = sorted({choice for each in choices for choice in each})
        number = {choice: place for place, choice in enumerate(distinct)}
        scores = self._scores(self._trunk(pictures, texts), distinct)
        most = max(map(len, choices))
        picked = torch.full((len(texts), most), -torch.inf, device=scores.device)
        for row, each in enumerate(choices):
            picked[row, : len(each)] = scores[row, [number[choice] for choice in each]].float()
        return picked

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Generated pictures [n, 3, S, S] in -1 to 1; by flow, from torch's random noise."""
        tokens = self._trunk(pictures, texts)
        if self.settings.generation == "regression":
            return from_patches(self._drawn(tokens)).clamp(-1, 1)
        noise = torch.randn(len(tokens), self.side**2, 3 * PATCH**2).to(tokens)
        drawn = drawn_by_flow(
            lambda noisy, time: self._drawn(tokens, noisy, time), noise, self.settings.flow_steps
        )
        return from_patches(drawn).clamp(-1, 1)

    def features(self, pictures: Tensor) -> Tensor:
        """The trunk's vectors of the patches [n, S / PATCH, S / PATCH, width], without a text."""
        tokens = self._trunk(pictures, [""] * len(pictures))
        return tokens[:, : self.side**2].reshape(len(tokens), self.side, self.side, -1)

    def visual_attention(self, pictures: Tensor, texts: Sequence[str]) -> VisualAttention:
        """Attention of the answering token to patches; the answer is read from this token alone."""
        places = self.side**2
        x, is_token = self._tokens(pictures, texts)
        shares = []
        for block in self.trunk:
            assert isinstance(block, Block)
            attention = block.attention(x, is_token)[:, :, places, :places]
            shares.append(attention.sum(2).mean(1))
            x = block(x, is_token)
        return VisualAttention(torch.stack(shares), places / is_token.sum(1))

    def _tokens(self, pictures: Tensor, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Tokens of the patches, of the answer and of the words, [n, side^2 + 1 + words, width].

        A summary of the words is added to every patch, and the answering token starts from it:
        without it, training took half again as many steps to learn which patches a text means.

        Returns:
            The tokens, and which of them are no padding [n, side^2 + 1 + words].
        """
        s = self.settings
        words = hashed_words(texts, s.words, s.rows).to(pictures.device)
        # channels last: a tenth faster to convolve
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        patches = self.stem_norm(self.stem(pictures).flatten(2).transpose(1, 2)) + self.patch_places
        is_word = words > 0
        vectors = self.word_vectors(words).to(patches) * is_word.unsqueeze(2)
        count = is_word.sum(1, keepdim=True).clamp(min=1).unsqueeze(2).to(patches)
        summary = vectors.sum(1, keepdim=True) / count.sqrt()
        text = torch.cat([summary, vectors], 1) + self.word_places[: 1 + words.shape[1]]
        others = is_word.new_ones(len(words), self.side**2 + 1)
        tokens = torch.cat([patches + self.tell(summary), text], 1)
        return tokens, torch.cat([others, is_word], 1)

    def _trunk(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        """Patches and the answering token after the trunk, [n, side^2 + 1, width]."""
        x, is_token = self._tokens(pictures, texts)
        last = len(self.trunk) - 1
        for number, block in enumerate(self.trunk):
            x = block(x, is_token, self.side**2 + 1 if number == last else None)
        tokens: Tensor = self.trunk_norm(x)
        return tokens

    def _answer_losses(self, tokens: Tensor, questions: Questions) -> dict[str, Tensor]:
        distinct = questions.candidates or sorted(set(questions.answers))
        number = {answer: place for place, answer in enumerate(distinct)}
        right = torch.tensor([number[answer] for answer in questions.answers]).to(tokens.device)
        scores = self._scores(tokens, distinct)
        accuracy = (scores.detach().argmax(1) == right).float().mean()
        return {"answers": F.cross_entropy(scores, right), "accuracy": accuracy}

    def _scores(self, tokens: Tensor, answers: Sequence[str]) -> Tensor:
        """Scores of answers [n, answers], from the answering token alone."""
        s = self.settings
        words = hashed_words(answers, s.words, s.rows).to(tokens.device)
        is_word = (words > 0).unsqueeze(2)
        vectors = (self.word_vectors(words) * is_word).sum(1) / is_word.sum(1).clamp(min=1)
        scores: Tensor = self.answers(tokens[:, self.side**2], vectors)
        return scores

    def _drawn(
        self, tokens: Tensor, noisy: Tensor | None = None, time: Tensor | None = None
    ) -> Tensor:
        """Drawn patches [n, side^2, 3 * PATCH^2].

        With flow they are predicted from the `noisy` patches at their `time`, 0 (noise) to 1 (the
        target).
        """
        places = self.side**2
        if noisy is not None and time is not None:
            clock = self.clock(time_waves(time))
            noisy_tokens = tokens[:, :places] + self.noised(noisy) + clock[:, None]
            tokens = torch.cat([noisy_tokens, tokens[:, places:]], 1)
        for block in self.generator:
            tokens = block(tokens)
        tokens = self.generator_norm(tokens[:, :places])
        patches: Tensor = self.patches(tokens)
        return patches if noisy is None else patches + self.refinement(tokens, noisy)

    def _drawing_loss(self, tokens: Tensor, drawings: Drawings) -> Tensor:
        if drawings.classes is not None:
            shares = patch_shares(drawings.classes, 1 + self.settings.classes)
            scores = self.classes(tokens[:, : self.side**2])
            return F.cross_entropy(scores.flatten(0, 1).float(), shares.flatten(0, 1))
        targets = to_patches(drawings.targets)
        if self.settings.generation == "regression":
            return F.mse_loss(self._drawn(tokens), targets)
        return flow_loss(lambda noisy, time: self._drawn(tokens, noisy, time), targets)
