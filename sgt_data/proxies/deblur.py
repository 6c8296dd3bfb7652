"""The deblurring proxy: undo the motion of the camera."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations.motion_blur import LENGTH_MAX, motion_blur
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.ranges import draw_one, draw_whole
from sgt_data.proxies.restoration import RestorationProxy

Length = Annotated[int, Field(ge=2, le=LENGTH_MAX)]


class DeblurProxy(RestorationProxy):
    """See the module.

    Attributes:
        lengths: of the motion in pixels, one of which is drawn; its angle is any whole degree.
    """

    type: Literal["deblur"] = "deblur"
    name: str = "deblur"
    lengths: Annotated[tuple[Length, ...], Field(min_length=1)] = (10, 20, 30)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        length = draw_one(rng, self.lengths)
        angle = draw_whole(rng, (0, 179))  # half a turn more is the same line
        return motion_blur(picture, length, angle), {"length": length, "angle": angle}
