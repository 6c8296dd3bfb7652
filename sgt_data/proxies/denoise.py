"""The denoising proxy: picture with one of four kinds of noise -> clean picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations import compression, noise
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.parameter_ranges import (
    draw_fraction,
    draw_integer,
    draw_option,
    within,
)
from sgt_data.proxies.restoration_base import RestorationProxy

Noise = Literal["gaussian", "jpeg", "poisson", "salt_and_pepper"]

_WORDS: Mapping[Noise, str] = {
    "gaussian": "Gaussian noise",
    "jpeg": "the blocks of strong JPEG compression",
    "poisson": "the shot noise of too few photons",
    "salt_and_pepper": "salt-and-pepper noise",
}


class DenoiseProxy(RestorationProxy):
    """Proxy that removes noise.

    Target:
        The clean picture, a JPEG; its input is the picture with noise of one kind.

    Examples:
        {type: denoise}
        {type: denoise, name: denoise-gaussian, kinds: [gaussian], sigma: [25, 50]}

    Attributes:
        kinds: kinds of noise, of which one is drawn for each picture.
        sigma: standard deviation of Gaussian noise in grey levels.
        quality: of the JPEG whose artefacts are the noise.
        peak: photons of a white pixel in Poisson noise; fewer photons are noisier.
        share: share of the pixels that salt and pepper change, 0 to 1.
    """

    type: Literal["denoise"] = "denoise"
    name: str = "denoise"
    kinds: Annotated[tuple[Noise, ...], Field(min_length=1)] = (
        "gaussian", "jpeg", "poisson", "salt_and_pepper",
    )  # fmt: skip
    sigma: Annotated[tuple[float, float], within(0.5, 100)] = (5, 50)
    quality: Annotated[tuple[int, int], within(1, 95)] = (30, 50)
    peak: Annotated[tuple[int, int], within(1, 500)] = (10, 120)
    share: Annotated[tuple[float, float], within(0.001, 0.5)] = (0.01, 0.1)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        kind = draw_option(rng, self.kinds)
        drawn: dict[str, Any] = {"kind": kind, "sigma": 0.0, "quality": 0, "peak": 0, "share": 0.0}
        if kind == "gaussian":
            drawn["sigma"] = sigma = draw_fraction(rng, self.sigma)
            return noise.gaussian(picture, sigma, rng), drawn
        if kind == "jpeg":
            drawn["quality"] = quality = draw_integer(rng, self.quality)
            return compression.jpeg(picture, quality), drawn
        if kind == "poisson":
            drawn["peak"] = peak = draw_integer(rng, self.peak)
            return noise.poisson(picture, peak, rng), drawn
        drawn["share"] = share = draw_fraction(rng, self.share)
        return noise.salt_and_pepper(picture, share, rng), drawn

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return f"photo with {_WORDS[facts['degradation']['kind']]}"
