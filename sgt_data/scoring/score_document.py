"""A score as JSON: everything that it holds, save the pictures of its examples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import orjson

from sgt_data.redaction import redacted
from sgt_data.scoring.proxy_score import PictureScore, ProxyScore

FORMAT, FORMAT_VERSION = "sgt-data score", 1


def score_document(
    stated: Mapping[str, Any], proxies: Mapping[str, ProxyScore], *, with_pictures: bool
) -> dict[str, Any]:
    """A score as values that JSON has.

    Args:
        stated: what holds for all proxies.
        proxies: the scores.
        with_pictures: whether the rows of single pictures are in it.
    """
    return {
        "format": FORMAT,
        "version": FORMAT_VERSION,
        "sgt_data": version("sgt-data"),
        **stated,
        "proxies": {
            name: _proxy_document(scored, with_pictures) for name, scored in proxies.items()
        },
    }


def document_bytes(stated: Mapping[str, Any], proxies: Mapping[str, ProxyScore]) -> bytes:
    """The file of a score, with a row for every picture."""
    document = redacted(score_document(stated, proxies, with_pictures=True))
    return orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n"


def _proxy_document(scored: ProxyScore, with_pictures: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": scored.kind,
        "fingerprint": scored.fingerprint,
        "counts": scored.counts,
        "decoding": dict(scored.decoding),
        "measures": {name: asdict(estimate) for name, estimate in scored.measures.items()},
        "first_extra": scored.extra.names,
    }
    if scored.classes:
        document["classes"] = {name: asdict(score) for name, score in scored.classes.items()}
    if with_pictures:
        document["pictures"] = [_picture_document(picture) for picture in scored.pictures]
    return document


def _picture_document(picture: PictureScore) -> dict[str, Any]:
    document = {"key": picture.key, "state": picture.state, "quality": picture.quality}
    if picture.problem:
        document["problem"] = picture.problem
    return document | {"figures": dict(picture.figures)}
