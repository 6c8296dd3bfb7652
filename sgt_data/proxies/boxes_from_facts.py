"""Boxes as a sample's JSON states them: untrusted fields that are checked, and drawn again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.segmentation.box_geometry import Boxes, output_boxes
from sgt_data.segmentation.box_outlines import draw_outlines
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.label_map import LABELS_MAX, LabelMap
from sgt_data.value_text import cut


@dataclass(frozen=True, slots=True)
class StatedBoxes:
    """The boxes that the facts of a sample state.

    Attributes:
        height, width: size of the output.
        stored: height and width of the stored picture.
        orientation: EXIF orientation of the stored picture, 1 to 8.
        line: width of the outlines in pixels.
        boxes: [n, 4], boxes in the output.
        source_boxes: [n, 4], boxes in stored source pixels.
        colours: [n, 3], RGB.
        segments: facts of each box.
    """

    height: int
    width: int
    stored: tuple[int, int]
    orientation: int
    line: int
    boxes: Boxes
    source_boxes: Boxes
    colours: Colours
    segments: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> StatedBoxes:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong, or a box leaves the picture.
        """
        try:
            segments = tuple(drawn_segments(facts["segments"]))
            size, source = facts["size"], facts["source"]
            stated = cls(
                _whole(size["height"], 1),
                _whole(size["width"], 1),
                (_whole(source["size"]["height"], 1), _whole(source["size"]["width"], 1)),
                _whole(source["orientation"], 1),
                _whole(facts["line"], 1),
                _boxes(segment["output_box"] for segment in segments),
                _boxes(segment["box"] for segment in segments),
                np.array([segment["color"] for segment in segments], np.uint8).reshape(-1, 3),
                segments,
            )
            if len(segments) > LABELS_MAX or stated.orientation > 8:
                raise ValueError("too many segments, or no orientation of EXIF's")
        except (KeyError, TypeError, ValueError, OverflowError) as why:
            raise CorpusError(f"the facts do not describe boxes: {in_words(why)}") from why
        ends = stated.boxes[:, :2] + stated.boxes[:, 2:]
        if (ends > (stated.width, stated.height)).any():
            raise CorpusError("the facts have a box that leaves the picture")
        return stated

    def outlines(self) -> LabelMap:
        """Label map of the outlines."""
        return draw_outlines(self.boxes, self.line, self.height, self.width)

    def misplaced(self) -> list[str]:
        """Output boxes that are not the scaled source boxes, as messages."""
        expected = output_boxes(
            self.source_boxes, self.stored, (self.height, self.width), self.orientation
        )
        return [
            f"label {label + 1} has output_box {self.boxes[label].tolist()}; its box "
            f"{self.source_boxes[label].tolist()} makes it {expected[label].tolist()}"
            for label in np.flatnonzero((expected != self.boxes).any(1)).tolist()
        ]


def _boxes(stated: Iterable[Any]) -> Boxes:
    rows = [[_whole(x, 0), _whole(y, 0), _whole(w, 1), _whole(h, 1)] for x, y, w, h in stated]
    return np.array(rows, np.int64).reshape(-1, 4)


def _whole(value: Any, least: int) -> int:
    """An integer from `least` to 2**31 - 1, so that products cannot overflow."""
    if type(value) is not int or not least <= value < 2**31:
        raise ValueError(f"{cut(value, 40)} where a whole number from {least} on belongs")
    return value
