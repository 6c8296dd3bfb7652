"""Facts that a target brings along: the JSON of the sample of which it is a copy.

A target that was exported has lost what its colours mean. Where its JSON is given as well, the
target is decoded by the proxy that has drawn it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.boxes import BoxesProxy
from sgt_data.proxies.depth import DepthProxy
from sgt_data.proxies.each import EachProxy
from sgt_data.proxies.edge import EdgeProxy
from sgt_data.proxies.legend import LegendProxy
from sgt_data.proxies.metric_depth import MetricDepthProxy
from sgt_data.proxies.normals import NormalsProxy
from sgt_data.proxies.referring import ReferringProxy
from sgt_data.proxies.segmentation import SegmentationProxy
from sgt_data.value_text import cut

FACTS_BYTES_MAX = 4 << 20
"""Most bytes of a JSON that is taken along; that of a picture with 1,000 segments has 0.3 MB."""

_KINDS: Mapping[str, type[Proxy]] = {
    "boxes": BoxesProxy, "depth": DepthProxy, "each": EachProxy, "edge": EdgeProxy,
    "legend": LegendProxy, "metric_depth": MetricDepthProxy, "normals": NormalsProxy,
    "referring": ReferringProxy, "segmentation": SegmentationProxy,
}  # fmt: skip


def taken_facts(data: bytes | str, size: tuple[int, int]) -> dict[str, Any]:
    """The JSON of the sample that a target is a copy of, with the size that the target has now.

    Args:
        data: the JSON.
        size: width and height of the target.

    Raises:
        CorpusError: it is none, or of a proxy whose targets are not decoded to a map.
    """
    if len(data) > FACTS_BYTES_MAX:
        raise CorpusError(f"the facts have {len(data)} bytes; allowed: {FACTS_BYTES_MAX}")
    try:
        facts = loads_bounded(data)
    except orjson.JSONDecodeError as why:
        raise CorpusError(f"the facts are not JSON: {in_words(why)}") from why
    kind = facts.get("type") if isinstance(facts, dict) else None
    if not isinstance(facts, dict) or not isinstance(kind, str) or kind not in _KINDS:
        raise CorpusError(
            f"the facts are of the type {cut(kind, 40)}; decoded are {', '.join(_KINDS)}"
        )
    return {**facts, "size": {"width": size[0], "height": size[1]}}


def decode_taken(target: bytes, facts: Mapping[str, Any]) -> Any:
    """What a target decodes to by facts that `taken_facts` gave.

    Raises:
        CorpusError: target and facts do not belong together.
    """
    try:
        return _KINDS[facts["type"]].decode(target, facts)
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as why:
        raise CorpusError(f"the facts do not describe the target: {in_words(why)}") from why


def scored_facts(facts: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts by which the target of a sample is decoded and measured: those that were taken
    along with it, where there are some; else its own.

    Raises:
        CorpusError: what was taken along is no such JSON.
    """
    if facts.get("type") != "paired" or stated_decoding(facts)[0] != "facts":
        return facts
    try:
        size = int(facts["size"]["width"]), int(facts["size"]["height"])
        return taken_facts(str(facts["taken"]), size)
    except (KeyError, TypeError, ValueError) as why:
        raise CorpusError("its facts do not state its size, or what was taken along") from why


def stated_decoding(facts: Mapping[str, Any]) -> tuple[str, str]:
    """How a sample's facts say that its target is decoded (`facts`, `colors` or `no`), and why it
    is not.

    Raises:
        CorpusError: they do not say it.
    """
    audit = facts.get("audit")
    if not isinstance(audit, Mapping) or audit.get("decodable") not in ("facts", "colors", "no"):
        raise CorpusError("its facts state no audit of its target")
    return str(audit["decodable"]), str(audit.get("why", ""))
