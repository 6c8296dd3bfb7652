"""The boxes proxy (SGT's "detect"): picture -> outlines of bounding boxes.

Outlines lie on black or over the picture, each in a colour of its own. A box is that of the whole
annotated mask, hidden parts included. Larger boxes are painted first: small ones lie on top.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import Field

from sgt_data.errors import CorpusError
from sgt_data.facts import NO_BOX, has_category
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_source import Picture
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.boxes_from_facts import StatedBoxes
from sgt_data.proxies.choose_segments import SegmentFilters, annotation_of
from sgt_data.records import DrawnTarget, Layer
from sgt_data.seeds import generator
from sgt_data.segmentation import palettes
from sgt_data.segmentation.box_geometry import output_boxes
from sgt_data.segmentation.box_outlines import draw_outlines
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.label_map import LabelMap, painting_order, visible_regions
from sgt_data.segmentation.regions import (
    PaintedSegments,
    Positions,
    Regions,
    regions_of,
)
from sgt_data.segmentation.target_png import DecodedSegmentation, decode_target, encode_target
from sgt_data.value_text import cut

Look = Literal["black", "overlay"]

OVERLAY_QUALITY = 95
OVERLAY_ERROR_MAX = 8.0
"""Largest mean distance between an overlaid outline and its colour, in levels, over its visible
pixels and the three channels. JPEG 95 at 4:4:4 moves colours by 1.6 on average of COCO, and by at
most 4.5 on noise with lines of one pixel."""

_LAYERS: tuple[Layer, ...] = ("instances", "panoptic", "entities")
_LINES_ACROSS = 200  # lines that would fill the shorter side: 3 pixels at 512, 5 at 1024


class BoxesProxy(Proxy):
    """Proxy that draws the bounding boxes of objects.

    Target:
        Outline of the bounding box of each segment, in a colour of its own, on black (a PNG) or
        over the picture (a JPEG).

    Examples:
        {type: boxes}
        {type: boxes, name: boxes-overlay, look: overlay}

    Attributes:
        look: outlines on `black` (a lossless PNG), or as an `overlay` on the picture (a JPEG).
        line: width of the outlines in output pixels; by default a 200th of the shorter side,
            rounded, and at least 2.
        filters: which boxes are drawn.
    """

    tier: ClassVar[Tier] = "high"

    type: Literal["boxes"] = "boxes"
    name: str = "boxes"
    look: Look = "black"
    line: int | None = Field(None, ge=1, le=64)
    filters: SegmentFilters = SegmentFilters()

    @property
    def shows_picture(self) -> bool:
        return self.look == "overlay"

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if layers & set(_LAYERS):
            return None
        return f"boxes need annotations of {' or '.join(_LAYERS)}"

    def bank(self) -> str:
        return "boxes" if self.look == "black" else "boxes_overlay"

    def draw(self, subject: Subject) -> DrawnTarget:
        layer, annotation = annotation_of(subject, _LAYERS)
        regions = regions_of(annotation)
        chosen, dropped = self.filters.choose(regions, subject.vocabulary, layer == "panoptic")
        picture = subject.picture
        line = self.line or _default_line(picture)
        labels, drawn = _paint(regions, chosen, picture, line)
        self.filters.require_visible(len(drawn.visible))
        rng = generator(subject.seed, "palette", subject.key)
        colours = palettes.distinct(len(drawn.visible), rng)
        segments = [
            {
                "label": label,
                "color": colour,
                **regions.describe(position, subject.vocabulary),
                "output_box": box,
            }
            for label, (position, colour, box) in enumerate(
                zip(drawn.visible.tolist(), colours.tolist(), drawn.boxes.tolist(), strict=True), 1
            )
        ]
        hidden = drawn.describe_hidden(regions, subject.vocabulary, {"output_box": NO_BOX})
        facts: dict[str, Any] = {
            "look": self.look,
            "line": line,
            "segments": segments + hidden,
            "dropped": dropped,
        }
        names = {fact["category"] for fact in segments if has_category(fact)}
        drawn_as = partial(
            DrawnTarget, facts=facts, segments=len(segments), categories=tuple(sorted(names))
        )
        if self.look == "black":
            return drawn_as(encode_target(labels, colours), "png")
        return drawn_as(_overlay(picture, labels, colours), "jpg")

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        if facts.get("look") == "overlay":
            return "photo with outlines of boxes drawn over it"
        return "drawing of boxes on black (one around each object)"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
        """The label map of the outlines, and the facts of each box.

        On black it is decoded from the pixels. An overlay has lossy pixels: the outlines are drawn
        from the facts.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        if _look(facts) == "black":
            return decode_target(target, facts)
        stated = StatedBoxes.of(facts)
        _overlay_pixels(target, stated)
        return DecodedSegmentation(stated.outlines(), stated.segments)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        stated = StatedBoxes.of(facts)
        if _look(facts) == "black":
            decoded = decode_target(target, facts).labels
            expected = stated.outlines()
            wrong = _wrong_pixels(decoded, expected)
        else:
            pixels = _overlay_pixels(target, stated)
            expected = stated.outlines()
            wrong = _wrong_colours(pixels, expected, stated.colours)
        areas, _ = visible_regions(expected, len(stated.boxes))
        hidden = [f"label {label + 1} is hidden" for label in np.flatnonzero(areas == 0).tolist()]
        return [*wrong, *hidden, *stated.misplaced()]


def _default_line(picture: Picture) -> int:
    shorter = min(picture.width, picture.height)
    return max(2, (2 * shorter + _LINES_ACROSS) // (2 * _LINES_ACROSS))


def _paint(
    regions: Regions, chosen: Positions, picture: Picture, line: int
) -> tuple[LabelMap, PaintedSegments]:
    """Outlines of the boxes of the chosen segments; visible ones get labels in painting order."""
    sizes = regions.boxes[:, 2] * regions.boxes[:, 3]
    order = chosen[painting_order(sizes[chosen], regions.ids[chosen])]
    empty = sizes[order] == 0
    boxes = output_boxes(
        regions.boxes[order[~empty]],
        (regions.height, regions.width),
        (picture.height, picture.width),
        picture.stored.orientation,
    )
    labels = draw_outlines(boxes, line, picture.height, picture.width)
    areas, _ = visible_regions(labels, len(boxes))
    visible = areas > 0
    if not visible.all():
        labels = draw_outlines(boxes[visible], line, picture.height, picture.width)
    hidden = np.concatenate((order[~empty][~visible], order[empty]))
    painted = PaintedSegments(order[~empty][visible], areas[visible], boxes[visible], hidden)
    return labels, painted


def _overlay(picture: Picture, labels: LabelMap, colours: Colours) -> bytes:
    """The picture with the outlines over it, as a JPEG without chroma subsampling."""
    pixels = picture.pixels.copy()
    on = labels > 0
    pixels[on] = colours[labels[on] - 1]
    return picture.encode(Image.fromarray(pixels), OVERLAY_QUALITY, "4:4:4")


def _look(facts: Mapping[str, Any]) -> Look:
    look = facts.get("look")
    if look not in ("black", "overlay"):
        raise CorpusError(f"the facts name no look of boxes: {cut(look, 40)}")
    return "black" if look == "black" else "overlay"


def _overlay_pixels(target: bytes, stated: StatedBoxes) -> NDArray[np.uint8]:
    """RGB [H, W, 3] of an overlay of the stated size."""
    size = stated.width, stated.height
    try:
        with Image.open(io.BytesIO(target), formats=["JPEG"]) as image:
            if (image.mode, image.size) != ("RGB", size):
                raise CorpusError(f"the target is {image.mode} {image.size}, not RGB {size}")
            return np.asarray(image)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(f"the target cannot be decoded: {in_words(why)}") from why


def _wrong_pixels(labels: LabelMap, expected: LabelMap) -> list[str]:
    """Pixels of a target that differ from the outlines of the facts' boxes, as a message."""
    rows, columns = np.nonzero(labels != expected)
    if not len(rows):
        return []
    x, y = int(columns[0]), int(rows[0])
    return [
        f"{len(rows)} pixels are not the outlines of the facts' boxes; the first, at ({x}, {y}), "
        f"has label {labels[y, x]} where they draw {expected[y, x]}"
    ]


def _wrong_colours(pixels: NDArray[np.uint8], labels: LabelMap, colours: Colours) -> list[str]:
    """Outlines of an overlay that do not have their colour, as messages."""
    on = labels > 0
    drawn = labels[on]
    gaps = np.abs(pixels[on].astype(np.int64) - colours[drawn - 1]).sum(1)
    sums = np.bincount(drawn, gaps, minlength=len(colours) + 1)[1:]
    counts = 3 * np.bincount(drawn, minlength=len(colours) + 1)[1:]
    means = sums / np.maximum(counts, 1)
    return [
        f"label {label + 1} lies {means[label]:.1f} levels from its colour; "
        f"JPEG alone moves it by less than {OVERLAY_ERROR_MAX:.0f}"
        for label in np.flatnonzero(means > OVERLAY_ERROR_MAX).tolist()
    ]
