"""What is drawn for a caption: the picture itself, or a proxy's target; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sgt_data.errors import RequestError
from sgt_data.suggestions import did_you_mean

PICTURE: Final = "picture"
"""Stands as `draws` where the picture itself is drawn."""

CLEAN_INPUTS: Final = frozenset(
    {"boxes", "depth", "each", "edge", "legend", "metric_depth", "normals", "paired",
     "reconstruction", "referring", "segmentation"}
)  # fmt: skip
"""Types of proxies whose input is the picture itself, not a degraded one or a target."""

_MAPS: Final = {
    "semantic": "class map", "panoptic": "panoptic map", "instance": "instance map",
    "entity": "segment map", "depth": "depth map", "metric_depth": "depth map",
    "normals": "normal map", "edge": "edge map",
}  # fmt: skip
"""By variant of a segmentation, or else type of a proxy: what its target is, in words. Others are
missing: their targets depend on an instruction, or are pictures."""


@dataclass(frozen=True, slots=True)
class DrawnAs:
    """What is drawn for a caption.

    Attributes:
        draws: `picture`, or the name of the proxy whose targets are drawn.
        request: words before each caption.
        proxies: the proxy with these pictures or targets, or several of which any will do.
    """

    draws: str
    request: str
    proxies: tuple[str, ...]


def drawn_as(proxies: Sequence[Mapping[str, Any]], proxy: str | None) -> DrawnAs:
    """What is drawn for the captions of a corpus.

    Args:
        proxies: of the manifest of the corpus.
        proxy: name of the one whose targets are drawn; None for the pictures themselves.

    Raises:
        RequestError: there is no such proxy, or its targets do not show what a caption says.
    """
    if proxy is None:
        clean = tuple(entry["name"] for entry in proxies if entry["type"] in CLEAN_INPUTS)
        if not clean:
            raise RequestError(
                "draw: no proxy of this corpus has the pictures themselves as its input; name one "
                "whose targets are drawn"
            )
        return DrawnAs(PICTURE, "Draw a picture of: ", clean)
    maps = {entry["name"]: _map_of(entry) for entry in proxies}
    words = maps.get(proxy)
    if words is None:
        fitting = [name for name, known in maps.items() if known]
        raise RequestError(
            f"draw: found {proxy}; captions can be drawn as targets of a segmentation, of depth, "
            f"normals or edges; this corpus has {', '.join(fitting) or 'none of them'}"
            f"{did_you_mean(proxy, fitting)}"
        )
    return DrawnAs(proxy, f"Draw the {words} of: ", (proxy,))


def _map_of(entry: Mapping[str, Any]) -> str | None:
    kind = entry["variant"] if entry["type"] == "segmentation" else entry["type"]
    return _MAPS.get(kind) if isinstance(kind, str) else None
