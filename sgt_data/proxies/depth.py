"""The depth proxy: picture -> relative inverse depth, near is bright.

As in Marigold, GenPercept and DICEPTION, the values between two percentiles of the picture (the
2nd and the 98th) are spread over the grey levels, and values beyond them are clipped. The facts
keep the scaling, so that values can be recovered to within half a level. Metric depth is drawn as
its inverse, in 1/m. Where a source's files can have gaps (pixels without measurement),
level 0 is kept for these alone, and values begin at level 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

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
from sgt_data.proxies.inferno import inferno
from sgt_data.proxies.parameter_ranges import ItemBounds
from sgt_data.proxies.sampled_codes import origin_of_map, sampled_codes
from sgt_data.records import DenseMap, DrawnTarget, Layer
from sgt_data.value_text import cut

_CODES = 65535
Colormap = Literal["grey", "inferno"]


@dataclass(frozen=True, slots=True, repr=False)
class DecodedDepth:
    """A decoded depth target.

    Attributes:
        inverse_depth: [H, W] float32, near is large; NaN where nothing was measured. In 1/m where
            the source's files hold metric depth, else relative. Clipped to `low` and `high`.
        low, high: values of the darkest and of the brightest level.
        step: difference of two neighbouring levels; a value within `low` and `high` is wrong by
            half of it at most.
        unit: `1/m` or `relative`.
    """

    inverse_depth: NDArray[np.float32]
    low: float
    high: float
    step: float
    unit: str = "relative"

    def __repr__(self) -> str:
        height, width = self.inverse_depth.shape
        return (
            f"<DecodedDepth {width}x{height} pixels, {self.low:.4g} to {self.high:.4g} {self.unit}>"
        )

    @property
    def measured(self) -> NDArray[np.bool_]:
        """[H, W], False where the source has no measurement."""
        return ~np.isnan(self.inverse_depth)

    def metres(self) -> NDArray[np.float32]:
        """Depth [H, W] in metres, infinite at inverse depth 0, NaN where nothing was measured.

        Raises:
            CorpusError: the depth is relative.
        """
        if self.unit != "1/m":
            raise CorpusError("the depth is relative; it has no metres")
        with np.errstate(divide="ignore"):  # 0 is infinitely far
            return np.reciprocal(self.inverse_depth)


class DepthProxy(Proxy):
    """Proxy that draws the depth of a picture.

    Target:
        Inverse depth of each pixel: near is bright, far is dark; a grey PNG of 8 or 16 bits, or the
        colours of inferno.

    Examples:
        {type: depth}
        {type: depth, name: depth-inferno, colormap: inferno}
        {type: depth, name: depth-anything, annotator: depth-anything}

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
    percentiles: Annotated[tuple[float, float], ItemBounds(0, 100)] = (2.0, 98.0)
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

    def replaced_libraries(self) -> frozenset[str]:
        return frozenset({"opencv-python-headless"} if self.colormap == "inferno" else ())

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
        codes = sampled_codes(depth, subject)
        invalid = np.isin(codes, depth.invalid)
        far, near = _far_and_near(depth, codes[~invalid], self.percentiles)
        if far == near:
            raise AnnotationError(
                f"the depth map is constant: percentiles {self.percentiles[0]:g} and "
                f"{self.percentiles[1]:g} are both {_value(depth, far):g}"
            )
        lowest = 1 if depth.invalid else 0
        levels = _level_of_code(depth, far, near, lowest, (1 << self.bits) - 1)[codes]
        levels[invalid] = 0
        if self.colormap == "inferno":
            target = encode_coloured(levels.astype(np.uint8), inferno())
        else:
            target = encode_grey(levels if self.bits == 16 else levels.astype(np.uint8))
        facts = {
            "values": "inverse depth",
            "near": "bright",
            "from": origin_of_map(depth),
            "holds": "inverse depth" if depth.metres_per_code is None else "metric depth",
            "metres_per_code": depth.metres_per_code or 0.0,
            "unit": "1/m" if depth.is_metric else "relative",
            "colormap": self.colormap,
            "bits": self.bits,
            "percentiles": list(map(float, self.percentiles)),
            "scaling": {"low": _value(depth, far), "high": _value(depth, near)},
            "lowest_level": lowest,
            "invalid": int(np.count_nonzero(invalid)),
        }
        return DrawnTarget(target, "png", facts)

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        colours = "" if facts.get("colormap") == "grey" else " in the colours of inferno"
        return f"depth map{colours} in which near is bright"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedDepth:
        """Inverse depth [H, W] float32 of a target to within half a level, with its scaling.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        try:
            size = facts["size"]["width"], facts["size"]["height"]
            low, high = float(facts["scaling"]["low"]), float(facts["scaling"]["high"])
            bits, colormap = facts["bits"], facts["colormap"]
            # corpora of the first versions know no gaps and no unit
            lowest, unit = facts.get("lowest_level", 0), facts.get("unit", "relative")
            if bits not in (8, 16) or colormap not in ("grey", "inferno") or not low < high:
                raise ValueError(f"{bits} bits, {colormap}, {low} to {high}")
            if lowest not in (0, 1) or unit not in ("relative", "1/m"):
                raise ValueError(f"lowest_level {cut(lowest, 40)}, unit {cut(unit, 40)}")
        except (KeyError, TypeError, ValueError) as why:
            raise CorpusError(f"the facts do not describe a depth target: {in_words(why)}") from why
        if colormap == "inferno":
            levels = decode_coloured(target, size, inferno())
        else:
            levels = decode_grey(target, size, bits)
        step = (high - low) / ((1 << bits) - 1 - lowest)
        # in float64, in which the low end is exact: an unsigned level minus 1 would wrap around
        values = low + (levels.astype(np.float64) - lowest) * step
        inverse_depth = np.where(levels < lowest, np.nan, values).astype(np.float32)
        return DecodedDepth(inverse_depth, low, high, step, unit)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        decoded = cls.decode(target, facts)
        problems = []
        gaps = int(np.count_nonzero(~decoded.measured))
        stated = facts.get("invalid", 0)
        if stated != gaps:
            problems.append(f"{gaps} pixels have no measurement; its facts say {cut(stated, 40)}")
        if decoded.unit == "1/m" and facts.get("holds") != "inverse depth":
            problems += _not_from_codes(decoded, facts.get("metres_per_code"))
        elif decoded.unit == "1/m" and decoded.low < 0:
            problems.append(f"its scaling begins at {decoded.low:g} 1/m, which no distance has")
        return problems


def _far_and_near(
    depth: DenseMap, codes: NDArray[np.uint16], which: tuple[float, float]
) -> tuple[int, int]:
    """Codes of two percentiles of inverse depth by the nearest rank, in integers: no value in
    between is made up. `codes` are those of the measured pixels."""
    if not codes.size:
        raise AnnotationError("no pixel of the output has a depth measurement")
    counts = np.bincount(codes, minlength=_CODES + 1)
    if depth.metres_per_code is not None:
        counts = counts[::-1]  # by rising inverse depth, which is falling depth
    ranks = [max(1, -(-int(percent * 1000) * codes.size // 100_000)) for percent in which]
    far, near = np.searchsorted(counts.cumsum(), ranks).tolist()
    return (far, near) if depth.metres_per_code is None else (_CODES - far, _CODES - near)


def _level_of_code(
    depth: DenseMap, far: int, near: int, lowest: int, top: int
) -> NDArray[np.uint16]:
    """The level of every code, [65536]: from `lowest` (code `far`) to `top` (code `near`), rounded
    to the nearest, ties up; in integers below 2**50."""
    steps = top - lowest
    every = np.arange(_CODES + 1, dtype=np.int64)
    if depth.metres_per_code is None:
        over = np.clip(every, far, near) - far
        span = np.full_like(every, near - far)
    else:
        # (1/code - 1/far) / (1/near - 1/far), with both fractions brought to one denominator
        code = np.clip(every, near, far)
        over, span = near * (far - code), code * (far - near)
    levels: NDArray[np.uint16] = (lowest + (2 * over * steps + span) // (2 * span)).astype(
        np.uint16
    )
    return levels


def _value(depth: DenseMap, code: int) -> float:
    """Inverse depth of a code."""
    if depth.metres_per_code is not None:
        return 1 / (code * depth.metres_per_code)
    return float(depth.low + code / _CODES * (depth.high - depth.low))


def _not_from_codes(decoded: DecodedDepth, metres_per_code: Any) -> list[str]:
    """Ends of a metric scaling that are no code of the stated unit, as messages."""
    if not isinstance(metres_per_code, float | int) or not metres_per_code > 0:
        return [f"metres_per_code is {cut(metres_per_code, 40)}, not a length"]
    if decoded.low <= 0:
        return [f"its scaling begins at {decoded.low:g} 1/m, which no distance has"]
    codes = [1 / (value * metres_per_code) for value in (decoded.low, decoded.high)]
    return [
        f"{code * metres_per_code:g} m is no whole number of {metres_per_code:g} m"
        for code in codes
        if not 1 <= round(code) <= _CODES or abs(code - round(code)) > 1e-6 * code
    ][:1]
