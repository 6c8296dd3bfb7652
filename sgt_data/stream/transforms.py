"""Ready transforms for `Stream(transform=...)`: pictures of the size and form of a trainer.

In a label target, each colour stands for something of its own; a mean of two colours would stand
for a third thing, or for nothing. So label targets are resized by the nearest pixel, also where a
reversed proxy has them as inputs, and all other pictures by smooth filters.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from math import isqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from sgt_data import checks
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.extras import install_hint
from sgt_data.facts import reversed_facts
from sgt_data.pictures.resample import resized_pixels
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.stream.pixel_memory import PixelMemory
from sgt_data.stream.sample_views import CropAndFlip, View

Form = Literal["pil", "numpy", "torch"]
Pixels = NDArray[np.uint8]

_memory = PixelMemory()
"""Of this process."""


class WithinArea(SizeRule):
    """A size rule that limits the area: a picture is shrunk to at most `max_area` pixels.

    It is never enlarged. Each side is cut to a multiple of `multiple_of`. `min_side` and `max_side`
    are ignored.

    Attributes:
        max_area: greatest area in pixels.
    """

    max_area: int = Field(1024 * 1024, ge=1)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height to which a picture of `width` by `height` pixels is resized."""
        step, most = self.multiple_of, max(self.max_area, self.multiple_of**2)
        wide, high = width, height
        if width * height > most:
            wide, high = isqrt(most * width // height), isqrt(most * height // width)
        wide, high = max(step, wide // step * step), max(step, high // step * step)
        longest = most // step // step * step  # where the other side was raised to one step
        return min(wide, longest), min(high, longest)


BAGEL = SizeRule(min_side=512, max_side=1024, multiple_of=16)
"""Size of the pictures that BAGEL generates: shorter side at least 512, longer at most 1024, both
multiples of 16."""

OMNIGEN2 = WithinArea(max_area=1024 * 1024, multiple_of=16)
"""Size of OmniGen2's pictures: at most 1024 * 1024 pixels, sides multiples of 16."""


def is_label_target(facts: Mapping[str, Any]) -> bool:
    """Whether each colour of a sample's target stands for something of its own.

    So it is for segments, outlines of boxes on black, white masks, Canny's contours, depth in a
    colour map, metric depth and surface normals (a mean of two vectors has another length); not for
    outlines over a picture, soft edges, grey depth and photographs.
    """
    return (
        "unlabelled" in facts  # segmentation, referring, and what other packages draw like them
        or (facts.get("type") == "boxes" and facts.get("look") == "black")
        or (facts.get("type") == "edge" and facts.get("method") == "canny")
        or (facts.get("type") == "depth" and facts.get("colormap") != "grey")
        or facts.get("type") in ("metric_depth", "normals")
    )


def target_filter(facts: Mapping[str, Any]) -> Image.Resampling:
    """The filter that resizes a sample's target: nearest, bilinear for grey depth, or bicubic.

    Grey depth is not resized bicubically: that filter overshoots at edges, where it would draw
    something nearer than everything in the picture.
    """
    if is_label_target(facts):
        return Image.Resampling.NEAREST
    return Image.Resampling.BILINEAR if facts.get("type") == "depth" else Image.Resampling.BICUBIC


def input_filter(facts: Mapping[str, Any]) -> Image.Resampling:
    """The filter that resizes a sample's input: bicubic, but for maps that are another proxy's
    targets, which are resized as those."""
    base = reversed_facts(facts)
    return Image.Resampling.BICUBIC if base is None else target_filter(base)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Decodes a sample into a dict of two pictures, the instruction and its facts.

    Fields: `input`, `target`, `instruction`, `key`, `proxy`, `component`, `facts` and `view`.
    `input` and `target` are RGB uint8 pictures of the same size: torch [3, H, W] (channels last in
    memory), numpy [H, W, 3], or PIL. `facts` are as stored and describe the stored pictures; `view`
    says which part of them is shown (see `View`), and `instruction` is right for the view.
    A conversation in a mixture is returned unchanged.

    Attributes:
        size: the size rule, applied after a crop; None keeps the size.
        form: form of the pictures: `pil`, `numpy` or `torch`.
        augment: chooses views; None shows whole pictures.
    """

    size: SizeRule | None = None
    form: Form = "torch"
    augment: CropAndFlip | None = None

    def __post_init__(self) -> None:
        if self.size is not None:
            checks.instance_of("size", self.size, SizeRule)
        checks.one_of("form", self.form, ("pil", "numpy", "torch"))
        if self.form == "torch" and find_spec("torch") is None:
            raise RequestError(
                'form: found \'torch\', and torch is not installed; give form="numpy" or "pil", '
                f"or install it: {install_hint('train')}"
            )
        if self.augment is not None:
            checks.instance_of("augment", self.augment, CropAndFlip)

    def __call__(self, sample: Any) -> Any:
        """The dict of a sample; anything but a `Sample` unchanged.

        Raises:
            CorpusError: a picture cannot be decoded, or input and target differ in size.
        """
        if not isinstance(sample, Sample):
            return sample
        picture, target = sample.pixels(_memory.empty)
        if picture.shape != target.shape:
            raise CorpusError(
                f"{sample.corpus}: {sample.proxy}/{sample.shard}, sample {sample.key}: the input "
                f"is {picture.shape[1::-1]}, the target {target.shape[1::-1]}"
            )
        height, width, _ = picture.shape
        view = View((0, 0, width, height), False, sample.instruction)
        if self.augment is not None:
            view = self.augment.view(sample, width, height)
        return {
            "input": self._shown(picture, view, input_filter(sample.facts)),
            "target": self._shown(target, view, target_filter(sample.facts)),
            "instruction": view.instruction,
            "key": sample.key,
            "proxy": sample.proxy,
            "component": sample.component,
            "facts": sample.facts,
            "view": {"box": list(view.box), "mirrored": view.mirrored},
        }

    def _shown(self, pixels: Pixels, view: View, resampling: Image.Resampling) -> Any:
        """A picture cropped, resized, mirrored, and in the asked form."""
        x, y, width, height = view.box
        pixels = pixels[y : y + height, x : x + width]
        size = (width, height) if self.size is None else self.size.output_size(width, height)
        if size != (width, height):
            pixels = resized_pixels(pixels, size, resampling)
        if view.mirrored:
            pixels = pixels[:, ::-1]
        if self.form == "pil":
            return Image.fromarray(pixels)
        if not pixels.flags.writeable or not pixels.flags.c_contiguous:
            pixels = pixels.copy()
        return pixels if self.form == "numpy" else _tensor(pixels)


def _tensor(pixels: Pixels) -> Any:
    """Pixels [H, W, 3] as torch uint8 [3, H, W]; a pixel's channels stay adjacent in memory."""
    import torch

    return torch.from_numpy(pixels).permute(2, 0, 1)
