"""The super-resolution proxy: picture that was shrunk and enlarged -> picture with its detail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations.pixels import Pixels
from sgt_data.degradations.resolution import down_and_up
from sgt_data.proxies.parameter_ranges import draw_option
from sgt_data.proxies.restoration_base import RestorationProxy

Factor = Annotated[int, Field(ge=2, le=32)]


class SuperResolutionProxy(RestorationProxy):
    """Proxy that restores detail.

    Target:
        The clean picture, a JPEG; its input is the picture shrunk and enlarged again.

    Examples:
        {type: super_resolution}

    Attributes:
        factors: factors by which both sides shrink, of which one is drawn for each picture.
    """

    type: Literal["super_resolution"] = "super_resolution"
    name: str = "super-resolution"
    factors: Annotated[tuple[Factor, ...], Field(min_length=1)] = (2, 4, 6, 8)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        factor = draw_option(rng, self.factors)
        return down_and_up(picture, factor), {"factor": factor}

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return f"photo with {facts['degradation']['factor']} times less detail"
