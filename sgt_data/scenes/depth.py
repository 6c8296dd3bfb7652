"""Depth maps in the form in which they are stored: 16-bit inverse depth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 0.5
"""Metres. Nothing in a scene is nearer, so that every value fits 16 bits."""

INVERSE_PER_CODE = 1 / (65535 * NEAR)
"""Inverse depth in 1/m of code 1: what `depth_unit` of a source says of these files."""


def inverse_depth(depth: NDArray[np.float32]) -> NDArray[np.uint16]:
    """Depth [H, W] in metres -> [H, W] uint16: round(65535 * NEAR / depth), 0 for the sky."""
    return np.round(65535.0 * NEAR / depth.astype(np.float64)).astype(np.uint16)


def depth_rule(width: int, height: int) -> dict[str, object]:
    """Content of `depth.json`, which explains the depth PNGs in its folder."""
    return {
        "encoding": "16-bit greyscale PNG of inverse depth",
        "rule": "value = round(65535 * near_m / depth_m)",
        "near_m": NEAR,
        "sky": 0,
        "depth": "distance along the viewing axis in metres",
        "width": width,
        "height": height,
    }
