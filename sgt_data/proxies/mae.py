"""The proxy of masked autoencoders: picture with hidden patches of a grid -> whole picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from sgt_data.degradations.hidden_patches import hide, patch_mask
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.parameter_ranges import draw_fraction, within
from sgt_data.proxies.restoration_base import RestorationProxy


class MaeProxy(RestorationProxy):
    """Proxy that fills in hidden patches of a grid.

    Target:
        The clean picture, a JPEG; its input is the picture with patches of a grid hidden in flat
        grey.

    Examples:
        {type: mae}

    Attributes:
        ratio: share of the patches that is hidden, 0 to 1.
        patch: side of a patch in pixels.
    """

    type: Literal["mae"] = "mae"
    name: str = "mae"
    ratio: Annotated[tuple[float, float], within(0.01, 0.99)] = (0.25, 0.9)
    patch: int = Field(16, ge=2, le=256)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        height, width, _ = picture.shape
        ratio = draw_fraction(rng, self.ratio)
        mask, hidden = patch_mask(height, width, self.patch, ratio, rng)
        return hide(picture, mask), {"ratio": ratio, "patch": self.patch, "patches": hidden}

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return "photo with small squares of a regular grid hidden in flat grey"
