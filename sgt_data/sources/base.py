"""Base class of sources, which are listed once and then read slice by slice; keys of their inputs.

Keys. The key of an input is `<source>_<id>`, and its id comes from the input's name (its path below
the folder, or in the tar, without the suffix of the picture):

1. A name of ASCII characters, up to 160 of them: every character but letters, digits, `_` and `-`
   becomes `-`. `a/IMG 1.jpg` has the id `a-IMG-1`.
2. Any other name: what rule 1 can keep of it, and a digest of the whole path, suffix included. So
   the key of `照片1.jpg` depends on that name alone, and not on which other inputs there are.
3. Names of ASCII characters to which rule 1 gives one id (`1.jpg` and `1.png`, `a/1.jpg` and
   `a-1.jpg`) carry a digest as well. Sources that are listed whole (folder, coco) mark all of them:
   the order of listing changes no key. Tars are cut while they are read, so there the first one in
   the tar keeps the plain id, and later ones are marked: what comes later in a tar changes no
   earlier key. Across tars a key that comes again is a repeated input, which the ledger names.

The digest is of 64 bits; a key has no dots, and with every suffix it is a valid file name.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, model_validator

from sgt_data.errors import AnnotationError
from sgt_data.pictures.decode_source import StoredPicture
from sgt_data.pictures.normal_colours import Directions, NormalsConvention, directions_of
from sgt_data.plugins.member import Member
from sgt_data.plugins.origins import origin_of
from sgt_data.plugins.own_code import mistake, own_code
from sgt_data.records import (
    DEPTH_LAYERS,
    Annotation,
    DenseLayer,
    DenseMap,
    Intrinsics,
    Inventory,
    Layer,
    MapAnnotation,
    MaskAnnotation,
    NormalMap,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.cameras import ROLE, CameraFields, parse_camera
from sgt_data.sources.dense_maps import CODES, parse_dense
from sgt_data.sources.depth_files import DepthFiles, DepthKind
from sgt_data.sources.normal_files import NormalFiles
from sgt_data.sources.orientation import (
    Frame,
    placed_annotation,
    placed_depth,
    placed_normals,
)
from sgt_data.value_text import cut

_DEPTH_FIELDS = (
    "depth_is", "depth_unit", "depth_invalid", "depth_max_invalid", "depth_orientation",
)  # fmt: skip
_NORMALS_FIELDS = ("normals_convention", "normals_none", "normals_orientation")
_BESIDE = {*_NORMALS_FIELDS, "normals", "intrinsics"}
_Level = Annotated[int, Field(ge=0, le=255)]
_NOT_IN_KEYS = re.compile(r"[^A-Za-z0-9_-]")
_STEM_LENGTH_MAX = 160
_INVERSE_UNIT_MAX = 0.01
_KEPT_LENGTH = 40  # so that a marked key and every suffix fit the 100 bytes of a tar's header


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


def read_annotation(
    source: Source, raw: RawInput, stored: StoredPicture, layer: Layer
) -> Annotation | None:
    """A layer of segments of an input with the pixels that it lies on; None where there is none.

    Raises:
        AnnotationError: the annotation cannot be right.
    """
    with own_code(source, "annotation", raw.key):
        annotation: Any = source.annotation(raw, layer)
    if annotation is None:
        return None
    if not isinstance(annotation, MaskAnnotation | MapAnnotation):
        raise mistake(
            source, "annotation", raw.key,
            f"it returned {cut(annotation, 60)}; right is a MaskAnnotation or a MapAnnotation of "
            "sgt_data.records, or None where the picture has none",
        )  # fmt: skip
    field = f"sources.{source.name}.orientation"
    return placed_annotation(annotation, stored, source.orientation, field)


def read_dense(source: Source, raw: RawInput, stored: StoredPicture, layer: DenseLayer) -> DenseMap:
    """A dense layer of an input, on the stored pixels of its picture.

    Raises:
        AnnotationError: the layer is missing, or is no such map.
        FilteredOut: too much of it is no measurement.
    """
    given = source.depth_orientation is not None
    field = f"sources.{source.name}.{'depth_' if given else ''}orientation"
    frame = source.depth_orientation or source.orientation
    with own_code(source, "dense", raw.key):
        dense: Any = source.dense(raw, layer)
    if not isinstance(dense, DenseMap):
        raise mistake(
            source, "dense", raw.key,
            f"it returned {cut(dense, 60)}; right is a DenseMap of sgt_data.records",
        )  # fmt: skip
    return placed_depth(dense, stored, frame, field)


def read_normals(source: Source, raw: RawInput, stored: StoredPicture) -> NormalMap:
    """The normals of an input, on the stored pixels of its picture.

    Raises:
        AnnotationError: there are none, or they are no such map.
    """
    given = source.normals_orientation is not None
    field = f"sources.{source.name}.{'normals_' if given else ''}orientation"
    with own_code(source, "normal_map", raw.key):
        normals: Any = source.normal_map(raw)
    if not isinstance(normals, NormalMap):
        raise mistake(
            source, "normal_map", raw.key,
            f"it returned {cut(normals, 60)}; right is a NormalMap of sgt_data.records",
        )  # fmt: skip
    return placed_normals(normals, stored, source.normals_orientation or source.orientation, field)


def read_intrinsics(source: Source, raw: RawInput, stored: StoredPicture) -> Intrinsics:
    """The camera of an input.

    Raises:
        AnnotationError: there is none, or it is for pixels of another size.
    """
    return parse_camera(read_layer_data(source, raw, ROLE), (stored.width, stored.height))


def read_layer_data(source: Source, raw: RawInput, layer: Layer) -> bytes:
    """Bytes of a layer of a user's own.

    Raises:
        AnnotationError: the input has no such layer.
    """
    with own_code(source, "layer_data", raw.key):
        data: Any = source.layer_data(raw, layer)
    if not isinstance(data, bytes):
        raise mistake(
            source, "layer_data", raw.key, f"it returned {cut(data, 60)}; right are bytes"
        )
    return data


def key_of(source: str, stem: str, path: str | None = None) -> str:
    """Key of an input by its own name alone: rules 1 and 2 of this module.

    Args:
        source: name of the source.
        stem: path of the input without the suffix of the picture.
        path: the whole path; by default `stem`.
    """
    if stem.isascii() and len(stem) <= _STEM_LENGTH_MAX:
        return f"{source}_{_NOT_IN_KEYS.sub('-', stem)}"
    return marked_key(source, stem, path)


def marked_key(source: str, stem: str, path: str | None = None) -> str:
    """Key of an input whose name alone is not enough: with a digest of its path.

    Args:
        source: name of the source.
        stem: path of the input without the suffix of the picture.
        path: the whole path; by default `stem`.
    """
    # names of local files may hold bytes that are no UTF-8
    whole = (stem if path is None else path).encode("utf-8", "surrogateescape")
    digest = hashlib.blake2b(whole, digest_size=8).hexdigest()
    kept = re.sub(r"-{2,}", "-", _NOT_IN_KEYS.sub("-", stem)).strip("-")[-_KEPT_LENGTH:].strip("-")
    return f"{source}_{kept}-{digest}" if kept else f"{source}_{digest}"


def unique_keys(source: str, paths: Iterable[str]) -> dict[str, str]:
    """Keys of all inputs of a source that is listed whole, by path; no two are the same.

    Args:
        source: name of the source.
        paths: of the inputs, each once, with the suffix of the picture.
    """
    stems = {path: posixpath.splitext(path)[0] for path in paths}
    keys = {path: key_of(source, stem, path) for path, stem in stems.items()}
    for _ in range(2):  # the second time: a plain name that spells the marked key of another
        uses = Counter(keys.values())
        if len(uses) == len(keys):
            break
        keys = {
            path: marked_key(source, stems[path], path) if uses[key] > 1 else key
            for path, key in keys.items()
        }
    return keys
