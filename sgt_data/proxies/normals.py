"""The normals proxy: picture -> unit surface normals in the camera's frame, as colours.

Right, up and towards the viewer are red, green and blue: `channel = round((component + 1) / 2 *
255)`; see `pictures.normal_colours`, which also has the conventions of NYUv2, DSINE and Marigold.
That a unit vector becomes an RGB picture which the instruction makes decodable is after the
published description of Vision Banana (arXiv 2604.20329, 2026). Our own choices: the directions are
stated in the instruction and in the JSON, black states that there is no normal, maps are sampled
and never interpolated, and where a source has metric depth and intrinsics instead of normals, these
are computed from it (`normals_of_depth`).

An unequal change of width and height changes no vector: the target shows the normals of the scene
as the camera saw it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator

from sgt_data.errors import AnnotationError, CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.geometry.axes_text import axes_text, stated_directions
from sgt_data.geometry.normals_of_cameras import colours_of_predicted, colours_of_stored
from sgt_data.geometry.normals_of_depth import PlaneFit
from sgt_data.geometry.normals_of_maps import check_faces_viewer, colours_of_map
from sgt_data.pictures.normal_colours import (
    CONVENTIONS,
    Directions,
    NormalsConvention,
    directions_of,
    is_black,
    is_unit_colour,
    normals_of_colours,
)
from sgt_data.pictures.rgb_png import decode_rgb, encode_rgb
from sgt_data.proxies.base import Proxy, Subject, Tier
from sgt_data.records import DrawnTarget, Layer
from sgt_data.seeds import generator
from sgt_data.segmentation.pixel_sampling import sample_grid
from sgt_data.value_text import cut, cut_text

_OF_DEPTH: frozenset[Layer] = frozenset({"metric_depth", "intrinsics"})
_COLOURS = ("red", "green", "blue")
_WINDOW_MAX = 15
Origin = Literal["normal map", "metric depth", "annotator"]
"""What normals are from: a source's map of them, its metric depth, or that of an annotator."""


@dataclass(frozen=True, slots=True, repr=False)
class DecodedNormals:
    """A decoded target of surface normals.

    Attributes:
        vectors: [H, W, 3] float32 of length 1: right, up, towards the viewer, whatever the
            directions of the target's colours; NaN where there is no normal.
    """

    vectors: NDArray[np.float32]

    def __repr__(self) -> str:
        height, width = self.measured.shape
        return f"<DecodedNormals {width}x{height} pixels, {self.measured.mean():.0%} with a normal>"

    @property
    def measured(self) -> NDArray[np.bool_]:
        """[H, W], False where there is no normal."""
        return ~np.isnan(self.vectors[..., 0])


class NormalsProxy(Proxy):
    """Proxy that draws how surfaces are turned, as seen by the camera.

    Target:
        The unit surface normal of each pixel: right is red, up is green, towards the viewer is
        blue, each from -1 (0) to 1 (255); an RGB PNG. Black where there is no normal.

    Examples:
        {type: normals}
        {type: normals, name: normals-dsine, convention: dsine}
        {type: normals, name: normals-predicted, annotator: depth-pro}

    Attributes:
        annotator: name of the annotator that provides metric depth with the focal length, where the
            source has no normals, and no metric depth with intrinsics.
        convention: directions of red, green and blue: `ours` (right, up, towards the viewer),
            `nyuv2`, `dsine`, `marigold`, or the three directions themselves, such as
            `[left, up, towards the viewer]`.
        window: where normals are computed from metric depth, pixels along a side of the
            neighbourhood through which a plane is laid; odd.
        edge: where they are, largest share by which the inverse depth of a neighbour may be off the
            plane of a pixel's surface.
        farthest: where they are, distance in metres beyond which there is no normal, as sensors and
            codes of 16 bits are coarse far away; by default all have one.
    """

    tier: ClassVar[Tier] = "mid"
    annotated_layer: ClassVar[Layer | None] = "camera_depth"
    placeholders: ClassVar[frozenset[str]] = frozenset({"axes"})
    target_bytes_per_pixel: ClassVar[float] = 0.3

    type: Literal["normals"] = "normals"
    name: str = "normals"
    annotator: str | None = None
    convention: NormalsConvention | Directions = "ours"
    window: int = Field(5, ge=3, le=_WINDOW_MAX)
    edge: float = Field(0.01, gt=0, le=1)
    farthest: float | None = Field(None, gt=0, le=1e6)

    @field_validator("window")
    @classmethod
    def _is_odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError(f"window is {value}; it has a pixel in its middle: {value + 1}")
        return value

    def annotator_for(self, layers: frozenset[Layer]) -> str | None:
        return self.annotator if _origin(layers) == "annotator" else None

    def unmet_need(self, layers: frozenset[Layer]) -> str | None:
        if _origin(layers) != "annotator" or self.annotator:
            return None
        if "metric_depth" in layers:
            return (
                "the source has metric depth and no camera; give it intrinsics: {fx, fy, cx, cy}, "
                "or a file of cameras"
            )
        return (
            "the source has no normals; give it a folder (normals), or metric depth (depth, "
            "depth_is, depth_unit) with intrinsics; or the proxy an annotator that gives metric "
            "depth with the focal length (depth_pro)"
        )

    def files_beside(self, layers: frozenset[Layer]) -> frozenset[Layer]:
        if self.annotator_for(layers):
            return frozenset()
        return frozenset({"normals"} if "normals" in layers else {"depth", "intrinsics"})

    def bank(self) -> str:
        return "normals"

    def draw(self, subject: Subject) -> DrawnTarget:
        directions, origin = directions_of(self.convention), _origin(subject.layers)
        colours = self._colours(subject, origin, directions)
        none = int(np.count_nonzero(is_black(colours)))
        if none == colours.shape[0] * colours.shape[1]:
            raise AnnotationError("no pixel of the output has a surface normal")
        is_stated = origin == "normal map"
        if is_stated:  # those of depth are computed towards the camera
            check_faces_viewer(colours, directions, none)
        facts = {
            "values": "unit surface normals",
            "frame": "camera",
            "directions": dict(zip(_COLOURS, directions, strict=True)),
            "convention": self.convention if isinstance(self.convention, str) else "stated",
            "from": origin,
            "window": 0 if is_stated else self.window,
            "edge": 0.0 if is_stated else self.edge,
            "farthest": 0.0 if is_stated else self.farthest or 0.0,
            "invalid": none,
            "invalid_color": [0, 0, 0],
        }
        words = {"axes": axes_text(directions, generator(subject.seed, "normals", subject.key))}
        return DrawnTarget(encode_rgb(colours), "png", facts, words=words)

    def _colours(
        self, subject: Subject, origin: Origin, directions: Directions
    ) -> NDArray[np.uint8]:
        """The target's colours [H, W, 3]."""
        fit = PlaneFit(self.window, self.edge, self.farthest or np.inf)
        if origin == "annotator":
            return colours_of_predicted(subject.dense("camera_depth"), fit, directions)
        picture, stored = subject.picture, subject.picture.stored
        grid = sample_grid(
            stored.height, stored.width, picture.height, picture.width, stored.orientation
        )
        if origin == "normal map":
            return colours_of_map(subject.normals(), grid, directions)
        depth = subject.dense("metric_depth")
        return colours_of_stored(depth, subject.intrinsics(), grid, fit, directions)

    @classmethod
    def map_words(cls, facts: Mapping[str, Any]) -> str:
        return f"map of surface normals ({facts['instruction']['words']['axes']})"

    @classmethod
    def decode(cls, target: bytes, facts: Mapping[str, Any]) -> DecodedNormals:
        """Unit vectors [H, W, 3] float32 right, up, towards the viewer, to within 0.4 degrees.

        Raises:
            CorpusError: target and facts do not belong together.
        """
        stated = _Stated.of(facts)
        colours = decode_rgb(target, stated.size)
        return DecodedNormals(normals_of_colours(colours, stated.directions))

    @classmethod
    def contradictions(cls, target: bytes, facts: Mapping[str, Any]) -> list[str]:
        stated = _Stated.of(facts)
        colours = decode_rgb(target, stated.size)
        is_none = is_black(colours)
        count, problems = int(np.count_nonzero(is_none)), []
        if facts.get("invalid") != count:
            problems.append(
                f"{count} pixels have no normal; its facts say {cut(facts.get('invalid'), 40)}"
            )
        wrong = ~is_none & ~is_unit_colour(colours)
        if wrong.any():
            problems.append(
                f"{np.count_nonzero(wrong)} pixels have colours that no unit vector has, such as "
                f"{colours[wrong][0].tolist()}"
            )
        conventions = dict[str, Directions](CONVENTIONS.items()) | {"stated": stated.directions}
        if conventions.get(stated.convention) != stated.directions:
            problems.append(
                f"its facts name the convention {cut(stated.convention, 40)}, and other directions "
                f"than it has: {', '.join(stated.directions)}"
            )
        written = stated_directions(stated.axes)
        if written != stated.directions:
            problems.append(
                f"the instruction says {cut(stated.axes)}; its facts say "
                f"{', '.join(stated.directions)} for red, green, blue"
            )
        return problems


def _origin(layers: frozenset[Layer]) -> Origin:
    """What normals are from where a source has these layers."""
    if "normals" in layers:
        return "normal map"
    return "metric depth" if layers >= _OF_DEPTH else "annotator"


@dataclass(frozen=True, slots=True)
class _Stated:
    """The fields of the facts that decoding needs.

    Attributes:
        size: width and height of the target.
        directions: of red, green and blue.
        convention: its name; `stated` where the manifest states directions.
        axes: the directions as the instruction has them.
    """

    size: tuple[int, int]
    directions: Directions
    convention: str
    axes: str

    @classmethod
    def of(cls, facts: Mapping[str, Any]) -> _Stated:
        """Parse the facts of a sample.

        Raises:
            CorpusError: a field is missing or wrong.
        """
        try:
            axes = facts["instruction"]["words"]["axes"]
            stated = cls(
                (facts["size"]["width"], facts["size"]["height"]),
                directions_of([facts["directions"][colour] for colour in _COLOURS]),
                str(facts["convention"]),
                axes,
            )
            if not isinstance(axes, str) or facts["invalid_color"] != [0, 0, 0]:
                raise ValueError(f"axes {cut(axes, 40)}, {cut(facts['invalid_color'], 40)}")
        except (KeyError, TypeError, ValueError, RequestError) as why:
            raise CorpusError(
                f"the facts do not describe a target of normals: {cut_text(in_words(why), 200)}"
            ) from why
        return stated
