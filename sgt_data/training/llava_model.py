"""A LLaVA model of `transformers` with its tokenizer: read from a folder, or made tiny.

Nothing in a folder is executed: no remote code, weights from safetensors alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from sgt_data.errors import RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut, cut_text

_SETTINGS = ("picture", "pretrained", "width", "layers")
_PATCH = 8

_CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
"""Mean and standard deviation of CLIP's pictures, RGB in 0 to 1."""


def clip_pixels(pictures: Tensor) -> Tensor:
    """Pictures [n, 3, S, S] in -1 to 1 as CLIP reads them: standardised by channel."""
    mean, deviation = pictures.new_tensor(_CLIP)[..., None, None].unbind()
    return ((pictures + 1) / 2 - mean) / deviation


def llava_model(settings: Mapping[str, Any]) -> tuple[Any, Any]:
    """A `LlavaForConditionalGeneration` in float32, and a tokenizer that pads at the end.

    Args:
        settings: `picture`, the side of the pictures, pixels; `pretrained`, a hub id or a folder;
            without it `width` (64) and `layers` (2) of a model with random weights, whose tokens
            are bytes.

    Raises:
        RequestError: a setting is unknown, the folder holds no such model, or the model sees
            pictures of another size.
        ImportError: `transformers` is not installed.
    """
    from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

    for name in settings:
        if name not in _SETTINGS:
            raise RequestError(
                f"model.settings.{cut_text(name, 40)}: there is no such setting; there are "
                f"{', '.join(_SETTINGS[1:])}{did_you_mean(name, _SETTINGS[1:])}"
            )
    provide_torchvision_operators()
    named = settings.get("pretrained")
    model, tokenizer = _tiny(settings) if named is None else _read(named)
    tokenizer.padding_side = "right"
    if (size := model.config.vision_config.image_size) != settings["picture"]:
        raise RequestError(
            f"model.picture is {settings['picture']}; {cut(named)} sees pictures of {size} by "
            f"{size} pixels: set model.picture={size}"
        )
    return model, tokenizer


def _read(named: Any) -> tuple[Any, Any]:
    from transformers import AutoTokenizer, LlavaForConditionalGeneration

    try:
        model = LlavaForConditionalGeneration.from_pretrained(
            named, dtype=torch.float32, attn_implementation="eager", use_safetensors=True,
            trust_remote_code=False,
        )  # fmt: skip
        tokenizer = AutoTokenizer.from_pretrained(named, trust_remote_code=False)
    except (OSError, ValueError, KeyError, RuntimeError) as why:
        raise RequestError(
            f"model.settings.pretrained: {cut(named)} is no model in LLaVA's form: {in_words(why)}"
        ) from why
    return model, tokenizer


def _tiny(settings: Mapping[str, Any]) -> tuple[Any, Any]:
    from transformers import (
        CLIPVisionConfig,
        LlamaConfig,
        LlavaConfig,
        LlavaForConditionalGeneration,
    )

    picture, width, layers = (
        settings["picture"],
        settings.get("width", 64),
        settings.get("layers", 2),
    )
    if picture % _PATCH or width % 4:
        raise RequestError(
            f"model.picture is {picture}, a multiple of {_PATCH} is needed; model.settings.width "
            f"is {width}, a multiple of 4 is"
        )
    tokenizer: Any = _byte_tokenizer()
    shape: dict[str, Any] = {
        "hidden_size": width, "intermediate_size": 4 * width, "num_hidden_layers": layers,
        "num_attention_heads": 4,
    }  # fmt: skip
    config = LlavaConfig(
        vision_config=CLIPVisionConfig(**shape, image_size=picture, patch_size=_PATCH),
        text_config=LlamaConfig(**shape, vocab_size=len(tokenizer), max_position_embeddings=4096),
        image_token_index=tokenizer.convert_tokens_to_ids("<image>"),
        vision_feature_layer=-1,
    )
    make: Any = LlavaForConditionalGeneration._from_config
    return make(config, attn_implementation="eager"), tokenizer


def _byte_tokenizer() -> Any:
    """A tokenizer whose tokens are the bytes of UTF-8, and three special ones."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({letter: n for n, letter in enumerate(letters)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped: Any = PreTrainedTokenizerFast
    return wrapped(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="</s>",
        extra_special_tokens={"image_token": "<image>"},
    )
