"""The distances at the corners of the colour walk, as instructions state them.

Who reads the text can paint the target and read it: a distance lies between two corners, and its
colour between theirs.
"""

from __future__ import annotations

import numpy as np

from sgt_data.geometry.colour_walk import CORNERS, metres_of_fraction

NOT_MEASURED = (128, 128, 128)
"""Colour of pixels without measurement. No colour of the cube is farther from the walk: 180 levels
from every edge."""

_SHOWN = {"green": "green (#00ff00)"}  # CSS calls a darker colour green
_GAPS = "grey (#808080) not measured"


def scale_text(lam: float, c: float, *, has_gaps: bool) -> str:
    """The corners of the walk with their distances, black to white, to three digits.

    Args:
        lam: shape of the power transform, below -1.
        c: its scale in metres, above 0.
        has_gaps: whether the target has pixels without measurement, whose colour is stated last.
    """
    metres = metres_of_fraction(np.arange(len(CORNERS)) / (len(CORNERS) - 1), lam, c)
    corners = [
        f"{_SHOWN.get(name, name)} {_in_words(far)}"
        for (name, _), far in zip(CORNERS, metres.tolist(), strict=True)
    ]
    return ", ".join([*corners, _GAPS] if has_gaps else corners)


def _in_words(metres: float) -> str:
    """A distance to three digits: `0.801 m`, `16.5 m`, `12300 m`, `infinitely far`."""
    if not np.isfinite(metres):
        return "infinitely far"
    digits = f"{metres:.3g}"
    return f"{float(digits):.0f} m" if "e+" in digits else f"{digits} m"
