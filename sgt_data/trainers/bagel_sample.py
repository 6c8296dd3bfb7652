"""A sample in the form that BAGEL's packed training takes."""

from __future__ import annotations

from typing import Any, Protocol

from PIL import Image

from sgt_data.corpus.sample import Sample


class PictureTransform(Protocol):
    """BAGEL's `ImageTransform`: makes a tensor [3, H, W] of an RGB picture.

    Attributes:
        stride: side of the square that one token covers, in pixels; H and W are multiples of it.
    """

    stride: int

    def __call__(self, picture: Image.Image) -> Any: ...


class Tokenizer(Protocol):
    """A tokenizer of the `transformers` library."""

    def encode(self, text: str) -> list[int]: ...


def to_bagel(
    sample: Sample,
    tokenizer: Tokenizer,
    vae_transform: PictureTransform,
    vit_transform: PictureTransform,
) -> dict[str, Any]:
    """A sample for BAGEL's `PackedDataset`, made anew for each call, as packing empties its lists.

    `image_tensor_list` holds input (ViT), target (VAE) and input (VAE); the sequence plan uses the
    first two. `data_indexes` names the sample; `BagelDataset` replaces it by its own count.

    Args:
        sample: a sample of a corpus.
        tokenizer: makes tokens of the instruction.
        vae_transform: applied to the picture to generate.
        vit_transform: applied to the picture to look at.

    Raises:
        CorpusError: a picture cannot be decoded.
    """
    picture, target = sample.pictures()
    vit_input = vit_transform(picture)
    vae_target = vae_transform(target)
    text = list(tokenizer.encode(sample.instruction))
    return {
        "image_tensor_list": [vit_input, vae_target, vae_transform(picture)],
        "text_ids_list": [text],
        "num_tokens": (
            _token_count(vit_input, vit_transform.stride)
            + _token_count(vae_target, vae_transform.stride)
            + len(text)
        ),
        "sequence_plan": [
            _plan_step("vit_image"),
            _plan_step("text", enable_cfg=1),
            _plan_step("vae_image", loss=1),
        ],
        "data_indexes": {
            "data_indexes": sample.key,
            "worker_id": 0,
            "dataset_name": sample.component,
        },
    }


def _token_count(tensor: Any, stride: int) -> int:
    """Number of tokens of a picture [3, H, W]."""
    height, width = tensor.shape[1:]
    return int(height) * int(width) // stride**2


def _plan_step(kind: str, enable_cfg: int = 0, loss: int = 0) -> dict[str, Any]:
    """One step of BAGEL's sequence plan.

    Args:
        kind: what comes next in the sequence: `vit_image`, `text` or `vae_image`.
        enable_cfg: 1 where training may leave it out, for classifier-free guidance.
        loss: 1 where it is learnt.
    """
    return {
        "type": kind,
        "enable_cfg": enable_cfg,
        "loss": loss,
        "special_token_loss": 0,
        "special_token_label": None,
    }
