"""Kinds of proxies by name. A user's package adds its own through the entry point group
`sgt_data.proxies`, whose values are subclasses of `ProxyConfig`."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import entry_points

from sgt_data.proxies.base import ProxyConfig
from sgt_data.proxies.segmentation import SegmentationProxy


@lru_cache(maxsize=1)
def proxy_kinds() -> dict[str, type[ProxyConfig]]:
    """Every kind of proxy, by the `type` that a manifest gives."""
    kinds: dict[str, type[ProxyConfig]] = {"segmentation": SegmentationProxy}
    for point in entry_points(group="sgt_data.proxies"):
        kinds[point.name] = point.load()
    return kinds
