"""The inpainting proxy: picture with hidden regions -> whole picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import numpy as np

from sgt_data.degradations.hidden_patches import hide, patch_mask, shape_mask
from sgt_data.degradations.pixels import Pixels
from sgt_data.proxies.parameter_ranges import draw_fraction, within
from sgt_data.proxies.restoration_base import RestorationProxy

PATCH = 32


class InpaintingProxy(RestorationProxy):
    """Proxy that fills in hidden regions.

    Target:
        The clean picture, a JPEG; its input is the picture with regions hidden in flat grey.

    Examples:
        {type: inpainting}
        {type: inpainting, name: inpainting-patches, mask: patches, share: [0.5, 0.5]}

    Attributes:
        mask: what hides the picture, in flat grey; `mixed` is strokes and boxes.
        share: share of the picture that is hidden, 0 to 1.
    """

    type: Literal["inpainting"] = "inpainting"
    name: str = "inpainting"
    mask: Literal["strokes", "boxes", "mixed", "patches"] = "mixed"
    share: Annotated[tuple[float, float], within(0.01, 0.95)] = (0.3, 0.8)

    def degrade(self, picture: Pixels, rng: np.random.Generator) -> tuple[Pixels, dict[str, Any]]:
        height, width, _ = picture.shape
        share = draw_fraction(rng, self.share)
        drawn = {"mask": self.mask, "share": share}
        if self.mask == "patches":
            mask, drawn["patches"] = patch_mask(height, width, PATCH, share, rng)
        else:
            mask = shape_mask(height, width, self.mask, share, rng)
        return hide(picture, mask), drawn

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        shapes = {"strokes": "strokes", "boxes": "boxes", "mixed": "strokes and boxes"}
        hiding = shapes.get(facts["degradation"]["mask"], "large squares")
        return f"photo with flat grey {hiding} over it"
