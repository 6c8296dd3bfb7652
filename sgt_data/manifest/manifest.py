"""What to build: a YAML manifest, typed, validated, resolved.

Validation names every wrong field at once: its path, the value found and what is allowed.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sgt_data.annotators.base import Annotator
from sgt_data.annotators.registry import annotator_kinds
from sgt_data.errors import ManifestError, PluginError
from sgt_data.field_errors import field_problems
from sgt_data.files.urls import Location, plain
from sgt_data.manifest.manifest_file import read_manifest_file
from sgt_data.manifest.member_checks import (
    annotator_problem,
    bank_problem,
    need_problem,
    source_problem,
)
from sgt_data.manifest.own_parts import add_own_parts, listed_plugins, with_lines
from sgt_data.manifest.places import check_moves, place_members
from sgt_data.manifest.protocols import place_problem
from sgt_data.manifest.reversed_proxies import with_bases, with_reversed_names
from sgt_data.names import INDEX, QUARANTINE, RECEIPTS
from sgt_data.overrides import override_fields
from sgt_data.pictures.colour_profiles import IccRule
from sgt_data.pictures.decode_source import MAX_PIXELS, Subsampling
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.plugins.registered import use_plugins
from sgt_data.proxies.base import Proxy
from sgt_data.proxies.registry import proxy_kinds
from sgt_data.redaction import redacted
from sgt_data.sources.base import Source
from sgt_data.sources.registry import source_kinds
from sgt_data.suggestions import did_you_mean, not_among
from sgt_data.value_text import cut

FORMAT_VERSION = 1
RESERVED_NAMES = frozenset({"input", INDEX, RECEIPTS, QUARANTINE})
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
    """A whole manifest: what a corpus is drawn from, and what is drawn.

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
        pictures: how pictures are read, sized and written.
        sources: where pictures and their annotations come from; instances of registered kinds.
        annotators: models that fill in what sources lack; instances of registered kinds.
        proxies: what is drawn; instances of registered kinds.
        protocols: of URLs in it, beside the plain ones (files, http, s3, gs, az, hf); `[sftp]` lets
            a source lie at `sftp://`, `[simplecache]` chains it before another. A corpus does not
            state them.
        plugins: Python files (`my_proxy.py`) and installed modules (`package.module`) of own
            sources, annotators and proxies. A corpus names them, and never imports them.
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
    plugins: tuple[str, ...] = ()
    protocols: tuple[Annotated[str, Field(pattern=r"^[a-z][a-z0-9+.-]*$")], ...] = ()
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

    def look_of(self, proxy: Proxy) -> str | None:
        """How the layer looks that an annotator gives to a proxy, where instructions tell it."""
        drawing = (self.annotator_of(proxy, source) for source in self.sources_of(proxy))
        return next((annotator.look for annotator in drawing if annotator is not None), None)

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
        left_out = {*lists, "plugins", "protocols"}
        dumped: dict[str, Any] = self.model_dump(mode="json", exclude=left_out)
        if self.plugins:
            dumped["plugins"] = [posixpath.basename(plugin) for plugin in self.plugins]
        for name in lists:
            dumped[name] = [member.model_dump(mode="json") for member in getattr(self, name)]
        return dumped

    def identity(self) -> dict[str, Any]:
        """What of the manifest shapes a sample's bytes.

        Places, tolerances, plug-ins, instructions and annotators are left out: what they hold
        counts instead, for the members that they shape.

        Sources and proxies are keyed by name, so that a difference can be named by its path.
        """
        dumped = self.resolved()
        for name in ("max_quarantined", "max_filtered", "annotators", "plugins"):
            dumped.pop(name, None)
        dumped["sources"] = {source.name: source.identity() for source in self.typed_sources()}
        dumped["proxies"] = {
            proxy.name: proxy.model_dump(mode="json", exclude={"instructions"})
            for proxy in self.proxies
        }
        return dumped


def load_manifest(path: Location, overrides: Sequence[str] | str = ()) -> Manifest:
    """Read and validate a manifest: a file, or one that comes with the package.

    Args:
        path: fsspec URL of a YAML file, whose relative paths lie in its own folder; or the name of
            a shipped manifest (`shipped_manifests`), whose relative paths lie in the current one;
            or the `corpus.json` of a corpus, to build it again as it was built.
        overrides: `field.path=value` each; list items by number or by `name`, values in YAML. Their
            relative paths lie in the current folder.

    Raises:
        ManifestError: with every wrong field.
    """
    file = read_manifest_file(plain(path))
    add_own_parts(file)
    kinds = _registered_kinds()
    moves = place_members(file.data, file.folder, {n: kinds[n] for n in ("sources", "annotators")})
    if "proxies" in file.data:
        file.data["proxies"] = with_reversed_names(file.data["proxies"])
    override_fields(file.data, overrides, _default_names(file.data, kinds))
    check_moves(file.data, moves, file.folder)
    return _parsed(file.data, file.where)


def parse_manifest(data: Mapping[str, Any], where: str = "manifest") -> Manifest:
    """Validate plain data; places in it may be `pathlib.Path`s, and lie in the current folder.

    Raises:
        ManifestError: with every wrong field.
    """
    return _parsed(_plain_paths(data), where)


def _parsed(data: Mapping[str, Any], where: str) -> Manifest:
    problems: list[str] = []
    fields: dict[str, Any] = dict(data)
    use_plugins(listed_plugins(fields.get("plugins")))
    if isinstance(fields.get("proxies"), list | tuple):
        fields["proxies"] = with_lines(fields["proxies"], "", problems)
    for name, kinds in _registered_kinds().items():
        if isinstance(fields.get(name), list | tuple):
            fields[name] = _members(fields[name], name, kinds, problems)
    if isinstance(fields.get("proxies"), list):
        fields["proxies"] = with_bases(fields["proxies"], problems)
    manifest: Manifest | None = _validated(Manifest, fields, (), problems)
    if manifest is not None and not problems:
        problems += _contradictions(manifest)
    if problems or manifest is None:
        raise ManifestError("\n".join([f"{where} cannot be used:", *problems]))
    return manifest


def _registered_kinds() -> dict[str, Mapping[str, type[Any]]]:
    """By list of a manifest: the classes that its members can have, by `type`."""
    return {"sources": source_kinds(), "annotators": annotator_kinds(), "proxies": proxy_kinds()}


def _default_names(
    data: Mapping[str, Any], kinds: Mapping[str, Mapping[str, type[Any]]]
) -> dict[str, dict[str, str]]:
    """By list of a manifest: the names that its members have where the manifest gives none."""
    names: dict[str, dict[str, str]] = {}
    for of_list, classes in kinds.items():
        members = data.get(of_list)
        stated = [
            member.get("type")
            for member in (members if isinstance(members, list) else ())
            if isinstance(member, dict)
        ]
        names[of_list] = {
            kind: str(classes[kind].model_fields["name"].get_default())
            for kind in stated
            if isinstance(kind, str) and kind in classes
        }
    return names


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
        if not isinstance(entry, dict):
            problems.append(f"  {name}.{index}: {_no_member(entry, kinds)}")
            members.append(None)
            continue
        kind = entry.get("type")
        if not isinstance(kind, str) or kind not in kinds:
            problems.append(f"  {name}.{index}.type: {_no_kind(kind, kinds)}")
            members.append(None)
            continue
        try:
            members.append(_validated(kinds[kind], entry, (name, index), problems))
        except PluginError as why:
            problems.append(f"  {name}.{index}.type: {kind!r} cannot be used: {why}")
            members.append(None)
    return members


def _no_member(entry: Any, kinds: Mapping[str, type[Any]]) -> str:
    """What is right in place of an entry that has no fields."""
    kind = entry if isinstance(entry, str) and entry in kinds else "TYPE"
    return f"found {cut(redacted(entry))}; must be `field: value` pairs, such as {{type: {kind}}}"


def _no_kind(kind: Any, kinds: Mapping[str, type[Any]]) -> str:
    """What is right in place of a type that nothing has."""
    is_misspelt = not isinstance(kind, str) or bool(did_you_mean(kind, kinds))
    own = "; a type of your own comes from a file that `plugins: [FILE.py]` names"
    return f"{not_among(kind, kinds)}{own * (not is_misspelt)}"


def _validated(
    model: type[Any], data: Any, path: tuple[str | int, ...], problems: list[str]
) -> Any:
    try:
        return model.model_validate(data)
    except ValidationError as why:
        problems += field_problems(why, model, path)
        return None


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
    for kind in ("sources", "annotators"):
        problems += [
            f"  {kind}.{index}.{wrong}"
            for index, member in enumerate(getattr(manifest, kind))
            if (wrong := place_problem(member, manifest.protocols))
        ]
    for index, source in enumerate(manifest.typed_sources()):
        if wrong := source_problem(source):
            problems.append(f"  sources.{index} ({source.name}): {wrong}")
    known = {source.name for source in manifest.sources}
    for index, proxy in enumerate(manifest.proxies):
        if proxy.name in RESERVED_NAMES:
            problems.append(f"  proxies.{index}.name: {proxy.name!r} is a folder of its own")
        unknown = sorted(set(proxy.sources or ()) - known)
        if unknown:
            problems.append(f"  proxies.{index}.sources: {not_among(unknown[0], sorted(known))}")
        if wrong := bank_problem(proxy):
            problems.append(f"  proxies.{index}.instructions: {wrong}")
        for source in manifest.sources_of(proxy):
            if need := need_problem(proxy, source):
                problems.append(f"  proxies.{index} ({proxy.name}) on source {source.name}: {need}")
            if wrong := annotator_problem(manifest.annotators, proxy, source):
                problems.append(f"  proxies.{index}.annotator: {wrong}")
    return list(dict.fromkeys(problems))
