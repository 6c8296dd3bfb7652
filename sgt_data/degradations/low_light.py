"""Low light: dark and noisy pictures."""

from __future__ import annotations

import numpy as np

from sgt_data.degradations.noise import add_gaussian
from sgt_data.degradations.pixels import Pixels


def low_light(picture: Pixels, brightness: float, sigma: float, rng: np.random.Generator) -> Pixels:
    """A darkened picture with the noise of a sensor.

    Args:
        picture: the picture.
        brightness: factor on every value, 0 to 1, rounded to four decimals.
        sigma: standard deviation of the noise in grey levels.
        rng: draws the noise.
    """
    levels = (np.arange(256) * round(brightness * 10_000) + 5_000) // 10_000
    return add_gaussian(picture, levels.astype(np.int16), sigma, rng)
