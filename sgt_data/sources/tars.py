"""Tars of pictures without annotation (WebDataset tars, or any others), and inventories of tars."""

from __future__ import annotations

import hashlib
import os
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
_COMPRESSED = {
    b"\x1f\x8b": "gzip (gunzip)",
    b"BZh": "bzip2 (bunzip2)",
    b"\xfd7zXZ\0": "xz (unxz)",
    b"\x28\xb5\x2f\xfd": "zstd (unzstd)",
}
_COUNTED_EXACTLY = 16
_PROBED_MEMBERS = 64


class TarsSource(Source):
    """Tars that hold pictures, WebDataset tars or any others.

    Attributes:
        tars: URLs, brace and glob patterns.
        pictures: suffix of the members that are pictures (`.jpg`; `.input.jpg` where a sample holds
            several). By default every member with the suffix of a picture.
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
    """Name of the slice of a tar: `sa_000000` for `.../sa_000000.tar?signature`."""
    return posixpath.basename(url.split("?", 1)[0]).removesuffix(".tar")


def tar_inventory(source: str, urls: Sequence[str], role_of: RoleOf) -> Inventory:
    """Inventory of tars, with a slice for each.

    Pictures are counted from headers where that is cheap (up to 16 local tars), else estimated from
    the beginning of the first tar.

    Args:
        source: name of the source.
        urls: URLs of the tars.
        role_of: which members belong to the source.

    Raises:
        RequestError: there is no tar, or two tars have the same name.
        SourceError: a tar cannot be read.
    """
    if not urls:
        raise RequestError(f"sources.{source}.tars: nothing matches")
    names: dict[str, str] = {}
    for url in urls:
        first = names.setdefault(slice_name(url), url)
        if first != url:
            raise RequestError(
                f"sources.{source}.tars: two tars are named {slice_name(url)} ({first}, {url}); "
                "shards take their names from tars, so names must differ"
            )
    for url in urls:
        if is_local(url) and os.path.isdir(url):
            raise RequestError(
                f"sources.{source}.tars: {url} is a folder; give tars, such as {url}/*.tar, or "
                "the extracted files as pictures (type: folder or sa1b)"
            )
    with ThreadPoolExecutor(16) as threads:
        sizes = list(threads.map(size_of, urls))
        edges = list(threads.map(_edges, urls, sizes))
    for url, (beginning, _) in zip(urls, edges, strict=True):
        _refuse_compressed(source, url, beginning)
    digests = [
        f"{size} bytes, edges sha256:{hashlib.sha256(beginning + end).hexdigest()[:32]}"
        for size, (beginning, end) in zip(sizes, edges, strict=True)
    ]
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


def _edges(url: str, size: int | None) -> tuple[bytes, bytes]:
    """The first and last 64 KiB of a tar: cheap, and different for each."""
    beginning = read_range(url, 0, _EDGE_BYTES)
    if size is None or size <= _EDGE_BYTES:
        return beginning, b""
    return beginning, read_range(url, max(_EDGE_BYTES, size - _EDGE_BYTES), _EDGE_BYTES)


def _refuse_compressed(source: str, url: str, beginning: bytes) -> None:
    for magic, name in _COMPRESSED.items():
        if beginning.startswith(magic):
            raise RequestError(
                f"sources.{source}.tars: {url} is compressed with {name}. Pictures are read at "
                "their places in a tar, which a compressed one does not have: decompress it (JPEGs "
                "take as much space without), or extract it and give the folder as pictures (type: "
                "folder or sa1b)"
            )


def _count(url: str, role_of: RoleOf, members: int | None = None) -> tuple[int, int]:
    """Number of stems among the first `members` members (None: all), and the bytes read for it."""
    reader = ForwardReader(url)
    stems = set()
    try:
        for number, item in enumerate(walk_tar(reader)):
            if isinstance(item, TarMember) and (stem_and_role := role_of(item.name)):
                stems.add(stem_and_role[0])
            if members is not None and number >= members:
                break
        return len(stems), reader.position
    finally:
        reader.close()
