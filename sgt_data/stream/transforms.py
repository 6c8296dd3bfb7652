"""Ready transforms for `Stream(transform=...)`: samples -> pictures of the size and form that a
trainer wants, cropped and mirrored alike if it likes.

Labels are colours that stand for something: a mean of two stands for a third thing, or for none.
So such targets are resized by the nearest pixel; all other pictures by filters.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isqrt
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.seeds import generator

Form = Literal["pil", "numpy", "torch"]
Pixels = NDArray[np.uint8]
Box = tuple[int, int, int, int]


class WithinArea(SizeRule):
    """A picture is shrunk, never enlarged, until it has at most `max_area` pixels, and each side is
    cut to a multiple of `multiple_of`; `min_side` and `max_side` do not count."""

    max_area: int = Field(1024 * 1024, ge=1)

    def output_size(self, width: int, height: int) -> tuple[int, int]:
        step, most = self.multiple_of, max(self.max_area, self.multiple_of**2)
        wide, high = width, height
        if width * height > most:
            wide, high = isqrt(most * width // height), isqrt(most * height // width)
        wide, high = max(step, wide // step * step), max(step, high // step * step)
        longest = most // step // step * step  # where the other side was raised to one step
        return min(wide, longest), min(high, longest)


BAGEL = SizeRule(min_side=512, max_side=1024, multiple_of=16)
"""BAGEL's picture to generate: shorter side at least 512, longer at most 1024, multiples of 16."""

OMNIGEN2 = WithinArea(max_area=1024 * 1024, multiple_of=16)
"""OmniGen2's: at most 1024 * 1024 pixels, sides multiples of 16."""


def is_label_target(facts: Mapping[str, Any]) -> bool:
    """Whether each colour of a sample's target stands for something of its own: segments, outlines
    of boxes on black, white masks, Canny's contours, depth in a colour map. Not so are outlines
    over a picture, soft edges, grey depth and photos."""
    return (
        "unlabelled" in facts  # segmentation, referring, and what other packages draw like them
        or (facts.get("type") == "boxes" and facts.get("look") == "black")
        or (facts.get("type") == "edge" and facts.get("method") == "canny")
        or (facts.get("type") == "depth" and facts.get("colormap") != "grey")
    )


def target_filter(facts: Mapping[str, Any]) -> Image.Resampling:
    """How a sample's target is resized. Grey depth bilinearly: a bicubic filter overshoots at
    edges, where it would draw something nearer than all there is."""
    if is_label_target(facts):
        return Image.Resampling.NEAREST
    return Image.Resampling.BILINEAR if facts.get("type") == "depth" else Image.Resampling.BICUBIC


def holds_for_a_part(facts: Mapping[str, Any]) -> bool:
    """Whether what a sample asks for is the same for a part of its picture. Not where the
    instruction names something of this very picture ("the leftmost dog" may be outside, and then
    another one is leftmost), nor for boxes, which a crop would cut open."""
    return not _words(facts) and facts.get("type") != "boxes"


_SIDE = re.compile(r"\b(left|right)(most)?\b", re.IGNORECASE)
_PLACED = re.compile(r"the (left|right)most .+|the .+ farthest to the (left|right)")


def mirrored_phrase(phrase: str) -> str | None:
    """What a phrase is called in a mirror: "the leftmost dog" is the rightmost there. None where
    that cannot be said: a left shoe becomes neither a right one nor stays a left one for sure."""
    sides = len(_SIDE.findall(phrase))
    if sides == 0:
        return phrase
    if sides > 1 or not _PLACED.fullmatch(phrase):
        return None
    return _SIDE.sub(lambda found: _OTHER[found[1]] + (found[2] or ""), phrase)


_OTHER = {"left": "right", "right": "left"}


def mirrored_instruction(instruction: str, facts: Mapping[str, Any]) -> str | None:
    """An instruction for the mirrored picture: the words that its line was filled with are changed,
    never the line ("what is left"). None if there is none."""
    for phrase in _words(facts).values():
        mirrored = mirrored_phrase(phrase)
        if mirrored is None or phrase not in instruction:
            return None
        instruction = instruction.replace(phrase, mirrored)
    return instruction


def _words(facts: Mapping[str, Any]) -> Mapping[str, str]:
    words: Mapping[str, str] = facts.get("instruction", {}).get("words", {})
    return words


@dataclass(frozen=True, slots=True)
class View:
    """What of a sample is shown.

    Attributes:
        box: x, y, width, height of the part, in pixels of the stored pictures.
        mirrored: left and right are swapped, after the cut.
        instruction: the text that is true of it.
    """

    box: Box
    mirrored: bool
    instruction: str


@dataclass(frozen=True, slots=True)
class CropAndFlip:
    """Chooses a crop and a mirroring for both pictures of a sample alike, by seed, epoch and key.

    A sample has no step: it gets the same view whenever it comes, until another epoch is set with
    `reseed`. Samples of the same key get the same, whatever their proxy. Where a crop or a mirror
    would make the instruction false (`holds_for_a_part`, `mirrored_instruction`) there is none.

    Attributes:
        crop: least and greatest share of both sides that is kept, above 0 to 1.
        flip: probability of mirroring, 0 to 1.
        seed: of the choice.
        epoch: see `reseed`.
    """

    crop: tuple[float, float]
    flip: float
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        low, high = self.crop
        if not 0 < low <= high <= 1:
            raise RequestError(f"crop is {self.crop}; least and greatest share, above 0 to 1")
        if not 0 <= self.flip <= 1:
            raise RequestError(f"flip is {self.flip}; a probability, 0 to 1")

    def reseed(self, epoch: int) -> CropAndFlip:
        """Other views, those of an epoch. Workers of a DataLoader see them when they are started
        anew: `stream.transform = Pictures(size, augment=augment.reseed(epoch))`."""
        return replace(self, epoch=epoch)

    def view(self, sample: Sample, width: int, height: int) -> View:
        """The view of a sample whose pictures are of this size."""
        rng = generator(self.seed, "view", str(self.epoch), sample.key)
        # all four are drawn whether used or not: so all proxies of a key agree on the others
        share, x, y, chance = rng.random(4).tolist()
        box, instruction, mirrored = (0, 0, width, height), sample.instruction, None
        if holds_for_a_part(sample.facts):
            share = self.crop[0] + share * (self.crop[1] - self.crop[0])
            wide, high = max(1, round(share * width)), max(1, round(share * height))
            box = (round(x * (width - wide)), round(y * (height - high)), wide, high)
        if chance < self.flip:
            mirrored = mirrored_instruction(instruction, sample.facts)
        return View(box, mirrored is not None, instruction if mirrored is None else mirrored)


@dataclass(frozen=True, slots=True)
class Pictures:
    """Decodes a sample: `{"input", "target", "instruction", "key", "proxy", "component", "facts",
    "view"}`. Anything but a `Sample` (a conversation in a mixture) passes as it is.

    `input` and `target` are RGB uint8 of one size: torch [3, H, W] (channels last in memory), numpy
    [H, W, 3], or PIL. The
    facts are as stored and speak of the stored pictures; `view` says what is shown of these (see
    `View`), and `instruction` is true of the view.

    Attributes:
        size: the size rule, applied after a crop; None keeps the size.
        form: of the pictures.
        augment: chooses views; None shows everything.
    """

    size: SizeRule | None = None
    form: Form = "torch"
    augment: CropAndFlip | None = None

    def __post_init__(self) -> None:
        if self.form not in ("pil", "numpy", "torch"):
            raise RequestError(f"form is {self.form!r}; allowed: pil, numpy, torch")

    def __call__(self, sample: Any) -> Any:
        """
        Raises:
            CorpusError: a picture cannot be decoded, or both differ in size.
        """
        if not isinstance(sample, Sample):
            return sample
        given, target = sample.pixels()
        if given.shape != target.shape:
            raise CorpusError(
                f"{sample.corpus}: {sample.proxy}/{sample.shard}, sample {sample.key}: the input "
                f"is {given.shape[1::-1]}, the target {target.shape[1::-1]}"
            )
        height, width, _ = given.shape
        view = View((0, 0, width, height), False, sample.instruction)
        if self.augment is not None:
            view = self.augment.view(sample, width, height)
        return {
            "input": self._formed(given, view, Image.Resampling.BICUBIC),
            "target": self._formed(target, view, target_filter(sample.facts)),
            "instruction": view.instruction,
            "key": sample.key,
            "proxy": sample.proxy,
            "component": sample.component,
            "facts": sample.facts,
            "view": {"box": list(view.box), "mirrored": view.mirrored},
        }

    def _formed(self, pixels: Pixels, view: View, resampling: Image.Resampling) -> Any:
        x, y, width, height = view.box
        pixels = pixels[y : y + height, x : x + width]
        size = (width, height) if self.size is None else self.size.output_size(width, height)
        if size != (width, height):
            pixels = np.asarray(Image.fromarray(pixels).resize(size, resampling))
        if view.mirrored:
            pixels = pixels[:, ::-1]
        if self.form == "pil":
            return Image.fromarray(pixels)
        if not pixels.flags.writeable or not pixels.flags.c_contiguous:
            pixels = pixels.copy()
        return pixels if self.form == "numpy" else _tensor(pixels)


def _tensor(pixels: Pixels) -> Any:
    """[H, W, 3] -> torch uint8 [3, H, W], the channels of a pixel still side by side in memory."""
    import torch

    return torch.from_numpy(pixels).permute(2, 0, 1)
