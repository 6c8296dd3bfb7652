"""Solids of a layout in world coordinates, and the boxes that they cover on the screen."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.scenes.blueprints import (
    BLUEPRINTS,
    ELLIPSOID,
    ROUND_TAPER,
    SQUARE_TAPER,
    TORUS,
)
from sgt_data.scenes.camera import Camera
from sgt_data.scenes.scene_layout import Layout

_CORNERS: Final = np.array(
    [[x, y, z] for x in (-1.0, 1.0) for y in (-1.0, 1.0) for z in (-1.0, 1.0)]
)
_UNIT_RADIUS: Final = np.zeros(4)
_UNIT_RADIUS[[ELLIPSOID, ROUND_TAPER, SQUARE_TAPER, TORUS]] = 1.0, 2**0.5, 3**0.5, 1.0


SOLID: Final = np.dtype(
    [
        ("kind", np.int64),
        ("shape", np.float64, (2,)),
        ("centre", np.float64, (3,)),
        ("inverse", np.float64, (3, 3)),
        ("bound", np.float64),
        ("thing", np.int64),
        ("part", np.int64),
        ("material", np.int64),
    ]
)
"""A solid in the world. A point p lies at `inverse @ (p - centre)` in the unit solid; `bound` is
the radius of a ball around `centre` that holds the solid. Solids are ordered by thing."""

THING: Final = np.dtype(
    [
        ("first", np.int64),
        ("end", np.int64),
        ("centre", np.float64, (3,)),
        ("radius", np.float64),
        ("stand", np.float64, (2,)),
        ("turn", np.float64, (2,)),
    ]
)
"""A thing in the world: the range of its solids (`first`, `end`), a ball that holds it (`centre`,
`radius`), where it stands (x, z), and cosine and sine of its yaw."""


def place_solids(
    layout: Layout,
) -> tuple[NDArray[np.void], NDArray[np.void], NDArray[np.float64]]:
    """The solids, the things, and the corners of a box around each solid.

    Returns:
        [P] SOLID, [T] THING and [P, 8, 3] float64 (metres).
    """
    prints = [BLUEPRINTS[thing.kind] for thing in layout.things]
    counts = np.array([len(blueprint.kind) for blueprint in prints])
    owner = np.repeat(np.arange(len(prints)), counts)
    table = np.array([[t.x, t.z, np.cos(t.yaw), np.sin(t.yaw), *t.size] for t in layout.things])
    to_world = _to_world(table)[owner]
    affine = to_world @ np.concatenate([blueprint.affine for blueprint in prints])
    centre = np.einsum(
        "pij,pj->pi", to_world, np.concatenate([blueprint.centre for blueprint in prints])
    )
    centre[:, 0] += table[owner, 0]
    centre[:, 2] += table[owner, 1]
    corners = centre[:, None, :] + _CORNERS @ affine.transpose(0, 2, 1)
    solids = np.empty(len(owner), SOLID)
    solids["kind"] = np.concatenate([blueprint.kind for blueprint in prints])
    solids["shape"] = np.concatenate([blueprint.shape for blueprint in prints])
    solids["centre"] = centre
    solids["inverse"] = np.linalg.inv(affine)
    solids["bound"] = _bounds(solids["kind"], affine, corners - centre[:, None, :])
    solids["thing"] = owner
    solids["part"] = np.concatenate([blueprint.part for blueprint in prints])
    solids["material"] = 3 * owner + np.concatenate([b.material for b in prints])
    return solids, _things(solids, counts, table), corners


def _bounds(
    kind: NDArray[np.int64], affine: NDArray[np.float64], corners: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Radius of a ball around each solid: by its largest stretch or its box, the smaller one."""
    gram = affine.transpose(0, 2, 1) @ affine
    stretch = np.sqrt(np.abs(gram).sum(axis=2).max(axis=1)) * _UNIT_RADIUS[kind]
    reach = np.sqrt((corners**2).sum(axis=2).max(axis=1))
    return np.asarray(1.0001 * np.minimum(stretch, reach), dtype=np.float64)


def _to_world(table: NDArray[np.float64]) -> NDArray[np.float64]:
    cos, sin = table[:, 2], table[:, 3]
    matrix = np.zeros((len(table), 3, 3))
    matrix[:, 0, 0] = cos * table[:, 4]
    matrix[:, 0, 2] = sin * table[:, 6]
    matrix[:, 1, 1] = table[:, 5]
    matrix[:, 2, 0] = -sin * table[:, 4]
    matrix[:, 2, 2] = cos * table[:, 6]
    return matrix


def _things(
    solids: NDArray[np.void], counts: NDArray[np.int64], table: NDArray[np.float64]
) -> NDArray[np.void]:
    things = np.empty(len(counts), THING)
    things["end"] = np.cumsum(counts)
    things["first"] = things["end"] - counts
    centre, bound = solids["centre"], solids["bound"]
    low = np.minimum.reduceat(centre - bound[:, None], things["first"])
    high = np.maximum.reduceat(centre + bound[:, None], things["first"])
    things["centre"] = 0.5 * (low + high)
    reach = np.sqrt(((centre - things["centre"][solids["thing"]]) ** 2).sum(axis=1)) + bound
    things["radius"] = np.maximum.reduceat(reach, things["first"])
    things["stand"] = table[:, :2]
    things["turn"] = table[:, 2:4]
    return things


def screen_boxes(
    camera: Camera, corners: NDArray[np.float64], width: int, height: int
) -> NDArray[np.int64]:
    """The box on the screen that each solid can cover: [P, 4] int64, left, top, right, bottom.

    Right and bottom are the first column and row beyond the box.
    """
    relative = corners - np.array([0.0, camera.height, 0.0])
    axes = np.array([camera.right, camera.up, camera.forward])
    seen = relative @ axes.T
    focal = camera.focal * min(width, height)
    ahead = np.maximum(seen[:, :, 2], 1e-3)
    x = 0.5 * width + focal * seen[:, :, 0] / ahead
    y = 0.5 * height - focal * seen[:, :, 1] / ahead
    boxes = np.stack(
        [x.min(axis=1) - 0.5, y.min(axis=1) - 0.5, x.max(axis=1) + 0.5, y.max(axis=1) + 0.5],
        axis=1,
    )
    limits = np.array([width, height, width, height])
    return np.clip(np.round(boxes), 0, limits).astype(np.int64)
