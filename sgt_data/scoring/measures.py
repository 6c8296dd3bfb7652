"""Which measures belong to a sample, by the type of its proxy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sgt_data.errors import RequestError
from sgt_data.proxies.decoding import decode
from sgt_data.scoring.intervals import Estimate, mean_over_pictures
from sgt_data.scoring.measure import Drawing, Measure, ScoredSample
from sgt_data.value_text import cut


@dataclass(frozen=True, slots=True)
class PictureMeasure:
    most: float = 60.0

    def picture(self, drawing: Drawing, sample: ScoredSample) -> float:
        target = decode(sample.target, sample.facts)
        wide = target.astype(float)
        error = float(((drawing.astype(float) - wide) ** 2).mean())
        return min(self.most, 10 * np.log10(255**2 / error)) if error else self.most

    def quality(self, row: float) -> float:
        return row / self.most

    def overall(self, rows: Sequence[float], seed: int) -> dict[str, Estimate]:
        return {"PSNR": mean_over_pictures(np.array(rows, float), seed)}

    def decoded(self, drawing: Drawing, sample: ScoredSample) -> Drawing:
        return drawing

    def absent(self, sample: ScoredSample) -> float:
        return 0.0


MEASURES: Mapping[str, Callable[[Mapping[str, Any]], Measure[Any]]] = dict.fromkeys(
    ("denoise", "deblur", "derain", "enhance", "super_resolution", "colorization", "mae",
     "inpainting", "reconstruction"),
    lambda facts: PictureMeasure(),
)  # fmt: skip
"""By type of proxy, what makes its measures from the facts of a sample."""


def measure_for(facts: Mapping[str, Any]) -> Measure[Any]:
    """The measures of a proxy, with the parameters of decoding that are usual for it.

    Args:
        facts: the JSON of any of its samples.

    Raises:
        RequestError: there are no measures for its type, such as one of a plug-in.
    """
    kind = facts.get("type")
    if not isinstance(kind, str) or kind not in MEASURES:
        raise RequestError(
            f"drawings of the proxy type {cut(kind, 60)} have no measures; those that have: "
            f"{', '.join(MEASURES)}"
        )
    return MEASURES[kind](facts)
