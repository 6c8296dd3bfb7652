"""Pictures as OmniGen2's image processor and the processor of Qwen2.5-VL make them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from sgt_data import checks

QWEN_MIN_PIXELS = 256 * 28 * 28
"""Smallest area in pixels that the text encoder is shown in SGT's release: `min_pixels` of Qwen's
processor there. Smaller pictures are enlarged to it."""

QWEN_MAX_PIXELS = 1280 * 28 * 28
"""Largest area in pixels that the text encoder is shown in SGT's release: `max_pixels` of Qwen's
processor there, 1,280 tokens. Larger pictures are shrunk to it."""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """To which size OmniGen2 shrinks pictures; its own defaults.

    Attributes:
        max_input_pixels: greatest area of the input picture in pixels. This is the first number of
            OmniGen2's list, as there is one input picture.
        max_output_pixels: greatest area of the target in pixels.
        max_side_length: greatest length of the longer side of both in pixels.
    """

    max_input_pixels: int = 1024 * 1024
    max_output_pixels: int = 1024 * 1024
    max_side_length: int = 2048

    def __post_init__(self) -> None:
        for name in ("max_input_pixels", "max_output_pixels", "max_side_length"):
            checks.whole_number(name, getattr(self, name), 1)


DEFAULT_LIMITS = SizeLimits()


def processed_input(picture: Image.Image, image_processor: Any, limits: SizeLimits) -> Any:
    """An input picture as `OmniGen2ImageProcessor` makes it."""
    return image_processor.preprocess(
        picture, max_pixels=limits.max_input_pixels, max_side_length=limits.max_side_length
    )


def processed_target(target: Image.Image, image_processor: Any, limits: SizeLimits) -> Any:
    """A target as `OmniGen2ImageProcessor` makes it."""
    return image_processor.preprocess(
        target, max_pixels=limits.max_output_pixels, max_side_length=limits.max_side_length
    )


def shown(processor: Any, text: str, picture: Image.Image | None) -> dict[str, Any]:
    """What the text encoder is given: tokens of a text, a picture's patches, and their grid.

    Args:
        processor: of Qwen2.5-VL.
        text: with one place for a picture, or none where there is no picture.
        picture: RGB.
    """
    names = ["input_ids", "attention_mask", "pixel_values", "image_grid_thw"]
    if picture is None:
        tensors = processor.tokenizer(text, padding=True, return_tensors="pt")
        return {name: tensors[name] for name in names[:2]} | dict.fromkeys(names[2:])
    tensors = processor(text=text, images=[picture], padding=True, return_tensors="pt")
    return {name: tensors[name] for name in names}
