"""The colorization proxy: colours for a grey picture."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations.greyscale import colourfulness, greyscale
from sgt_data.degradations.pixels import Pixels
from sgt_data.errors import FilteredOut
from sgt_data.proxies.restoration import RestorationProxy


class ColorizationProxy(RestorationProxy):
    """See the module.

    Attributes:
        min_colourfulness: least mean distance between a pixel's channels, in grey levels; a picture
            below it is left out, for one that is grey already teaches that grey is right.
    """

    type: Literal["colorization"] = "colorization"
    name: str = "colorization"
    min_colourfulness: float = Field(4.0, ge=0, le=255)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        found = colourfulness(picture)
        if found < self.min_colourfulness:
            raise FilteredOut(
                f"the picture's colourfulness is {found:.2f}, min_colourfulness is "
                f"{self.min_colourfulness}"
            )
        return greyscale(picture), {"colourfulness": round(found, 3)}
