"""Measures of drawings that show segments, each in a colour of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.facts import drawn_segments, has_category
from sgt_data.proxies.decoding import decode
from sgt_data.scoring.average_precision import (
    THRESHOLDS,
    Matches,
    match_class,
    precision_statistics,
)
from sgt_data.scoring.decoding_options import ROBUST, Decoding
from sgt_data.scoring.drawing_noise import enlarged, has_noise
from sgt_data.scoring.drawn_colours import read_drawn
from sgt_data.scoring.drawn_map import DrawnMap
from sgt_data.scoring.intervals import (
    Estimate,
    Floats,
    Statistic,
    divide_or_nan,
    finite_estimates,
)
from sgt_data.scoring.like_shades import with_told_shades
from sgt_data.scoring.mask_measure import MaskRow, mask_estimates, mask_row
from sgt_data.scoring.measure import Drawing, ScoredSample
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Counts, at_one_size, shared_pixels
from sgt_data.scoring.panoptic_quality import (
    Segments,
    overlaps,
    panoptic_counts,
    quality_statistics,
)
from sgt_data.scoring.segment_pairs import greedy_matches
from sgt_data.scoring.stated_colours import background_of, read_stated, rgb
from sgt_data.segmentation.colours import pack
from sgt_data.segmentation.connected_areas import largest_areas

AREAS_MAX = 4096
"""Most connected areas of a target, and of a drawing, that are segments; smaller ones are not
measured, or are wrong wherever they lie. Pairs of both are counted in one table."""


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """What is kept of one picture.

    Attributes:
        pairs: sum of IoU over matches of segments, and number of matches, unmatched segments and
            unmatched regions.
        classes: names of the classes of the target and the drawing; one empty name where segments
            have no class.
        quality: [classes, 4], see `panoptic_counts`.
        matches: see `average_precision`; its class numbers are places in `classes`.
        mask: pixels that are drawn at all.
    """

    pairs: tuple[float, int]
    classes: tuple[str, ...]
    quality: Floats
    matches: Matches
    mask: MaskRow


@dataclass(frozen=True, slots=True)
class SegmentMeasure:
    """`mIoU`, `PQ`, `SQ`, `RQ`, `AP`, `AP50`, `AP75` and `AR` of segments.

    A drawing states no confidence: the score of a segment is its share of the picture, so the
    largest come first.

    Attributes:
        classes: colours of the corpus' classes, where colours stand for classes (palette
            `category`): a drawn segment has the class of the nearest. Else empty: all segments are
            of one class.
        is_void: whether the target's unlabelled pixels are void, as in COCO's panoptic task.
        has_absent: whether targets may be empty, so that `gIoU` and `cIoU` of all that is drawn
            are measured, too.
        are_alike: whether several segments may look alike (palettes `tab20`, `position` and
            `category`), so that connected areas are told apart in drawings with noise.
        decoding: how drawings are read.
        by_area: whether each connected area of a colour is a segment, in targets and drawings: of
            targets that were made elsewhere nothing else is known.
    """

    classes: Mapping[str, RGB] = field(default_factory=dict)
    is_void: bool = False
    has_absent: bool = False
    are_alike: bool = False
    decoding: Decoding = ROBUST
    by_area: bool = False

    def read(self, drawing: Drawing, sample: ScoredSample) -> DrawnMap:
        """The segments of a drawing."""
        background = background_of(sample.facts)
        drawing = enlarged(drawing, sample.facts, self.decoding)
        if not self.by_area:
            return self._read(drawing, background, sample)
        stated = [background, *(rgb(each["color"]) for each in _drawn(sample))]
        if _has_no_other_colours(drawing, stated):  # those of elsewhere may look like noise
            exact = replace(self.decoding, reach=0, reject=None)
            return _split(DrawnMap.of(read_stated(drawing, stated, exact), stated[1:]))
        return _split(self._read(drawing, background, sample))

    def _read(self, drawing: Drawing, background: RGB, sample: ScoredSample) -> DrawnMap:
        if self.decoding.colours == "drawn" and not self.classes:
            return read_drawn(drawing, background, self.decoding, self.are_alike)
        colours = [rgb(segment["color"]) for segment in _drawn(sample)]
        colours += [colour for colour in self.classes.values() if colour not in colours]
        labels = read_stated(drawing, [background, *colours], self.decoding)
        if self.are_alike and self.decoding.reach and has_noise(drawing, self.decoding):
            table = np.array([background, *colours], np.int32)
            labels = with_told_shades(drawing, labels, table)
        return DrawnMap.of(labels, colours)

    def picture(self, drawing: Drawing, sample: ScoredSample) -> SegmentRow:
        return self.row(self.read(drawing, sample), sample)

    def quality(self, row: SegmentRow) -> float:
        """Mean IoU of segments; whether the drawing is empty, where the target is."""
        total, count = row.pairs
        return total / count if count else 1.0

    def overall(self, rows: Sequence[SegmentRow], seed: int) -> dict[str, Estimate]:
        rows = _with_same_classes(rows)
        sums = np.array([row.pairs for row in rows], float).T
        statistics: dict[str, Statistic] = {
            "mIoU": lambda weights: divide_or_nan(weights @ sums[0], weights @ sums[1]),
            **quality_statistics([row.quality for row in rows]),
            **precision_statistics([row.matches for row in rows]),
        }
        estimates = finite_estimates(statistics, len(rows), seed)
        if self.has_absent:
            estimates.update(mask_estimates([row.mask for row in rows], seed))
        return estimates

    def absent(self, sample: ScoredSample) -> SegmentRow:
        """The row of an empty drawing; where the target is empty, of one that is full."""
        labels = decode(sample.target, sample.facts).labels
        full = np.full(labels.shape, 0 if labels.any() else 1, np.int32)
        return self.row(DrawnMap(full, np.zeros((int(full.max()), 3), np.uint8)), sample)

    def row(self, drawn: DrawnMap, sample: ScoredSample) -> SegmentRow:
        """The row of a drawing that was read already."""
        decoded = decode(sample.target, sample.facts)
        stated, all_labels = decoded.segments, decoded.labels
        if self.by_area:
            all_labels, former = largest_areas(all_labels.astype(np.int32), AREAS_MAX, 0)
            stated = tuple(stated[label - 1] for label in former.tolist())
        target, labels = at_one_size(all_labels, drawn.labels, self.decoding.compare_at)
        shared = shared_pixels(target, labels, len(stated) + 1, len(drawn.colours) + 1)
        names, segments = self._segments(stated, drawn.colours)
        ious = overlaps(shared, is_void=False)
        return SegmentRow(
            segment_pairs(shared, ious),
            names,
            panoptic_counts(shared, segments, len(names), self.is_void),
            _matches(shared, ious, segments, len(names)),
            mask_row(labels, target, replace(self.decoding, compare_at="target")),
        )

    def _segments(
        self, stated: Sequence[Mapping[str, Any]], drawn_colours: NDArray[np.uint8]
    ) -> tuple[tuple[str, ...], Segments]:
        are_ignored = self.decoding.crowds == "ignored"
        crowds = np.array(
            [are_ignored and bool(segment.get("iscrowd", 0)) for segment in stated], np.bool_
        )
        if not self.classes:
            one_class = np.zeros(len(stated), np.int64), np.zeros(len(drawn_colours), np.int64)
            return ("",), Segments(*one_class, crowds)
        true_names = [segment["category"] if has_category(segment) else "" for segment in stated]
        drawn_names = self._nearest_classes(stated, drawn_colours)
        names = tuple(sorted({*true_names, *drawn_names}))
        numbers = {name: number for number, name in enumerate(names)}
        return names, Segments(
            np.array([numbers[name] for name in true_names], np.int64),
            np.array([numbers[name] for name in drawn_names], np.int64),
            crowds,
        )

    def _nearest_classes(
        self, stated: Sequence[Mapping[str, Any]], drawn_colours: NDArray[np.uint8]
    ) -> list[str]:
        """The class of each drawn colour: that of the nearest colour, the target's own shades
        first."""
        entries = [(segment["category"], segment["color"]) for segment in stated]
        entries += list(self.classes.items())
        table = np.array([colour for _, colour in entries], np.int64).reshape(-1, 3)
        gaps = ((drawn_colours.astype(np.int64)[:, None] - table[None]) ** 2).sum(2)
        return [entries[number][0] for number in gaps.argmin(axis=1).tolist()]


def _drawn(sample: ScoredSample) -> list[Mapping[str, Any]]:
    return drawn_segments(sample.facts["segments"])


def _has_no_other_colours(drawing: Drawing, colours: Sequence[RGB]) -> bool:
    """Whether all pixels of a drawing have one of some colours."""
    return bool(np.isin(pack(drawing), pack(np.array(colours))).all())


def _split(drawn: DrawnMap) -> DrawnMap:
    """A drawing in which each connected area of a colour is a segment."""
    labels, former = largest_areas(drawn.labels, AREAS_MAX, -1)
    return DrawnMap(labels, drawn.colours[former - 1])


def segment_pairs(shared: Counts, ious: Floats) -> tuple[float, int]:
    """Sum of IoU over greedy matches; number of matches and of unmatched segments and regions."""
    matches = greedy_matches(ious)
    segments = int((shared[1:].sum(axis=1) > 0).sum())
    regions = int((shared[:, 1:-1].sum(axis=0) > 0).sum())
    return float(sum(matches)), segments + regions - len(matches)


def _matches(shared: Counts, ious: Floats, segments: Segments, classes: int) -> Matches:
    areas = shared[:, 1:-1].sum(axis=0)
    seen = shared[1:].sum(axis=1) > 0
    inside = shared[1:, 1:-1] / np.maximum(areas, 1)
    ious = np.where(segments.crowds[:, None], inside, ious)
    scores = areas / max(int(shared.sum()), 1)
    parts = []
    for number in range(classes):
        rows = np.flatnonzero((segments.target_classes == number) & seen)
        columns = np.flatnonzero((segments.drawn_classes == number) & (areas > 0))
        order, matched, ignored = match_class(
            ious[np.ix_(rows, columns)], scores[columns], segments.crowds[rows]
        )
        parts.append((np.full(len(order), number), scores[columns][order], matched, ignored))
    positives = np.bincount(segments.target_classes[seen & ~segments.crowds], minlength=classes)
    if not parts:
        nothing = np.zeros((0, len(THRESHOLDS)), np.bool_)
        return Matches(np.zeros(0, np.int64), np.zeros(0), nothing, nothing, positives)
    numbers, ordered, matched, ignored = (
        np.concatenate(columns) for columns in zip(*parts, strict=True)
    )
    return Matches(numbers, ordered, matched, ignored, positives)


def _with_same_classes(rows: Sequence[SegmentRow]) -> list[SegmentRow]:
    """The rows, with the classes of all in each."""
    names = sorted({name for row in rows for name in row.classes})
    numbers = {name: number for number, name in enumerate(names)}
    same = []
    for row in rows:
        places = np.array([numbers[name] for name in row.classes], np.int64)
        quality = np.zeros((len(names), 4))
        quality[places] = row.quality
        positives = np.zeros(len(names), np.int64)
        positives[places] = row.matches.positives
        matches = replace(row.matches, classes=places[row.matches.classes], positives=positives)
        same.append(replace(row, classes=tuple(names), quality=quality, matches=matches))
    return same
