"""Measures of drawings that show a single mask: referring expressions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sgt_data.facts import drawn_segments
from sgt_data.proxies.decoding import decode
from sgt_data.scoring.decoding_options import ROBUST, Decoding
from sgt_data.scoring.drawing_noise import enlarged
from sgt_data.scoring.drawn_map import DrawnMap
from sgt_data.scoring.intervals import (
    Estimate,
    as_share,
    bootstrap,
    divide_or_nan,
    mean_over_pictures,
)
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Labels, at_one_size
from sgt_data.scoring.stated_colours import background_of, read_stated, rgb

WHITE: RGB = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class MaskRow:
    """Pixels of one picture: those that mask and drawing share, those of both together."""

    shared: int
    union: int


@dataclass(frozen=True, slots=True)
class MaskMeasure:
    """`gIoU` and `cIoU` (Liu et al., GRES, CVPR 2023): the mean IoU of pictures, and the sum of
    intersections over the sum of unions.

    Where nothing is meant, an empty drawing has IoU 1, and any other IoU 0.
    """

    decoding: Decoding = ROBUST

    def read(self, drawing: Drawing, sample: ScoredSample) -> DrawnMap:
        """The label map of a drawing, with the colour of the mask."""
        colours = mask_colours(sample.facts)
        drawing = enlarged(drawing, sample.facts, self.decoding)
        labels = read_stated(drawing, [background_of(sample.facts), *colours], self.decoding)
        return DrawnMap.of(labels, colours)

    def picture(self, drawing: Drawing, sample: ScoredSample) -> MaskRow:
        labels = self.read(drawing, sample).labels
        return mask_row(labels, decode(sample.target, sample.facts).labels, self.decoding)

    def quality(self, row: MaskRow) -> float:
        return row_iou(row)

    def overall(self, rows: Sequence[MaskRow], seed: int) -> dict[str, Estimate]:
        return mask_estimates(rows, seed)

    def absent(self, sample: ScoredSample) -> MaskRow:
        """The row of a drawing that shows nothing of the mask, and something where none is."""
        area = int((decode(sample.target, sample.facts).labels > 0).sum())
        return MaskRow(0, max(area, 1))


def mask_row(labels: Labels, target: Any, decoding: Decoding) -> MaskRow:
    """The row of a label map [H, W] of a drawing against that of its target."""
    truth, drawn = at_one_size(target, labels, decoding.compare_at)
    meant, shown = truth > 0, drawn > 0
    return MaskRow(int((meant & shown).sum()), int((meant | shown).sum()))


def row_iou(row: MaskRow) -> float:
    """IoU of a picture; 1 where mask and drawing are both empty."""
    return row.shared / row.union if row.union else 1.0


def mask_estimates(rows: Sequence[MaskRow], seed: int) -> dict[str, Estimate]:
    """`gIoU`, and `cIoU` where any mask or drawing has a pixel."""
    ious = np.array([row_iou(row) for row in rows])
    shared = np.array([row.shared for row in rows], float)
    unions = np.array([row.union for row in rows], float)
    estimates = {"gIoU": as_share(mean_over_pictures(ious, seed))}
    if unions.any():
        estimates["cIoU"] = bootstrap(
            lambda w: divide_or_nan(w @ shared, w @ unions), len(rows), seed
        )
    return estimates


def mask_colours(facts: Mapping[str, Any]) -> list[RGB]:
    """The colours of a mask; white where the facts draw no segment."""
    colours = [rgb(segment["color"]) for segment in drawn_segments(facts.get("segments", ()))]
    return list(dict.fromkeys(colours)) or [WHITE]
