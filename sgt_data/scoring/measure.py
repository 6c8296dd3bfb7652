"""How drawings of one type of proxy are measured: picture by picture, then over all pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.intervals import Estimate

Drawing = NDArray[np.uint8]
"""[H, W, 3] uint8 RGB, of any size."""


@dataclass(frozen=True, slots=True)
class ScoredSample:
    """What a drawing is compared with.

    Attributes:
        key: of the sample.
        target: bytes of its target.
        facts: its JSON.
    """

    key: str
    target: bytes
    facts: Mapping[str, Any]


Row = TypeVar("Row")
"""What is kept of one picture: numbers and small arrays, which processes send to each other."""


class Measure(Protocol[Row]):
    """The measures of one type of proxy; its fields are the parameters of decoding."""

    def picture(self, drawing: Drawing, sample: ScoredSample) -> Row:
        """Decode a drawing and compare it with its sample.

        Raises:
            CorpusError: the sample's target and facts do not belong together.
        """
        ...

    def quality(self, row: Row) -> float:
        """How good a drawing is, 0 to 1, by which the best, median and worst are chosen."""
        ...

    def overall(self, rows: Sequence[Row], seed: int) -> dict[str, Estimate]:
        """The measures over all pictures, by their names in the field, with their intervals."""
        ...

    def absent(self, sample: ScoredSample) -> Row:
        """The row of a sample whose drawing is missing: the worst that a drawing can be."""
        ...
