"""Folders of photographs without annotation."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Literal

import orjson

from sgt_data.errors import RequestError
from sgt_data.files.promised_reads import read_listed
from sgt_data.files.reading import list_files
from sgt_data.files.urls import absolute, join
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.records import (
    Annotation,
    Inventory,
    Layer,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.base import Source, key_of
from sgt_data.sources.relative_paths import shared_stems
from sgt_data.sources.slices import chunked

_FETCH_THREADS = 8


class FolderSource(Source):
    """The pictures below a folder (`.jpg`, `.jpeg`, `.png`, `.webp`), in the order of their paths.

    Attributes:
        pictures: the folder.
        licence: of the pictures, written into every sample.
    """

    places: ClassVar[frozenset[str]] = frozenset({"pictures", "depth"})
    keys_differ: ClassVar[bool] = True

    type: Literal["folder"] = "folder"
    name: str = "folder"
    pictures: str
    licence: str | None = None

    def layers(self) -> frozenset[Layer]:
        return frozenset()

    def inventory(self, shard_samples: int) -> Inventory:
        sizes = {
            name: size
            for name, size in list_files(absolute(self.pictures)).items()
            if name.lower().endswith(PICTURE_SUFFIXES)
        }
        if not sizes:
            raise RequestError(f"sources.{self.name}.pictures: no picture below {self.pictures}")
        clashes = self._clashes(sizes)
        slices = []
        for number, names in enumerate(chunked(list(sizes), shard_samples)):
            shard = f"{self.name}-{number:05d}"
            nbytes = sum(sizes[name] for name in names)
            payload = orjson.dumps([(name, sizes[name], clashes.get(name)) for name in names])
            slices.append(Slice(self.name, shard, payload, (shard,), len(names), nbytes))
        return Inventory(
            tuple(slices),
            {name: f"{size} bytes" for name, size in sizes.items()},
            shared_stems=shared_stems(sizes),
        )

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        if piece.name in skip:
            return
        with ThreadPoolExecutor(_FETCH_THREADS) as threads:
            inputs = threads.map(lambda entry: self._input(*entry), orjson.loads(piece.payload))
            yield RawShard(piece.name, piece.name, self.name, tuple(inputs), last=True)

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return None

    def _input(self, name: str, size: int, clash: str | None) -> RawInput:
        key = self._key(name)
        if clash:
            return RawInput(key, name, problem=f"its key is that of {clash}, which comes first")
        picture = read_listed(join(absolute(self.pictures), name), size)
        return RawInput(key, name, picture, licence=self.licence)

    def _clashes(self, names: Collection[str]) -> dict[str, str]:
        """The names whose key an earlier name has, each with that earlier name."""
        first: dict[str, str] = {}
        return {
            name: first[self._key(name)]
            for name in names
            if first.setdefault(self._key(name), name) != name
        }

    def _key(self, name: str) -> str:
        return key_of(self.name, posixpath.splitext(name)[0])
