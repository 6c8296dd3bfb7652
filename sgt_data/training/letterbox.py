"""Pictures of any shape in a square, whole and undistorted, with padding around them (pure).

A picture is scaled until its longer side is that of the square, and stands in its middle. What
compares a drawn target with a stored one crops the padding first: `content_box`, `Box.crop`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.pictures.resample import resized_pixels
from sgt_data.stream.transforms import is_label_target

RGB = tuple[int, int, int]
Pixels = NDArray[np.uint8]

GREY: RGB = (127, 127, 127)
"""Padding of pictures, and the picture of a text that has none."""

_BLACK: RGB = (0, 0, 0)


@dataclass(frozen=True, slots=True)
class Box:
    """Where a picture lies in its square, pixels.

    Attributes:
        left: columns of padding before it.
        top: rows of padding above it.
        width: its columns.
        height: its rows.
    """

    left: int
    top: int
    width: int
    height: int

    def crop(self, pixels: Any) -> Any:
        """The picture without padding, a view of an array or a tensor [..., S, S].

        Channels come first, as in what a model draws; there may be none, as in a label map.
        """
        rows = slice(self.top, self.top + self.height)
        return pixels[..., rows, self.left : self.left + self.width]


def content_box(width: int, height: int, side: int) -> Box:
    """Where a picture of `width` by `height` pixels lies in a square of `side` by `side` pixels."""
    longest = max(width, height)
    wide, high = (max(1, (2 * size * side + longest) // (2 * longest)) for size in (width, height))
    return Box((side - wide) // 2, (side - high) // 2, wide, high)


def letterboxed(
    pixels: Pixels, side: int, resampling: Image.Resampling, padding: RGB = GREY
) -> Pixels:
    """A picture in a square; one that is square has no padding.

    Args:
        pixels: [H, W, 3] uint8 RGB.
        side: side S of the square, pixels.
        resampling: the filter.
        padding: colour around the picture.

    Returns:
        [S, S, 3] uint8; `pixels` themselves where they have that size.
    """
    height, width, _ = pixels.shape
    box = content_box(width, height, side)
    if (box.width, box.height) != (width, height):
        pixels = resized_pixels(pixels, (box.width, box.height), resampling)
    if box.width == box.height == side:
        return pixels
    square = np.empty((side, side, 3), np.uint8)
    square[:] = padding
    square[box.top : box.top + box.height, box.left : box.left + box.width] = pixels
    return square


def letterboxed_labels(labels: NDArray[Any], side: int) -> NDArray[Any]:
    """A label map [H, W] in a square [S, S], by the nearest pixel; label 0 around it."""
    height, width = labels.shape
    box = content_box(width, height, side)
    rows = (2 * np.arange(box.height) + 1) * height // (2 * box.height)
    columns = (2 * np.arange(box.width) + 1) * width // (2 * box.width)
    square = np.zeros((side, side), labels.dtype)
    square[box.top : box.top + box.height, box.left : box.left + box.width] = labels[rows][
        :, columns
    ]
    return square


def target_padding(facts: Mapping[str, Any]) -> RGB:
    """The padding of a sample's target: a colour that means nothing in it.

    Label targets get the colour of what has no label (black where the facts state none), all others
    are padded as pictures are.
    """
    if not is_label_target(facts):
        return GREY
    red, green, blue = facts.get("unlabelled", _BLACK)
    return red, green, blue
