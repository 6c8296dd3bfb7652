"""A picture taken with too little light: dark, and noisy for it."""

from __future__ import annotations

import numpy as np

from sgt_data.degradations.noise import add_gaussian
from sgt_data.degradations.pixels import Pixels


def low_light(picture: Pixels, brightness: float, sigma: float, rng: np.random.Generator) -> Pixels:
    """Multiply every value by `brightness` (0 to 1, to the ten-thousandth), then add the sensor's
    noise of standard deviation `sigma` in grey levels."""
    levels = (np.arange(256) * round(brightness * 10_000) + 5_000) // 10_000
    return add_gaussian(picture, levels.astype(np.int16), sigma, rng)
