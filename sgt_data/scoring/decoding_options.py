"""How a drawing is read: the parameters of the robust decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Decoding:
    """The parameters by which a drawing becomes a label map.

    The defaults were chosen by `benchmarks/score_decoding.py`, which prints what each step gains.

    Attributes:
        reject: largest distance (RGB levels, Euclidean) of a pixel to the colour that it is read
            as. A pixel that is farther from all stated colours is read as none: it is wrong
            wherever it lies. None reads every pixel as the nearest colour.
        reach: distance in pixels, rows or columns, within which a pixel of a border looks for the
            areas that it may belong to; 0 reads every pixel by its own colour alone.
        exact: largest difference of a channel to a stated colour up to which a pixel is surely of
            this colour, whatever its neighbours are.
        speck: an area of fewer pixels, none of which is exact, takes the label of what surrounds
            it; 0 keeps all.
        colours: where the colours of class-blind targets come from. `drawn`: they are clusters of
            the drawing's own colours. `stated`: they are the target's colours, whose number is
            given away.
        bandwidth: colours of a drawing that lie nearer to each other (RGB levels, Euclidean) are
            one cluster.
        smallest: least pixels of the inner area of a cluster.
        compare_at: size at which drawing and target are compared. `target`: labels of the drawing
            are sampled at the target's size; `drawing`: those of the target at the drawing's size.
            A pixel takes the label under its centre.
    """

    reject: float | None = 96.0
    reach: int = 3
    exact: int = 1
    speck: int = 12
    colours: Literal["drawn", "stated"] = "drawn"
    bandwidth: float = 36.0
    smallest: int = 4
    compare_at: Literal["target", "drawing"] = "target"


ROBUST = Decoding()
"""The decoder of `sgt_data.score`."""

PLAIN = Decoding(reject=None, reach=0, speck=0, colours="stated", compare_at="drawing")
"""The nearest of the target's colours, pixel by pixel: what the experiment measures by."""
