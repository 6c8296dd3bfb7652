"""Label map + colours <-> PNG. Lossless, and decodable from its pixels alone."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.segmentation.colours import Colours, pack
from sgt_data.segmentation.label_map import LabelMap

PALETTE_LABELS_MAX = 255
_COMPRESS_LEVEL = 1  # 1.5 ms where level 6 takes several times that, for a tenth of the bytes


@dataclass(frozen=True, slots=True)
class DecodedSegmentation:
    """A segmentation target, taken back.

    Attributes:
        labels: [H, W] uint16; 0 is unlabelled, label k belongs to `segments[k - 1]`.
        segments: the facts of each label as the sample's JSON holds them.
    """

    labels: LabelMap
    segments: tuple[Mapping[str, Any], ...]


def encode_target(labels: LabelMap, colours: Colours) -> bytes:
    """PNG of a label map; label k in `colours[k - 1]`, 0 in black.

    A palette PNG while the labels fit 256 entries, else RGB.
    """
    table = np.concatenate((np.zeros((1, 3), np.uint8), colours))
    out = io.BytesIO()
    if len(colours) <= PALETTE_LABELS_MAX:
        image = Image.fromarray(labels.astype(np.uint8))
        image.putpalette(table.tobytes())
    else:
        image = Image.fromarray(table[labels])
    image.save(out, "PNG", compress_level=_COMPRESS_LEVEL)
    return out.getvalue()


def decode_target(target: bytes, facts: Mapping[str, Any]) -> DecodedSegmentation:
    """Label map and segments from a target PNG and its sample's facts.

    Raises:
        CorpusError: the file is no PNG of the stated size, or holds a colour that no segment has.
    """
    try:
        segments = tuple(facts["segments"])
        colours = np.array([one["color"] for one in segments], np.uint8).reshape(-1, 3)
        numbers = np.array([one["label"] for one in segments], np.uint16)
        size = facts["size"]["width"], facts["size"]["height"]
        if numbers.tolist() != list(range(1, len(segments) + 1)):
            raise ValueError("labels are not 1, 2, 3 ... in order")
    except (KeyError, TypeError, ValueError, OverflowError) as why:
        raise CorpusError(f"the facts do not describe a segmentation target: {why!r}") from why
    labels = _labels_of(_pixels(target, size), colours, numbers)
    return DecodedSegmentation(labels, segments)


def _pixels(target: bytes, size: tuple[int, int]) -> NDArray[np.uint8]:
    """RGB [H, W, 3] of a target of the stated size."""
    try:
        with Image.open(io.BytesIO(target), formats=["PNG"]) as image:
            if image.size != size:
                raise CorpusError(f"the target is {image.size}, its facts say {size}")
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as why:
        raise CorpusError(f"the target cannot be decoded: {why}") from why


def _labels_of(
    pixels: NDArray[np.uint8], colours: Colours, numbers: NDArray[np.uint16]
) -> LabelMap:
    known = np.concatenate(([0], pack(colours)))
    labels = np.concatenate((np.zeros(1, np.uint16), numbers))
    order = np.argsort(known, kind="stable")
    packed = pack(pixels)
    places = np.minimum(np.searchsorted(known[order], packed), len(known) - 1)
    found = known[order][places]
    if (found != packed).any():
        stranger = pixels[found != packed][0].tolist()
        raise CorpusError(f"the target holds the colour {stranger}, which no segment has")
    decoded: LabelMap = labels[order][places]
    return decoded
