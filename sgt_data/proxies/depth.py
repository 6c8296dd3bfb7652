"""The depth proxy: picture -> relative inverse depth, near is bright.

As in Marigold, GenPercept and DICEPTION, the values between two percentiles of the picture (the
2nd and the 98th) are spread over the grey levels, and values beyond them are clipped. The facts
keep the scaling, so that values can be recovered to within half a level.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import field_validator, model_validator

from sgt_data.errors import AnnotationError, CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.grey_png import (
    decode_coloured,
    decode_grey,
    encode_coloured,
    encode_grey,
)
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.records import DenseMap, DrawnTarget, Layer
from sgt_data.segmentation.pixel_sampling import sample_grid

_CODES = 65535
Colormap = Literal["grey", "inferno"]


@dataclass(frozen=True, slots=True)
class DecodedDepth:
    """A decoded depth target.

    Attributes:
        inverse_depth: [H, W] float32, near is large; in the source's own unit, or relative where a
            model made it. Clipped to `low` and `high`.
        low, high: values of the darkest and of the brightest level.
        step: difference of two neighbouring levels; a value within `low` and `high` is wrong by
            half of it at most.
    """

    inverse_depth: NDArray[np.float32]
    low: float
    high: float
    step: float


class DepthProxy(Proxy):
    """Proxy that draws the depth of a picture.

    Attributes:
        annotator: name of the annotator that provides depth where the source has none.
        percentiles: percentiles of the picture's values that become black and white.
        colormap: `grey`, or `inferno` (8-bit, as in SGT), which inverse lookup decodes.
        bits: 8, or 16 for a 16-bit grey PNG.
    """

    tier: ClassVar[Tier] = "mid"
    annotated_layer: ClassVar[Layer | None] = "depth"

    type: Literal["depth"] = "depth"
    name: str = "depth"
    annotator: str | None = None
    percentiles: tuple[float, float] = (2.0, 98.0)
    colormap: Colormap = "grey"
    bits: Literal[8, 16] = 8

    @field_validator("percentiles")
    @classmethod
    def _in_order(cls, value: tuple[float, float]) -> tuple[float, float]:
        if not 0 <= value[0] < value[1] <= 100:
            raise ValueError("percentiles are (low, high), 0 to 100, the lower first")
        return value

    @model_validator(mode="after")
    def _bits_fit(self) -> DepthProxy:
        if self.bits == 16 and self.colormap != "grey":
            raise ValueError(f"bits is 16, colormap {self.colormap}; only grey has 16 bits")
        return self

    def libraries(self) -> tuple[str, ...]:
        return ("opencv-python-headless",) if self.colormap == "inferno" else ()

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        return None if "depth" in layers else self.annotator

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if "depth" in layers or self.annotator:
            return None
        return "the source has no depth; give it a folder (depth), or the proxy an annotator"

    def bank(self) -> str:
        return f"depth_{self.colormap}"

    def draw(self, subject: Subject) -> DrawnTarget:
        depth = subject.dense("depth")
        codes = _output_codes(depth, subject)
        low, high = _percentiles(codes, self.percentiles)
        if low >= high:
            raise AnnotationError(
                f"the depth map is constant: percentiles {self.percentiles[0]:g} and "
                f"{self.percentiles[1]:g} are both {_value(depth, low):g}"
            )
        levels = _levels(codes, low, high, (1 << self.bits) - 1)
        if self.colormap == "inferno":
            target = encode_coloured(levels.astype(np.uint8), inferno())
        else:
            target = encode_grey(levels if self.bits == 16 else levels.astype(np.uint8))
        facts = {
            "values": "inverse depth",
            "near": "bright",
            "from": _origin(depth),
            "colormap": self.colormap,
            "bits": self.bits,
            "percentiles": list(self.percentiles),
            "scaling": {"low": _value(depth, low), "high": _value(depth, high)},
        }
        return DrawnTarget(target, "png", facts)

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedDepth:
        try:
            size = facts["size"]["width"], facts["size"]["height"]
            low, high = float(facts["scaling"]["low"]), float(facts["scaling"]["high"])
            bits, colormap = facts["bits"], facts["colormap"]
            if bits not in (8, 16) or colormap not in ("grey", "inferno") or not low < high:
                raise ValueError(f"{bits} bits, {colormap}, {low} to {high}")
        except (KeyError, TypeError, ValueError) as why:
            raise CorpusError(f"the facts do not describe a depth target: {in_words(why)}") from why
        if colormap == "inferno":
            levels = decode_coloured(target, size, inferno())
        else:
            levels = decode_grey(target, size, bits)
        step = (high - low) / ((1 << bits) - 1)
        return DecodedDepth((low + levels * step).astype(np.float32), low, high, step)


@lru_cache(maxsize=1)
def inferno() -> NDArray[np.uint8]:
    """The colour map inferno (van der Walt and Smith): [256, 3] RGB, all colours different."""
    import cv2

    ramp = np.arange(256, dtype=np.uint8)[None]
    return np.ascontiguousarray(cv2.applyColorMap(ramp, cv2.COLORMAP_INFERNO)[0, :, ::-1], np.uint8)


def _origin(depth: DenseMap) -> str:
    """Where a map is from: the source's own files, or a model."""
    return "annotator" if depth.upright else "source"


def _output_codes(depth: DenseMap, subject: Subject) -> NDArray[np.uint16]:
    """Codes [h, w] at the pixels of the output; a source's map is sampled, never interpolated."""
    picture = subject.picture
    if depth.upright:
        if depth.codes.shape != (picture.height, picture.width):
            raise AnnotationError(
                f"the depth map is {depth.codes.shape[1]}x{depth.codes.shape[0]}, "
                f"the output {picture.width}x{picture.height}"
            )
        return depth.codes
    stored = picture.stored
    if depth.codes.shape != (stored.height, stored.width):
        raise AnnotationError(
            f"the depth map is for {depth.codes.shape[1]}x{depth.codes.shape[0]} pixels, "
            f"the picture has {stored.width}x{stored.height}"
        )
    grid = sample_grid(
        stored.height, stored.width, picture.height, picture.width, stored.orientation
    )
    return grid.pick(depth.codes)


def _percentiles(codes: NDArray[np.uint16], which: tuple[float, float]) -> tuple[int, int]:
    """Two percentiles of codes by the nearest rank, in integers: no value in between is made up."""
    totals = np.bincount(codes.ravel(), minlength=_CODES + 1).cumsum()
    ranks = [max(1, -(-int(percent * 1000) * codes.size // 100_000)) for percent in which]
    low, high = np.searchsorted(totals, ranks).tolist()
    return low, high


def _levels(codes: NDArray[np.uint16], low: int, high: int, top: int) -> NDArray[np.uint16]:
    """Levels from 0 (code `low`) to `top` (code `high`), rounded to the nearest, ties up."""
    every = np.clip(np.arange(_CODES + 1, dtype=np.int64), low, high) - low
    table = (2 * every * top + (high - low)) // (2 * (high - low))
    return table.astype(np.uint16)[codes]


def _value(depth: DenseMap, code: int) -> float:
    return depth.low + code / _CODES * (depth.high - depth.low)
