"""The metric depth proxy: picture -> distance in metres, as a colour from black to white.

After the published description of Vision Banana (arXiv 2604.20329, 2026): the power transform and
the walk of `colour_walk`, with lambda = -3 and c = 10/3. Our own choices: the instruction states
the distances at the corners of the walk, pixels without measurement are grey (128, 128, 128), maps
are sampled and never interpolated, and the sky, where it is infinitely far, is white.

Relative depth has no metres, and is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from sgt_data.errors import AnnotationError, CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.geometry.colour_walk import (
    LAM,
    C,
    fraction_of_metres,
    largest_error,
    metres_of_points,
    walk_points,
)
from sgt_data.geometry.distance_colours import GAP, WHITE, CodeColours, points_of_target
from sgt_data.geometry.distance_scale import NOT_MEASURED, scale_text
from sgt_data.pictures.rgb_png import encode_rgb
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.proxies.sampled_codes import origin_of_map, sampled_codes
from sgt_data.records import DrawnTarget, Layer
from sgt_data.value_text import cut

LAM_BOUNDS, C_BOUNDS = (-100.0, -1.1), (0.001, 1000.0)
"""Allowed shapes and scales. At lambda = -1 the transform stands still: it would never be white."""


@dataclass(frozen=True, slots=True, repr=False)
class DecodedMetricDepth:
    """A decoded target of metric depth.

    Attributes:
        metres: [H, W] float32, distance along the viewing axis; infinite where the target is white,
            NaN where nothing was measured.
        lam, c: of the power transform.
        focal_pixels: focal length in pixels that a model predicted with the depth; None where
            none is known.
    """

    metres: NDArray[np.float32]
    lam: float = LAM
    c: float = C
    focal_pixels: float | None = None

    def __repr__(self) -> str:
        height, width = self.metres.shape
        finite = self.metres[np.isfinite(self.metres)]
        ends = f"{finite.min():.4g} to {finite.max():.4g} m" if finite.size else "no finite depth"
        return f"<DecodedMetricDepth {width}x{height} pixels, {ends}>"

    @property
    def measured(self) -> NDArray[np.bool_]:
        """[H, W], False where the source has no measurement."""
        return ~np.isnan(self.metres)

    def largest_errors(self) -> NDArray[np.float32]:
        """Largest error in metres of each pixel [H, W]: half a step of the walk.

        Infinite where the target is white, NaN where nothing was measured.
        """
        return largest_error(self.metres, self.lam, self.c).astype(np.float32)


class MetricDepthProxy(Proxy):
    """Proxy that draws how many metres away each pixel is, as a colour that states the distance.

    Target:
        Distance of each pixel in metres, as a colour of the walk black (0 m), red, yellow, green,
        cyan, blue, magenta, white (infinitely far); an RGB PNG. Grey where nothing was measured.

    Examples:
        {type: metric_depth}
        {type: metric_depth, name: metric-depth-near, c: 1.0}
        {type: metric_depth, name: depth-pro, annotator: depth-pro}

    Attributes:
        annotator: name of the annotator that provides metric depth where the source has none.
        lam: lambda, the shape of the power transform 1 - (1 - d / (lambda c))^(lambda + 1).
        c: scale of the power transform in metres; a smaller one gives more colours to what is near.
    """

    tier: ClassVar[Tier] = "mid"
    annotated_layer: ClassVar[Layer | None] = "metric_depth"
    placeholders: ClassVar[frozenset[str]] = frozenset({"scale"})
    target_bytes_per_pixel: ClassVar[float] = 0.2

    type: Literal["metric_depth"] = "metric_depth"
    name: str = "metric-depth"
    annotator: str | None = None
    lam: float = Field(LAM, ge=LAM_BOUNDS[0], le=LAM_BOUNDS[1])
    c: float = Field(C, ge=C_BOUNDS[0], le=C_BOUNDS[1])

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        return None if "metric_depth" in layers else self.annotator

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if "metric_depth" in layers or self.annotator:
            return None
        if "depth" in layers:
            return (
                "the depth of the source is relative, which has no metres; say what its codes "
                "mean (depth_is and depth_unit), or give the proxy an annotator that predicts "
                "metres (depth_pro, depth_anything_metric)"
            )
        return (
            "the source has no depth; give it a folder (depth, depth_is, depth_unit), or the proxy "
            "an annotator that predicts metres (depth_pro, depth_anything_metric)"
        )

    def bank(self) -> str:
        return "metric_depth"

    def draw(self, subject: Subject) -> DrawnTarget:
        depth = subject.dense("metric_depth")
        drawn = CodeColours.of(depth, self.lam, self.c)
        codes = sampled_codes(depth, subject)
        pixels, used = drawn.paint(codes)
        counts = np.bincount(drawn.points, used, GAP + 1).astype(np.int64)
        finite = drawn.metres[(used > 0) & (drawn.points < WHITE)]
        if counts[GAP] == codes.size:
            raise AnnotationError("no pixel of the output has a depth measurement")
        if not finite.size:
            raise AnnotationError(
                "every measured pixel of the output is infinitely far, or cannot be told from it; "
                "does depth_unit of the source fit its files?"
            )
        facts = {
            "values": "metric depth",
            "unit": "m",
            "from": origin_of_map(depth),
            "transform": {"lambda": self.lam, "c": self.c},
            "near": float(finite.min()),
            "far": float(finite.max()),
            "infinite": int(counts[WHITE]),
            "invalid": int(counts[GAP]),
            "invalid_color": list(NOT_MEASURED),
            "focal_pixels": depth.focal_pixels or 0.0,
        }
        words = {"scale": scale_text(self.lam, self.c, has_gaps=bool(counts[GAP]))}
        return DrawnTarget(encode_rgb(pixels), "png", facts, words=words)

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        scale = facts["instruction"]["words"]["scale"]
        return f"map of distances, in which colours stand for metres ({scale})"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedMetricDepth:
        """Metres [H, W] float32 of a target, to within half a step of the walk.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        stated = _Stated.of(facts)
        metres = np.append(metres_of_points(stated.lam, stated.c), np.nan).astype(np.float32)
        decoded = metres[points_of_target(target, stated.size)]
        return DecodedMetricDepth(decoded, stated.lam, stated.c, stated.focal_pixels or None)

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        stated = _Stated.of(facts)
        points = points_of_target(target, stated.size)
        counts = np.bincount(points.ravel(), minlength=GAP + 1)
        problems = [
            f"{count} pixels are {colour}; its facts say {name} {cut(facts.get(name), 40)}"
            for name, colour, count in (
                ("infinite", "white", counts[WHITE]), ("invalid", "grey", counts[GAP]),
            )
            if facts.get(name) != count
        ]  # fmt: skip
        finite = np.flatnonzero(counts[:WHITE])
        if not finite.size:
            return [*problems, "no pixel of it has a finite distance"]
        metres = metres_of_points(stated.lam, stated.c)
        for name, end, drawn in (
            ("near", stated.near, finite.min()), ("far", stated.far, finite.max()),
        ):  # fmt: skip
            if walk_points(fraction_of_metres(np.array(end), stated.lam, stated.c)) != drawn:
                problems.append(
                    f"its {name} end is drawn as {metres[drawn]:.4g} m; its facts say {end:.4g}"
                )
        scale = scale_text(stated.lam, stated.c, has_gaps=bool(counts[GAP]))
        if stated.scale != scale:
            problems.append(f"the instruction's scale is {cut(stated.scale)}, not {cut(scale)}")
        return problems


@dataclass(frozen=True, slots=True)
class _Stated:
    """The fields of the facts that decoding needs.

    Attributes:
        size: width and height of the target.
        lam, c: of the power transform.
        near, far: smallest and largest finite distance in metres.
        focal_pixels: focal length in pixels; 0 where none is known.
        scale: the distances at the corners of the walk, as the instruction has them.
    """

    size: tuple[int, int]
    lam: float
    c: float
    near: float
    far: float
    focal_pixels: float
    scale: str

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Stated:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong.
        """
        try:
            transform, scale = facts["transform"], facts["instruction"]["words"]["scale"]
            near, far, focal = (
                _number(facts[name], 0, np.inf) for name in ("near", "far", "focal_pixels")
            )
            stated = cls(
                (facts["size"]["width"], facts["size"]["height"]),
                _number(transform["lambda"], *LAM_BOUNDS),
                _number(transform["c"], *C_BOUNDS),
                near, far, focal, scale,
            )  # fmt: skip
            if not isinstance(scale, str) or facts["unit"] != "m":
                raise ValueError(f"scale {cut(scale, 40)}, unit {cut(facts['unit'], 40)}")
            if facts["invalid_color"] != list(NOT_MEASURED):
                raise ValueError(f"invalid_color {cut(facts['invalid_color'], 40)}")
        except (KeyError, TypeError, ValueError) as why:
            raise CorpusError(
                f"the facts do not describe a metric depth target: {in_words(why)}"
            ) from why
        return stated


def _number(value: Any, least: float, most: float) -> float:
    """A number of the facts within its bounds.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise ValueError(f"{cut(value, 40)} is no number of {least:g} to {most:g}")
    return float(value)
