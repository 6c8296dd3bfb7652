"""Kinds of annotators by name. A user's package adds its own through the entry point group
`sgt_data.annotators`, whose values are subclasses of `AnnotatorConfig`."""

from __future__ import annotations

from functools import lru_cache

from sgt_data.annotators.base import AnnotatorConfig
from sgt_data.annotators.depth_anything import DepthAnythingConfig
from sgt_data.annotators.edges import EdgesConfig
from sgt_data.annotators.sam import SamConfig
from sgt_data.kinds import registered


@lru_cache(maxsize=1)
def annotator_kinds() -> dict[str, type[AnnotatorConfig]]:
    """Every kind of annotator, by the `type` that a manifest gives."""
    own: dict[str, type[AnnotatorConfig]] = {
        "depth_anything": DepthAnythingConfig,
        "edges": EdgesConfig,
        "sam": SamConfig,
    }
    return registered("sgt_data.annotators", own)
