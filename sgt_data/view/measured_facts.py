"""Numbers that a sample's facts, instruction and target give for distributions. Pure.

Facts are text from outside: what is not of the expected form gives no number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.view.sample_document import sample_document

FACT_CHARTS: tuple[tuple[str, str, str, bool, bool], ...] = (
    ("area", "Area of a segment", "% of the picture", False, True),
    ("coverage", "Coverage of a picture", "% of the picture", False, False),
    ("colour_distance", "Nearest colours of a picture", "RGB levels apart", False, False),
    ("near", "Nearest depth", "m", False, False),
    ("far", "Farthest depth", "m", False, False),
    ("depth_range", "Range of inverse depth", "relative", False, False),
    ("edges", "Edge density", "% of full strength", False, False),
    ("words", "Length of an instruction", "words", True, False),
)
"""Name, title, unit, whether values are whole, whether ranges are logarithmic."""

_COLOURS_MAX = 2000


def values_of(facts: Mapping[str, Any], instruction: str, target: bytes) -> dict[str, list[float]]:
    """Values by name of the chart that they belong to.

    Args:
        facts: the sample's JSON.
        instruction: its text.
        target: bytes of its target; decoded for edges alone.

    Raises:
        ValueError: the target of an edge proxy cannot be decoded.
    """
    document = sample_document(facts, instruction)
    values: dict[str, list[float]] = {"words": [float(len(instruction.split()))]}
    size, segments = document["size"], document["segments"]
    if size and segments:
        values |= _of_segments(segments, size[0] * size[1], document["reading"])
    if document["depth"]:
        values |= _of_depth(document["depth"])
    if distance := document["distance"]:
        values |= {"near": [distance["near"]], "far": [distance["far"]]}
    if document["reading"] == "level":
        values["edges"] = [100 * float(rgb_pixels(target)[..., 0].mean()) / 255]
    return values


def _of_segments(
    segments: Sequence[Mapping[str, Any]], pixels: int, reading: str
) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    areas = [_area(segment) for segment in segments]
    if pixels > 0 and all(area is not None for area in areas):
        shares = [100 * area / pixels for area in areas if area is not None]
        values["area"] = shares
        if reading != "boxes":  # which overlap
            values["coverage"] = [min(100.0, sum(shares))]
    colours = [segment["color"] for segment in segments if segment["color"]]
    if len(colours) > 1 and reading != "mask":
        values["colour_distance"] = [_nearest(colours[:_COLOURS_MAX])]
    return values


def _area(segment: Mapping[str, Any]) -> float | None:
    """Visible pixels of a segment; of a box, all that it encloses."""
    if segment["area"] is not None:
        return float(segment["area"])
    box = segment["box"]
    return None if box is None else float(box[2] * box[3])


def _nearest(colours: Sequence[Sequence[float]]) -> float:
    """The smallest Euclidean distance between two of some colours."""
    table = np.array(colours, np.float64)
    gaps = ((table[:, None] - table[None]) ** 2).sum(2)
    np.fill_diagonal(gaps, np.inf)
    return float(np.sqrt(gaps.min()))


def _of_depth(depth: Mapping[str, Any]) -> dict[str, list[float]]:
    low, high = depth["low"], depth["high"]
    if not depth["metric"]:
        return {"depth_range": [high - low]}
    if low <= 0 or high <= 0:
        return {}
    return {"near": [1 / high], "far": [1 / low]}
