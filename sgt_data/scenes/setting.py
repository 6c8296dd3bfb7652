"""Setting of a scene: ground, walls, water, hills, sky and light, drawn at random."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.colours import Rgb, linear
from sgt_data.scenes.dice import Dice

GRASS, SAND, STONE = 0, 1, 2
PLASTER, BRICK, STRIPES = 0, 1, 2


class Setting(NamedTuple):
    """Everything in a scene but its things. Colours are linear RGB, lengths are in metres.

    Attributes:
        ground: GRASS, SAND or STONE.
        ground_light, ground_dark: the two colours of the ground's texture.
        ground_turn: cosine and sine of the angle by which the texture is turned.
        ground_scale: size of the texture, 1 is usual.
        shore: distance from which on there is water, then slope, amplitude and phase of the
            shoreline.
        water: colour of deep water.
        walls: [W, 4] float64, for each wall the plane nx * x + nz * z = c, with the normal towards
            the camera, and the wall's height.
        wall_pattern: PLASTER, BRICK or STRIPES.
        wall_light, wall_dark: the two colours of the walls.
        wall_scale: size of the pattern, 1 is usual.
        hills: [L, 7] float64, for each layer the mean rise over the horizon, then amplitude and
            phase of three waves over azimuth.
        hill_near, hill_far: colours of the two layers of hills.
        zenith, horizon: colours of the sky.
        cloud: colour of the clouds.
        cloud_cover: added to the noise of which clouds are made; higher means more clouds.
        cloud_offset: which part of the noise is seen, in texels.
        to_sun: unit vector.
        sun, ambient: light of the sun and of the sky.
        haze: extinction per metre.
    """

    ground: int
    ground_light: Rgb
    ground_dark: Rgb
    ground_turn: tuple[float, float]
    ground_scale: float
    shore: tuple[float, float, float, float]
    water: Rgb
    walls: NDArray[np.float64]
    wall_pattern: int
    wall_light: Rgb
    wall_dark: Rgb
    wall_scale: float
    hills: NDArray[np.float64]
    hill_near: Rgb
    hill_far: Rgb
    zenith: Rgb
    horizon: Rgb
    cloud: Rgb
    cloud_cover: float
    cloud_offset: tuple[float, float]
    to_sun: Rgb
    sun: Rgb
    ambient: Rgb
    haze: float


class _Mood(NamedTuple):
    zenith: str
    horizon: str
    cloud: str
    sun: str
    sun_strength: float
    ambient: str
    ambient_strength: float
    elevation: tuple[float, float]
    haze: float


_MOODS: Final = (
    _Mood("#2f6fc4", "#c4def2", "#ffffff", "#fff1dc", 2.5, "#a9c8ee", 0.75, (38, 65), 0.0018),
    _Mood("#3f8fd6", "#dcebf2", "#fffdf8", "#ffe9c8", 2.4, "#b8d0ea", 0.80, (30, 50), 0.0022),
    _Mood("#4a6fa8", "#ffd29c", "#ffe3bd", "#ffb56b", 2.5, "#98a9cf", 0.70, (20, 30), 0.0035),
    _Mood("#6f86b3", "#f6c8c0", "#ffe6df", "#ffc3a0", 2.0, "#b0aed4", 0.85, (22, 36), 0.004),
    _Mood("#93a7b8", "#e3e8ea", "#f5f6f6", "#fbf5ea", 1.3, "#d2dbe4", 1.15, (45, 70), 0.006),
    _Mood("#2b8c9e", "#d9efdd", "#ffffff", "#fff0cf", 2.3, "#b0dad6", 0.75, (32, 55), 0.0024),
)
_EVEN_MOODS: Final = (
    _Mood("#2f6fc4", "#c4def2", "#ffffff", "#fffaf2", 1.7, "#e6ecf4", 1.0, (45, 68), 0.0018),
    _Mood("#93a7b8", "#e3e8ea", "#f5f6f6", "#fbf8f2", 1.2, "#e4e8ec", 1.2, (50, 70), 0.004),
)
"""Of soft white light, in which colours keep their names."""
_GROUNDS: Final = {
    GRASS: (("#8fb64a", "#4c7a2b"), ("#a7b45a", "#66803a"), ("#7fae63", "#3d7044")),
    SAND: (("#dfc896", "#bb9660"), ("#d9b589", "#a97c54"), ("#dccfb4", "#b39d7c")),
    STONE: (("#b9bcc0", "#8c9097"), ("#c9b8a4", "#97846f"), ("#a7b0ae", "#75807f")),
}
_PALE_GROUNDS: Final = {
    GRASS: (("#7f8a5c", "#6d7850"), ("#858a60", "#727752")),
    SAND: (("#a39478", "#8f8168"), ("#998b74", "#867a66")),
    STONE: (("#8a8b8d", "#76777a"), ("#808283", "#6c6e70")),
}
"""Of little colour, before which things of any colour stand out."""
_WALLS: Final = (
    ("#efe6d8", "#d8c8b0"),
    ("#c9d6d3", "#a3b8b4"),
    ("#d98f6c", "#b5654a"),
    ("#e8c7b5", "#cf9f8a"),
    ("#b8c4d8", "#8d9dba"),
    ("#dcd9a8", "#b9b67e"),
)
_WATERS: Final = ("#1d5c79", "#2a7f8e", "#28527a", "#3d7f7a")


def choose_setting(dice: Dice, distance: float, even: bool = False) -> Setting:
    """A setting for things that stand about `distance` metres before the camera.

    Args:
        dice: source of randomness.
        distance: metres.
        even: whether the light is soft and white, and the ground pale.
    """
    mood = dice.choice(_EVEN_MOODS if even else _MOODS)
    grounds = _PALE_GROUNDS if even else _GROUNDS
    place = dice.chance()
    indoors, walled, lake = place < 0.2, 0.2 <= place < 0.38, 0.38 <= place < 0.6
    ground = STONE if indoors else dice.choice((GRASS, GRASS, GRASS, SAND, SAND, STONE))
    ground_light, ground_dark = _light_and_dark(dice, grounds[ground])
    wall_light, wall_dark = _light_and_dark(dice, _WALLS)
    pattern = dice.choice((PLASTER, BRICK)) if walled else dice.below(3)
    turn = dice.within(0.0, 2.0 * np.pi)
    elevation = np.radians(dice.within(*mood.elevation))
    azimuth = np.radians(dice.within(62.0, 155.0) * (1 if dice.chance() < 0.5 else -1))
    to_sun = (
        float(np.cos(elevation) * np.sin(azimuth)),
        float(np.sin(elevation)),
        float(np.cos(elevation) * np.cos(azimuth)),
    )
    if indoors or walled:
        to_sun = (to_sun[0], to_sun[1], -abs(to_sun[2]))
    return Setting(
        ground=ground,
        ground_light=ground_light,
        ground_dark=ground_dark,
        ground_turn=(float(np.cos(turn)), float(np.sin(turn))),
        ground_scale=dice.within(0.8, 1.5),
        shore=_shore(dice, distance) if lake else (np.inf, 0.0, 0.0, 0.0),
        water=linear(dice.choice(_WATERS)),
        walls=_walls(dice, distance, indoors) if indoors or walled else np.empty((0, 4)),
        wall_pattern=pattern,
        wall_light=wall_light,
        wall_dark=wall_dark,
        wall_scale=dice.within(0.75, 1.4),
        hills=_hills(dice) if not indoors and dice.chance() < 0.65 else np.empty((0, 7)),
        hill_near=linear(dice.choice(("#55784a", "#6b7f5c", "#84785a"))),
        hill_far=linear(dice.choice(("#6c8799", "#7c86a3", "#83838f"))),
        zenith=linear(mood.zenith),
        horizon=linear(mood.horizon),
        cloud=linear(mood.cloud),
        cloud_cover=dice.within(-0.9, 0.7),
        cloud_offset=(dice.within(0, 64), dice.within(0, 64)),
        to_sun=to_sun,
        sun=_scaled(linear(mood.sun), mood.sun_strength),
        ambient=_scaled(linear(mood.ambient), mood.ambient_strength),
        haze=0.0 if indoors else mood.haze,
    )


def _light_and_dark(dice: Dice, options: tuple[tuple[str, str], ...]) -> tuple[Rgb, Rgb]:
    light, dark = dice.choice(options)
    return linear(light), linear(dark)


def _scaled(colour: Rgb, factor: float) -> Rgb:
    return colour[0] * factor, colour[1] * factor, colour[2] * factor


def _shore(dice: Dice, distance: float) -> tuple[float, float, float, float]:
    return (
        float(distance * dice.within(1.35, 2.1)),
        dice.within(-0.5, 0.5),
        dice.within(0.15, 0.5),
        dice.within(0, 6.28),
    )


def _walls(dice: Dice, distance: float, indoors: bool) -> NDArray[np.float64]:
    height = np.inf if indoors else dice.within(0.8, 1.8)
    depth = distance * dice.within(1.35, 1.9)
    if dice.chance() < 0.45:
        angle = dice.within(0.5, 1.0)
        angles, depth = np.array([angle, angle - np.pi / 2]), depth * 1.15
    else:
        angles = np.array([dice.within(-0.35, 0.35)])
    nx, nz = np.sin(angles), -np.cos(angles)
    return np.stack([nx, nz, nz * depth, np.full_like(nx, height)], axis=1)


def _hills(dice: Dice) -> NDArray[np.float64]:
    layers = []
    for rise in (dice.within(0.02, 0.05), dice.within(0.08, 0.16)):
        phases = [dice.within(0.0, 6.28) for _ in range(3)]
        layers.append([rise, 0.5 * rise, phases[0], 0.26 * rise, phases[1], 0.1 * rise, phases[2]])
    return np.array(layers)
