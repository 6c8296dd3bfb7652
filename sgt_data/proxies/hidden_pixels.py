"""Which pixels of an input were hidden, drawn again from the facts of its sample."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.degradations.hidden_patches import patch_mask, shape_mask
from sgt_data.degradations.pixels import Mask
from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.inpainting import PATCH
from sgt_data.proxies.parameter_ranges import draw_fraction
from sgt_data.seeds import generator


def hidden_pixels(facts: Mapping[str, Any]) -> Mask | None:
    """Mask [H, W] of the pixels that a sample's degradation hid; None where it hides none.

    Every choice derives from the seed and the key, so the mask is exact.

    Raises:
        CorpusError: the facts do not describe a sample of inpainting or mae.
    """
    kind = facts.get("type")
    if kind not in ("inpainting", "mae"):
        return None
    try:
        drawn, size = facts["degradation"], facts["size"]
        height, width = int(size["height"]), int(size["width"])
        rng = generator(int(facts["seed"]), "restoration", kind, str(facts["key"]))
        draw_fraction(rng, (0.0, 1.0))  # the share, which the facts state
        if kind == "mae":
            mask, _ = patch_mask(height, width, int(drawn["patch"]), float(drawn["ratio"]), rng)
        elif drawn["mask"] == "patches":
            mask, _ = patch_mask(height, width, PATCH, float(drawn["share"]), rng)
        else:
            mask = shape_mask(height, width, drawn["mask"], float(drawn["share"]), rng)
    except (KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"the facts do not say what was hidden: {in_words(why)}") from why
    return mask
