"""The enhancement proxy: dark, noisy picture -> bright, clean picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from sgt_data.degradations.low_light import low_light
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.parameter_ranges import draw_fraction, within
from sgt_data.proxies.restoration_base import RestorationProxy


class EnhanceProxy(RestorationProxy):
    """Proxy that brightens dark pictures.

    Target:
        The clean picture, a JPEG; its input is the picture made dark and noisy.

    Examples:
        {type: enhance}

    Attributes:
        brightness: factor on every value, 0 to 1.
        sigma: standard deviation of the noise in grey levels.
    """

    type: Literal["enhance"] = "enhance"
    name: str = "enhance"
    brightness: Annotated[tuple[float, float], within(0.02, 0.9)] = (0.1, 0.5)
    sigma: Annotated[tuple[float, float], within(0, 50)] = (1, 8)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        brightness = draw_fraction(rng, self.brightness)
        sigma = draw_fraction(rng, self.sigma)
        dark = low_light(picture, brightness, sigma, rng)
        return dark, {"brightness": brightness, "sigma": sigma}

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return "dark and noisy photo, as taken in too little light"
