"""Materials: colours and textures of things, drawn at random whatever the kind of thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.colours import NAMED_COLOURS, PALETTES

PLAIN, BANDS, CHECKER, SPOTS, MARBLE, SPECKLE = 0, 1, 2, 3, 4, 5
COLUMNS: Final = 16
"""Columns of a material: 0-2 and 3-5 two linear RGB colours, 6 pattern, 7 repeats per metre,
8 gloss (0 to 1), 9 shininess, 10-12 offset of the pattern in metres, 13-15 unit direction of
bands."""

_PATTERN_ODDS: Final = np.cumsum([0.3, 0.18, 0.12, 0.14, 0.16, 0.10])
_REPEATS: Final = np.array([1.0, 3.2, 2.9, 4.2, 1.6, 2.2])
_PALETTE_ARRAY: Final = np.array(PALETTES)


def choose_materials(rng: np.random.Generator, things: int) -> NDArray[np.float64]:
    """Main, second and accent material of each thing: [3 * things, COLUMNS] float64.

    Main and second materials may have a pattern; accents never have one.

    Args:
        rng: source of randomness.
        things: number of things.
    """
    rows = 3 * things
    table = np.empty((rows, COLUMNS))
    scene_palettes = rng.integers(len(PALETTES), size=2)
    palette = np.repeat(scene_palettes[rng.integers(2, size=things)], 3)
    order = np.argsort(rng.random((things, 6)), axis=1)
    first = order[:, :3].ravel()
    second = order[:, 3:].ravel()
    lightness = rng.uniform(0.8, 1.12, (rows, 1))
    table[:, 0:3] = np.minimum(_PALETTE_ARRAY[palette, first] * lightness, 0.9)
    table[:, 3:6] = np.minimum(_PALETTE_ARRAY[palette, second] * lightness, 0.9)
    pattern = np.searchsorted(_PATTERN_ODDS, rng.random(rows) * _PATTERN_ODDS[-1])
    pattern[2::3] = PLAIN
    table[:, 6] = pattern
    table[:, 7] = _REPEATS[pattern] * rng.uniform(0.75, 1.5, rows)
    glossy = rng.random(rows) < 0.45
    table[:, 8] = np.where(glossy, rng.uniform(0.35, 0.9, rows), rng.uniform(0.0, 0.08, rows))
    table[:, 9] = np.where(glossy, rng.uniform(30.0, 120.0, rows), 12.0)
    table[:, 10:13] = rng.uniform(0.0, 8.0, (rows, 3))
    direction = rng.normal(0.0, 1.0, (rows, 3)) + np.array([0.0, 1.0, 0.0])
    table[:, 13:16] = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    return table


_SHADES: Final = np.array([1.0, 0.55, 0.3])
"""How bright the main, the second and the accent material of a thing of one colour are."""
_GLOSS_MAX: Final = 0.25
"""Gloss whose highlights do not whiten a thing of one colour."""


def named_materials(
    materials: NDArray[np.float64], colours: Sequence[str | None]
) -> NDArray[np.float64]:
    """Plain materials of one named colour for each thing, otherwise as they were.

    The second and the accent material are darker shades of it, so that the colour does not tell
    the kind of thing.

    Args:
        materials: [3 * T, COLUMNS] float64, as `choose_materials` gives them.
        colours: of each of T things, a name in `colours.NAMED_COLOURS`.
    """
    table = materials.copy()
    main = np.array([NAMED_COLOURS[colour] for colour in colours if colour is not None])
    shades = np.tile(_SHADES, len(colours))[:, None]
    table[:, 0:3] = np.repeat(main, 3, axis=0) * shades
    table[:, 3:6] = table[:, 0:3]
    table[:, 6] = PLAIN
    table[:, 8] = np.minimum(table[:, 8], _GLOSS_MAX)
    return table
