"""Staging: the ranges from which scenes are drawn, for varied and for simple scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sgt_data.scenes.categories import THINGS

Scenes = Literal["varied", "simple"]
Span = tuple[float, float]
"""Smallest and largest value of a uniform distribution."""


@dataclass(frozen=True, slots=True)
class Staging:
    """The ranges from which a layout is drawn. Angles are in degrees, lengths in metres.

    Attributes:
        kinds: names of the things that may stand in a scene.
        things: fewest and most things of a scene.
        crowding: fewest things where no free place was found for the number that was drawn.
        same_kind: chance (0 to 1) that a thing is of the kind of the one before it.
        patterned: whether things may wear patterns; plain colours otherwise.
        half_angle: angle from the middle of the picture to its nearer edges.
        reach: half of what the shorter side shows at the middle distance.
        tilt: of the camera, downwards.
        side: length of a side of a thing.
        aside: largest distance from the middle, in units of the reach: of the first two things, of
            the others.
        nearest: distance of the foremost things, in units of the middle distance.
        deep: how much farther the farthest may stand, in units of the middle distance.
        forward: above 1, more things stand in front.
        apart: least gap between the middles of two things as the camera sees them, in units of the
            sum of their widths; 0 lets them hide each other.
        tries: places tried for a thing before the scene gets one thing less.
        crowds: whether COCO's form annotates many things of one kind as one crowd region, in half
            of the pictures.
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
"""A few large things of few kinds in plain colours, next to each other: small models can tell them
apart on pictures of 48 pixels a side."""

STAGINGS: Final[dict[Scenes, Staging]] = {"varied": VARIED, "simple": SIMPLE}
