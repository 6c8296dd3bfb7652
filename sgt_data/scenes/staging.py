"""Staging: the ranges from which scenes are drawn, for varied and for simple scenes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from sgt_data.scenes.categories import THINGS

Scenes = Literal["varied", "simple"]
Span = tuple[float, float]
"""Smallest and largest value of a uniform distribution."""


@dataclass(frozen=True, slots=True)
class Scattered:
    """Things stand anywhere on the ground. Lengths are in units that each field names.

    Attributes:
        things: fewest and most things of a scene.
        same_kind: chance (0 to 1) that a thing is of the kind of the one before it.
        aside: largest distance from the middle, in units of the reach: of the first two things, of
            the others.
        nearest: distance of the foremost things, in units of the middle distance.
        deep: how much farther the farthest may stand, in units of the middle distance.
        forward: above 1, more things stand in front.
        tries: places tried for a thing before the scene gets one thing less.
    """

    things: tuple[int, int]
    same_kind: float
    aside: Span
    nearest: float
    deep: float
    forward: float
    tries: int


@dataclass(frozen=True, slots=True)
class SpreadOut:
    """Things lie anywhere in the picture, whole and beside each other, groups of them of one kind.

    Attributes:
        things: fewest and most things of a scene, each number as likely as any other.
        repeated: chance (0 to 1) that a scene has a group of one kind.
        group: fewest and most things of such a group; it has as many as there may be, or one less.
        second_group: chance that a scene with one group and room for another has a pair more.
        one_colour: chance that the things of a group have one colour.
        inside: how far from the picture's middle things reach at most, in units of half its side.
        gap: least distance between the boxes of two things, in units of half the picture's side;
            boxes are larger than things, so they may overlap a little.
        gap_alike: the same for two things of one kind, which maps of kinds must tell apart.
        tries: places tried for a thing before all things are placed anew.
    """

    things: tuple[int, int]
    repeated: float
    group: tuple[int, int]
    second_group: float
    one_colour: float
    inside: float
    gap: float
    gap_alike: float
    tries: int


@dataclass(frozen=True, slots=True)
class Staging:
    """The ranges from which a layout is drawn. Angles are in degrees, lengths in metres.

    Attributes:
        kinds: names of the things that may stand in a scene.
        places: how many things there are, and where.
        named_colours: whether each thing has one colour that has a name, without a pattern, in
            white light on pale ground.
        half_angle: angle from the middle of the picture to its nearer edges.
        reach: half of what the shorter side shows at the middle distance.
        tilt: of the camera, downwards.
        side: length of a side of a thing.
        backdrop: distance of walls and water, in units of their usual distance.
        crowds: whether COCO's form annotates many things of one kind as one crowd region, in half
            of the pictures.
    """

    kinds: tuple[str, ...]
    places: Scattered | SpreadOut
    named_colours: bool
    half_angle: Span
    reach: Span
    tilt: Span
    side: Span
    backdrop: float
    crowds: bool


VARIED: Final = Staging(
    kinds=THINGS,
    places=Scattered(
        things=(2, 8),
        same_kind=0.22,
        aside=(0.7, 1.05),
        nearest=0.74,
        deep=0.86,
        forward=1.2,
        tries=12,
    ),
    named_colours=False,
    half_angle=(18.0, 29.0),
    reach=(1.35, 2.3),
    tilt=(6.0, 27.0),
    side=(0.72, 1.22),
    backdrop=1.0,
    crowds=True,
)
"""All kinds of things, from large to tiny, that hide each other and wear patterns."""

SIMPLE: Final = Staging(
    kinds=("ball", "crate", "ring", "cone", "tree", "snowman"),
    places=SpreadOut(
        things=(2, 7),
        repeated=0.75,
        group=(2, 4),
        second_group=0.35,
        one_colour=0.5,
        inside=1.0,
        gap=-0.1,
        gap_alike=0.0,
        tries=40,
    ),
    named_colours=True,
    half_angle=(11.0, 13.5),
    reach=(1.4, 1.55),
    tilt=(36.0, 44.0),
    side=(0.7, 0.9),
    backdrop=1.2,
    crowds=False,
)
"""Two to seven things of few kinds in plain colours that have names, seen from above, whole and
beside each other: small models can tell, count and compare them on pictures of 48 pixels a side."""

STAGINGS: Final[dict[Scenes, Staging]] = {"varied": VARIED, "simple": SIMPLE}
