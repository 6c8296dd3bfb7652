"""Registry of the kinds of annotators.

A user's package adds its kinds through the entry point group `sgt_data.annotators`, whose values
are subclasses of `Annotator`.
"""

from __future__ import annotations

from functools import lru_cache

from sgt_data.annotators.base import Annotator
from sgt_data.annotators.depth_anything import (
    DepthAnythingAnnotator,
    DepthAnythingMetricAnnotator,
)
from sgt_data.annotators.depth_pro import DepthProAnnotator
from sgt_data.annotators.edges import EdgesAnnotator
from sgt_data.annotators.sam import SamAnnotator
from sgt_data.plugins.kinds import Kinds


@lru_cache(maxsize=1)
def annotator_kinds() -> Kinds[Annotator]:
    """Classes of all kinds of annotators, by the `type` that a manifest gives."""
    built_in: dict[str, type[Annotator]] = {
        "depth_anything": DepthAnythingAnnotator,
        "depth_anything_metric": DepthAnythingMetricAnnotator,
        "depth_pro": DepthProAnnotator,
        "edges": EdgesAnnotator,
        "sam": SamAnnotator,
    }
    return Kinds("sgt_data.annotators", Annotator, built_in)
