"""What the depth files of a source hold: inverse depth or metric depth, its unit, its gaps."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from sgt_data.errors import AnnotationError, FilteredOut
from sgt_data.records import DenseMap
from sgt_data.sources.dense_maps import CODES

DepthKind = Literal["inverse", "metric"]


@dataclass(frozen=True, slots=True)
class DepthFiles:
    """How the 16-bit codes of depth files are read.

    Attributes:
        holds: `inverse` depth (near is large) or `metric` depth (far is large).
        metres_per_code: unit of metric depth; None for inverse depth.
        inverse_per_code: unit of inverse depth in 1/m; None for metric depth, and for inverse depth
            that is relative.
        invalid: codes that state no measurement.
        max_invalid: largest share of such pixels (0 to 1) of a picture that is drawn.
    """

    holds: DepthKind
    metres_per_code: float | None
    invalid: tuple[int, ...]
    max_invalid: float
    inverse_per_code: float | None = None

    @property
    def are_metric(self) -> bool:
        """Whether the codes state distances in metres."""
        return self.metres_per_code is not None or self.inverse_per_code is not None

    def read(self, depth: DenseMap) -> DenseMap:
        """A file's map with the meaning of its codes.

        Raises:
            FilteredOut: too much of it is no measurement.
            AnnotationError: none of it is one.
        """
        measured = ~np.isin(depth.codes, self.invalid)
        share = 1 - np.count_nonzero(measured) / measured.size
        codes = ", ".join(map(str, self.invalid))
        if share > self.max_invalid:
            raise FilteredOut(
                f"depth: {share:.0%} of the file's pixels have no measurement (code {codes}); "
                f"depth_max_invalid is {self.max_invalid:g}"
            )
        if not measured.any():
            raise AnnotationError(f"depth: no pixel has a measurement, all have code {codes}")
        meaning = replace(depth, metres_per_code=self.metres_per_code, invalid=self.invalid)
        if self.inverse_per_code is None:
            return meaning
        return replace(meaning, low=0.0, high=CODES * self.inverse_per_code, unit="1/m")

    def identity(self) -> dict[str, Any]:
        """What of it shapes targets; empty for inverse depth without gaps, as in every corpus of
        the versions that knew no other."""
        unit = {} if self.inverse_per_code is None else {"inverse_per_code": self.inverse_per_code}
        if self.holds == "inverse" and not self.invalid and not unit:
            return {}
        return {
            "holds": self.holds,
            "metres_per_code": self.metres_per_code,
            "invalid": list(self.invalid),
            "max_invalid": self.max_invalid,
            **unit,
        }
