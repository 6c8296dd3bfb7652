"""Colours that are drawn at random for each sample, so that no model can learn them by heart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.segmentation.colours import Colours

_CANDIDATES = 64
"""Colours that are drawn at a time; the first that is far enough from all others is taken."""

_ROUNDS = 64
"""How often they are drawn before a picture is given up."""


def drawn_colours(
    count: int,
    rng: np.random.Generator,
    distance: float,
    taken: Colours,
    among: Colours | None = None,
) -> Colours:
    """Colours [count, 3], each at least `distance` from all others and from those that are taken.

    Args:
        count: how many.
        rng: draws them.
        distance: least Euclidean distance, RGB levels.
        taken: [m, 3], colours that are in use already, such as the background.
        among: [k, 3], the colours to draw from; by default all of the cube.

    Raises:
        AnnotationError: no colour is far enough from those before it.
    """
    chosen = np.concatenate((taken.astype(np.int64), np.zeros((count, 3), np.int64)))
    for number in range(len(taken), len(chosen)):
        chosen[number] = _next(rng, distance, chosen[:number], among)
    return chosen[len(taken) :].astype(np.uint8)


def _next(
    rng: np.random.Generator, distance: float, before: NDArray[np.int64], among: Colours | None
) -> NDArray[np.int64]:
    for _ in range(_ROUNDS):
        if among is None:
            candidates = rng.integers(256, size=(_CANDIDATES, 3))
        else:
            candidates = among[rng.integers(len(among), size=_CANDIDATES)].astype(np.int64)
        gaps = ((candidates[:, None] - before[None]) ** 2).sum(2)
        far = np.flatnonzero((gaps >= distance**2).all(1))
        if len(far):
            chosen: NDArray[np.int64] = candidates[far[0]]
            return chosen
    raise AnnotationError(
        f"no colour is {distance:g} levels from the {len(before)} that are in use; fewer colours, "
        "or a smaller distance, fit"
    )
