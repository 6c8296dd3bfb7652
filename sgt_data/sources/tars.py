"""Tars: their inventory, and plain WebDataset tars of pictures without annotation."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Literal

from sgt_data.errors import RequestError
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.reading import read_range, size_of
from sgt_data.files.tar_walk import TarMember, walk_tar
from sgt_data.files.urls import expand, is_local
from sgt_data.pictures.suffixes import PICTURE_SUFFIXES
from sgt_data.records import (
    Annotation,
    Inventory,
    Layer,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.base import Source
from sgt_data.sources.tar_cut import RoleOf, TarCut

_EDGE_BYTES = 64 << 10
_COUNTED_EXACTLY = 16
_PROBED_MEMBERS = 64


class TarsSource(Source):
    """WebDataset tars, or any others, that hold pictures.

    Attributes:
        tars: URLs, brace and glob patterns.
        pictures: suffix of the members that are pictures (`.jpg` and the like; `.input.jpg` where
            samples hold several). By default every member with a picture's suffix.
        licence: of the pictures, written into every sample.
    """

    places: ClassVar[frozenset[str]] = frozenset({"tars", "depth"})

    type: Literal["tars"] = "tars"
    name: str = "tars"
    tars: str | list[str]
    pictures: str | None = None
    licence: str | None = None

    def layers(self) -> frozenset[Layer]:
        return frozenset()

    def inventory(self, shard_samples: int) -> Inventory:
        return tar_inventory(self.name, expand(self.tars), self._role)

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        cut = TarCut(self.name, piece.name, self._role, ("picture",), shard_samples, self.licence)
        return cut.shards(piece.payload.decode(), skip)

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return None

    def _role(self, member: str) -> tuple[str, str] | None:
        base = posixpath.basename(member)
        suffixes = (self.pictures,) if self.pictures else PICTURE_SUFFIXES
        for suffix in suffixes:
            if base.lower().endswith(suffix) and len(base) > len(suffix):
                return member[: -len(suffix)], "picture"
        return None


def slice_name(url: str) -> str:
    """`sa_000000` from `.../sa_000000.tar?signature`."""
    return posixpath.basename(url.split("?", 1)[0]).removesuffix(".tar")


def tar_inventory(source: str, urls: Sequence[str], role_of: RoleOf) -> Inventory:
    """One slice per tar. Pictures are counted from headers where that is cheap (up to 16 local
    tars), else estimated from the beginning of the first one.

    Raises:
        RequestError: no tar, or two of the same name.
        SourceError: a tar is not there.
    """
    if not urls:
        raise RequestError(f"sources.{source}.tars: nothing matches")
    names: dict[str, str] = {}
    for url in urls:
        other = names.setdefault(slice_name(url), url)
        if other != url:
            raise RequestError(
                f"sources.{source}.tars: two tars are named {slice_name(url)} ({other}, {url}); "
                "shards take their names from tars, so names must differ"
            )
    with ThreadPoolExecutor(16) as threads:
        sizes = list(threads.map(size_of, urls))
        digests = list(threads.map(_edge_digest, urls, sizes))
    exact = len(urls) <= _COUNTED_EXACTLY and all(map(is_local, urls))
    if exact:
        pictures = [_count(url, role_of)[0] for url in urls]
    else:
        seen, nbytes = _count(urls[0], role_of, _PROBED_MEMBERS)
        pictures = [round((size or 0) * seen / max(1, nbytes)) for size in sizes]
    return Inventory(
        tuple(
            Slice(source, name, url.encode(), None, count, size or 0)
            for (name, url), count, size in zip(names.items(), pictures, sizes, strict=True)
        ),
        dict(zip((f"{name}.tar" for name in names), digests, strict=True)),
        exact=exact,
    )


def _edge_digest(url: str, size: int | None) -> str:
    """Size and a digest of the first and last 64 KiB: cheap, and different for another tar."""
    edges = read_range(url, 0, _EDGE_BYTES)
    if size is not None and size > _EDGE_BYTES:
        edges += read_range(url, max(_EDGE_BYTES, size - _EDGE_BYTES), _EDGE_BYTES)
    return f"{size} bytes, edges sha256:{hashlib.sha256(edges).hexdigest()[:32]}"


def _count(url: str, role_of: RoleOf, members: int | None = None) -> tuple[int, int]:
    """Stems among the first members, and the bytes they take."""
    reader = ForwardReader(url)
    stems = set()
    try:
        for number, item in enumerate(walk_tar(reader)):
            if isinstance(item, TarMember) and (placed := role_of(item.name)):
                stems.add(placed[0])
            if members is not None and number >= members:
                break
        return len(stems), reader.position
    finally:
        reader.close()
