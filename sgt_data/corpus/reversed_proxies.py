"""Proxies that reverse another: a corpus stores their text, and takes their pictures from that one.

The input of a sample of such a proxy is the target of the base's sample of the same key, in the
shard of the same name, and its target is that sample's input; where inputs are shared, that is the
picture below `input/`. So no picture is stored twice, and the shards of the base are what they are
without it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SWAPPED: Mapping[str, str] = {"input": "target", "target": "input"}
"""The pictures of a reversed sample, each with the member of the base that it is."""

_TYPE = "generate"


def bases_of(manifest: Mapping[str, Any]) -> dict[str, str]:
    """By reversed proxy of a resolved manifest: the name of the proxy that it reverses."""
    return {
        proxy["name"]: proxy["of"]
        for proxy in manifest["proxies"]
        if proxy.get("type") == _TYPE and isinstance(proxy.get("of"), str)
    }
