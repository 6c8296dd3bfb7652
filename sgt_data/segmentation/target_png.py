"""Label map and colours <-> PNG: lossless, and decodable from its pixels alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.codec_clock import codec_at_work
from sgt_data.pictures.deflate import pack_matches
from sgt_data.pictures.palette_file import palette_file
from sgt_data.pictures.png_file import RGB, data_chunks, png_file
from sgt_data.pictures.png_filters import filtered_rows
from sgt_data.segmentation.colours import Colours, pack
from sgt_data.segmentation.label_map import LabelMap
from sgt_data.value_text import counted

PALETTE_LABELS_MAX = 255
BLACK = (0, 0, 0)


@dataclass(frozen=True, slots=True, repr=False)
class DecodedSegmentation:
    """A decoded segmentation target.

    Attributes:
        labels: [H, W] uint16; 0 is unlabelled, label k belongs to `segments[k - 1]`.
        segments: the facts of each label as the sample's JSON holds them.
    """

    labels: LabelMap
    segments: tuple[Mapping[str, Any], ...]

    def __repr__(self) -> str:
        height, width = self.labels.shape
        segments = counted(len(self.segments), "segment")
        return f"<DecodedSegmentation {width}x{height} pixels, {segments}>"


def encode_target(
    labels: LabelMap, colours: Colours, background: tuple[int, int, int] = BLACK
) -> bytes:
    """PNG of a label map: label k has the colour `colours[k - 1]`, label 0 that of the background.

    It is a palette PNG where the labels fit 256 entries, else RGB.
    """
    table = np.concatenate((np.array([background], np.uint8), colours))
    if len(colours) <= PALETTE_LABELS_MAX:
        return palette_file(labels.astype(np.uint8), table, "matches")
    height, width = labels.shape
    pixels = table[labels].reshape(height, 3 * width)
    with codec_at_work("PNG encoding"):
        packed = pack_matches(filtered_rows(pixels, 3))
        return png_file((width, height), 8, RGB, *data_chunks(packed, width))


def decode_target(target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
    """Label map and segments from a target PNG and its sample's facts.

    What has the colour `unlabelled` of the facts has no label; black, where they state none.

    Raises:
        CorpusError: the file is no PNG of the stated size, or holds a colour that no segment has.
    """
    try:
        segments = tuple(drawn_segments(facts["segments"]))
        colours = np.array([segment["color"] for segment in segments], np.uint8).reshape(-1, 3)
        numbers = np.array([segment["label"] for segment in segments], np.uint16)
        background = np.array(facts.get("unlabelled", BLACK), np.uint8).reshape(1, 3)
        size = facts["size"]["width"], facts["size"]["height"]
        if numbers.tolist() != list(range(1, len(segments) + 1)):
            raise ValueError("labels are not 1, 2, 3 ... in order")
    except (KeyError, TypeError, ValueError, OverflowError) as why:
        raise CorpusError(
            f"the facts do not describe a segmentation target: {in_words(why)}"
        ) from why
    return DecodedSegmentation(decode_labels(target, size, colours, background), segments)


def decode_labels(
    target: bytes, size: tuple[int, int], colours: Colours, background: Colours
) -> LabelMap:
    """Label map [H, W] of a target PNG: k where it has `colours[k - 1]`, 0 on the background.

    Args:
        target: the PNG.
        size: width and height that it must have.
        colours: [n, 3].
        background: [1, 3].

    Raises:
        CorpusError: it is no PNG of this size, or holds another colour.
    """
    stated = np.concatenate((background, colours))
    places, shades = _stored(target, size)
    if shades is None:
        return _labels_of(places, stated)
    used = np.flatnonzero(np.bincount(places.ravel(), minlength=len(shades)))
    table = np.zeros(len(shades), np.uint16)
    table[used] = _labels_of(shades[used], stated)
    return table[places]


def _stored(
    target: bytes, size: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """The pixels of a target PNG, whose width and height the facts state: RGB [H, W, 3] and None,
    or places [H, W] in a palette and the palette [n, 3]."""
    try:
        with Image.open(io.BytesIO(target), formats=["PNG"]) as image:
            if image.size != size:
                raise CorpusError(f"the target is {image.size}, its facts say {size}")
            if image.mode == "P":
                places = np.asarray(image)
                palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
                if places.max() < len(palette):
                    return places, palette
            return np.asarray(image.convert("RGB")), None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(f"the target cannot be decoded: {in_words(why)}") from why


def _labels_of(pixels: NDArray[np.uint8], colours: Colours) -> LabelMap:
    """The number of the colour of each pixel: [...] of RGB [..., 3].

    Raises:
        CorpusError: a pixel has another colour.
    """
    packed_colours = pack(colours)
    order = np.argsort(packed_colours, kind="stable")
    packed = pack(pixels)
    last = len(packed_colours) - 1
    places = np.minimum(np.searchsorted(packed_colours[order], packed), last)
    unknown = packed_colours[order][places] != packed
    if unknown.any():
        colour = pixels[unknown][0].tolist()
        raise CorpusError(f"the target holds the colour {colour}, which no segment has")
    decoded: LabelMap = order.astype(np.uint16)[places]
    return decoded
