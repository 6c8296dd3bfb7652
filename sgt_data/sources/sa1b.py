"""SA-1B: tars of `sa_N.jpg` and `sa_N.json`, given as URLs or by Meta's list of links; or the files
extracted from them."""

from __future__ import annotations

import hashlib
import json
import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import model_validator

from sgt_data.errors import RequestError, SourceError
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.reading import read_bytes
from sgt_data.files.retries import http_status
from sgt_data.files.urls import PLAIN_PROTOCOLS, absolute, checked_url, expand
from sgt_data.records import (
    Annotation,
    Inventory,
    Layer,
    RawInput,
    RawShard,
    Slice,
)
from sgt_data.sources.base import Source
from sgt_data.sources.listed_tar import BrokenTar, ListedTar
from sgt_data.sources.sa1b_annotation import parse_annotation
from sgt_data.sources.sa1b_files import ExtractedInput, list_folders, pair_files
from sgt_data.sources.slices import chunked
from sgt_data.sources.tar_cut import TarCut
from sgt_data.sources.tar_patterns import matching_tars
from sgt_data.sources.tars import slice_name, tar_inventory
from sgt_data.value_text import counted, cut

PICTURES_PER_TAR = 11_186
BYTES_PER_TAR = 11 * 10**9
TYPICAL_SIZE = (2250, 1500)

_LINK_NAME = re.compile(r"[A-Za-z0-9_-]+\.tar")
_EXTENSIONS = {"jpg": "picture", "json": "annotation"}


class Sa1bSource(Source):
    """SA-1B in its own form: one of `tars`, `links` and `pictures` says where it lies.

    Examples:
        {type: sa1b, tars: "/data/sa1b/sa_{000000..000016}.tar"}
        {type: sa1b, links: links.tsv, names: "sa_{000000..000016}.tar"}
        {type: sa1b, pictures: /data/sa1b/pictures, annotations: /data/sa1b/json}

    Attributes:
        tars: URLs, brace and glob patterns of `sa_*.tar`.
        links: Meta's list: `file_name<TAB>cdn_link`, one header line.
        names: with `links`, which files are taken (brace pattern); by default all tars of the list.
        pictures: folders of extracted files (`sa_*.jpg` and `sa_*.json`), brace and glob patterns;
            folders within them are read as well. A picture and its JSON have one name.
        annotations: with `pictures`, the folders of the JSON, where they are other folders. JSON
            that SAM's own mask generator has saved (a list of masks) is read as well.
        licence: written into every sample.
        allow_truncated: build also from tars that end early, or of which more is broken than one
            input. What is missing is estimated, and counts against `max_quarantined`.
    """

    places: ClassVar[frozenset[str]] = Source.places | {
        "tars",
        "links",
        "pictures",
        "annotations",
    }
    tolerances: ClassVar[frozenset[str]] = frozenset({"allow_truncated"})

    type: Literal["sa1b"] = "sa1b"
    name: str = "sa1b"
    tars: str | list[str] | None = None
    links: str | None = None
    names: str | None = None
    pictures: str | list[str] | None = None
    annotations: str | list[str] | None = None
    licence: str | None = "SA-1B Dataset Research License"
    allow_truncated: bool = False

    @model_validator(mode="after")
    def _one_place(self) -> Sa1bSource:
        places = [self.tars, self.links, self.pictures]
        if sum(place is not None for place in places) != 1:
            raise ValueError(
                "give either tars (URLs), links (Meta's list of signed links), or pictures (a "
                "folder of extracted files)"
            )
        if self.names is not None and self.links is None:
            raise ValueError("names chooses among links; with tars, give a pattern there")
        if self.annotations is not None and self.pictures is None:
            raise ValueError("annotations goes with pictures; tars and links hold both")
        return self

    def files_in_identity(self) -> bool:
        return self.pictures is not None

    def layers(self) -> frozenset[Layer]:
        return frozenset({"entities"})

    def inventory(self, shard_samples: int) -> Inventory:
        if self.pictures is not None:
            return self._folder_inventory(self.pictures, shard_samples)
        if self.tars is not None:
            inventory = tar_inventory(
                self.name,
                matching_tars(self.name, self.tars),
                _role,
                truncated_allowed=self.allow_truncated,
            )
            return replace(inventory, typical_size=TYPICAL_SIZE)
        names = sorted(self._chosen_links())
        return Inventory(
            tuple(
                Slice(
                    self.name, slice_name(name),
                    ListedTar(name, expected_bytes=BYTES_PER_TAR).payload(), None,
                    PICTURES_PER_TAR, BYTES_PER_TAR,
                )
                for name in names
            ),
            dict.fromkeys(names, "by name (its links are signed and change)"),
            exact=False,
            typical_size=TYPICAL_SIZE,
        )  # fmt: skip

    def read(self, piece: Slice, shard_samples: int, skip: Collection[str]) -> Iterator[RawShard]:
        if self.pictures is not None:
            if piece.name not in skip:
                entries = map(ExtractedInput.from_json, json.loads(piece.payload))
                inputs = tuple(entry.raw(self.name, self.licence) for entry in entries)
                yield RawShard(piece.name, piece.name, self.name, inputs, last=True)
            return
        cut = TarCut(
            self.name, piece.name, _role, ("picture", "annotation"), shard_samples, self.licence,
            key_name=_key_name, truncated_allowed=self.allow_truncated,
        )  # fmt: skip
        tar = ListedTar.of(piece.payload)
        if self.links is None:
            yield from cut.shards(tar, skip)
            return
        try:
            yield from cut.shards(replace(tar, url=self._link(tar.url)), skip)
        except BrokenTar:
            raise
        except SourceError as why:
            status = http_status(why)
            # the message must not carry the link: its signature is a key to the download
            problem = f"its link answers {status}" if status else "its link cannot be read"
            raise SourceError(
                f"{tar.url}: {problem}. Links expire: fetch a fresh list and run the same command "
                "again"
            ) from None

    def beginning(self, piece: Slice, count: int) -> Slice:
        if self.pictures is None:
            return piece  # a tar is read no further than is asked for
        first = json.loads(piece.payload)[:count]
        return replace(piece, payload=json.dumps(first).encode())

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        if layer != "entities":
            return None
        return parse_annotation(raw.extras["annotation"], raw.picture)

    def _folder_inventory(self, pictures: str | list[str], shard_samples: int) -> Inventory:
        files, notes = list_folders(pictures, f"sources.{self.name}.pictures")
        documents = files
        if self.annotations is not None:
            documents, more = list_folders(self.annotations, f"sources.{self.name}.annotations")
            notes += more
        inputs, others = pair_files(files, documents)
        if not any(entry.files for entry in inputs):
            raise RequestError(
                f"sources.{self.name}.pictures: no picture has a JSON of its name (sa_1.jpg and "
                f"sa_1.json) in {pictures}; files there: {', '.join(list(files)[:3])}"
            )
        if others:
            notes += (f"{counted(others, 'file')}, neither pictures nor JSON, no inputs",)
        slices = []
        for number, chunk in enumerate(chunked(inputs, shard_samples)):
            shard = f"{self.name}-{number:05d}"
            payload = json.dumps([entry.as_json() for entry in chunk]).encode()
            nbytes = sum(entry.nbytes for entry in chunk)
            slices.append(Slice(self.name, shard, payload, (shard,), len(chunk), nbytes))
        sizes = {**documents, **files}
        listing = "\n".join(f"{path} {sizes[path].size}" for path in sorted(sizes))
        digest = hashlib.sha256(listing.encode("utf-8", "surrogateescape")).hexdigest()[:32]
        return Inventory(
            tuple(slices),
            {"files": f"{len(sizes)} files, listing sha256:{digest}"},
            typical_size=TYPICAL_SIZE,
            notes=notes,
        )

    def _link(self, name: str) -> str:
        """The link of a tar. The list is read for every slice: a fresh list may replace it."""
        link = self._all_links().get(name)
        if link is None:
            raise SourceError(f"{name} is in {self.links} no more")
        return link

    def _all_links(self) -> dict[str, str]:
        place = absolute(self.links or "")
        return parse_links(read_bytes(place), place)

    def _chosen_links(self) -> dict[str, str]:
        links = self._all_links()
        if self.names is None:
            return links
        names = [posixpath.basename(url) for url in expand(self.names)]
        missing = [name for name in names if name not in links]
        if missing:
            raise RequestError(
                f"sources.{self.name}.names: {missing[0]} is not in {self.links} "
                f"({len(missing)} of {len(names)} are not)"
            )
        return {name: links[name] for name in names}


def parse_links(data: bytes, where: str) -> dict[str, str]:
    """Parse Meta's list of links: link by file name; rows of other files than tars are left out.

    Raises:
        RequestError: a line is no `file_name<TAB>cdn_link`, or the list has no tar; the message
            names the line and the list (`where`).
    """
    links: dict[str, str] = {}
    for number, line in enumerate(data.decode("utf-8-sig", "replace").splitlines(), 1):
        cells = line.strip().split("\t")
        if not line.strip() or cells[0] == "file_name":
            continue
        if len(cells) != 2 or "://" not in cells[1]:
            raise RequestError(
                # no more of the line than comes before its link, which is a key to the download
                f"{where}, line {number}: {cut(line.split('://')[0], 60)} is not "
                "file_name<TAB>cdn_link"
            )
        try:
            checked_url(cells[1])
        except ValueError:
            raise RequestError(
                f"{where}, line {number}: the link of {cut(cells[0], 60)} chains file systems "
                f"(::), or has a protocol that is none of {', '.join(PLAIN_PROTOCOLS)}"
            ) from None
        if _LINK_NAME.fullmatch(cells[0]):
            links[cells[0]] = cells[1]
    if not links:
        raise RequestError(f"{where}: lists no tar")
    return links


def _role(member: str) -> tuple[str, str] | None:
    """Path of a member without its extension, and its role."""
    stem, _, extension = member.rpartition(".")
    role = _EXTENSIONS.get(extension)
    if role is None or not posixpath.basename(stem) or is_system_file(member):
        return None
    return stem, role


def _key_name(stem: str) -> str:
    """The id alone makes the key: folders and `sa_` are left out."""
    return posixpath.basename(stem).removeprefix("sa_")
