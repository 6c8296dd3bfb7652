"""The deblurring proxy: picture blurred by motion -> sharp picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations.motion_blur import LENGTH_MAX, motion_blur
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.parameter_ranges import draw_integer, draw_option
from sgt_data.proxies.restoration_base import RestorationProxy

Length = Annotated[int, Field(ge=2, le=LENGTH_MAX)]


class DeblurProxy(RestorationProxy):
    """Proxy that removes motion blur.

    Target:
        The clean picture, a JPEG; its input is the picture blurred along a line.

    Examples:
        {type: deblur}

    Attributes:
        lengths: lengths of the motion in pixels, of which one is drawn for each picture. The angle
            is any whole degree.
    """

    type: Literal["deblur"] = "deblur"
    name: str = "deblur"
    lengths: Annotated[tuple[Length, ...], Field(min_length=1)] = (10, 20, 30)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        length = draw_option(rng, self.lengths)
        angle = draw_integer(rng, (0, 179))  # half a turn more is the same line
        return motion_blur(picture, length, angle), {"length": length, "angle": angle}

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return "photo blurred by motion"
