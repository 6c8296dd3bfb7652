"""The measures of drawings that have a value for every pixel, by the type of their proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sgt_data.errors import CorpusError
from sgt_data.scoring.depth_measure import DepthMeasure
from sgt_data.scoring.edge_measure import EdgeMeasure
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.metric_depth_measure import MetricDepthMeasure
from sgt_data.scoring.normals_measure import NormalsMeasure
from sgt_data.scoring.restoration_measure import RestorationMeasure
from sgt_data.value_text import cut

PICTURES = frozenset(
    {"colorization", "deblur", "denoise", "derain", "enhance", "generate", "inpainting", "mae",
     "reconstruction", "super_resolution"}
)  # fmt: skip
"""Types of proxies whose target is a picture, a boxes overlay apart."""

MEASURES: Mapping[Any, Callable[[], Measure[Any]]] = {
    "depth": DepthMeasure,
    "edge": EdgeMeasure,
    "metric_depth": MetricDepthMeasure,
    "normals": NormalsMeasure,
}
"""The measures of maps, by the type of the proxy."""


def dense_measure(facts: Mapping[str, Any]) -> Measure[Any]:
    """The measure of a proxy, from the JSON of one of its samples.

    Raises:
        CorpusError: proxies of that type have no value for every pixel.
    """
    kind = facts.get("type")
    if kind in PICTURES or facts.get("look") == "overlay":
        return RestorationMeasure()
    if kind not in MEASURES:
        raise CorpusError(f"drawings of the type {cut(kind, 60)} have no value for every pixel")
    return MEASURES[kind]()
