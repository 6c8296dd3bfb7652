"""Blueprints: the shape of every kind of thing, as a few solids in a frame one metre high.

The frame has x to the right, y up (the thing stands on y = 0) and z towards the thing's front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.categories import THINGS

ELLIPSOID: Final = 0
"""Unit ball, cut off below y = first shape parameter."""
ROUND_TAPER: Final = 1
"""Upright round frustum: radius 1 at y = -1, first parameter at y = 1 (1 cylinder, 0 cone)."""
SQUARE_TAPER: Final = 2
"""Upright box whose top half-widths in x and z are the parameters (1, 1 box; 1, 0 gable roof)."""
TORUS: Final = 3
"""Ring in the xz plane within the unit ball; first parameter is the radius of the tube."""

MAIN, SECOND, ACCENT = 0, 1, 2

Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Solid:
    """An analytic solid in the frame of its thing.

    Attributes:
        part: name of the part that it belongs to.
        kind: ELLIPSOID, ROUND_TAPER, SQUARE_TAPER or TORUS.
        centre: its middle.
        half: half of its extents.
        shape: the two parameters of its kind.
        material: MAIN, SECOND or ACCENT.
        turn: degrees about x (first), then about z.
    """

    part: str
    kind: int
    centre: Triple
    half: Triple
    shape: tuple[float, float] = (1.0, 1.0)
    material: int = MAIN
    turn: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The P solids of one kind of thing as arrays.

    Attributes:
        parts: names of the parts.
        kind: [P] int64, kind of each solid.
        part: [P] int64, position of its part in `parts`.
        material: [P] int64, MAIN, SECOND or ACCENT.
        shape: [P, 2] float64, the parameters of its kind.
        centre: [P, 3] float64, its middle in the thing's frame.
        affine: [P, 3, 3] float64, takes the unit solid to the thing's frame, without `centre`.
    """

    parts: tuple[str, ...]
    kind: NDArray[np.int64]
    part: NDArray[np.int64]
    material: NDArray[np.int64]
    shape: NDArray[np.float64]
    centre: NDArray[np.float64]
    affine: NDArray[np.float64]


def _house() -> list[Solid]:
    return [
        Solid("walls", SQUARE_TAPER, (0, 0.29, 0), (0.44, 0.29, 0.36)),
        Solid("roof", SQUARE_TAPER, (0, 0.76, 0), (0.53, 0.19, 0.47), (1, 0), SECOND),
        Solid("door", SQUARE_TAPER, (0, 0.18, 0.36), (0.09, 0.18, 0.02), (1, 1), ACCENT),
        Solid("window", SQUARE_TAPER, (-0.27, 0.33, 0.36), (0.08, 0.09, 0.015), (1, 1), ACCENT),
        Solid("window", SQUARE_TAPER, (0.27, 0.33, 0.36), (0.08, 0.09, 0.015), (1, 1), ACCENT),
    ]


_SOLIDS: Final[dict[str, list[Solid]]] = {
    "ball": [Solid("ball", ELLIPSOID, (0, 0.5, 0), (0.5, 0.5, 0.5), (-1, 0))],
    "crate": [
        Solid("box", SQUARE_TAPER, (0, 0.37, 0), (0.45, 0.37, 0.38)),
        Solid("lid", SQUARE_TAPER, (0, 0.8, 0), (0.5, 0.07, 0.43), (0.94, 0.93), SECOND),
    ],
    "ring": [Solid("ring", TORUS, (0, 0.5, 0), (0.5, 0.5, 0.5), (0.27, 0), MAIN, (90, 0))],
    "cone": [
        Solid("foot", SQUARE_TAPER, (0, 0.045, 0), (0.42, 0.045, 0.42), (0.95, 0.95), SECOND),
        Solid("cone", ROUND_TAPER, (0, 0.545, 0), (0.33, 0.455, 0.33), (0.1, 0)),
    ],
    "house": _house(),
    "cottage": [
        *_house(),
        Solid("chimney", SQUARE_TAPER, (0.27, 0.87, 0.12), (0.07, 0.19, 0.07), (1, 1), ACCENT),
    ],
    "tree": [
        Solid("trunk", ROUND_TAPER, (0, 0.26, 0), (0.12, 0.26, 0.12), (0.6, 0), SECOND),
        Solid("crown", ELLIPSOID, (0, 0.78, 0), (0.34, 0.32, 0.34), (-1, 0)),
        Solid("crown", ELLIPSOID, (-0.22, 0.6, 0.1), (0.25, 0.22, 0.25), (-1, 0)),
        Solid("crown", ELLIPSOID, (0.2, 0.62, -0.08), (0.28, 0.24, 0.28), (-1, 0)),
    ],
    "mushroom": [
        Solid("stem", ROUND_TAPER, (0, 0.27, 0), (0.18, 0.27, 0.18), (0.72, 0), SECOND),
        Solid("cap", ELLIPSOID, (0, 0.5, 0), (0.5, 0.42, 0.5), (0, 0)),
    ],
    "snowman": [
        Solid("body", ELLIPSOID, (0, 0.24, 0), (0.31, 0.27, 0.31), (-0.88, 0)),
        Solid("chest", ELLIPSOID, (0, 0.56, 0), (0.22, 0.2, 0.22), (-1, 0)),
        Solid("head", ELLIPSOID, (0, 0.81, 0), (0.16, 0.15, 0.16), (-1, 0)),
        Solid("nose", ROUND_TAPER, (0, 0.81, 0.2), (0.04, 0.09, 0.04), (0, 0), ACCENT, (90, 0)),
        Solid("hat", ROUND_TAPER, (0, 0.92, 0), (0.2, 0.015, 0.2), (1, 0), SECOND),
        Solid("hat", ROUND_TAPER, (0, 1.01, 0), (0.12, 0.09, 0.12), (0.92, 0), SECOND),
    ],
    "mug": [
        Solid("body", ROUND_TAPER, (0, 0.43, 0), (0.36, 0.43, 0.36), (1, 0)),
        Solid("handle", TORUS, (0.39, 0.43, 0), (0.27, 0.3, 0.27), (0.2, 0), MAIN, (90, 0)),
        Solid("drink", ROUND_TAPER, (0, 0.86, 0), (0.3, 0.006, 0.3), (1, 0), ACCENT),
    ],
}


def _turn(degrees: tuple[float, float]) -> NDArray[np.float64]:
    about_x, about_z = np.radians(degrees)
    cx, sx, cz, sz = np.cos(about_x), np.sin(about_x), np.cos(about_z), np.sin(about_z)
    x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.asarray(z @ x, dtype=np.float64)


def _affine(solid: Solid) -> NDArray[np.float64]:
    return np.asarray(_turn(solid.turn) @ np.diag(solid.half), dtype=np.float64)


def _blueprint(solids: list[Solid]) -> Blueprint:
    parts = tuple(dict.fromkeys(solid.part for solid in solids))
    return Blueprint(
        parts=parts,
        kind=np.array([solid.kind for solid in solids], np.int64),
        part=np.array([parts.index(solid.part) for solid in solids], np.int64),
        material=np.array([solid.material for solid in solids], np.int64),
        shape=np.array([solid.shape for solid in solids], np.float64),
        centre=np.array([solid.centre for solid in solids], np.float64),
        affine=np.stack([_affine(solid) for solid in solids]),
    )


BLUEPRINTS: Final[dict[str, Blueprint]] = {name: _blueprint(_SOLIDS[name]) for name in THINGS}
"""Kind of thing -> its solids, in the order of `THINGS`."""
