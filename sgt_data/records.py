"""Records that travel between the rooms: annotations, inputs, shards, slices, drawn targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.redaction import without_secrets

Layer = str
"""Name of a kind of annotation: one of `LAYERS`, or one of a user's own (`keypoints`, `flow`)."""

LAYERS: Mapping[Layer, str] = {
    "entities": "masks without class",
    "instances": "things",
    "panoptic": "things and stuff",
    "stuff": "stuff alone",
    "depth": "depth of every pixel, relative or metric",
    "metric_depth": "depth of every pixel in metres",
    "camera_depth": "depth of every pixel in metres, with the focal length of the camera",
    "normals": "unit surface normals of every pixel",
    "intrinsics": "focal lengths and middle of the camera",
    "edges": "edge strength of every pixel",
    "target": "a target picture that was made elsewhere",
    "text": "the instruction that belongs to such a target",
    "target_facts": "the JSON by which such a target is decoded",
}
"""The layers that this package knows, and what each of them holds."""

DEPTH_LAYERS: frozenset[Layer] = frozenset({"depth", "metric_depth"})
"""The layers that a source's depth files give: the second where they state metres."""

PAIR_LAYERS: tuple[Layer, ...] = ("target", "text", "target_facts")
"""The layers of pairs that were made elsewhere."""

DenseLayer = str
"""Name of a layer that has a number for every pixel instead of a list of segments."""

_CODES = 65535

RunLengths = bytes | Sequence[int]
"""A mask as COCO's run lengths: compressed counts as ASCII bytes, or plain counts."""


@dataclass(frozen=True, slots=True)
class Category:
    """An entry of a source's vocabulary.

    Attributes:
        id: number of the category in its source, from 0 on.
        name: its name.
        isthing: whether it is countable (a thing) or not (stuff).
    """

    id: int
    name: str
    isthing: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """An annotated region of a picture, as the source states it.

    Attributes:
        id: number of the segment, unique in its picture.
        category_id: its category; None where the source has none.
        iscrowd: whether it covers several objects (COCO).
        predicted_iou: quality that a model predicted for the mask (SA-1B).
        stability_score: stability of the mask (SA-1B).
    """

    id: int
    category_id: int | None = None
    iscrowd: bool = False
    predicted_iou: float | None = None
    stability_score: float | None = None


@dataclass(frozen=True, slots=True)
class MaskAnnotation:
    """Segments with a mask each; masks may overlap.

    Attributes:
        height, width: size in pixels of the picture that the masks lie on.
        segments: the segments.
        masks: the mask of each segment, in the order of `segments`.
        left_out: what is wrong with each annotation that is not among `segments`.
        orientation: EXIF orientation by which that picture is turned already: 1 for the stored
            picture.
        assumed: what was assumed of `orientation`, where nothing states it.
    """

    height: int
    width: int
    segments: tuple[Segment, ...]
    masks: tuple[RunLengths, ...]
    left_out: tuple[str, ...] = ()
    orientation: int = 1
    assumed: str | None = None


@dataclass(frozen=True, slots=True)
class MapAnnotation:
    """Segments that share a map of their ids.

    Attributes:
        segments: the segments.
        id_map: [height, width] int32, the id of the segment of each pixel of the picture.
        void: id of unlabelled pixels.
        orientation: EXIF orientation by which that picture is turned already: 1 for the stored
            picture.
        assumed: what was assumed of `orientation`, where nothing states it.
    """

    segments: tuple[Segment, ...]
    id_map: NDArray[np.int32]
    void: int
    orientation: int = 1
    assumed: str | None = None

    @property
    def height(self) -> int:
        """Rows of the picture that the map lies on."""
        return int(self.id_map.shape[0])

    @property
    def width(self) -> int:
        """Columns of the picture that the map lies on."""
        return int(self.id_map.shape[1])


Annotation = MaskAnnotation | MapAnnotation


@dataclass(frozen=True, slots=True)
class DenseMap:
    """A number for every pixel: `low + codes / 65535 * (high - low)`, or `codes * metres_per_code`.

    Depth is metric, which means in metres, where `metres_per_code` is set or `unit` is `1/m`.

    Attributes:
        codes: [H, W] uint16.
        low: value of code 0, where the map is not metric.
        high: value of code 65535, where the map is not metric.
        upright: True where the map belongs to the upright picture at the output size; False where
            it belongs to the stored pixels of the source picture, before orientation.
        metres_per_code: unit of the codes of metric depth, in which far is large; None where the
            map holds inverse depth or something else than depth.
        invalid: codes that state no measurement.
        assumed: what was assumed of the picture that the map lies on, where nothing states it.
        unit: of `low` and `high`: `1/m` where the map is inverse depth of metres, 0 infinitely far.
        focal_pixels: focal length in pixels of the map, where a model has predicted it.
    """

    codes: NDArray[np.uint16]
    low: float
    high: float
    upright: bool
    metres_per_code: float | None = None
    invalid: tuple[int, ...] = ()
    assumed: str | None = None
    unit: Literal["relative", "1/m"] = "relative"
    focal_pixels: float | None = None

    @property
    def is_metric(self) -> bool:
        """Whether it holds depth in metres, or the inverse of metres."""
        return self.metres_per_code is not None or self.unit == "1/m"

    def metres_of_codes(self) -> NDArray[np.float64]:
        """Metres of every code [65536]; infinite at inverse depth 0, NaN at invalid codes.

        Raises:
            AnnotationError: the depth is relative.
        """
        every = np.arange(_CODES + 1, dtype=np.float64)
        if self.metres_per_code is not None:
            metres = every * self.metres_per_code
        elif self.unit == "1/m":
            inverse = self.low + every / _CODES * (self.high - self.low)
            with np.errstate(divide="ignore"):
                metres = 1 / inverse
        else:
            raise AnnotationError("the depth is relative; it has no metres")
        metres[list(self.invalid)] = np.nan
        return metres


@dataclass(frozen=True, slots=True)
class NormalMap:
    """A surface normal for every pixel of a stored picture, as its file holds it.

    Attributes:
        values: [H, W, 3] uint8 levels, of which `level / 127.5 - 1` is a component, or float32
            components.
        axes: which channel, counted from 1, holds the component to the right, the one upwards and
            the one towards the viewer; negative where a large value points to the other side.
        none: levels of a pixel without normal. A vector shorter than 0.5 states none either.
        assumed: what was assumed of the picture that the map lies on, where nothing states it.
    """

    values: NDArray[np.uint8] | NDArray[np.float32]
    axes: tuple[int, int, int] = (1, 2, 3)
    none: tuple[int, int, int] = (0, 0, 0)
    assumed: str | None = None


@dataclass(frozen=True, slots=True)
class Intrinsics:
    """A pinhole camera, in pixels of the stored picture; the centre of the top left one is (0, 0).

    Attributes:
        fx, fy: focal lengths.
        cx, cy: where the viewing axis meets the picture.
    """

    fx: float
    fy: float
    cx: float
    cy: float


@dataclass(frozen=True, slots=True)
class ZipMember:
    """A file in a zip, as the zip's directory states it.

    Attributes:
        path: within the zip.
        size: in bytes, unpacked.
        packed: bytes that it takes in the zip.
        crc: CRC-32 of its bytes.
        method: how it is packed (APPNOTE.TXT, 4.4.5): 0 stored, 8 deflate, 12 bzip2, 14 LZMA.
        flags: its general purpose bits (4.4.4).
    """

    path: str
    size: int
    packed: int
    crc: int
    method: int
    flags: int


@dataclass(frozen=True, slots=True)
class FilePart:
    """A range of bytes of a file, which is read where it is needed.

    Attributes:
        url: URL of the file.
        start: the first byte.
        length: number of bytes.
        member: what the range holds where the file is a zip: a local header and the packed bytes.
    """

    url: str
    start: int
    length: int
    member: ZipMember | None = None

    @property
    def size(self) -> int:
        """Bytes of the file that it holds."""
        return self.length if self.member is None else self.member.size


@dataclass(frozen=True, slots=True)
class RawInput:
    """An input as its source holds it: bytes that nobody has parsed yet.

    Attributes:
        key: of the sample that it becomes.
        member: name of the picture within its source.
        picture: bytes of the picture file.
        extras: bytes of further files (annotation JSON, id map PNG) by role.
        licence: of the picture.
        problem: why the source could not give a whole input; None where it could.
        parts: files that are still to be fetched, by role (`picture`, or the role of an extra).
        layer_bytes: layers that only some proxies need, by role: depth files, annotators' results.
        layer_problems: why a dense layer is missing, by role.
    """

    key: str
    member: str
    picture: bytes = b""
    extras: Mapping[str, bytes] = field(default_factory=dict)
    licence: str | None = None
    problem: str | None = None
    parts: Mapping[str, FilePart] = field(default_factory=dict)
    layer_bytes: Mapping[str, bytes] = field(default_factory=dict)
    layer_problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def nbytes(self) -> int:
        """Bytes of the source's own files: picture and extras."""
        fetched = len(self.picture) + sum(len(extra) for extra in self.extras.values())
        return fetched + sum(part.size for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class RawShard:
    """The inputs of one shard.

    Attributes:
        name: of the shard.
        slice: name of the slice that it was cut from.
        source: name of the source.
        inputs: the inputs.
        last: whether it is the last shard of its slice.
        lost: estimated number of further inputs, which a broken tar lost here and nobody can name.
    """

    name: str
    slice: str
    source: str
    inputs: tuple[RawInput, ...]
    last: bool
    lost: int = 0


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a source that one task reads in order: a tar, or a run of pictures.

    Attributes:
        source: name of the source.
        name: of the slice, unique in its source.
        payload: the source's own note of what to read.
        shards: names of its shards where they are known beforehand; None where the slice is cut
            while it is read, and `shard_name` gives the names.
        pictures: expected number of pictures.
        nbytes: expected number of bytes.
    """

    source: str
    name: str
    payload: bytes
    shards: tuple[str, ...] | None
    pictures: int
    nbytes: int

    def shard_name(self, number: int) -> str:
        """Name of shard `number` of the slice; it depends on the inputs alone."""
        return shard_name(self.source, self.name, number)


def shard_name(source: str, piece: str, number: int) -> str:
    """Name of shard `number` of the slice `piece` of a source."""
    return f"{source}-{piece}-{number:05d}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a source holds, before any picture is read.

    Attributes:
        slices: the slices, in order.
        identity: file names, sizes and digests by which the same inputs are recognised; places
            (URLs, folders) are no part of it.
        vocabulary: the categories of its annotations.
        exact: whether the pictures of the slices are counted; False where they are estimated.
        typical_size: width and height of a usual picture, for estimates.
        notes: remarks for the person who builds.
        beginnings: digests of the first bytes of files: a file that was not whole when a corpus was
            begun is recognised by its beginning.
        shared_stems: names, without folders and suffix, that several inputs have; None where the
            inputs are not known beforehand.
        unreadable: pictures of the slices of which the listing knows that they cannot be read.
    """

    slices: tuple[Slice, ...]
    identity: Mapping[str, str]
    vocabulary: tuple[Category, ...] = ()
    exact: bool = True
    typical_size: tuple[int, int] = (1500, 1000)
    notes: tuple[str, ...] = ()
    beginnings: Mapping[str, str] = field(default_factory=dict)
    shared_stems: frozenset[str] | None = None
    unreadable: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", tuple(map(without_secrets, self.notes)))


LedgerKind = Literal["damaged", "filtered", "note"]


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """An input that did not become a sample of a proxy, or a note on one that did.

    Attributes:
        key: of the input; empty where it has none.
        source: name of the source.
        slice: name of the slice.
        member: name of the input within its source.
        kind: `damaged`, or `filtered` where the manifest's filters left it out; `note` where the
            input became a sample and something of it was left out or assumed.
        reason: why, in one sentence.
    """

    key: str
    source: str
    slice: str
    member: str
    kind: LedgerKind
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "reason", without_secrets(self.reason))


@dataclass(frozen=True, slots=True)
class DrawnTarget:
    """The target that a proxy draws for one picture.

    Attributes:
        target: bytes of the target picture.
        extension: of the target's file name.
        facts: part of the sample's JSON; with the target, all it takes to decode it. Every sample
            of a proxy has the same keys, each with one type (see `sgt_data.facts`).
        picture: JPEG that replaces the clean input, where the proxy degrades it (restoration).
        segments: number of segments, for the index: as many as `facts["segments"]` lists (an object
            each), without those of label 0, which the target does not show. 0 where it lists none.
        categories: names of the categories, for the index.
        words: values of the placeholders of the instruction.
    """

    target: bytes
    extension: Literal["png", "jpg"]
    facts: dict[str, Any]
    picture: bytes | None = None
    segments: int = 0
    categories: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
