"""A drawing as it was read: a label map, and the colour of each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Labels


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A drawing as it was read.

    Attributes:
        labels: [H, W]; 0 is unlabelled, k has the colour `colours[k - 1]`, -1 is no stated colour.
        colours: [n, 3] uint8 RGB.
    """

    labels: Labels
    colours: NDArray[np.uint8]

    @classmethod
    def of(cls, labels: Labels, colours: Sequence[RGB]) -> Self:
        """A label map with the colours of its labels from 1 on."""
        return cls(labels, np.array(colours, np.uint8).reshape(-1, 3))
