"""Which part of a sample's pictures is shown: crops and mirroring that keep the instruction right.

A view is a pure function of seed, epoch and key.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sgt_data import checks
from sgt_data.corpus.sample import Sample
from sgt_data.facts import reversed_facts
from sgt_data.seeds import generator

Box = tuple[int, int, int, int]
"""x, y, width and height in pixels."""


def allows_crop(facts: Mapping[str, Any]) -> bool:
    """Whether a sample's instruction and target stay right for a part of its picture.

    They do not where the instruction names something of this very picture ("the leftmost dog" may
    be outside of the part, and then another dog is leftmost), nor for boxes, which a crop would
    cut. A legend of classes is right for every part: what it names may be absent.
    """
    base = reversed_facts(facts)
    if base is not None:  # whose target is the input here: its words count, not those of the map
        return _allows_crop(base, base.get("phrased") is not False)
    return _allows_crop(facts, bool(_words(facts)))


def _allows_crop(facts: Mapping[str, Any], has_words: bool) -> bool:
    if facts.get("type") in ("metric_depth", "normals"):  # words on colours, which no crop changes
        return True
    names_classes = facts.get("type") == "legend" and facts.get("variant") != "panoptic"
    return names_classes or (not has_words and facts.get("type") != "boxes")


_SIDE = re.compile(r"\b(left|right)(most)?\b", re.IGNORECASE)
_PLACED = re.compile(r"the (left|right)most .+|the .+ farthest to the (left|right)")


def mirrored_phrase(phrase: str) -> str | None:
    """The phrase that names the same thing in the mirrored picture; None where there is none.

    "The leftmost dog" becomes "the rightmost dog". A left shoe becomes neither a right shoe, nor
    does it certainly stay a left one.
    """
    sides = len(_SIDE.findall(phrase))
    if sides == 0:
        return phrase
    if sides > 1 or not _PLACED.fullmatch(phrase):
        return None
    return _SIDE.sub(lambda side: _OTHER_SIDE[side[1]] + (side[2] or ""), phrase)


_OTHER_SIDE = {"left": "right", "right": "left"}


def mirrored_instruction(instruction: str, facts: Mapping[str, Any]) -> str | None:
    """The instruction for the mirrored picture; None where there is none.

    Only the words that fill the blanks of the instruction's line change, never the line itself
    ("what is left").
    """
    for phrase in _words(facts).values():
        mirrored = mirrored_phrase(phrase)
        if mirrored is None or phrase.strip() not in instruction:
            return None
        instruction = instruction.replace(phrase.strip(), mirrored.strip())
    return instruction


def _words(facts: Mapping[str, Any]) -> Mapping[str, str]:
    words: Mapping[str, str] = facts.get("instruction", {}).get("words", {})
    return words


@dataclass(frozen=True, slots=True)
class View:
    """The part of a sample's pictures that is shown.

    Attributes:
        box: x, y, width and height of the part, in pixels of the stored pictures.
        mirrored: whether left and right are swapped, after the crop.
        instruction: the instruction that is right for the view.
    """

    box: Box
    mirrored: bool
    instruction: str


@dataclass(frozen=True, slots=True)
class CropAndFlip:
    """Chooses one crop and one mirroring for both pictures of a sample, by seed, epoch and key.

    The step plays no part: a sample gets the same view until `reseed` sets another epoch. Samples
    of the same key get the same view in all proxies. Where a crop or a mirroring would make the
    instruction wrong (`allows_crop`, `mirrored_instruction`), there is none.

    Attributes:
        crop: least and greatest share of both sides that is kept, above 0 and at most 1.
        flip: probability of mirroring, 0 to 1.
        seed: seed of the choices.
        epoch: number of the epoch; see `reseed`.
    """

    crop: tuple[float, float]
    flip: float
    seed: int
    epoch: int = 0

    def __post_init__(self) -> None:
        if not isinstance(self.crop, list | tuple) or len(self.crop) != 2:
            raise checks.wrong("crop", self.crop, "least and greatest share, two numbers")
        low, high = (checks.share("crop", side, above_zero=True) for side in self.crop)
        if low > high:
            raise checks.wrong("crop", self.crop, "least and greatest share, the least first")
        object.__setattr__(self, "crop", (low, high))
        object.__setattr__(self, "flip", checks.share("flip", self.flip))
        checks.whole_number("seed", self.seed)
        checks.whole_number("epoch", self.epoch, 0)

    def reseed(self, epoch: int) -> CropAndFlip:
        """The choices of another epoch.

        A DataLoader's workers see them when they are started again:
        `stream.transform = Pictures(size, augment=augment.reseed(epoch))`.
        """
        return replace(self, epoch=epoch)

    def view(self, sample: Sample, width: int, height: int) -> View:
        """The view of a sample whose pictures have `width` by `height` pixels."""
        rng = generator(self.seed, "view", str(self.epoch), sample.key)
        # all four numbers are drawn, even if not used, so that all proxies of a key agree
        share, x, y, chance = rng.random(4).tolist()
        box, instruction, mirrored = (0, 0, width, height), sample.instruction, None
        if allows_crop(sample.facts):
            share = self.crop[0] + share * (self.crop[1] - self.crop[0])
            wide, high = max(1, round(share * width)), max(1, round(share * height))
            box = (round(x * (width - wide)), round(y * (height - high)), wide, high)
        if chance < self.flip:
            mirrored = mirrored_instruction(instruction, sample.facts)
        return View(box, mirrored is not None, instruction if mirrored is None else mirrored)
