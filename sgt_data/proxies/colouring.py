"""Colours for the segments of one picture, from the palette that the manifest names."""

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
    """[n, 3] colours of the labels 1..n of a map, of category ids [n] and boxes [n, 4] (x, y,
    width, height) in the output.

    Raises:
        AnnotationError: there are more labels than the palette tells apart.
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
        return palettes.by_category(categories, max(subject.vocabulary, default=1), touching)
    if palette == "position":
        return palettes.by_position(boxes, labels.shape[0], labels.shape[1], touching)
    return palettes.tab20(touching, generator(subject.seed, "palette", subject.key))
