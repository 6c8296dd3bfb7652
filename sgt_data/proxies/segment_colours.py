"""Colours of the segments of a picture, by the palette that the manifest names."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.proxies.base import Subject
from sgt_data.seeds import generator
from sgt_data.segmentation import palettes
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.label_map import TOUCHING_LABELS_MAX, LabelMap, touching_labels


def colour_segments(
    palette: palettes.Palette,
    labels: LabelMap,
    categories: NDArray[np.int64],
    boxes: NDArray[np.int64],
    subject: Subject,
) -> Colours:
    """Colours [n, 3] of the labels 1 to n of a map.

    Args:
        palette: name of the palette.
        labels: [H, W], the label map.
        categories: [n], category id of each label.
        boxes: [n, 4], box of each label in the output (x, y, width, height).
        subject: whose seed, key and vocabulary count.

    Raises:
        AnnotationError: there are more labels than the palette can distinguish.
    """
    count = len(categories)
    if palette == "distinct":
        return palettes.distinct(count, generator(subject.seed, "palette", subject.key))
    if count > TOUCHING_LABELS_MAX:
        raise AnnotationError(
            f"{count} visible segments; the palette {palette} tells at most "
            f"{TOUCHING_LABELS_MAX} apart, distinct tells all"
        )
    touching = touching_labels(labels, count)
    if palette == "category":
        return palettes.by_category(
            *palettes.category_numbers(categories, subject.vocabulary), touching
        )
    if palette == "position":
        return palettes.by_position(boxes, labels.shape[0], labels.shape[1], touching)
    return palettes.tab20(touching, generator(subject.seed, "palette", subject.key))
