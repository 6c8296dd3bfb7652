"""The edge proxy: picture -> edges, white on black.

Edges are Sobel's gradient magnitude (as in SGT), Canny's contours (as in ControlNet), or those of a
learned detector. Sobel and Canny are computed from the picture in integers: the same bytes on every
CPU.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from sgt_data.errors import AnnotationError, CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.canny import canny
from sgt_data.pictures.gradients import GAIN_UNITS, grey_levels, sobel_magnitude
from sgt_data.pictures.grey_png import decode_grey, encode_rough
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.parameter_ranges import ItemBounds
from sgt_data.records import DrawnTarget, Layer

Method = Literal["sobel", "canny", "annotator"]

_BANKS = {"sobel": "edge_soft", "canny": "edge_canny"}
_MAP_WORDS: Mapping[Any, str] = {
    "canny": "Canny edge map (white on black)",
    "sobel": "soft edge map (strong edges are bright)",
}
_LEARNED = "edge_learned"

# the usual "auto Canny": a third below and above the median
_BELOW, _ABOVE = 67, 133


class EdgeProxy(Proxy):
    """Proxy that draws the edges of a picture.

    Target:
        Strength of the edge at each pixel, white on black; a grey PNG.

    Examples:
        {type: edge}
        {type: edge, name: canny, method: canny}
        {type: edge, name: learned-edge, method: annotator, annotator: edges}

    Attributes:
        method: `sobel`, `canny`, or `annotator` for the edges of a learned detector.
        annotator: name of the annotator that is the learned detector.
        gain: of Sobel, in grey levels per unit of gradient (black to white is 1020 units).
        thresholds: of Canny, low and high, in units of gradient; `median` means 0.67 and 1.33 times
            the median grey level of the picture.
    """

    tier: ClassVar[Tier] = "low"
    annotated_layer: ClassVar[Layer | None] = "edges"

    type: Literal["edge"] = "edge"
    name: str = "edge"
    method: Method = "sobel"
    annotator: str | None = None
    gain: float = Field(0.5, gt=0, le=16)
    thresholds: Annotated[tuple[int, int], ItemBounds(1, 4096)] | Literal["median"] = (100, 200)

    @field_validator("thresholds")
    @classmethod
    def _in_order(cls, value: Any) -> Any:
        if value != "median" and not 0 < value[0] <= value[1] <= 4096:
            raise ValueError("thresholds are (low, high), 1 to 4096, the lower first, or median")
        return value

    @model_validator(mode="after")
    def _fields_fit(self) -> EdgeProxy:
        if (self.method == "annotator") != (self.annotator is not None):
            raise ValueError(
                f"method is {self.method} and annotator {self.annotator}; the method annotator "
                "needs one, the others none"
            )
        return self

    def replaced_libraries(self) -> frozenset[str]:
        return frozenset({"opencv-python-headless"} if self.method == "canny" else ())

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        return self.annotator

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        return None

    def bank(self) -> str:
        return _BANKS.get(self.method, _LEARNED)

    def bank_for(self, look: str | None) -> str:
        return self.bank() if look is None else _BANKS.get(look, _LEARNED)

    def draw(self, subject: Subject) -> DrawnTarget:
        facts: dict[str, Any] = {"method": self.method, "look": "white on black"}
        if self.method == "annotator":
            levels = _annotated_edges(subject)
            facts["annotator"] = self.annotator
        else:
            grey = grey_levels(subject.picture.pixels)
            if min(grey.shape) < 2:
                raise AnnotationError(f"a picture of {grey.shape} has no gradient")
            if self.method == "sobel":
                levels = sobel_magnitude(grey, round(self.gain * GAIN_UNITS))
                facts["gain"] = round(self.gain * GAIN_UNITS) / GAIN_UNITS
            else:
                low, high = self._thresholds(grey)
                levels = canny(grey, low, high)
                facts["thresholds"] = [low, high]
        return DrawnTarget(encode_rough(levels), "png", facts)

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return _MAP_WORDS.get(facts.get("method"), "map of edges (white on black)")

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> NDArray[np.uint8]:
        """Edge strength [H, W] uint8 of a target; 255 (white) is the strongest.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        try:
            size = facts["size"]["width"], facts["size"]["height"]
            method = facts["method"]
        except (KeyError, TypeError) as why:
            raise CorpusError(f"the facts do not describe an edge target: {in_words(why)}") from why
        levels = decode_grey(target, size, 8).astype(np.uint8)
        if method == "canny" and not np.isin(levels, (0, 255)).all():
            raise CorpusError("a Canny target holds other levels than black and white")
        return levels

    def _thresholds(self, grey: NDArray[np.uint8]) -> tuple[int, int]:
        if self.thresholds != "median":
            return self.thresholds
        counts = np.bincount(grey.ravel(), minlength=256).cumsum()
        median = max(1, int(np.searchsorted(counts, (grey.size + 1) // 2)))
        return max(1, median * _BELOW // 100), max(1, median * _ABOVE // 100)


def _annotated_edges(subject: Subject) -> NDArray[np.uint8]:
    edges = subject.dense("edges")
    size = subject.picture.height, subject.picture.width
    if edges.codes.shape != size:
        raise AnnotationError(f"the edge map is {edges.codes.shape}, the output {size}")
    return (edges.codes // 257).astype(np.uint8)
