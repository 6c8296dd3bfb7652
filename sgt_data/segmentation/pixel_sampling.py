"""Sampling: which source pixel lies under the centre of which output pixel.

The rule is `floor((y + 0.5) * H / h)`, in integers, so that no rounding of a float can move it.
A picture may be stored turned or mirrored (EXIF orientation 1 to 8); masks live in the stored
frame, the output in the upright one. The grid keeps both: stored rows and columns in rising order
for painting, and the flips that bring the painted map upright.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Scalar = TypeVar("_Scalar", bound=np.generic)
Axes = tuple[int, int, int]

# EXIF orientation -> (rows and columns swapped, left-right mirrored, upside down): what to do to
# the stored picture, in this order, to see it upright (CIPA DC-008, tag 0x0112).
_TURNS = {
    1: (False, False, False),
    2: (False, True, False),
    3: (False, True, True),
    4: (False, False, True),
    5: (True, False, False),
    6: (True, True, False),
    7: (True, True, True),
    8: (True, False, True),
}


def centre_samples(source: int, output: int) -> NDArray[np.int64]:
    """Source index under the centre of each output pixel along a side: [output] int64, rising."""
    positions = np.arange(output, dtype=np.int64)
    return ((2 * positions + 1) * source) // (2 * output)


def upright(stored: NDArray[_Scalar], orientation: int) -> NDArray[_Scalar]:
    """A stored array [H, W, ...] turned upright by its EXIF orientation (a view)."""
    swapped, mirrored, flipped = _TURNS[orientation]
    if swapped:
        stored = stored.swapaxes(0, 1)
    if mirrored:
        stored = stored[:, ::-1]
    if flipped:
        stored = stored[::-1]
    return stored


def stored_frame(seen: NDArray[_Scalar], orientation: int) -> NDArray[_Scalar]:
    """An upright array [H, W, ...] turned back as it is stored (a view): undoes `upright`."""
    swapped, mirrored, flipped = _TURNS[orientation]
    if flipped:
        seen = seen[::-1]
    if mirrored:
        seen = seen[:, ::-1]
    if swapped:
        seen = seen.swapaxes(0, 1)
    return seen


def upright_axes(stored: Axes, orientation: int) -> Axes:
    """What `upright` does to the vectors of a map: the components to the right, upwards and
    towards the viewer of the turned map, as those of the stored map with their signs.

    Args:
        stored: the components of the stored map, by any numbers but 0.
        orientation: EXIF orientation, 1 to 8.
    """
    right, up, towards = stored
    swapped, mirrored, flipped = _TURNS[orientation]
    if swapped:  # right becomes down
        right, up = -up, -right
    return (-right if mirrored else right, -up if flipped else up, towards)


def stored_axes(seen: Axes, orientation: int) -> Axes:
    """What `stored_frame` does to the vectors of a map: undoes `upright_axes`."""
    right, up, towards = seen
    swapped, mirrored, flipped = _TURNS[orientation]
    right, up = -right if mirrored else right, -up if flipped else up
    return (-up, -right, towards) if swapped else (right, up, towards)


@dataclass(frozen=True, slots=True)
class SampleGrid:
    """The source pixels that the output of a picture shows, in the stored frame.

    Attributes:
        stored_height, stored_width: size of the stored picture.
        rows: [h'] stored rows in rising order.
        columns: [w'] stored columns in rising order; (h', w') is the output size with the turn of
            `orientation` undone.
        orientation: EXIF orientation, 1 to 8.
    """

    stored_height: int
    stored_width: int
    rows: NDArray[np.int64]
    columns: NDArray[np.int64]
    orientation: int

    def upright(self, stored: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Samples in the stored frame [h', w'] turned upright: [h, w], contiguous."""
        return np.ascontiguousarray(upright(stored, self.orientation))

    def pick(self, stored: NDArray[_Scalar]) -> NDArray[_Scalar]:
        """Samples of a map at the size of the stored picture [H, W], turned upright: [h, w]."""
        return self.upright(stored[self.rows[:, None], self.columns[None, :]])


def sample_grid(
    stored_height: int, stored_width: int, height: int, width: int, orientation: int = 1
) -> SampleGrid:
    """Grid of a stored picture for an upright output.

    Args:
        stored_height, stored_width: size of the stored picture.
        height, width: size of the output.
        orientation: EXIF orientation of the stored picture, 1 to 8.
    """
    swapped, mirrored, flipped = _TURNS[orientation]
    upright_height, upright_width = stored_height, stored_width
    if swapped:
        upright_height, upright_width = stored_width, stored_height
    rows = centre_samples(upright_height, height)
    columns = centre_samples(upright_width, width)
    if flipped:
        rows = (upright_height - 1 - rows)[::-1]
    if mirrored:
        columns = (upright_width - 1 - columns)[::-1]
    if swapped:
        rows, columns = columns, rows
    return SampleGrid(stored_height, stored_width, rows, columns, orientation)
