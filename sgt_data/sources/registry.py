"""Kinds of sources by name. A user's package adds its own through the entry point group
`sgt_data.sources`, whose values are subclasses of `SourceConfig`."""

from __future__ import annotations

from functools import lru_cache

from sgt_data.kinds import registered
from sgt_data.sources.base import SourceConfig
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.folder import FolderSource
from sgt_data.sources.sa1b import Sa1bSource
from sgt_data.sources.tars import TarsSource


@lru_cache(maxsize=1)
def source_kinds() -> dict[str, type[SourceConfig]]:
    """Every kind of source, by the `type` that a manifest gives."""
    own: dict[str, type[SourceConfig]] = {
        "sa1b": Sa1bSource,
        "coco": CocoSource,
        "folder": FolderSource,
        "tars": TarsSource,
    }
    return registered("sgt_data.sources", own)
