"""The measures of drawings that have a value for every pixel, by the type of their proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.errors import CorpusError
from sgt_data.scoring.depth_measure import DepthMeasure
from sgt_data.scoring.edge_measure import EdgeMeasure
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.restoration_measure import RestorationMeasure
from sgt_data.value_text import cut

PICTURES = frozenset(
    {"colorization", "deblur", "denoise", "derain", "enhance", "inpainting", "mae",
     "reconstruction", "super_resolution"}
)  # fmt: skip
"""Types of proxies whose target is a picture."""


def dense_measure(facts: Mapping[str, Any]) -> Measure[Any]:
    """The measure of a proxy, from the JSON of one of its samples.

    Raises:
        CorpusError: proxies of that type have no value for every pixel.
    """
    kind = facts.get("type")
    if facts.get("direction") == "generate" or kind in PICTURES or facts.get("look") == "overlay":
        return RestorationMeasure()
    if kind == "depth":
        return DepthMeasure()
    if kind == "edge":
        return EdgeMeasure()
    raise CorpusError(f"drawings of the type {cut(kind, 60)} have no value for every pixel")
