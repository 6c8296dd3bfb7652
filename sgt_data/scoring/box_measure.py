"""Measures of drawings that show outlines of boxes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.proxies.decoding import decode
from sgt_data.scoring.average_precision import (
    Matches,
    match_class,
    precision_statistics,
)
from sgt_data.scoring.decoding_options import ROBUST, Decoding
from sgt_data.scoring.drawing_noise import enlarged
from sgt_data.scoring.drawn_colours import read_drawn
from sgt_data.scoring.drawn_map import DrawnMap
from sgt_data.scoring.intervals import (
    Estimate,
    Floats,
    Statistic,
    divide_or_nan,
    finite_estimates,
)
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.overlap import at_one_size
from sgt_data.scoring.segment_pairs import greedy_matches
from sgt_data.scoring.stated_colours import BLACK
from sgt_data.segmentation.label_map import visible_regions


@dataclass(frozen=True, slots=True)
class BoxRow:
    """What is kept of one picture: sum of IoU over matches of boxes, and number of matches and of
    unmatched boxes; the matches of `average_precision`, all boxes being of one class."""

    pairs: tuple[float, int]
    matches: Matches


@dataclass(frozen=True, slots=True)
class BoxMeasure:
    """`mIoU`, `AP`, `AP50`, `AP75` and `AR` of boxes, whatever their class.

    A box is the one around all pixels of a colour, in the target as in the drawing; so a side that
    other boxes cover counts on neither side. The score of a drawn box is its share of the picture.

    Attributes:
        decoding: how drawings are read.
    """

    decoding: Decoding = ROBUST

    def read(self, drawing: Drawing, sample: ScoredSample) -> DrawnMap:
        """The outlines of a drawing."""
        return read_drawn(enlarged(drawing, sample.facts, self.decoding), BLACK, self.decoding)

    def picture(self, drawing: Drawing, sample: ScoredSample) -> BoxRow:
        labels = decode(sample.target, sample.facts).labels
        drawn = self.read(drawing, sample).labels
        target, shown = at_one_size(labels, drawn, self.decoding.compare_at)
        return _row(_boxes(target), _boxes(shown), target.size)

    def quality(self, row: BoxRow) -> float:
        """Mean IoU of boxes; 1 where there are none on either side."""
        total, count = row.pairs
        return total / count if count else 1.0

    def overall(self, rows: Sequence[BoxRow], seed: int) -> dict[str, Estimate]:
        sums = np.array([row.pairs for row in rows], float).T
        statistics: dict[str, Statistic] = {
            "mIoU": lambda weights: divide_or_nan(weights @ sums[0], weights @ sums[1]),
            **precision_statistics([row.matches for row in rows]),
        }
        return finite_estimates(statistics, len(rows), seed)

    def absent(self, sample: ScoredSample) -> BoxRow:
        """The row of an empty drawing."""
        labels = decode(sample.target, sample.facts).labels
        return _row(_boxes(labels), np.zeros((0, 4), np.int64), labels.size)


def _boxes(labels: NDArray[np.integer]) -> NDArray[np.int64]:
    """Boxes [n, 4] (x, y, width, height) around the pixels of each label from 1 on."""
    areas, boxes = visible_regions(np.maximum(labels, 0).astype(np.uint16), int(labels.max()))
    return boxes[areas > 0]


def _row(target: NDArray[np.int64], drawn: NDArray[np.int64], pixels: int) -> BoxRow:
    ious = box_ious(target, drawn)
    matched = greedy_matches(ious)
    scores = drawn[:, 2] * drawn[:, 3] / pixels
    order, hits, ignored = match_class(ious, scores, np.zeros(len(target), np.bool_))
    classes = np.zeros(len(order), np.int64)
    matches = Matches(classes, scores[order], hits, ignored, np.array([len(target)]))
    return BoxRow((float(sum(matched)), len(target) + len(drawn) - len(matched)), matches)


def box_ious(first: NDArray[np.int64], second: NDArray[np.int64]) -> Floats:
    """IoU [n, m] of boxes [n, 4] and [m, 4] (x, y, width, height)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    ends = [boxes[:, :2] + boxes[:, 2:] for boxes in (first, second)]
    high = np.minimum(ends[0][:, None], ends[1][None])
    inside = np.maximum(high - low, 0).prod(axis=2)
    areas = [boxes[:, 2] * boxes[:, 3] for boxes in (first, second)]
    return np.asarray(inside / np.maximum(areas[0][:, None] + areas[1][None] - inside, 1))
