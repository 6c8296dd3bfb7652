"""A tokenizer without weights or downloads, and digests of pictures."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
from PIL import Image


def byte_tokenizer(*special: str) -> Any:
    """A tokenizer with a token for each byte, and these special ones; texts begin with `<s>`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>",
    )  # fmt: skip
    fast.add_special_tokens({"additional_special_tokens": list(special)})
    begin = ("<s>", fast.bos_token_id)
    fast.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", special_tokens=[begin]
    )
    return fast


def digest(picture: Image.Image) -> str:
    """SHA-256 of a picture's size and RGB pixels."""
    pixels = np.asarray(picture.convert("RGB"))
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()
