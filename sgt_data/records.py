"""The few things that travel between the rooms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.segmentation.run_lengths import RunLengths

Layer = Literal["entities", "instances", "panoptic", "stuff", "depth", "edges"]
"""What an annotation says: class-agnostic masks, things, things and stuff, stuff alone; inverse
depth and edge strength of every pixel."""

DenseLayer = Literal["depth", "edges"]
"""The layers that say something of every pixel instead of listing segments."""


@dataclass(frozen=True, slots=True)
class Category:
    """One entry of a source's vocabulary."""

    id: int
    name: str
    isthing: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One annotated region of a picture, as the source states it."""

    id: int
    category_id: int | None = None
    iscrowd: bool = False
    predicted_iou: float | None = None
    stability_score: float | None = None


@dataclass(frozen=True, slots=True)
class MaskAnnotation:
    """Segments with one mask each, which may overlap. `masks[k]` belongs to `segments[k]`."""

    height: int
    width: int
    segments: tuple[Segment, ...]
    masks: tuple[RunLengths, ...]


@dataclass(frozen=True, slots=True)
class MapAnnotation:
    """Segments that share one id map [height, width] int32; `void` marks unlabelled pixels."""

    segments: tuple[Segment, ...]
    id_map: NDArray[np.int32]
    void: int

    @property
    def height(self) -> int:
        return int(self.id_map.shape[0])

    @property
    def width(self) -> int:
        return int(self.id_map.shape[1])


Annotation = MaskAnnotation | MapAnnotation


@dataclass(frozen=True, slots=True)
class DenseMap:
    """A number for every pixel: `low + codes / 65535 * (high - low)`, codes [H, W] uint16.

    `upright` tells whether it is as seen, at the output size, or belongs to the stored pixels of
    the source picture, before orientation.
    """

    codes: NDArray[np.uint16]
    low: float
    high: float
    upright: bool


@dataclass(frozen=True, slots=True)
class FilePart:
    """Bytes that are cheap to read where they are needed: `length` bytes of a local file from
    `start`."""

    url: str
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class RawInput:
    """One input as its source holds it: bytes, not yet looked at.

    `member` names the picture within its source; `extras` are further files (annotation JSON, id
    map PNG ...) by role. `parts` are files still to be fetched, by role (`picture`, or that of an
    extra). `problem` is set where the source itself could not give a whole input. `layer_bytes` is
    what only some proxies need, by role: depth files, what annotators made; `layer_problems` says
    of other roles why they are missing.
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
        """Of the source's own files."""
        fetched = len(self.picture) + sum(len(extra) for extra in self.extras.values())
        return fetched + sum(part.length for part in self.parts.values())


@dataclass(frozen=True, slots=True)
class RawShard:
    """The inputs of one shard. `last` marks the final shard of its slice."""

    name: str
    slice: str
    source: str
    inputs: tuple[RawInput, ...]
    last: bool


@dataclass(frozen=True, slots=True)
class Slice:
    """The part of a source that one task reads in order: a tar, or a run of pictures.

    `shards` are the names of its shards where they are known beforehand; None where they only show
    while it is read, and are named by `shard_name`. `payload` is the source's own note
    of what to read. `pictures` and `nbytes` are expectations for the plan.
    """

    source: str
    name: str
    payload: bytes
    shards: tuple[str, ...] | None
    pictures: int
    nbytes: int

    def shard_name(self, number: int) -> str:
        """Name of the slice's shard `number`, from its inputs alone."""
        return shard_name(self.source, self.name, number)


def shard_name(source: str, piece: str, number: int) -> str:
    """Name of the shard `number` of a slice that is cut while it is read."""
    return f"{source}-{piece}-{number:05d}"


@dataclass(frozen=True, slots=True)
class Inventory:
    """What a source holds, before any picture is read.

    `identity` says by which file names, sizes and digests these inputs are recognised again;
    places (URLs, folders) are no part of it. `exact` tells whether the slices' picture counts are
    counted or estimated; `typical_size` is the width and height of a usual picture, for estimates.
    `notes` are remarks for the person who builds.
    """

    slices: tuple[Slice, ...]
    identity: Mapping[str, str]
    vocabulary: tuple[Category, ...] = ()
    exact: bool = True
    typical_size: tuple[int, int] = (1500, 1000)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One input that did not become a sample of one proxy."""

    key: str
    source: str
    slice: str
    member: str
    kind: Literal["damaged", "filtered"]
    reason: str


@dataclass(frozen=True, slots=True)
class DrawnTarget:
    """What a proxy makes of one picture.

    `picture` replaces the clean input where the proxy conditions on another one (restoration).
    `facts` go into the sample's JSON and, with the target, decode it. `segments` and `categories`
    go into the index. `words` fill the placeholders of the instruction.
    """

    target: bytes
    extension: Literal["png", "jpg"]
    facts: dict[str, Any]
    picture: bytes | None = None
    segments: int = 0
    categories: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
