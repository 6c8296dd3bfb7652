"""A tile of smooth fractal noise in copies of rising blur, so that textures never alias."""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import Record, njit

TILE: Final = 128
LEVELS: Final = 6
NOISE: Final = np.dtype([("tiles", np.float32, (LEVELS, TILE, TILE))])


@cache
def noise_tiles() -> NDArray[np.void]:
    """The noise, [1] NOISE: mean 0, level k blurred by about 2**k texels, level 0 of std 1."""
    rng = np.random.Generator(np.random.PCG64(20240501))
    frequency = np.fft.fftfreq(TILE) * TILE
    radius = np.hypot(frequency[:, None], frequency[None, :])
    spectrum = np.fft.fft2(rng.standard_normal((TILE, TILE)))
    spectrum *= np.where(radius > 1.5, 1.0 / np.maximum(radius, 1.0) ** 1.35, 0.0)
    sharp = np.fft.ifft2(spectrum).real.std()
    levels = [
        np.fft.ifft2(spectrum * np.exp(-0.5 * (radius * blur * 2 * np.pi / TILE) ** 2)).real
        for blur in (0.45 * 2.0**level for level in range(LEVELS))
    ]
    noise = np.empty(1, NOISE)
    noise["tiles"][0] = np.stack(levels) / sharp
    return noise


@njit
def sample_noise(noise: Record, u: float, v: float, footprint: float) -> float:
    """Noise at (u, v) texels, averaged over about `footprint` texels; 0 beyond the last level."""
    level = 0
    size = 1.4
    while footprint > size:
        level += 1
        size *= 2.0
        if level == LEVELS:
            return 0.0
    column = np.floor(u)
    row = np.floor(v)
    fu = u - column
    fv = v - row
    x = int(column) & (TILE - 1)
    y = int(row) & (TILE - 1)
    x1 = (x + 1) & (TILE - 1)
    y1 = (y + 1) & (TILE - 1)
    top = noise.tiles[level, y, x] + (noise.tiles[level, y, x1] - noise.tiles[level, y, x]) * fu
    bottom = (
        noise.tiles[level, y1, x] + (noise.tiles[level, y1, x1] - noise.tiles[level, y1, x]) * fu
    )
    return float(top + (bottom - top) * fv)
