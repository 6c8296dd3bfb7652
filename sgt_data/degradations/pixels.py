"""Types and arithmetic of the degradations: pixels, random bits, cosine and sine in integers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""A picture: [H, W, 3] uint8 RGB."""

Mask = NDArray[np.bool_]
"""[H, W] bool."""

DIRECTION_ONE = 1 << 16
"""The fixed-point 1 of `cosine` and `sine`."""

# no value lies within 0.004 of where it would round another way, so any mathematics library will do
_COSINES = np.array(
    [round(math.cos(math.radians(degree)) * DIRECTION_ONE) for degree in range(360)], np.int64
)


def cosine(degrees: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Cosine of whole degrees in units of 1 / DIRECTION_ONE."""
    return np.asarray(_COSINES[np.mod(degrees, 360)])


def sine(degrees: int | NDArray[np.int64]) -> NDArray[np.int64]:
    """Sine of whole degrees in units of 1 / DIRECTION_ONE."""
    return cosine(np.asarray(degrees, np.int64) - 90)


def random_words(rng: np.random.Generator, count: int) -> NDArray[np.uint16]:
    """Uniform random 16-bit numbers [count], drawn 64 bits at a time: a third of the time."""
    whole = rng.integers(0, 1 << 64, -(-count // 4), np.uint64)
    return whole.astype("<u8", copy=False).view("<u2")[:count]
