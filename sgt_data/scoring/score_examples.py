"""The best, median and worst drawings of a proxy, read again to be looked at."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from PIL import Image

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import CorpusError, PictureError, RequestError
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.pictures.resample import resized
from sgt_data.proxies.taken_facts import scored_facts
from sgt_data.scoring.measure import Drawing, Measure, ScoredSample
from sgt_data.scoring.read_drawing import as_read
from sgt_data.scoring.restoration_measure import RestorationMeasure
from sgt_data.scoring.score_samples import ScoredRow

Rank = Literal["best", "median", "worst"]

Form = Literal["PNG", "JPEG"]

_EACH = 2
_SIDE_MAX = 384
"""Longest side of a shown picture in pixels."""


@dataclass(frozen=True, slots=True)
class ScoredExample:
    """A drawing beside its sample. The pictures are JPEG or PNG files, at most 384 pixels long.

    Attributes:
        rank: among the drawings of its proxy.
        key: of the sample.
        instruction: the sample's text.
        figures: the measures of this picture.
        picture: the sample's input; None where the corpus lacks it.
        target: what was to be drawn.
        drawing: what was drawn.
        read: the drawing as it was decoded; None where that is the drawing itself.
    """

    rank: Rank
    key: str
    instruction: str
    figures: Mapping[str, float]
    picture: bytes | None
    target: bytes
    drawing: bytes
    read: bytes | None


def read_examples(
    corpus: Corpus,
    measure: Measure[Any],
    rows: Sequence[ScoredRow],
    look_again: Callable[[str, str], Drawing | None],
) -> tuple[ScoredExample, ...]:
    """Read the best, median and worst drawings of a proxy, and their samples, again.

    Args:
        corpus: whose samples.
        measure: of the proxy.
        rows: what came of its samples.
        look_again: gives a drawing by proxy and key; None where it came but once.
    """
    examples = []
    for rank, row in _chosen(rows):
        drawing = look_again(row.proxy, row.key)
        if drawing is not None:
            examples.append(_example(corpus, measure, rank, row, drawing))
    return tuple(examples)


def _chosen(rows: Sequence[ScoredRow]) -> list[tuple[Rank, ScoredRow]]:
    """The best, median and worst of the drawings that were measured, each once."""
    ordered = sorted(
        (row for row in rows if row.state == "scored" and row.quality is not None),
        key=lambda row: (-(row.quality or 0), row.number),
    )
    middle = max(0, (len(ordered) - _EACH) // 2)
    places: tuple[tuple[Rank, Sequence[ScoredRow]], ...] = (
        ("best", ordered[:_EACH]),
        ("worst", ordered[-_EACH:]),
        ("median", ordered[middle : middle + _EACH]),
    )
    ranks: dict[int, Rank] = {}
    for rank, some in places:
        for row in some:
            ranks.setdefault(row.number, rank)
    return [
        (rank, row)
        for rank in ("best", "median", "worst")
        for row in ordered
        if ranks.get(row.number) == rank
    ]


def _example(
    corpus: Corpus, measure: Measure[Any], rank: Rank, row: ScoredRow, drawing: Drawing
) -> ScoredExample:
    stored = corpus.reader.read(row.proxy, row.shard, row.place, with_input=False)
    compared = ScoredSample(stored.key, stored.target, scored_facts(stored.facts))
    read = as_read(measure, drawing, compared)
    form: Form = "JPEG" if isinstance(measure, RestorationMeasure) else "PNG"
    return ScoredExample(
        rank, row.key, stored.instruction, row.figures or {}, _input_of(corpus, row),
        _shown(rgb_pixels(stored.target), form), _shown(drawing, form),
        None if read is None else _shown(read, form),
    )  # fmt: skip


def _input_of(corpus: Corpus, row: ScoredRow) -> bytes | None:
    """The input as a JPEG; None where this copy of the corpus has no pictures."""
    try:
        members = corpus.reader.members(row.proxy, row.shard, row.place, ("input",))
        return _shown(rgb_pixels(members["input"]), "JPEG")
    except (KeyError, CorpusError, RequestError, PictureError):
        return None


def _shown(pixels: Drawing, form: Form) -> bytes:
    """A picture small enough for a page. Codes are shrunk without mixing their colours."""
    image = Image.fromarray(np.ascontiguousarray(pixels))
    longest = max(image.size)
    if longest > _SIDE_MAX:
        width, height = (max(1, round(side * _SIDE_MAX / longest)) for side in image.size)
        if form == "PNG":
            image = image.resize((width, height), Image.Resampling.NEAREST)
        else:
            image = resized(image, (width, height))
    out = io.BytesIO()
    if form == "PNG":
        image.save(out, form)
    else:
        image.save(out, form, quality=85)
    return out.getvalue()
