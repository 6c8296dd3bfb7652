"""The colorization proxy: grey picture -> its colours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations.greyscale import colourfulness, greyscale
from sgt_data.degradations.pixels import Pixels
from sgt_data.errors import FilteredOut
from sgt_data.proxies.restoration_base import RestorationProxy


class ColorizationProxy(RestorationProxy):
    """Proxy that restores the colours of a picture.

    Target:
        The clean picture, a JPEG; its input is the picture in grey.

    Examples:
        {type: colorization}

    Attributes:
        min_colourfulness: least mean distance between a pixel's channels, in grey levels. A picture
            below it is left out: grey pictures would teach that grey is right.
    """

    type: Literal["colorization"] = "colorization"
    name: str = "colorization"
    min_colourfulness: float = Field(4.0, ge=0, le=255)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        measured = colourfulness(picture)
        if measured < self.min_colourfulness:
            raise FilteredOut(
                f"the picture's colourfulness is {measured:.2f}, min_colourfulness is "
                f"{self.min_colourfulness}"
            )
        return greyscale(picture), {"colourfulness": round(measured, 3)}

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return "black-and-white photo"
