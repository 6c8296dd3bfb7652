"""Tars of pictures without annotation (WebDataset tars, or any others), and inventories of tars."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, Literal

from sgt_data.errors import RequestError
from sgt_data.files.file_signs import BZIP2, GZIP, XZ, ZSTD, kind_of_file
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.reading import size_of
from sgt_data.files.urls import is_local
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
from sgt_data.sources.listed_tar import ListedTar, TarEdges, expected_size, read_edges
from sgt_data.sources.tar_counts import count_pictures, notes_on_joints
from sgt_data.sources.tar_cut import RoleOf, TarCut
from sgt_data.sources.tar_patterns import matching_tars

_COMPRESSED = {
    GZIP: "gzip (gunzip)",
    BZIP2: "bzip2 (bunzip2)",
    XZ: "xz (unxz)",
    ZSTD: "zstd (unzstd)",
}
_THREADS = 16


class TarsSource(Source):
    """Tars that hold pictures, WebDataset tars or any others.

    Examples:
        {type: tars, tars: "s3://bucket/photos-{000..099}.tar"}
        {type: tars, name: web, tars: /data/web/*.tar, pictures: .jpg, licence: CC BY 4.0}

    Attributes:
        tars: URLs, brace and glob patterns.
        pictures: suffix of the members that are pictures (`.jpg`; `.input.jpg` where a sample holds
            several). By default every member with the suffix of a picture.
        licence: of the pictures, written into every sample.
        allow_truncated: build also from tars that end early, or of which more is broken than one
            input. What is missing is estimated, and counts against `max_quarantined`.
    """

    places: ClassVar[frozenset[str]] = Source.places | {"tars"}
    tolerances: ClassVar[frozenset[str]] = frozenset({"allow_truncated"})

    type: Literal["tars"] = "tars"
    name: str = "tars"
    tars: str | list[str]
    pictures: str | None = None
    licence: str | None = None
    allow_truncated: bool = False

    def layers(self) -> frozenset[Layer]:
        return frozenset()

    def inventory(self, shard_samples: int) -> Inventory:
        return tar_inventory(
            self.name,
            matching_tars(self.name, self.tars),
            self._role,
            truncated_allowed=self.allow_truncated,
        )

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        cut = TarCut(
            self.name, piece.name, self._role, ("picture",), shard_samples, self.licence,
            self._suffixes, truncated_allowed=self.allow_truncated,
        )  # fmt: skip
        return cut.shards(ListedTar.of(piece.payload), skip)

    def beginning(self, piece: Slice, count: int) -> Slice:
        return piece  # a tar is read no further than is asked for

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return None

    def _role(self, member: str) -> tuple[str, str] | None:
        """The member itself is the stem: `1.jpg` and `1.png` are two pictures."""
        base = posixpath.basename(member).lower()
        is_picture = any(base.endswith(end) and base != end for end in self._suffixes)
        return (member, "picture") if is_picture and not is_system_file(member) else None

    @property
    def _suffixes(self) -> tuple[str, ...]:
        return (self.pictures.lower(),) if self.pictures else PICTURE_SUFFIXES


def slice_name(url: str) -> str:
    """Name of the slice of a tar: `sa_000000` for `.../sa_000000.tar?signature`."""
    return posixpath.basename(url.split("?", 1)[0]).removesuffix(".tar")


def tar_inventory(
    source: str, urls: Sequence[str], role_of: RoleOf, *, truncated_allowed: bool
) -> Inventory:
    """Inventory of tars, with a slice for each.

    Pictures are counted, or estimated, from headers alone: see `tar_counts`.

    Args:
        source: name of the source.
        urls: URLs of the tars.
        role_of: which members belong to the source.
        truncated_allowed: whether tars that end early are inputs as they are.

    Raises:
        RequestError: two tars have the same name.
        SourceError: a tar cannot be read.
    """
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
    with ThreadPoolExecutor(_THREADS) as threads:
        sizes = list(threads.map(size_of, urls))
        edges = list(threads.map(read_edges, urls, sizes))
    for url, edge in zip(urls, edges, strict=True):
        _refuse_compressed(source, url, edge.magic)
        _refuse_other_files(source, url, edge)
    counts = count_pictures(urls, sizes, role_of)
    expected = expected_size(sizes)
    tars = [ListedTar(url, size, expected) for url, size in zip(urls, sizes, strict=True)]
    files = dict(zip((f"{name}.tar" for name in names), edges, strict=True))
    return Inventory(
        tuple(
            Slice(source, name, tar.payload(), None, count, tar.nbytes or 0)
            for name, tar, count in zip(names, tars, counts.pictures, strict=True)
        ),
        {name: edge.identity(truncated_allowed=truncated_allowed) for name, edge in files.items()},
        exact=counts.exact,
        notes=(
            *(_notes(files, expected) if truncated_allowed else ()),
            *notes_on_joints(counts.joints),
        ),
        beginnings={name: edge.beginning for name, edge in files.items() if edge.beginning},
    )


def _refuse_compressed(source: str, url: str, beginning: bytes) -> None:
    for magic, name in _COMPRESSED.items():
        if beginning.startswith(magic):
            raise RequestError(
                f"sources.{source}.tars: {url} is compressed with {name}. Pictures are read at "
                "their places in a tar, which a compressed one does not have: decompress it (JPEGs "
                "take as much space without), or extract it and give the folder as pictures (type: "
                "folder or sa1b)"
            )


def _refuse_other_files(source: str, url: str, edge: TarEdges) -> None:
    """Refuse what is no tar and is not named as one. A file that is named as a tar may be fetched
    again: its slice fails until then."""
    if edge.beginning is None and not is_named_as_tar(url):
        what = kind_of_file(edge.magic)
        raise RequestError(
            f"sources.{source}.tars: {url} is no tar: it "
            f"{f'is {what}' if what else 'begins with no header of one'}. Give tars, such as "
            "/data/*.tar; a folder of pictures is a source of type: folder, or sa1b where each "
            "has a JSON"
        )


def is_named_as_tar(url: str) -> bool:
    """Whether the name of a file says that it is a tar."""
    return url.split("?", 1)[0].lower().endswith(".tar")


def _notes(files: Mapping[str, TarEdges], expected: int | None) -> tuple[str, ...]:
    """Remarks on tars that end early, where that is allowed."""
    how = (
        f"what is missing is estimated from {expected} bytes, the size of the others"
        if expected is not None
        else "there is no other tar by which its missing part could be estimated"
    )
    return tuple(f"{name} ends early; {how}" for name, edge in files.items() if not edge.ended)
