"""A sample in the form that BAGEL's packed training takes."""

from __future__ import annotations

from typing import Any, Literal, Protocol, get_args

from PIL import Image

from sgt_data import checks
from sgt_data.corpus.sample import Sample

Plan = Literal["sgt", "edit"]
"""What comes before the target: the input seen by the ViT, or seen by VAE and ViT."""


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


def checked_plan(plan: Plan) -> Plan:
    """The plan.

    Raises:
        RequestError: there is no such plan.
    """
    return checks.one_of("plan", plan, get_args(Plan))


def to_bagel(
    sample: Sample,
    tokenizer: Tokenizer,
    vae_transform: PictureTransform,
    vit_transform: PictureTransform,
    plan: Plan = "sgt",
) -> dict[str, Any]:
    """A sample for BAGEL's `PackedDataset`, made anew for each call, as packing empties its lists.

    `sgt`: `image_tensor_list` holds input (ViT), target (VAE) and input (VAE); the sequence plan
    uses the first two. `edit`: input (VAE), input (ViT) and target (VAE), all used; BAGEL leaves
    out any of the conditions at random, as in its own editing data. `data_indexes` names the
    sample; `BagelDataset` replaces it by its own count.

    Args:
        sample: a sample of a corpus.
        tokenizer: makes tokens of the instruction.
        vae_transform: applied to the picture to generate, and to the input.
        vit_transform: applied to the picture to look at.
        plan: what comes before the target.

    Raises:
        CorpusError: a picture cannot be decoded.
    """
    picture, target = sample.pictures()
    text = list(tokenizer.encode(sample.instruction))
    seen, given, drawn = vit_transform(picture), vae_transform(picture), vae_transform(target)
    vit, vae = vit_transform.stride, vae_transform.stride
    tokens = token_count(seen, vit) + token_count(drawn, vae) + len(text)
    words, goal = plan_step("text", enable_cfg=1), plan_step("vae_image", loss=1)
    if plan == "edit":
        tensors = [given, seen, drawn]
        tokens += token_count(given, vae)
        shown = [plan_step("vae_image", enable_cfg=1), plan_step("vit_image", enable_cfg=1)]
    else:
        tensors = [seen, drawn, given]
        shown = [plan_step("vit_image")]
    return {
        "image_tensor_list": tensors,
        "text_ids_list": [text],
        "num_tokens": tokens,
        "sequence_plan": [*shown, words, goal],
        "data_indexes": {
            "data_indexes": sample.key,
            "worker_id": 0,
            "dataset_name": sample.component,
        },
    }


def token_count(tensor: Any, stride: int) -> int:
    """Number of tokens of a picture [3, H, W]."""
    height, width = tensor.shape[1:]
    return int(height) * int(width) // stride**2


def plan_step(kind: str, enable_cfg: int = 0, loss: int = 0) -> dict[str, Any]:
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
