"""How a drawing of segments is read and compared: the parameters of the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Decoding:
    """The parameters by which a drawing becomes a label map.

    The defaults were chosen by `benchmarks/score_decoding.py`, which prints what the decoder gains.
    A drawing without noise (see `noise_share`) is read pixel by pixel, so that an exact copy of a
    target is read as the target.

    Attributes:
        reject: largest distance (RGB levels, Euclidean) of a pixel to the stated colour that it is
            read as. A pixel that is farther from all of them is read as none: it is wrong wherever
            it lies. None reads every pixel as the nearest colour.
        noise_step: two neighbouring pixels that differ by at most so many levels, and do differ,
            show noise; colours of touching segments differ by more.
        noise_share: share of these among all neighbours that differ, above which a drawing has
            noise, such as that of JPEG or of resizing.
        reach: in a drawing with noise, a pixel whose eight neighbours are not all of its colour
            takes the nearest colour of the areas within so many rows and columns, instead of the
            nearest of all: blends of two colours may look like a third. 0 reads every pixel by
            itself.
        speck: areas of fewer pixels take the label of what surrounds them, in a drawing with noise.
        colours: where the colours of class-blind targets come from. `drawn`: they are clusters of
            the drawing's own; `stated`: they are the target's, whose number is given away.
        flat: most levels by which a channel differs among a pixel and its eight neighbours inside
            a segment of a drawing with noise.
        join: most levels by which a channel differs between two neighbours of the same flat area.
        bandwidth: distance (RGB levels, Euclidean) up to which flat areas have the same colour.
        spread: flat areas of fewer than 64 pixels have the same colour up to this share of the
            least distance between colours of larger ones.
        compare_at: size at which drawing and target are compared. `target`: the drawing's labels
            are sampled at the target's size; `drawing`: the target's at the drawing's size. A
            pixel takes the label under its centre. A drawing with noise that is smaller than its
            target is enlarged (bicubic) before it is read, where `target` is the size.
        crowds: whether crowd segments of a target are left out (`ignored`), as `COCOeval` and
            panopticapi do, or are segments as all others (`counted`).
    """

    reject: float | None = 96.0
    noise_step: int = 12
    noise_share: float = 0.02
    reach: int = 4
    speck: int = 12
    colours: Literal["drawn", "stated"] = "drawn"
    flat: int = 28
    join: int = 8
    bandwidth: float = 32.0
    spread: float = 0.75
    compare_at: Literal["target", "drawing"] = "target"
    crowds: Literal["ignored", "counted"] = "ignored"


ROBUST = Decoding()
"""The decoder of `sgt_data.score`."""

PLAIN = Decoding(
    reject=None, reach=0, speck=0, colours="stated", compare_at="drawing", crowds="counted"
)
"""The nearest of the target's colours, pixel by pixel: what the experiment measures by."""
