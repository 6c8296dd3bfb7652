"""What to build: a YAML manifest, typed, validated, resolved.

Validation names every wrong field at once: its path, the value found and what is allowed.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sgt_data.annotators.base import Annotator
from sgt_data.annotators.registry import annotator_kinds
from sgt_data.errors import FileMissing, ManifestError, SourceError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import Location, plain
from sgt_data.overrides import override_fields
from sgt_data.pictures.colour_profiles import IccRule
from sgt_data.pictures.decode_source import MAX_PIXELS, Subsampling
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.redaction import redacted
from sgt_data.sources.base import Source
from sgt_data.sources.registry import source_kinds
from sgt_data.yaml_text import found_instead, parse_yaml

FORMAT_VERSION = 1
RESERVED_NAMES = frozenset({"input", "index", "receipts", "quarantine"})
"""Folders of a corpus that are no proxy's."""


class PictureRule(SizeRule):
    """How pictures are read and written, beside their size.

    Attributes:
        jpeg_quality: of the stored input pictures, 1 to 100.
        jpeg_subsampling: of their chroma.
        icc: `convert` to sRGB, `keep` the profile, or `drop` it.
        max_pixels: larger pictures are refused from their header alone.
    """

    jpeg_quality: int = Field(95, ge=1, le=100)
    jpeg_subsampling: Subsampling = "4:2:0"
    icc: IccRule = "convert"
    max_pixels: int = Field(MAX_PIXELS, ge=1, le=MAX_PIXELS)


class Manifest(BaseModel):
    """A whole manifest. `sources`, `annotators` and `proxies` hold instances of registered kinds.

    Attributes:
        version: of the manifest's and the corpus's format.
        name: of the corpus.
        seed: of every random choice.
        shard_samples: inputs per shard.
        max_quarantined: share of damaged inputs (0 to 1) beyond which a build counts as failed.
        max_filtered: share of inputs left out by filters (0 to 1), of any proxy, beyond which a
            build counts as failed.
        inputs: `embedded` puts the input picture into every proxy's tars, so that each stands
            alone; `shared` writes it once, below `input/`, for all proxies that condition on it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    version: Literal[1] = 1
    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")
    seed: int = Field(0, ge=0, lt=2**63)
    shard_samples: int = Field(256, ge=1, le=100_000)
    max_quarantined: float = Field(0.05, ge=0, le=1)
    max_filtered: float = Field(0.9, ge=0, le=1)
    pictures: PictureRule = PictureRule()
    inputs: Literal["embedded", "shared"] = "embedded"
    sources: tuple[Any, ...] = Field(min_length=1)
    annotators: tuple[Any, ...] = ()
    proxies: tuple[Any, ...] = Field(min_length=1)

    def typed_sources(self) -> tuple[Source, ...]:
        """`sources`, with the type that they have."""
        return self.sources

    def sources_of(self, proxy: Proxy) -> tuple[Source, ...]:
        """The sources that a proxy is drawn for."""
        return tuple(
            source
            for source in self.typed_sources()
            if proxy.sources is None or source.name in proxy.sources
        )

    def annotator_of(self, proxy: Proxy, source: Source) -> Annotator | None:
        """The annotator that fills in what a source lacks for a proxy."""
        name = proxy.annotator_for(source.offers())
        return next((annotator for annotator in self.annotators if annotator.name == name), None)

    def bank_of(self, proxy: Proxy) -> str:
        """Name of the instruction bank that tells what a proxy draws with its annotator."""
        drawing = (self.annotator_of(proxy, source) for source in self.sources_of(proxy))
        look = next((annotator.look for annotator in drawing if annotator is not None), None)
        return proxy.bank_for(look)

    def annotators_for(self, source: str, proxies: Collection[str]) -> tuple[Annotator, ...]:
        """The annotators that the named proxies need for a source, each once."""
        needed: dict[str, Annotator] = {}
        for proxy in self.proxies:
            for drawn_for in self.sources_of(proxy):
                annotator = self.annotator_of(proxy, drawn_for)
                if annotator and proxy.name in proxies and drawn_for.name == source:
                    needed[annotator.name] = annotator
        return tuple(needed.values())

    def resolved(self) -> dict[str, Any]:
        """Every field with its value, defaults included, as plain JSON."""
        lists = ("sources", "annotators", "proxies")
        dumped: dict[str, Any] = self.model_dump(mode="json", exclude=set(lists))
        for name in lists:
            dumped[name] = [member.model_dump(mode="json") for member in getattr(self, name)]
        return dumped

    def identity(self) -> dict[str, Any]:
        """What of the manifest shapes a sample's bytes.

        Places, tolerances and annotators are left out; annotators shape some proxies only.

        Sources and proxies are keyed by name, so that a difference can be named by its path.
        """
        dumped = self.resolved()
        del dumped["max_quarantined"], dumped["max_filtered"], dumped["annotators"]
        dumped["sources"] = {source.name: source.identity() for source in self.typed_sources()}
        dumped["proxies"] = {proxy.name: proxy.model_dump(mode="json") for proxy in self.proxies}
        return dumped


def load_manifest(path: Location, overrides: Sequence[str] = ()) -> Manifest:
    """Read and validate a manifest file.

    Args:
        path: fsspec URL of a YAML file.
        overrides: `field.path=value` each; list items by number or by `name`, values in YAML.

    Raises:
        ManifestError: with every wrong field.
    """
    path = plain(path)
    try:
        text = read_bytes(path)
    except FileMissing as why:
        raise ManifestError(f"there is no manifest: {why}") from why
    except SourceError as why:
        if isinstance(why.__cause__, IsADirectoryError):
            raise ManifestError(f"{path} is a folder; a manifest is a YAML file") from why
        raise
    data = parse_yaml(text, path)
    if not isinstance(data, dict):
        raise ManifestError(
            f"{path}: {found_instead(data)}; a manifest is a mapping, `field: value`"
        )
    override_fields(data, overrides)
    return _parsed(data, path)


def parse_manifest(data: Mapping[str, Any], where: str = "manifest") -> Manifest:
    """Validate plain data; places in it may be `pathlib.Path`s.

    Raises:
        ManifestError: with every wrong field.
    """
    return _parsed(_plain_paths(data), where)


def _parsed(data: Mapping[str, Any], where: str) -> Manifest:
    problems: list[str] = []
    fields: dict[str, Any] = dict(data)
    registered: dict[str, Mapping[str, type[Any]]] = {
        "sources": source_kinds(), "annotators": annotator_kinds(), "proxies": proxy_kinds(),
    }  # fmt: skip
    for name, kinds in registered.items():
        if isinstance(fields.get(name), list | tuple):
            fields[name] = _members(fields[name], name, kinds, problems)
    manifest: Manifest | None = _validated(Manifest, fields, (), problems)
    if manifest is not None and not problems:
        problems += _contradictions(manifest)
    if problems or manifest is None:
        raise ManifestError("\n".join([f"{where} cannot be used:", *problems]))
    return manifest


def _plain_paths(data: Any) -> Any:
    """Plain data in which paths that are no texts (`pathlib.Path`) have become texts."""
    if isinstance(data, Mapping):
        return {name: _plain_paths(value) for name, value in data.items()}
    if isinstance(data, list | tuple):
        return [_plain_paths(value) for value in data]
    return plain(data) if isinstance(data, os.PathLike) else data


def parse_annotator(data: Mapping[str, Any], where: str) -> Annotator:
    """Validate plain data for one annotator.

    Raises:
        ManifestError: with every wrong field.
    """
    problems: list[str] = []
    (annotator,) = _members([dict(data)], "annotators", annotator_kinds(), problems)
    if problems:
        raise ManifestError("\n".join([f"{where} cannot be used:", *problems]))
    return cast(Annotator, annotator)


def _members(
    entries: Sequence[Any], name: str, kinds: Mapping[str, type[Any]], problems: list[str]
) -> list[Any]:
    """Each entry as an instance of the kind that its `type` names; wrong ones become problems."""
    members: list[Any] = []
    for index, entry in enumerate(entries):
        kind = entry.get("type") if isinstance(entry, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            allowed = ", ".join(kinds)
            problems.append(f"  {name}.{index}.type: found {kind!r}; allowed: {allowed}")
            members.append(None)
            continue
        members.append(_validated(kinds[kind], entry, (name, index), problems))
    return members


def _validated(
    model: type[Any], data: Any, path: tuple[str | int, ...], problems: list[str]
) -> Any:
    try:
        return model.model_validate(data)
    except ValidationError as why:
        for error in why.errors(include_url=False):
            where = ".".join(map(str, (*path, *error["loc"]))) or "manifest"
            value = (
                "" if error["type"] == "missing" else f" (found {redacted(error['input'])!r:.80})"
            )
            problems.append(f"  {where}: {_message(error)}{value}")
        return None


def _message(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "no such field"
    if error["type"] == "missing":
        return "must be given"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _contradictions(manifest: Manifest) -> list[str]:
    """What only shows when sources and proxies are seen together."""
    problems = []
    for kind in ("sources", "annotators", "proxies"):
        names = [member.name for member in getattr(manifest, kind)]
        problems += [
            f"  {kind}.{index}.name: {name!r} is taken; names must differ"
            for index, name in enumerate(names)
            if name in names[:index]
        ]
    known = {source.name for source in manifest.sources}
    for index, proxy in enumerate(manifest.proxies):
        if proxy.name in RESERVED_NAMES:
            problems.append(f"  proxies.{index}.name: {proxy.name!r} is a folder of its own")
        unknown = sorted(set(proxy.sources or ()) - known)
        if unknown:
            problems.append(
                f"  proxies.{index}.sources: found {unknown[0]!r}; allowed: "
                f"{', '.join(sorted(known))}"
            )
        for source in manifest.sources_of(proxy):
            if need := proxy.unmet_need(source.offers()):
                problems.append(f"  proxies.{index} ({proxy.name}) on source {source.name}: {need}")
            if wrong := _wrong_annotator(manifest, proxy, source):
                problems.append(f"  proxies.{index}.annotator: {wrong}")
    return list(dict.fromkeys(problems))


def _wrong_annotator(manifest: Manifest, proxy: Proxy, source: Source) -> str | None:
    """What is wrong with the annotator that a proxy names for a source."""
    name = proxy.annotator_for(source.offers())
    if name is None:
        return None
    fitting = [
        annotator.name
        for annotator in manifest.annotators
        if annotator.layer == proxy.annotated_layer
    ]
    if name in fitting:
        return None
    allowed = (
        ", ".join(fitting) or f"none: annotators lists none that gives {proxy.annotated_layer}"
    )
    return f"found {name!r}; allowed: {allowed}"
