"""A drawing as its measure read it, as a picture to be looked at beside the drawing itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.box_measure import BoxMeasure
from sgt_data.scoring.class_measure import ClassMeasure
from sgt_data.scoring.edge_measure import EdgeMeasure
from sgt_data.scoring.mask_measure import MaskMeasure
from sgt_data.scoring.measure import Drawing, Measure, ScoredSample
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.segment_measure import SegmentMeasure
from sgt_data.scoring.stated_colours import background_of
from sgt_data.scoring.thin_edges import thin_edges

NOTHING: RGB = (128, 128, 128)
"""The colour of pixels that were read as none of the stated colours."""


def as_read(measure: Measure[Any], drawing: Drawing, sample: ScoredSample) -> Drawing | None:
    """What a measure read of a drawing: [H, W, 3], in the colours of the target.

    Label maps show each pixel in the colour that it was read as, edges their thin lines. None where
    a drawing is read as it is.
    """
    if isinstance(measure, EdgeMeasure):
        strength = drawing.astype(np.float64).mean(axis=2) / 255
        levels = np.round(thin_edges(strength) * 255).astype(np.uint8)
        return np.repeat(levels[..., None], 3, axis=2)
    if not isinstance(measure, BoxMeasure | ClassMeasure | MaskMeasure | SegmentMeasure):
        return None
    read = measure.read(drawing, sample)
    return _in_colours(read.labels, [background_of(sample.facts), *read.colours.tolist()])


def _in_colours(labels: NDArray[Any], colours: list[Any]) -> Drawing:
    table = np.array([*colours, NOTHING], np.uint8)  # label -1 is the last
    painted: Drawing = table[labels]
    return painted
