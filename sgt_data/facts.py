"""The form of a sample's JSON (its facts): what is written where a source states nothing, and how
both forms are read.

Readers such as Hugging Face `datasets` settle the types of a table by its first rows. So every key
is always written, with one type, and no list or object is empty in one sample alone: what cannot be
drawn stands in `segments` with the label 0. Corpora of format 1.0 state it in lists of their own
(`others`, `hidden`), and leave keys out where the source states nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

CORPUS_FORMAT = "sgt_data corpus"
"""Stands as `format` in `corpus.json`."""

FORMAT_VERSION = 1
"""Version of the format on disk."""

FORMAT_MINOR = 1
"""Form of the samples' JSON that builds write. Corpora of format 1.0 state no minor version. All
minor versions up to `NEWEST_MINOR` are read."""

NEWEST_MINOR = 2
"""Minor version that `corpus.json` states where a proxy reverses another: earlier readers, which
would look for pictures in its tars, say that a newer one is needed. The JSON of samples is that of
`FORMAT_MINOR`."""

STATED = "stated"
"""Name of the bank of samples whose source states the instruction itself."""

REVERSED = "reversed"
"""Key in the JSON of a sample whose pictures are those of another proxy, the other way round."""

NO_CATEGORY_ID = -1
"""`category_id` of a segment whose source has no categories; its `category` is empty."""

NO_SCORE = -1.0
"""`predicted_iou` or `stability_score` of a segment whose source has no such score."""

NOT_DRAWN: Mapping[str, Any] = {"label": 0, "color": [0, 0, 0]}
"""Label and colour of a segment of which the target shows nothing."""

NO_BOX = [0, 0, 0, 0]
"""Box of nothing (x, y, width, height)."""


UNIFORM_TYPES = frozenset(
    {"boxes", "colorization", "deblur", "denoise", "depth", "derain", "each", "edge", "enhance",
     "generate", "inpainting", "legend", "mae", "metric_depth", "normals", "paired",
     "reconstruction", "referring", "segmentation", "super_resolution"}
)  # fmt: skip
"""Types of proxies whose samples' JSON has one form: those of this package."""


def have_one_form(facts: Mapping[str, Any]) -> bool:
    """Whether the JSON of this sample has the keys and the types of all others of its folder."""
    return facts.get("minor", 0) >= 1 and facts.get("type", "boxes") in UNIFORM_TYPES


def reversed_facts(facts: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """What the JSON of a reversed sample says of the proxy whose target is its input; else None."""
    stated = facts.get(REVERSED)
    return stated if isinstance(stated, Mapping) else None


def drawn_segments(stated: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The segments that the target shows, of those that `segments` states.

    Raises:
        TypeError: an item is no object.
    """
    return [segment for segment in stated if not _is_undrawn(segment)]


def undrawn_segments(facts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The segments that the target does not show: hidden ones, and those that a phrase does not
    mean.

    Raises:
        KeyError, TypeError: there are no segments, or an item is no object.
    """
    undrawn = [segment for segment in facts["segments"] if _is_undrawn(segment)]
    return [*undrawn, *facts.get("others", ()), *facts.get("hidden", ())]


def has_category(segment: Mapping[str, Any]) -> bool:
    """Whether the source states a category of a segment."""
    return "category" in segment and segment.get("category_id") != NO_CATEGORY_ID


def _is_undrawn(segment: Mapping[str, Any]) -> bool:
    return "label" in segment and bool(segment["label"] == 0)
