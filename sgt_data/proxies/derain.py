"""The deraining proxy: picture in rain, in fog or in both -> clear picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations import weather
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.parameter_ranges import (
    draw_fraction,
    draw_integer,
    draw_option,
    within,
)
from sgt_data.proxies.restoration_base import RestorationProxy

Weather = Literal["rain", "fog", "both"]


class DerainProxy(RestorationProxy):
    """Proxy that removes rain and fog.

    Target:
        The clean picture, a JPEG; its input is the picture in rain, in fog, or in both.

    Examples:
        {type: derain}
        {type: derain, name: defog, kinds: [fog]}

    Attributes:
        kinds: kinds of weather, of which one is drawn for each picture.
        drops: streaks of a square picture of any size; others have fewer, in proportion to their
            area.
        angle: angle of the fall in degrees from the vertical, positive to the right.
        dimming: factor on the picture's brightness in the rain.
        density: opacity of the fog at the top, 0 to 1.
        thinning: opacity of the fog at the bottom divided by that at the top, 0 to 1.
        brightness: brightness of the fog in grey levels.
    """

    type: Literal["derain"] = "derain"
    name: str = "derain"
    kinds: Annotated[tuple[Weather, ...], Field(min_length=1)] = ("rain", "fog", "both")
    drops: Annotated[tuple[int, int], within(200, 20_000)] = (1500, 5000)
    angle: Annotated[tuple[int, int], within(-weather.ANGLE_MAX, weather.ANGLE_MAX)] = (-25, 25)
    dimming: Annotated[tuple[float, float], within(0.3, weather.DIMMING_MAX)] = (0.65, 0.85)
    density: Annotated[tuple[float, float], within(0.1, 1)] = (0.45, 0.85)
    thinning: Annotated[tuple[float, float], within(0, 1)] = (0.3, 0.8)
    brightness: Annotated[tuple[int, int], within(128, 255)] = (190, 230)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        kind = draw_option(rng, self.kinds)
        drawn: dict[str, Any] = {
            "kind": kind, "density": 0.0, "thinning": 0.0, "brightness": 0,
            "drops": 0, "angle": 0, "dimming": 0.0,
        }  # fmt: skip
        # fog first: drops that are near enough to be visible are in front of it
        if kind != "rain":
            density = draw_fraction(rng, self.density)
            thinning = draw_fraction(rng, self.thinning)
            brightness = draw_integer(rng, self.brightness)
            picture = weather.fog(picture, density, thinning, brightness, rng)
            drawn |= {"density": density, "thinning": thinning, "brightness": brightness}
        if kind != "fog":
            drops = draw_integer(rng, self.drops)
            angle = draw_integer(rng, self.angle)
            dimming = draw_fraction(rng, self.dimming)
            picture = weather.rain(picture, drops, angle, dimming, rng)
            drawn |= {"drops": drops, "angle": angle, "dimming": dimming}
        return picture, drawn

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        weather = {"both": "rain and fog"}.get(kind := facts["degradation"]["kind"], kind)
        return f"photo taken in {weather}"
