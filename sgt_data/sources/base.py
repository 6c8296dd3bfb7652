"""Base class of sources, which are listed once and then read slice by slice."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from sgt_data.errors import AnnotationError
from sgt_data.pictures.normal_colours import Directions, NormalsConvention, directions_of
from sgt_data.plugins.member import Member
from sgt_data.plugins.origins import origin_of
from sgt_data.records import (
    DEPTH_LAYERS,
    Annotation,
    DenseLayer,
    DenseMap,
    Inventory,
    Layer,
    NormalMap,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.cameras import CameraFields
from sgt_data.sources.dense_maps import CODES, parse_dense
from sgt_data.sources.depth_files import DepthFiles, DepthKind
from sgt_data.sources.keys import unique_keys as unique_keys  # for files of one's own
from sgt_data.sources.normal_files import NormalFiles
from sgt_data.sources.orientation import (
    Frame,
)

_DEPTH_FIELDS = (
    "depth_is", "depth_unit", "depth_invalid", "depth_max_invalid", "depth_orientation",
)  # fmt: skip
_NORMALS_FIELDS = ("normals_convention", "normals_none", "normals_orientation")
_BESIDE = {*_NORMALS_FIELDS, "normals", "intrinsics"}
_Level = Annotated[int, Field(ge=0, le=255)]
_INVERSE_UNIT_MAX = 0.01


class Source(Member):
    """Base class of the sources of a manifest. A subclass lists what there is, reads and parses it.

    Attributes:
        type: kind of source, the key of the registry.
        name: prefix of its keys and shards; unique in a manifest.
        orientation: on which pixels of pictures that EXIF turns its annotations and depth files
            were made: `stored` (as COCO and SA-1B), `upright` (as most web tools), or `auto`, which
            decides by their size for each picture. Where the size shows nothing (a square, a half
            turn, a mirrored picture), `auto` takes the stored pixels and notes it in the ledger.
        depth_orientation: the same for depth files, where it differs.
        depth: folder of 16-bit grey PNGs, one for each picture, with its name and its size.
        depth_is: `inverse` where the files hold inverse depth (near is large, 0 infinitely far),
            `metric` where they hold distance (far is large).
        depth_unit: of metric depth, in metres per code: 0.001 for millimetres (ScanNet, NYU),
            0.0002 for TUM RGB-D, 0.00390625 for KITTI. Of inverse depth, in 1/m per code, where its
            scale is known: 3.0518043793392844e-05 for `sgt-data sample`. Files with a unit give the
            layer `metric_depth` as well.
        depth_invalid: codes that state no measurement: by default 0 in metric files, where it
            always is one, and none in files of inverse depth.
        depth_max_invalid: largest share of such pixels, 0 to 1, of a picture whose depth is drawn.
        normals: folder of surface normals, one file for each picture, with its name and its size:
            8-bit RGB PNGs, or `.npy` arrays of floats (height x width x 3).
        normals_convention: where large values of red, green and blue point: `ours` (right, up,
            towards the viewer), `nyuv2`, `dsine`, `marigold`, or the three directions, such as
            `[right, down, away from the viewer]`.
        normals_none: colour of pixels without normal; black by default.
        normals_orientation: as `orientation`, for files of normals, where it differs.
        intrinsics: the camera of metric depth: `{fx, fy, cx, cy}` in pixels of the stored picture,
            of which the top left one has its centre at (0, 0), or a JSON file with a camera for
            each picture: `{"pictures": {NAME: {"fx": ..}}}`.
    """

    orientation: Frame = "auto"
    depth: str | None = None
    depth_orientation: Frame | None = None
    depth_is: DepthKind = "inverse"
    depth_unit: float | None = Field(None, gt=0, le=1000, allow_inf_nan=False)
    depth_invalid: tuple[Annotated[int, Field(ge=0, le=CODES)], ...] | None = None
    depth_max_invalid: float = Field(0.5, ge=0, le=1)
    normals: str | None = None
    normals_convention: NormalsConvention | Directions = "ours"
    normals_none: tuple[_Level, _Level, _Level] = (0, 0, 0)
    normals_orientation: Frame | None = None
    intrinsics: CameraFields | str | None = None

    role: ClassVar[str] = "source"
    to_write: ClassVar[frozenset[str]] = frozenset({"layers", "inventory", "read"})

    places: ClassVar[frozenset[str]] = frozenset({"depth", "normals", "intrinsics"})
    """Names of the fields that hold places (URLs, folders). They are no part of the identity of a
    corpus: the same inputs may move. Relative ones of a manifest lie in its folder."""

    place_words: ClassVar[frozenset[str]] = frozenset()
    """Values of such fields that are words and no places."""

    hub_places: ClassVar[frozenset[str]] = frozenset()
    """Names of such fields that may hold the id of a repository on the Hugging Face Hub."""

    tolerances: ClassVar[frozenset[str]] = frozenset()
    """Names of the fields that say what a build may lack. They are no part of its identity."""

    keys_differ: ClassVar[bool] = False
    """Whether the inventory itself makes sure that no two inputs have the same key."""

    before: ClassVar[Mapping[str, Any]] = {}
    """For fields that came later: the value by which corpora of before they existed were built. It
    is no part of the identity of a corpus, so that such a corpus can be continued with it."""

    @model_validator(mode="after")
    def _depth_fits(self) -> Self:
        given = [
            name
            for name in _DEPTH_FIELDS
            if getattr(self, name) != type(self).model_fields[name].default
        ]
        if given and self.depth is None:
            raise ValueError(f"{given[0]} says how depth files are read; give depth: a folder")
        files = self.depth or self.normals
        if self.orientation != "auto" and files is None and not self.layers():
            raise ValueError(
                f"orientation is {self.orientation}; it says how annotations and files of depth or "
                "normals are read, and this source has none"
            )
        if self.depth_is == "metric" and self.depth_unit is None:
            raise ValueError(
                "depth_is is metric; give depth_unit: metres per code, 0.001 for millimetres"
            )
        if self.depth_unit is not None and "depth_is" not in self.model_fields_set:
            raise ValueError(
                f"depth_unit is {self.depth_unit}, and depth_is does not say of what; give "
                "depth_is: metric where it is metres per code, depth_is: inverse where it is 1/m "
                "per code"
            )
        if self.depth_is == "inverse" and (self.depth_unit or 0) > _INVERSE_UNIT_MAX:
            raise ValueError(
                f"depth_unit is {self.depth_unit}; of inverse depth it is 1/m per code, at most "
                f"{_INVERSE_UNIT_MAX} (distances from 1.5 mm on); where the files hold distances, "
                "give depth_is: metric"
            )
        return self

    @model_validator(mode="after")
    def _normals_fit(self) -> Self:
        for name in _NORMALS_FIELDS:
            is_given = getattr(self, name) != type(self).model_fields[name].default
            if is_given and self.normals is None:
                raise ValueError(
                    f"{name} says how files of normals are read; give normals: a folder"
                )
        return self

    @property
    def normal_files(self) -> NormalFiles:
        """How the files of its normals are read."""
        return NormalFiles(directions_of(self.normals_convention), self.normals_none)

    def normals_identity(self) -> dict[str, Any]:
        """What the targets of normals depend on beside the files' names and sizes."""
        given = self.normals_orientation
        return self.normal_files.identity() | ({"orientation": given} if given else {})

    @property
    def depth_files(self) -> DepthFiles:
        """How the codes of its depth files are read."""
        always = {0} if self.depth_is == "metric" else set()
        invalid = tuple(sorted(always | set(self.depth_invalid or ())))
        is_metric, limit = self.depth_is == "metric", self.depth_max_invalid
        return DepthFiles(
            self.depth_is, self.depth_unit if is_metric else None, invalid, limit,
            None if is_metric else self.depth_unit,
        )  # fmt: skip

    def depth_identity(self) -> dict[str, Any]:
        """What the targets of depth depend on beside the files' names and sizes."""
        given = self.depth_orientation
        return self.depth_files.identity() | ({"orientation": given} if given else {})

    def identity(self) -> dict[str, Any]:
        """The fields that shape every sample, as plain JSON; without those of files of depth and
        normals and of cameras, on which few proxies depend."""
        before = {"orientation": "stored", **self.before}
        fields = self.model_dump(
            mode="json", exclude={*self.places, *self.tolerances, *_DEPTH_FIELDS, *_BESIDE}
        )
        if origin := origin_of(type(self)):
            fields["plugin"] = dict(origin)
        return {
            name: value
            for name, value in fields.items()
            if name not in before or before[name] != value
        }

    def files_in_identity(self) -> bool:
        """Whether the sizes of all files of `pictures` belong to the identity of a corpus, so that
        a file that was mended makes another build."""
        return False

    def layers(self) -> frozenset[Layer]:
        """The layers of segments that its annotations hold; empty for plain pictures."""
        raise NotImplementedError

    def offers(self) -> frozenset[Layer]:
        """All layers that it has, dense ones included."""
        beside = {name for name in ("depth", "normals", "intrinsics") if getattr(self, name)}
        if self.depth and self.depth_files.are_metric:
            beside |= DEPTH_LAYERS
        return self.layers() | beside

    def inventory(self, shard_samples: int) -> Inventory:
        """List the inputs as slices. Indexes and annotation files may be read, pictures may not.

        Args:
            shard_samples: inputs of a shard.

        Raises:
            SourceError, RequestError: the source cannot be listed.
        """
        raise NotImplementedError

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        """Read a slice in order, cut into shards.

        Args:
            piece: the slice.
            shard_samples: inputs of a shard.
            skip: names of the shards that need not be read.

        Raises:
            SourceError: the slice cannot be read at present.
        """
        raise NotImplementedError

    def beginning(self, piece: Slice, count: int) -> Slice | None:
        """A slice of the first inputs of a slice, which is read faster; None where there is none.

        Args:
            piece: the slice.
            count: inputs of the beginning.
        """
        return None

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        """Parse a layer of segments of an input; None where the source has none for it.

        Raises:
            AnnotationError: the annotation cannot be right.
        """
        return None

    def layer_data(self, raw: RawInput, layer: Layer) -> bytes:
        """Bytes of a layer of a user's own, which proxies parse: those of the file of this role.

        Raises:
            AnnotationError: the input has no such layer.
        """
        if layer in raw.layer_problems:
            raise AnnotationError(raw.layer_problems[layer])
        for files in (raw.layer_bytes, raw.extras):
            if layer in files:
                return files[layer]
        raise AnnotationError(f"there is no {layer} of this picture")

    def file_layer(self, layer: DenseLayer) -> DenseLayer:
        """The layer whose file holds a dense layer: depth files hold metric depth as well."""
        return "depth" if layer in DEPTH_LAYERS and self.depth is not None else layer

    def dense(self, raw: RawInput, layer: DenseLayer) -> DenseMap:
        """Parse a dense layer of an input.

        Raises:
            AnnotationError: the layer is missing, or is no such map.
            FilteredOut: too much of it is no measurement.
        """
        dense = parse_dense(self.layer_data(raw, self.file_layer(layer)))
        return self.depth_files.read(dense) if layer in DEPTH_LAYERS else dense

    def normal_map(self, raw: RawInput) -> NormalMap:
        """Parse the normals of an input.

        Raises:
            AnnotationError: there are none, or they are no such map.
        """
        return self.normal_files.read(self.layer_data(raw, "normals"))
