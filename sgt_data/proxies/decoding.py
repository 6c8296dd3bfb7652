"""Decode a stored target of any proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from PIL import UnidentifiedImageError

from sgt_data.bounded_json import loads_bounded
from sgt_data.errors import CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.value_text import cut

_JPEG = b"\xff\xd8\xff"


def decode(target: bytes, facts: Mapping[str, Any] | bytes | str) -> Any:
    """Recover from a stored target what it was drawn from.

    Args:
        target: the bytes of a sample's `target.png` (or `.jpg`).
        facts: the sample's JSON, parsed or not.

    Returns:
        What the proxy decodes to. `segmentation`, `boxes`, `each`, `legend`, `referring`:
        `DecodedSegmentation` (label map [H, W] uint16 and the facts of each label). `depth`:
        `DecodedDepth` (inverse depth [H, W] float32 and its step). `metric_depth`:
        `DecodedMetricDepth` (metres [H, W] float32 and the largest error of each). `normals`:
        `DecodedNormals` (unit vectors [H, W, 3] float32). `edge`: strength [H, W] uint8.
        Restoration: the clean picture [H, W, 3] uint8 RGB.

    Raises:
        RequestError: the target is no bytes.
        CorpusError: target and facts do not belong together, or the type of the proxy is unknown.
    """
    if isinstance(facts, bytes | str):
        try:
            facts = loads_bounded(facts)
        except orjson.JSONDecodeError as why:
            raise CorpusError(f"the facts are not JSON: {in_words(why)}") from why
    name = facts.get("type") if isinstance(facts, Mapping) else None
    if not isinstance(name, str) or not isinstance(facts, Mapping):
        raise CorpusError("the facts name no type of proxy")
    if name not in proxy_kinds():
        raise CorpusError(
            f"the facts name the proxy type {cut(name, 60)}, which is not installed; where it is "
            "of "
            'a file of yours, say so first: sgt_data.use_plugins(["my_proxy.py"])'
        )
    if not isinstance(target, bytes | bytearray | memoryview):
        raise RequestError(
            f"target: found {cut(target, 60)}; allowed: the bytes of a sample's target, as in "
            "sgt_data.decode(sample.target, sample.facts)"
        )
    try:
        return proxy_kinds()[name].decode(bytes(target), facts)
    except CorpusError as why:
        if not isinstance(why.__cause__, UnidentifiedImageError):
            raise
        is_jpeg = bytes(target[:3]) == _JPEG
        was = "a JPEG picture, as inputs are" if is_jpeg else cut(bytes(target[:12]))
        raise CorpusError(
            f"target: found {was}, which is no target of {name}; give sample.target, not "
            "sample.input"
        ) from why
