"""Registry of the kinds of sources.

A user's package adds its kinds through the entry point group `sgt_data.sources`, whose values are
subclasses of `Source`.
"""

from __future__ import annotations

from functools import lru_cache

from sgt_data.plugins.kinds import Kinds
from sgt_data.sources.base import Source
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.folder import FolderSource
from sgt_data.sources.pairs import PairsSource
from sgt_data.sources.sa1b import Sa1bSource
from sgt_data.sources.tars import TarsSource


@lru_cache(maxsize=1)
def source_kinds() -> Kinds[Source]:
    """Classes of all kinds of sources, by the `type` that a manifest gives."""
    built_in: dict[str, type[Source]] = {
        "sa1b": Sa1bSource,
        "coco": CocoSource,
        "folder": FolderSource,
        "tars": TarsSource,
        "pairs": PairsSource,
    }
    return Kinds("sgt_data.sources", Source, built_in)
