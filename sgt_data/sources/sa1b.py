"""SA-1B: tars of `sa_N.jpg` + `sa_N.json`, given as URLs or by Meta's link list."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import ClassVar, Literal

from pydantic import model_validator

from sgt_data.errors import AnnotationError, RequestError, SourceError
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
        names: with `links`, which files to take (brace pattern); default all tars of the list.
        licence: written into every sample.
    """

    places: ClassVar[frozenset[str]] = frozenset({"tars", "links", "depth"})

    type: Literal["sa1b"] = "sa1b"
    name: str = "sa1b"
    tars: str | list[str] | None = None
    links: str | None = None
    names: str | None = None
    licence: str | None = "SA-1B Dataset Research License"

    @model_validator(mode="after")
    def _one_way_in(self) -> Sa1bSource:
        if (self.tars is None) == (self.links is None):
            raise ValueError("give either tars (URLs) or links (Meta's list of signed links)")
        if self.names is not None and self.links is None:
            raise ValueError("names chooses among links; with tars, give a pattern there")
        return self

    def layers(self) -> frozenset[Layer]:
        return frozenset({"entities"})

    def inventory(self, shard_samples: int) -> Inventory:
        if self.tars is not None:
            listed = tar_inventory(self.name, expand(self.tars), _role)
            return replace(listed, typical_size=TYPICAL_SIZE)
        names = sorted(self._links())
        return Inventory(
            tuple(
                Slice(
                    self.name, slice_name(name), name.encode(), None,
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
            self.name, piece.name, _role, ("picture", "annotation"), shard_samples, self.licence
        )
        place = piece.payload.decode()
        if self.links is None:
            yield from cut.shards(place, skip)
            return
        try:
            yield from cut.shards(self._link(place), skip)
        except SourceError as why:
            status = http_status(why)
            # the message must not carry the link: its signature is a key to the download
            said = f"its link answers {status}" if status else "its link cannot be read"
            raise SourceError(
                f"{place}: {said}. Links expire: fetch a fresh list and run the same command again"
            ) from None

    def annotation(self, raw: RawInput, layer: Layer) -> Annotation | None:
        return parse_annotation(raw.extras["annotation"]) if layer == "entities" else None

    def _link(self, name: str) -> str:
        """The list is read anew for every slice: a fresh one may be put in its place meanwhile."""
        link = self._listed().get(name)
        if link is None:
            raise SourceError(f"{name} is in {self.links} no more")
        return link

    def _listed(self) -> dict[str, str]:
        return parse_links(read_bytes(self.links or ""), self.links or "")

    def _links(self) -> dict[str, str]:
        listed = self._listed()
        if self.names is None:
            return listed
        wanted = [posixpath.basename(url) for url in expand(self.names)]
        missing = [name for name in wanted if name not in listed]
        if missing:
            raise RequestError(
                f"sources.{self.name}.names: {missing[0]} is not in {self.links} "
                f"({len(missing)} of {len(wanted)} are not)"
            )
        return {name: listed[name] for name in wanted}


def parse_links(data: bytes, where: str) -> dict[str, str]:
    """Meta's list -> link by file name; rows that are no tar are left out.

    Raises:
        RequestError: naming the line that is no `file_name<TAB>cdn_link`.
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
    """SA-1B's JSON for one picture.

    Raises:
        AnnotationError: no JSON, a field is missing or of the wrong kind, sizes contradict.
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
    """Stem without `sa_`, and role: the id alone makes the key."""
    stem, _, extension = posixpath.basename(member).rpartition(".")
    role = _EXTENSIONS.get(extension)
    return (stem.removeprefix("sa_"), role) if role and stem else None
