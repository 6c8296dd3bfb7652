"""SA-1B: tars of `sa_N.jpg` and `sa_N.json`, given as URLs or by Meta's list of links."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import model_validator

from sgt_data.errors import AnnotationError, RequestError, SourceError
from sgt_data.files.not_pictures import is_system_file
from sgt_data.files.reading import read_bytes
from sgt_data.files.retries import http_status
from sgt_data.files.urls import expand
from sgt_data.records import (
    Annotation,
    Inventory,
    Layer,
    MaskAnnotation,
    RawInput,
    RawShard,
    Segment,
    Slice,
)
from sgt_data.sources.annotation_json import (
    counts_of,
    load_json,
    score,
    whole_number,
)
from sgt_data.sources.base import Source
from sgt_data.sources.listed_tar import BrokenTar, ListedTar
from sgt_data.sources.tar_cut import TarCut
from sgt_data.sources.tars import slice_name, tar_inventory

PICTURES_PER_TAR = 11_186
BYTES_PER_TAR = 11 * 10**9
TYPICAL_SIZE = (2250, 1500)

_LINK_NAME = re.compile(r"[A-Za-z0-9_-]+\.tar")
_EXTENSIONS = {"jpg": "picture", "json": "annotation"}


class Sa1bSource(Source):
    """SA-1B in its own form.

    Attributes:
        tars: URLs, brace and glob patterns of `sa_*.tar`.
        links: instead of `tars`, Meta's list: `file_name<TAB>cdn_link`, one header line.
        names: with `links`, which files are taken (brace pattern); by default all tars of the list.
        licence: written into every sample.
        allow_truncated: build also from tars that end early, or of which more is broken than one
            input. What is missing is estimated, and counts against `max_quarantined`.
    """

    places: ClassVar[frozenset[str]] = frozenset({"tars", "links", "depth"})
    tolerances: ClassVar[frozenset[str]] = frozenset({"allow_truncated"})

    type: Literal["sa1b"] = "sa1b"
    name: str = "sa1b"
    tars: str | list[str] | None = None
    links: str | None = None
    names: str | None = None
    licence: str | None = "SA-1B Dataset Research License"
    allow_truncated: bool = False

    @model_validator(mode="after")
    def _tars_or_links(self) -> Sa1bSource:
        if (self.tars is None) == (self.links is None):
            raise ValueError("give either tars (URLs) or links (Meta's list of signed links)")
        if self.names is not None and self.links is None:
            raise ValueError("names chooses among links; with tars, give a pattern there")
        return self

    def layers(self) -> frozenset[Layer]:
        return frozenset({"entities"})

    def inventory(self, shard_samples: int) -> Inventory:
        if self.tars is not None:
            inventory = tar_inventory(
                self.name, expand(self.tars), _role, truncated_allowed=self.allow_truncated
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

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return parse_annotation(raw.extras["annotation"]) if layer == "entities" else None

    def _link(self, name: str) -> str:
        """The link of a tar. The list is read for every slice: a fresh list may replace it."""
        link = self._all_links().get(name)
        if link is None:
            raise SourceError(f"{name} is in {self.links} no more")
        return link

    def _all_links(self) -> dict[str, str]:
        return parse_links(read_bytes(self.links or ""), self.links or "")

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
                f"{where}, line {number}: {line.split('://')[0][:60]!r} is not "
                "file_name<TAB>cdn_link"
            )
        if _LINK_NAME.fullmatch(cells[0]):
            links[cells[0]] = cells[1]
    if not links:
        raise RequestError(f"{where}: lists no tar")
    return links


def parse_annotation(data: bytes) -> MaskAnnotation:
    """Masks from SA-1B's JSON of a picture.

    Raises:
        AnnotationError: the data are not JSON, a field is missing or of the wrong kind, or sizes
            contradict each other.
    """
    document = load_json(data)
    try:
        width = whole_number(document["image"]["width"], "image.width", 1)
        height = whole_number(document["image"]["height"], "image.height", 1)
        annotations = document["annotations"]
        segments, masks = [], []
        for index, entry in enumerate(annotations):
            encoding = entry["segmentation"]
            if list(encoding["size"]) != [height, width]:
                raise AnnotationError(
                    f"annotations[{index}].segmentation.size is {encoding['size']!r:.40}, "
                    f"the image is [{height}, {width}]"
                )
            masks.append(counts_of(encoding["counts"], f"annotations[{index}]"))
            segments.append(
                Segment(
                    whole_number(entry["id"], f"annotations[{index}].id"),
                    predicted_iou=score(entry.get("predicted_iou"), "predicted_iou"),
                    stability_score=score(entry.get("stability_score"), "stability_score"),
                )
            )
    except (KeyError, TypeError, AttributeError) as why:
        raise AnnotationError(f"the annotation is not in SA-1B's form: {why!r}") from why
    if len({segment.id for segment in segments}) != len(segments):
        raise AnnotationError("two annotations share one id")
    return MaskAnnotation(height, width, tuple(segments), tuple(masks))


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
