"""Texts as tokens that a LLaVA model reads: an instruction, a picture, and perhaps an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor

_PICTURE = "<image>"


@dataclass(frozen=True, slots=True)
class LlavaTokens:
    """Tokens of n texts, padded at the end to one length.

    Attributes:
        ids: [n, tokens] int64.
        is_token: [n, tokens] bool, false where there is padding.
        is_visual: [n, tokens] bool, which tokens stand for patches of the picture, in rows.
        is_answer: [n, tokens] bool, which tokens are the answer, with the one that ends it.
    """

    ids: Tensor
    is_token: Tensor
    is_visual: Tensor
    is_answer: Tensor

    def to(self, device: torch.device) -> LlavaTokens:
        """These tokens on a device."""
        return LlavaTokens(*(getattr(self, each.name).to(device) for each in fields(self)))


def llava_tokens(
    tokenizer: Any, patches: int, texts: Sequence[str], answers: Sequence[str] = ()
) -> LlavaTokens:
    """The tokens of texts, each with a picture after it, and of their answers where they are given.

    The text comes first, so that the visual tokens know what to draw: a token sees what stands
    before it.

    Args:
        tokenizer: of a model in LLaVA's form, which pads at the end.
        patches: visual tokens of a picture.
        texts: n questions, instructions or captions.
        answers: n answers, or none.
    """
    visual = _PICTURE * patches
    prompts = [f"USER: {text.replace(_PICTURE, '')}\n{visual} ASSISTANT:" for text in texts]
    whole = (
        [
            f"{prompt} {answer}{tokenizer.eos_token}"
            for prompt, answer in zip(prompts, answers, strict=True)
        ]
        if answers
        else prompts
    )
    read = tokenizer(whole, padding=True, return_tensors="pt")
    is_token = read.attention_mask.bool()
    is_answer = is_token.clone()
    for row, prompt in enumerate(tokenizer(prompts).input_ids):
        is_answer[row, : len(prompt)] = False
    is_visual = read.input_ids == tokenizer.convert_tokens_to_ids(_PICTURE)
    return LlavaTokens(read.input_ids, is_token, is_visual, is_answer)
