"""How scenes are staged: what stands in them, how far apart, and how the camera looks at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sgt_data.scenes.categories import THINGS

Scenes = Literal["varied", "simple"]
Span = tuple[float, float]
"""Smallest and largest value; drawn evenly from between."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The ranges that a layout is drawn from. Angles in degrees, lengths in metres.

    Attributes:
        kinds: names of the things that may stand in a scene.
        things: fewest and most that are wanted.
        crowding: so many stand at least, even if no place was found for the wanted number.
        same_kind: chance (0 to 1) that a thing is of the kind of the one before it.
        patterned: whether things may wear patterns; plain colours otherwise.
        half_angle: from the middle of the picture to the nearer edges.
        reach: half of what the shorter side shows at the middle distance.
        tilt: of the camera, downwards.
        side: of a thing.
        aside: how far from the middle, in units of the reach: the first two things, the others.
        nearest: distance of the foremost things, in units of the middle distance.
        deep: how much farther the farthest may stand, in the same unit.
        forward: above 1, more things stand in front.
        apart: least gap between the middles of two things as the camera sees them, in units of the
            sum of their widths; 0 lets them hide each other.
        tries: places tried for a thing before the scene does with one less.
        crowds: whether COCO's form annotates the many of a kind as one region in half of the
            pictures.
    """

    kinds: tuple[str, ...]
    things: tuple[int, int]
    crowding: int
    same_kind: float
    patterned: bool
    half_angle: Span
    reach: Span
    tilt: Span
    side: Span
    aside: Span
    nearest: float
    deep: float
    forward: float
    apart: float
    tries: int
    crowds: bool


VARIED: Final = Staging(
    kinds=THINGS,
    things=(2, 8),
    crowding=2,
    same_kind=0.22,
    patterned=True,
    half_angle=(18.0, 29.0),
    reach=(1.35, 2.3),
    tilt=(6.0, 27.0),
    side=(0.72, 1.22),
    aside=(0.7, 1.05),
    nearest=0.74,
    deep=0.86,
    forward=1.2,
    apart=0.0,
    tries=12,
    crowds=True,
)
"""All kinds of things, from large to tiny, that hide each other and wear patterns."""

SIMPLE: Final = Staging(
    kinds=("ball", "crate", "ring", "cone", "tree", "snowman"),
    things=(3, 5),
    crowding=1,
    same_kind=0.25,
    patterned=False,
    half_angle=(20.0, 26.0),
    reach=(1.1, 1.3),
    tilt=(16.0, 27.0),
    side=(0.72, 1.05),
    aside=(0.78, 0.78),
    nearest=0.8,
    deep=0.7,
    forward=1.0,
    apart=0.28,
    tries=40,
    crowds=False,
)
"""A few large things of few kinds in plain colours, beside each other: small models tell them apart
on pictures of 48 pixels a side."""

STAGINGS: Final[dict[Scenes, Staging]] = {"varied": VARIED, "simple": SIMPLE}
