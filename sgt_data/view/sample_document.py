"""What a page shows of one sample, as JSON: fields of its facts, checked, in one form.

Facts are text from outside, and of format 1.0 or later, or of a proxy that is not installed: what
is not of the expected form is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.facts import drawn_segments, has_category, reversed_facts, undrawn_segments
from sgt_data.geometry.colour_walk import CORNERS
from sgt_data.proxies.inferno import inferno

SEGMENTS_MAX = 5000
"""Segments that are shown of one sample."""

_ABOUT = (
    "variant", "category", "negative", "color", "unlabelled", "palette", "look", "method", "gain",
    "thresholds", "colormap", "bits", "unit", "from", "percentiles", "stored",
)  # fmt: skip


def sample_document(facts: Mapping[str, Any], instruction: str) -> dict[str, Any]:
    """What a page shows of a sample, beside its pictures.

    Args:
        facts: its JSON; empty where there is none, as in an export.
        instruction: its text.

    Returns:
        `instruction`, `words` that were filled into it, `size`, `source`, `segments`, `undrawn`
        (how many are not drawn), `reading` (how the pixels of the target are read: `labels`,
        `boxes`, `mask`, `depth`, `distance`, `level` or `colour`), `depth` (scaling and colours),
        `distance` (the corners of the colour walk and its transform), `about` (further facts, as
        pairs of name and text) and `facts` as stored.
    """
    segments = _drawn(facts)
    return {
        "instruction": instruction,
        "words": _words(facts),
        "size": _size(facts.get("size")),
        "source": _source(facts),
        "segments": [_segment(segment) for segment in segments[:SEGMENTS_MAX]],
        "undrawn": _undrawn(facts),
        "reading": _reading(facts, segments),
        "depth": _depth(facts),
        "distance": _distance(facts),
        "about": _about(facts),
        "facts": facts,
    }


def number(value: Any) -> float | None:
    """A finite number, or None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return float(value) if math.isfinite(value) else None


def _drawn(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    stated = facts.get("segments")
    if not isinstance(stated, list):
        return []
    return drawn_segments(segment for segment in stated if isinstance(segment, dict))


def _undrawn(facts: Mapping[str, Any]) -> int:
    try:
        return len(undrawn_segments(facts))
    except (KeyError, TypeError):
        return 0


def _segment(segment: Mapping[str, Any]) -> dict[str, Any]:
    box = segment.get("visible_box", segment.get("output_box"))
    return {
        "label": number(segment.get("label")),
        "color": _numbers(segment.get("color"), 3),
        "id": segment.get("id") if isinstance(segment.get("id"), int) else None,
        "category": str(segment.get("category", ""))[:200] if has_category(segment) else "",
        "area": number(segment.get("visible_area")),
        "box": _numbers(box, 4),
        "crowd": segment.get("iscrowd") is True,
        "stuff": segment.get("isthing") is False and has_category(segment),
    }


def _reading(facts: Mapping[str, Any], segments: Sequence[Mapping[str, Any]]) -> str:
    kind = facts.get("type")
    if kind in ("boxes", "depth"):
        return str(kind)
    if kind == "referring":
        return "mask"
    if kind == "metric_depth":
        return "distance"
    if kind == "edge":
        return "level"
    if kind == "each":
        return "labels"  # of no segment, where the class is absent
    return "labels" if segments and "color" in segments[0] else "colour"


def _depth(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    scaling = facts.get("scaling")
    if facts.get("type") != "depth" or not isinstance(scaling, dict):
        return None
    low, high = number(scaling.get("low")), number(scaling.get("high"))
    if low is None or high is None:
        return None
    coloured = facts.get("colormap") == "inferno"
    return {
        "low": low,
        "high": high,
        "bits": 16 if facts.get("bits") == 16 else 8,
        "lowest_level": 1 if facts.get("lowest_level") == 1 else 0,
        "metric": facts.get("unit") == "1/m",
        "colours": inferno().tolist() if coloured else None,
    }


def _distance(facts: Mapping[str, Any]) -> dict[str, Any] | None:
    """How the colours of a target of metric depth are read, and its ends in metres."""
    transform = facts.get("transform")
    if facts.get("type") != "metric_depth" or not isinstance(transform, dict):
        return None
    lam, c = number(transform.get("lambda")), number(transform.get("c"))
    near, far = number(facts.get("near")), number(facts.get("far"))
    if lam is None or c is None or near is None or far is None or lam >= -1 or c <= 0:
        return None
    corners = [list(colour) for _, colour in CORNERS]
    return {"lambda": lam, "c": c, "near": near, "far": far, "corners": corners}


def _words(facts: Mapping[str, Any]) -> list[str]:
    stated = facts.get("instruction")
    words = stated.get("words") if isinstance(stated, dict) else None
    return [str(word)[:200] for word in words.values()] if isinstance(words, dict) else []


def _size(value: Any) -> list[int] | None:
    if not isinstance(value, dict):
        return None
    numbers = _numbers([value.get("width"), value.get("height")], 2)
    return None if numbers is None else [int(side) for side in numbers]


def _source(facts: Mapping[str, Any]) -> dict[str, Any]:
    source = facts.get("source")
    if not isinstance(source, dict):
        return {}
    texts = {
        name: str(source[name])[:500] for name in ("name", "member", "licence") if source.get(name)
    }
    return {**texts, "size": _size(source.get("size"))}


def _about(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Further facts of a proxy, such as parameters of a degradation, as name and text."""
    about = [(name, _text(facts[name])) for name in _ABOUT if name in facts]
    if (base := reversed_facts(facts)) is not None:
        about.append(("reverse of", str(base.get("proxy", ""))[:200]))
    if facts.get("unlabelled") == [0, 0, 0]:  # as nearly everywhere
        about = [(name, text) for name, text in about if name != "unlabelled"]
    for name in ("degradation", "referring", "audit"):
        fields = facts.get(name)
        if isinstance(fields, dict):
            about += [(f"{name} {field}", _text(value)) for field, value in fields.items()]
    legend = facts.get("legend")
    if isinstance(legend, dict):
        about += [
            (f"legend {name}", _text(legend.get(name, "")))
            for name in ("form", "color_form", "distance")
        ]
        about.append(("legend absent", ", ".join(_absent_names(legend))[:200]))
    return [(name.replace("_", " "), text) for name, text in about if text]


def _absent_names(legend: Mapping[str, Any]) -> list[str]:
    """What a legend names and the picture does not show."""
    entries = legend.get("entries")
    listed = entries if isinstance(entries, list) else []
    return [
        str(entry.get("name", ""))[:200]
        for entry in listed
        if isinstance(entry, dict) and entry.get("present") is False
    ]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_text, value))[:200]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)[:200]


def _numbers(value: Any, count: int) -> list[float] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    numbers = [number(item) for item in value]
    return None if None in numbers else [item for item in numbers if item is not None]
