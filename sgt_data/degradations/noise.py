"""Noise: Gaussian, Poisson (shot noise), salt and pepper.

No pixel depends on a function of a mathematics library: 16 random bits choose a quantile from a
table, and the tables are the same on every machine.
"""

from __future__ import annotations

import math
from decimal import Context, Decimal
from functools import lru_cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.degradations.pixels import Pixels, random_words

QUANTILE_ONE = 1 << 12
"""The fixed-point 1 of `normal_quantiles`."""

_WORDS = 1 << 16
_SHOT_BITS = 12
_SHOTS = 1 << _SHOT_BITS
_IDENTITY = np.arange(256, dtype=np.int16)


def gaussian(picture: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    """A picture with normal noise of standard deviation `sigma` (grey levels) in every channel.

    `sigma` is rounded to three decimals.
    """
    return add_gaussian(picture, _IDENTITY, sigma, rng)


def add_gaussian(
    picture: Pixels, levels: NDArray[np.int16], sigma: float, rng: np.random.Generator
) -> Pixels:
    """A picture whose values are replaced by `levels[value]`, with normal noise added.

    Args:
        picture: the picture.
        levels: [256] int16, new level of each value.
        sigma: standard deviation of the noise in grey levels, rounded to three decimals.
        rng: draws the noise.
    """
    thousandths = round(sigma * 1000)
    unit = 1000 * QUANTILE_ONE
    offsets = (normal_quantiles() * thousandths + unit // 2) // unit
    noisy = np.empty(picture.shape, np.uint8)
    words = random_words(rng, picture.size)
    _add(picture.ravel(), levels, offsets.astype(np.int16), words, noisy.ravel())
    return noisy


def poisson(picture: Pixels, peak: int, rng: np.random.Generator) -> Pixels:
    """A picture with shot noise.

    A value v becomes Poisson(v * peak / 255) photons, each shown as 255 / peak grey levels: the
    mean stays v, the variance is v * 255 / peak.
    """
    noisy = np.empty(picture.shape, np.uint8)
    words = random_words(rng, picture.size)
    _look_up(picture.ravel(), shot_values(peak), words, noisy.ravel())
    return noisy


def salt_and_pepper(picture: Pixels, share: float, rng: np.random.Generator) -> Pixels:
    """A picture in which a share of the pixels is black or white, each with the same chance.

    `share` (0 to 1) holds in expectation; at least one pixel changes.
    """
    noisy = picture.copy().reshape(-1, 3)
    words = random_words(rng, len(noisy))
    each = round(share * _WORDS / 2)
    dark = np.flatnonzero(words < each)
    bright = np.flatnonzero(words >= _WORDS - each)
    noisy[dark] = 0
    noisy[bright] = 255
    if len(dark) + len(bright) == 0:
        place = int(words[0]) % len(noisy)
        noisy[place] = np.where(noisy[place] < 128, 255, 0)
    return noisy.reshape(picture.shape)


@lru_cache(maxsize=1)
def normal_quantiles() -> NDArray[np.int64]:
    """The quantiles (k + 1/2) / 65536 of the standard normal distribution, in 1 / QUANTILE_ONE."""
    # none lies within 1e-5 of where it would round another way: its logarithms may err by 1e-12
    normal = NormalDist()
    lower = [round(normal.inv_cdf((k + 0.5) / _WORDS) * QUANTILE_ONE) for k in range(_WORDS // 2)]
    half = np.array(lower, np.int64)
    return np.concatenate((half, -half[::-1]))


def shot_values(peak: int) -> Pixels:
    """The 4096 equally likely outcomes of Poisson noise on each grey level: [256, 4096] uint8.

    The exponentials come from decimal arithmetic, the rest are single products and sums of
    doubles: exactly rounded, hence the same everywhere.
    """
    rates = np.arange(256) * peak / 255
    probability = _no_photon(peak)
    below = probability.copy()
    photons_max = peak + 8 * math.isqrt(peak) + 16
    steps = np.empty((256, photons_max + 1), np.int64)
    for photons in range(photons_max + 1):
        steps[:, photons] = np.floor(below * _SHOTS + 0.5)
        probability = probability * rates / (photons + 1)
        below = below + probability
    steps[:, -1] = _SHOTS
    counts = np.diff(np.minimum(steps, _SHOTS), axis=1, prepend=0)
    shown = (np.arange(photons_max + 1) * 510 + peak) // (2 * peak)
    values = np.broadcast_to(np.minimum(shown, 255).astype(np.uint8), counts.shape)
    return np.repeat(values.ravel(), counts.ravel()).reshape(256, _SHOTS)


def _no_photon(peak: int) -> NDArray[np.float64]:
    """exp(-v * peak / 255) for each grey level v. [256]"""
    decimal = Context(prec=40)
    base = decimal.exp(decimal.divide(Decimal(-peak), Decimal(255)))
    power = Decimal(1)
    powers = []
    for _ in range(256):
        powers.append(float(power))
        power = decimal.multiply(power, base)
    return np.array(powers)


@njit
def _add(
    values: NDArray[np.uint8],
    levels: NDArray[np.int16],
    offsets: NDArray[np.int16],
    words: NDArray[np.uint16],
    noisy: NDArray[np.uint8],
) -> None:
    for at in range(len(values)):
        noisy[at] = min(max(levels[values[at]] + offsets[words[at]], 0), 255)


@njit
def _look_up(
    values: NDArray[np.uint8],
    table: NDArray[np.uint8],
    words: NDArray[np.uint16],
    noisy: NDArray[np.uint8],
) -> None:
    for at in range(len(values)):
        noisy[at] = table[values[at], words[at] >> (16 - _SHOT_BITS)]
