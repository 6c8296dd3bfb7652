"""A vision-language model: --set model.make=sgt_data.training.vlm_learner:make

LLaVA by `transformers`: tiny, with random weights and bytes as tokens; or, with --set
model.settings.pretrained=FOLDER, a model with its tokenizer in LLaVA's form. It draws in one pass.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from sgt_data.training.learner import TrainingBatch, VisualAttention
from sgt_data.training.llava_model import clip_pixels, llava_model
from sgt_data.training.llava_tokens import LlavaTokens, llava_tokens

Texts = Sequence[str]


class VisionLanguage(nn.Module):
    """A `Learner`: answers are the model's own text, drawings are read off its visual tokens."""

    def __init__(self, model: Any, tokenizer: Any) -> None:
        super().__init__()
        self.model, self.tokenizer = model, tokenizer
        vision, width = model.config.vision_config, model.config.text_config.hidden_size
        patch, self.side = vision.patch_size, vision.image_size // vision.patch_size
        self.to_pixels = nn.ConvTranspose2d(width, 3, patch, patch)
        self.to_classes = nn.Sequential(nn.Conv2d(width, 161, 1), nn.Upsample(scale_factor=patch))

    def forward(self, batch: TrainingBatch) -> dict[str, Tensor]:
        losses = {}
        if (asked := batch.questions) is not None:
            losses["answers"] = -self._likelihood(asked.pictures, asked.texts, asked.answers).mean()
        for name in ("drawings", "captions"):
            if (shown := getattr(batch, name)) is not None:
                grid = self._grid(shown.pictures, shown.texts)
                losses[name] = nn.functional.mse_loss(self.to_pixels(grid), shown.targets)
                if shown.classes is not None:
                    losses[name] = nn.functional.cross_entropy(self.to_classes(grid), shown.classes)
        return losses

    def answer(self, pictures: Tensor, texts: Texts, choices: Sequence[Texts]) -> Tensor:
        scores = [
            self._likelihood(seen.expand(len(each), -1, -1, -1), [text] * len(each), each)
            for seen, text, each in zip(pictures, texts, choices, strict=True)
        ]
        return nn.utils.rnn.pad_sequence(scores, batch_first=True, padding_value=-torch.inf)

    def draw(self, pictures: Tensor, texts: Texts) -> Tensor:
        return self.to_pixels(self._grid(pictures, texts)).clamp(-1, 1)  # type: ignore[no-any-return]

    def features(self, pictures: Tensor) -> Tensor:
        seen = self.model.model.vision_tower(clip_pixels(pictures)).last_hidden_state
        return seen[:, -(self.side**2) :].unflatten(1, (self.side, -1))  # type: ignore[no-any-return]

    def visual_attention(self, pictures: Tensor, texts: Texts) -> VisualAttention:
        out, tokens = self._run(pictures, texts)
        rows, count = torch.arange(len(texts)), tokens.is_token.sum(1)
        paid = torch.stack([layer[rows, :, count - 1].mean(1) for layer in out.attentions])
        return VisualAttention((paid * tokens.is_visual).sum(2), tokens.is_visual.sum(1) / count)

    def _run(self, pictures: Tensor, texts: Texts, answers: Texts = ()) -> tuple[Any, LlavaTokens]:
        tokens = llava_tokens(self.tokenizer, self.side**2, texts, answers).to(pictures.device)
        more = {"output_hidden_states": True, "output_attentions": True}
        out = self.model(tokens.ids, clip_pixels(pictures), tokens.is_token.long(), **more)
        return out, tokens

    def _likelihood(self, pictures: Tensor, texts: Texts, answers: Texts) -> Tensor:
        """Mean log-likelihood of the tokens of each answer and of its end, [n]."""
        out, tokens = self._run(pictures, texts, answers)
        logits, is_answer = out.logits[:, :-1].mT.float(), tokens.is_answer[:, 1:]
        losses = nn.functional.cross_entropy(logits, tokens.ids[:, 1:], reduction="none")
        return -(losses * is_answer).sum(1) / is_answer.sum(1)

    def _grid(self, pictures: Tensor, texts: Texts) -> Tensor:
        """Visual tokens of the last layer [n, width, side, side]."""
        out, tokens = self._run(pictures, texts)
        seen = out.hidden_states[-1][tokens.is_visual].view(len(texts), self.side, self.side, -1)
        return seen.permute(0, 3, 1, 2)  # type: ignore[no-any-return]


def make(settings: Mapping[str, Any]) -> VisionLanguage:
    """The model; settings are `pretrained`, or `width` and `layers`."""
    return VisionLanguage(*llava_model(settings))
