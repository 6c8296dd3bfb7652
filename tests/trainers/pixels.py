"""What a script prints of a picture that a trainer's code has read."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np


def of_range(values: Any) -> str:
    """Digest of [3, H, W] float values, -1 to 1."""
    return of_levels(np.rint((np.asarray(values, np.float64) + 1) * 127.5))


def of_unit_range(values: Any) -> str:
    """Digest of [3, H, W] float values, 0 to 1."""
    return of_levels(np.rint(np.asarray(values, np.float64) * 255))


def of_levels(values: Any) -> str:
    """Digest of [3, H, W] values, 0 to 255."""
    return of_picture(np.moveaxis(np.asarray(values), 0, -1))


def of_picture(picture: Any) -> str:
    """Size and SHA-256 of an RGB picture: [H, W, 3], 0 to 255, or Pillow's."""
    pixels = np.ascontiguousarray(np.asarray(picture).astype(np.uint8))
    height, width, _ = pixels.shape
    return f"{width}x{height} {hashlib.sha256(pixels.tobytes()).hexdigest()}"
