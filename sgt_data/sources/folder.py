"""Folders of photographs without annotation."""

from __future__ import annotations

import json
import os
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from sgt_data.errors import RequestError
from sgt_data.files.folder_walk import walk_folder
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.urls import absolute, is_local, join
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.records import (
    Annotation,
    FilePart,
    Inventory,
    Layer,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.base import Source
from sgt_data.sources.fetch_input import with_held_files
from sgt_data.sources.folder_notes import folder_notes, printable
from sgt_data.sources.keys import unique_keys
from sgt_data.sources.relative_paths import shared_stems
from sgt_data.sources.slices import chunked


class FolderSource(Source):
    """The pictures below a folder, told by the suffix of their names, in the order of their paths.

    Linked folders are followed. Of animated pictures and of those with pages the first is taken.

    Examples:
        {type: folder, name: photos, pictures: /data/photos, licence: CC0-1.0}
        {type: folder, name: rooms, pictures: /data/rooms/rgb, depth: /data/rooms/depth,
         depth_is: metric, depth_unit: 0.001, intrinsics: {fx: 518.9, fy: 519.5, cx: 325, cy: 253}}
        {type: folder, name: views, pictures: /data/views/rgb, normals: /data/views/normals,
         normals_convention: dsine}

    Attributes:
        pictures: the folder.
        licence: of the pictures, written into every sample.
    """

    places: ClassVar[frozenset[str]] = Source.places | {"pictures"}
    keys_differ: ClassVar[bool] = True

    type: Literal["folder"] = "folder"
    name: str = "folder"
    pictures: str
    licence: str | None = None

    def files_in_identity(self) -> bool:
        return True

    def layers(self) -> frozenset[Layer]:
        return frozenset()

    def inventory(self, shard_samples: int) -> Inventory:
        place = absolute(self.pictures)
        listing = walk_folder(place)
        files = [name for name in listing.sizes if not is_system_file(name)]
        pictures = [name for name in files if name.lower().endswith(PICTURE_SUFFIXES)]
        notes = folder_notes(place, listing, set(files) - set(pictures))
        if not pictures:
            what = f"sources.{self.name}.pictures: {self._why_empty(place)}"
            raise RequestError("\n".join([what, *notes]))
        keys = unique_keys(self.name, pictures)
        slices = []
        for number, names in enumerate(chunked(pictures, shard_samples)):
            shard = f"{self.name}-{number:05d}"
            nbytes = sum(listing.sizes[name] for name in names)
            # the names of local files may hold bytes that are no UTF-8, which orjson refuses
            payload = json.dumps([(name, keys[name], listing.sizes[name]) for name in names])
            slices.append(Slice(self.name, shard, payload.encode(), (shard,), len(names), nbytes))
        identity = {printable(name): f"{listing.sizes[name]} bytes" for name in pictures}
        return Inventory(tuple(slices), identity, notes=notes, shared_stems=shared_stems(pictures))

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        if piece.name in skip:
            return
        # a file that was listed and is gone is no damaged input: the slice fails, and is done later
        inputs = with_held_files([self._input(*entry) for entry in json.loads(piece.payload)])
        yield RawShard(piece.name, piece.name, self.name, inputs, last=True)

    def beginning(self, piece: Slice, count: int) -> Slice:
        first = json.loads(piece.payload)[:count]
        return replace(piece, payload=json.dumps(first).encode())

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return None

    def _why_empty(self, place: str) -> str:
        if is_local(place) and os.path.isfile(place):
            return f"{place} is a file; give the folder of the pictures (tars: `type: tars`)"
        if is_local(place) and not os.path.isdir(place):
            return f"no picture below {place}: there is no such folder"
        return f"no picture below {place}"

    def _input(self, name: str, key: str, size: int) -> RawInput:
        picture = FilePart(join(absolute(self.pictures), name), 0, size)
        return RawInput(key, printable(name), licence=self.licence, parts={"picture": picture})
