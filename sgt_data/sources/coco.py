"""COCO: the pictures of a split with any of its annotations (instances, panoptic, stuff)."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar, Literal

from pydantic import Field, model_validator

from sgt_data.errors import InputError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import absolute, join
from sgt_data.records import (
    Annotation,
    Inventory,
    Layer,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.annotation_json import load_json
from sgt_data.sources.base import Source
from sgt_data.sources.coco_annotations import (
    BadAnnotations,
    read_instances,
    read_panoptic,
    read_pixelmap,
    stated_size,
)
from sgt_data.sources.coco_files import (
    MAP_KINDS,
    PICTURES,
    CocoInput,
    LocatedEntry,
    SliceNotes,
    first_entries,
    locate,
    parse_payload,
)
from sgt_data.sources.coco_index import index_coco
from sgt_data.sources.fetch_input import with_held_files
from sgt_data.sources.keys import key_of
from sgt_data.sources.picture_pool import COCO_URL, PicturePool, check_archive, list_pool
from sgt_data.sources.relative_paths import shared_stems
from sgt_data.sources.slices import chunked
from sgt_data.value_text import counted

CocoKind = Literal["instances", "panoptic", "stuff", "stuff_pixelmaps"]

_LAYERS: dict[CocoKind, Layer] = {
    "instances": "instances",
    "panoptic": "panoptic",
    "stuff": "stuff",
    "stuff_pixelmaps": "stuff",
}
_ROLES = {PICTURES: "picture"}
_EXPECTED_BYTES = 165_000  # mean of train2017


class CocoSource(Source):
    """COCO in its own form. Files that are not given lie where COCO puts them below `root`.

    Examples:
        {type: coco, root: /data/coco, annotations: [instances, panoptic]}
        {type: coco, root: /data/coco, annotations: [stuff], split: val2017, pictures: coco_url}

    Attributes:
        root: folder that holds `annotations/` and the pictures of the split.
        split: name of the split, such as `train2017`.
        annotations: which of COCO's annotations are used.
        pictures: a folder, a `.zip`, or the word `coco_url` to fetch each picture from its address.
        instances, panoptic, stuff: the JSON files.
        panoptic_maps, stuff_maps: folder or `.zip` of the PNGs.
        bad_annotations: what a wrong annotation (an empty or broken mask, an unknown category)
            costs: `drop` leaves it out and names it in the ledger, as a note on the sample;
            `quarantine` leaves its picture out. A picture without a right one is left out by both.
    """

    places: ClassVar[frozenset[str]] = frozenset(
        {
            "root",
            "pictures",
            "instances",
            "panoptic",
            "stuff",
            "panoptic_maps",
            "stuff_maps",
            *Source.places,
        }
    )
    place_words: ClassVar[frozenset[str]] = frozenset({COCO_URL})
    keys_differ: ClassVar[bool] = True
    before: ClassVar[Mapping[str, Any]] = {"bad_annotations": "quarantine"}

    type: Literal["coco"] = "coco"
    name: str = "coco"
    root: str
    split: str = Field("train2017", pattern=r"^[A-Za-z0-9-]{1,32}$")
    annotations: tuple[CocoKind, ...] = Field(min_length=1)
    pictures: str | None = None
    instances: str | None = None
    panoptic: str | None = None
    stuff: str | None = None
    panoptic_maps: str | None = None
    stuff_maps: str | None = None
    bad_annotations: BadAnnotations = "drop"

    @model_validator(mode="after")
    def _stuff_is_given_once(self) -> CocoSource:
        if {"stuff", "stuff_pixelmaps"} <= set(self.annotations):
            raise ValueError("annotations: stuff and stuff_pixelmaps say the same; give one")
        return self

    def layers(self) -> frozenset[Layer]:
        return frozenset(_LAYERS[kind] for kind in self.annotations)

    def inventory(self, shard_samples: int) -> Inventory:
        documents: dict[str, tuple[str, bytes]] = {}
        identity: dict[str, str] = {}
        for kind in self.annotations:
            place = self._place(kind)
            data = read_bytes(place)
            documents[kind] = (place, data)
            identity[f"{kind}.json"] = f"sha256:{hashlib.sha256(data).hexdigest()}"
        index = index_coco(documents, self.name)
        documents.clear()
        pools = self._list_pools()
        located = locate(index.entries, pools, self.split)
        notes = _remarks(pools[PICTURES], located)
        slices, notes_of = [], SliceNotes(index, pools)
        for number, chunk in enumerate(chunked(located, shard_samples)):
            shard = f"{self.name}-{self.split.lower()}-{number:05d}"
            expected = sum(
                each.files[PICTURES].size or _EXPECTED_BYTES for each in chunk if each.files
            )
            note = notes_of.of(chunk)
            slices.append(Slice(self.name, shard, note, (shard,), len(chunk), expected))
        return Inventory(
            tuple(slices), identity, index.vocabulary,
            typical_size=(640, 480), notes=(*index.notes, *notes),
            shared_stems=shared_stems(
                entry.file_name for entry in index.entries if not entry.problem
            ),
            unreadable=sum(not each.files for each in located),
        )  # fmt: skip

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        if piece.name in skip:
            return
        entries, archives = parse_payload(piece.payload)
        for field, nbytes in archives.items():
            check_archive(self._pool_place(field), nbytes)
        inputs = self._inputs(entries)
        yield RawShard(piece.name, piece.name, self.name, inputs, last=True)

    def beginning(self, piece: Slice, count: int) -> Slice:
        return replace(piece, payload=first_entries(piece.payload, count))

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        annotations: dict[str, Any] = load_json(raw.extras["annotation"])
        for kind in self.annotations:
            if _LAYERS[kind] != layer or annotations[kind] is None:
                continue
            size = stated_size(
                annotations["height"], annotations["width"], raw.picture, self.orientation
            )
            if kind == "panoptic":
                return read_panoptic(annotations[kind], raw.extras["panoptic_maps"], size)
            if kind == "stuff_pixelmaps":
                return read_pixelmap(raw.extras["stuff_maps"], size)
            return read_instances(annotations[kind], size, self.bad_annotations)
        return None

    def _inputs(self, entries: Sequence[CocoInput]) -> tuple[RawInput, ...]:
        """The inputs of a slice, with as many bytes of their files as a shard may hold."""
        raws: list[RawInput] = []
        for entry in entries:
            raw = RawInput(
                key_of(self.name, entry.identity), entry.file_name,
                licence=entry.licence, problem=entry.problem,
            )  # fmt: skip
            try:
                parts = {
                    ("picture" if field == PICTURES else field): file.part(
                        self._pool_place(field), entry.url
                    )
                    for field, file in entry.files.items()
                }
            except InputError as why:
                raw = replace(raw, problem=str(why))
            if raw.problem is None:
                raw = replace(raw, extras={"annotation": entry.annotation}, parts=parts)
            raws.append(raw)
        return with_held_files(raws, missing="the server has no {name}")

    def _place(self, what: str) -> str:
        """URL of a file or folder: the field of the manifest, else COCO's own place below root."""
        field: str | None = getattr(self, "stuff" if what == "stuff_pixelmaps" else what)
        if field:
            return absolute(field)
        folder = join(absolute(self.root), "annotations")
        standard = {
            "instances": f"instances_{self.split}.json",
            "panoptic": f"panoptic_{self.split}.json",
            "panoptic_maps": f"panoptic_{self.split}",
            "stuff": f"stuff_{self.split}.json",
            "stuff_pixelmaps": f"stuff_{self.split}.json",
            "stuff_maps": f"stuff_{self.split}_pixelmaps",
        }
        return join(folder, standard[what])

    def _pool_place(self, field: str) -> str:
        """A folder, a `.zip`, or the word `coco_url`."""
        if field != PICTURES:
            return self._place(field)
        if self.pictures:
            return self.pictures if self.pictures == COCO_URL else absolute(self.pictures)
        return join(absolute(self.root), self.split)

    def _list_pools(self) -> dict[str, PicturePool]:
        """What the folders and archives of the files hold, by field.

        Raises:
            RequestError: one does not exist; names its field.
            SourceError: one cannot be listed at present.
        """
        fields = [
            PICTURES,
            *(field for kind, field in MAP_KINDS.items() if kind in self.annotations),
        ]
        return {
            field: list_pool(self._pool_place(field), f"sources.{self.name}.{field}")
            for field in fields
        }


def _remarks(pool: PicturePool, located: Sequence[LocatedEntry]) -> tuple[str, ...]:
    """Remarks on entries without files, and on files that no annotation names."""
    remarks = []
    if unread := sum(not each.files for each in located):
        remarks.append(
            f"{unread} of {len(located)} entries cannot be read; the ledgers will say why"
        )
    if pool.sizes is not None:
        named = {each.files[PICTURES].path for each in located if each.files}
        if unlisted := len(pool.sizes.keys() - named):
            remarks.append(
                f"{counted(unlisted, 'file')} in {pool.place}, in no annotation, no inputs"
            )
    return tuple(remarks)
