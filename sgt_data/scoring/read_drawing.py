"""A drawing as its measure read it, as a picture to be looked at beside the drawing itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.proxies.decoding import decode
from sgt_data.scoring.class_measure import ClassMeasure, stated_classes
from sgt_data.scoring.decoding_options import Decoding
from sgt_data.scoring.drawing_noise import enlarged
from sgt_data.scoring.drawn_colours import read_drawn
from sgt_data.scoring.edge_measure import EdgeMeasure
from sgt_data.scoring.mask_measure import MaskMeasure, mask_colours
from sgt_data.scoring.measure import Drawing, Measure, ScoredSample
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.segment_measure import SegmentMeasure
from sgt_data.scoring.stated_colours import background_of, read_stated, rgb
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
    decoding = getattr(measure, "decoding", None)
    if not isinstance(decoding, Decoding):
        return None
    drawing = enlarged(drawing, sample.facts, decoding)
    background = background_of(sample.facts)
    stated = _stated(measure, sample)
    if stated is not None:
        colours = [background, *stated]
        return _in_colours(read_stated(drawing, colours, decoding), colours)
    are_alike = isinstance(measure, SegmentMeasure) and measure.are_alike
    read = read_drawn(drawing, background, decoding, are_alike)
    return _in_colours(read.labels, [background, *read.colours.tolist()])


def _stated(measure: Measure[Any], sample: ScoredSample) -> list[RGB] | None:
    """The colours that are looked for in a drawing; None where they are the drawing's own."""
    if isinstance(measure, ClassMeasure):
        if measure.classes:
            return list(measure.classes.values())
        return [entry.colour for entry in stated_classes(sample.facts)]
    if isinstance(measure, MaskMeasure):
        return mask_colours(sample.facts)
    if isinstance(measure, SegmentMeasure) and measure.decoding.colours == "stated":
        segments = decode(sample.target, sample.facts).segments
        return [rgb(segment["color"]) for segment in segments]
    return None


def _in_colours(labels: NDArray[Any], colours: list[Any]) -> Drawing:
    table = np.array([*colours, NOTHING], np.uint8)  # label -1 is the last
    painted: Drawing = table[labels]
    return painted
