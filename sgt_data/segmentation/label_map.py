"""Masks -> label map at the output size, without a bitmap at the size of the source.

Masks are painted largest first, so that the smallest lies on top; equal areas in rising id. Only
output pixels are visited: each run is cut against tables of the sampled rows and columns.

Why it is ours: decoding every mask with pycocotools and painting it by a boolean index gives the
same map and takes some 300 times as long (benchmarks/label_map.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgt_data.compiled import njit
from sgt_data.segmentation.box_geometry import turned_boxes
from sgt_data.segmentation.pixel_sampling import SampleGrid
from sgt_data.segmentation.run_lengths import MaskRuns

LabelMap = NDArray[np.uint16]
"""[H, W] uint16, 0 where nothing is labelled."""

Columns = NDArray[np.uint8] | NDArray[np.uint16]

LABELS_MAX = np.iinfo(np.uint16).max
"""Most labels of a map."""
TOUCHING_LABELS_MAX = 8192
"""Most labels for which `touching_labels` makes its table (64 MiB)."""


@dataclass(frozen=True, slots=True)
class MeasuredMap:
    """A label map, and what is visible of each label that was painted.

    Attributes:
        labels: the map. The labels that are visible are 1 to n, in the order of the labels that
            were painted.
        areas: [count], visible pixels of each label that was painted.
        boxes: [count, 4], boxes of these pixels as x, y, width, height (zeros where none is
            visible).
    """

    labels: LabelMap
    areas: NDArray[np.int64]
    boxes: NDArray[np.int64]


class _Runs(NamedTuple):
    """`MaskRuns` in the form that compiled code takes."""

    runs: NDArray[np.int64]
    starts: NDArray[np.int64]
    height: int


class _Samples(NamedTuple):
    """Which source pixels are sampled.

    Attributes:
        columns: source column of each output column, rising.
        first_column: for each source column, the first output column at or after it.
        first_row: for each source row, the first output row at or after it.
    """

    columns: NDArray[np.int64]
    first_column: NDArray[np.int64]
    first_row: NDArray[np.int64]


def painting_order(areas: NDArray[np.int64], ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """Positions of masks in painting order, [K] int64: the largest first, equal areas by id.

    Args:
        areas: [K], pixels of each mask.
        ids: [K], id of each mask.
    """
    return np.lexsort((ids, -areas)).astype(np.int64)


def paint(
    masks: MaskRuns, order: NDArray[np.int64], labels: NDArray[np.uint16], grid: SampleGrid
) -> LabelMap:
    """Paint masks over each other at the output size.

    Args:
        masks: the K masks.
        order: positions of the masks to paint, the lowest layer first.
        labels: [K], label of each mask.
        grid: which source pixels the output shows.

    Returns:
        Upright label map [h, w]; the label of an output pixel is that at the source pixel under its
        centre.
    """
    columns_first = _paint_columns(masks, order, labels, grid)
    return _turned(columns_first, np.arange(labels.max(initial=0) + 1, dtype=np.uint16), grid)


def paint_measured(
    masks: MaskRuns, order: NDArray[np.int64], labels: NDArray[np.uint16], grid: SampleGrid
) -> MeasuredMap:
    """Paint masks over each other, measure what is visible, and leave no gaps among the labels.

    Args:
        masks, order, labels, grid: see `paint`; the labels are 1 to their maximum.
    """
    columns_first = _paint_columns(masks, order, labels, grid)
    areas, boxes = visible_regions(columns_first, int(labels.max(initial=0)))
    frame = len(grid.rows), len(grid.columns)
    turned = turned_boxes(boxes[:, [1, 0, 3, 2]], frame, grid.orientation)
    boxes = np.where(areas[:, None] > 0, turned, 0)
    return MeasuredMap(_turned(columns_first, _numbers_of_visible(areas), grid), areas, boxes)


def measure_map(labels: LabelMap, count: int) -> MeasuredMap:
    """Measure what is visible of the labels 1 to `count`, and leave no gaps among them."""
    areas, boxes = visible_regions(labels, count)
    if not areas.all():
        labels = _numbers_of_visible(areas)[labels]
    return MeasuredMap(labels, areas, boxes)


def _numbers_of_visible(areas: NDArray[np.int64]) -> NDArray[np.uint16]:
    """New number of each label, [count + 1]: 1, 2, 3 ... for those with an area, 0 for the rest.

    Args:
        areas: [count], visible pixels of the labels 1 to count.
    """
    visible = np.concatenate(([False], areas > 0))
    return np.where(visible, np.cumsum(visible), 0).astype(np.uint16)


def _paint_columns(
    masks: MaskRuns, order: NDArray[np.int64], labels: NDArray[np.uint16], grid: SampleGrid
) -> Columns:
    """The label of each sampled column and row, [columns, rows], in the stored frame.

    Up to 255 labels take a byte each, which halves the memory that three passes go through.
    """
    shape = len(grid.columns), len(grid.rows)
    is_small = labels.max(initial=0) <= np.iinfo(np.uint8).max
    columns_first: Columns = np.zeros(shape, np.uint8) if is_small else np.zeros(shape, np.uint16)
    samples = _Samples(
        grid.columns,
        _first_sample_at(grid.columns, masks.width),
        _first_sample_at(grid.rows, masks.height),
    )
    _paint(_Runs(masks.runs, masks.starts, masks.height), order, labels, samples, columns_first)
    return columns_first


def _turned(columns_first: Columns, numbers: NDArray[np.uint16], grid: SampleGrid) -> LabelMap:
    """The upright map, in which label k is `numbers[k]`."""
    stored = np.empty(columns_first.shape[::-1], np.uint16)
    _transpose(columns_first, numbers, stored)
    return grid.upright(stored)


def visible_regions(labels: Columns, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Visible pixels and boxes of labels 1 to `count` in a map.

    Returns:
        Pixels of each label [count], and boxes [count, 4] as x, y, width, height (zeros where no
        pixel is visible).
    """
    areas = np.zeros(count + 1, np.int64)
    limits = np.empty((count + 1, 4), np.int64)
    _measure(labels, areas, limits)
    boxes = np.zeros((count, 4), np.int64)
    visible = areas[1:] > 0
    left, top, right, bottom = limits[1:][visible].T
    boxes[visible] = np.stack((left, top, right - left + 1, bottom - top + 1), axis=1)
    return areas[1:], boxes


def mask_boxes(masks: MaskRuns) -> NDArray[np.int64]:
    """Boxes of masks in stored source pixels: [K, 4] x, y, width, height (zeros where empty)."""
    return _mask_boxes(masks.runs, masks.starts, masks.height)


def touching_labels(labels: LabelMap, count: int) -> NDArray[np.bool_]:
    """Table of the labels 1 to `count` that share a side or a corner of a pixel.

    Returns:
        Symmetric [count + 1, count + 1] bool; row and column 0 (unlabelled) are false.
    """
    touching = np.zeros((count + 1, count + 1), np.bool_)
    _touch(labels, touching)
    return touching


def _first_sample_at(samples: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """For each source index 0 to `size`, the first output index whose sample is not before it."""
    return np.searchsorted(samples, np.arange(size + 1)).astype(np.int64)


@njit
def _paint(
    masks: _Runs,
    order: NDArray[np.int64],
    labels: NDArray[np.uint16],
    samples: _Samples,
    painted: Columns,
) -> None:
    runs, starts, height = masks.runs, masks.starts, masks.height
    columns, first_column, first_row = samples.columns, samples.first_column, samples.first_row
    for mask in order:
        label = labels[mask]
        begin = np.int64(0)
        column = np.int64(0)
        column_begin = np.int64(0)
        run = starts[mask]
        last = starts[mask + 1]
        while run + 1 < last:
            begin += runs[run]
            end = begin + runs[run + 1]
            run += 2
            if end == begin:
                continue
            if begin - column_begin >= 4 * height:
                column = begin // height
                column_begin = column * height
            while begin - column_begin >= height:
                column += 1
                column_begin += height
            sample = first_column[column]
            while sample < len(columns):
                at = columns[sample] * height
                if at >= end:
                    break
                top = max(begin - at, 0)
                bottom = min(end - at, height)
                for row in range(first_row[top], first_row[bottom]):
                    painted[sample, row] = label
                sample += 1
            begin = end


@njit
def _transpose(
    columns_first: Columns, numbers: NDArray[np.uint16], rows_first: NDArray[np.uint16]
) -> None:
    """Turn rows and columns, and look up each label's number on the way.

    Eight lines at a time: a plain transpose thrashes the cache where the stride is a power of two,
    as it is at 1024 pixels.
    """
    columns, rows = columns_first.shape
    whole = columns - columns % 8
    for begin in range(0, whole, 8):
        for row in range(rows):
            for step in range(8):
                rows_first[row, begin + step] = numbers[columns_first[begin + step, row]]
    for column in range(whole, columns):
        for row in range(rows):
            rows_first[row, column] = numbers[columns_first[column, row]]


@njit
def _measure(labels: Columns, areas: NDArray[np.int64], limits: NDArray[np.int64]) -> None:
    height, width = labels.shape
    limits[:, 0] = width
    limits[:, 1] = height
    limits[:, 2:] = -1
    for y in range(height):
        x = 0
        while x < width:
            label = labels[y, x]
            begin = x
            while x < width and labels[y, x] == label:
                x += 1
            areas[label] += x - begin
            limits[label, 0] = min(limits[label, 0], begin)
            limits[label, 1] = min(limits[label, 1], y)
            limits[label, 2] = max(limits[label, 2], x - 1)
            limits[label, 3] = max(limits[label, 3], y)


@njit
def _mask_boxes(
    runs: NDArray[np.int64], starts: NDArray[np.int64], height: int
) -> NDArray[np.int64]:
    boxes = np.zeros((len(starts) - 1, 4), np.int64)
    for mask in range(len(starts) - 1):
        left, right, top, bottom = np.int64(-1), np.int64(-1), np.int64(height), np.int64(-1)
        begin = np.int64(0)
        for run in range(starts[mask], starts[mask + 1] - 1, 2):
            begin += runs[run]
            end = begin + runs[run + 1]
            if end > begin:
                first, last = begin // height, (end - 1) // height
                if left < 0:
                    left = first
                right = last
                if first != last:
                    top, bottom = np.int64(0), np.int64(height - 1)
                else:
                    top = min(top, begin - first * height)
                    bottom = max(bottom, end - 1 - first * height)
            begin = end
        if left >= 0:
            boxes[mask] = (left, top, right - left + 1, bottom - top + 1)
    return boxes


@njit
def _touch(labels: NDArray[np.uint16], touching: NDArray[np.bool_]) -> None:
    height, width = labels.shape
    for y in range(height):
        for x in range(width):
            label = labels[y, x]
            if label == 0:
                continue
            for step in range(4):
                ny = y + (1 if step > 0 else 0)
                nx = x + (1 if step == 0 else step - 2)
                if ny < height and 0 <= nx < width:
                    other = labels[ny, nx]
                    if other != label and other != 0:
                        touching[label, other] = True
                        touching[other, label] = True
