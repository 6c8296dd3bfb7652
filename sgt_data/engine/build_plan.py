"""What makes a build: a listing and its annotators in; recipe, identity and fingerprints out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.identity import build_identity, proxy_fingerprint
from sgt_data.engine.listing import Listing
from sgt_data.manifest.manifest import Manifest
from sgt_data.plugins.origins import origin_of
from sgt_data.proxies.base import Proxy
from sgt_data.records import Category, Inventory, Layer
from sgt_data.sources.base import Source
from sgt_data.sources.cameras import Cameras, list_cameras
from sgt_data.sources.dense_files import DenseFiles, list_dense_files
from sgt_data.sources.listed_tar import is_later_form
from sgt_data.sources.normal_files import SUFFIXES as NORMALS_SUFFIXES


@dataclass(frozen=True, slots=True)
class Recipe:
    """All that makes samples out of inputs; it travels to every worker.

    Attributes:
        manifest: what to build.
        vocabulary: categories by source and id.
        setups: how each annotator in use runs, by its name.
        depth: files of depth, by the source that has them and draws them.
        fingerprints: of the build, by folder of the corpus.
        normals: files of surface normals, likewise.
        cameras: of the pictures, likewise.
    """

    manifest: Manifest
    vocabulary: Mapping[str, Mapping[int, Category]]
    setups: Mapping[str, Setup]
    depth: Mapping[str, DenseFiles]
    fingerprints: Mapping[str, str]
    normals: Mapping[str, DenseFiles] = field(default_factory=dict)
    cameras: Mapping[str, Cameras] = field(default_factory=dict)

    def source(self, name: str) -> Source:
        """The source of this name."""
        return next(source for source in self.manifest.typed_sources() if source.name == name)


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """A build, before any picture is read.

    Attributes:
        listing: what to build from.
        recipe: how samples are made of it.
        identity: what makes it the same build when it is continued (see `corpus.identity`).
    """

    listing: Listing
    recipe: Recipe
    identity: Mapping[str, Any]


def plan_build(
    listing: Listing, set_up: Callable[[Annotator], Setup], begun: Mapping[str, Any] | None = None
) -> BuildPlan:
    """Settle what makes a build.

    Args:
        listing: what to build from.
        set_up: looks at an annotator's weights and device, where it will run.
        begun: identity of the corpus that is continued; empty where none is.

    Raises:
        RequestError: an annotator cannot run.
    """
    manifest = listing.manifest
    setups = {annotator.name: set_up(annotator) for annotator in annotators_in_use(manifest)}
    beside = _files_beside(listing)
    identity = build_identity(
        manifest.identity(),
        {
            name: _files(inventory, (begun or {}).get("files", {}).get(name, {}))
            for name, inventory in listing.inventories.items()
        },
        {proxy.name: proxy.instruction_bank(manifest.look_of(proxy)) for proxy in manifest.proxies},
        {
            proxy.name: _makers(manifest, proxy, setups, beside) | _earlier(proxy, begun or {})
            for proxy in manifest.proxies
        },
    )
    vocabulary = {
        name: {category.id: category for category in inventory.vocabulary}
        for name, inventory in listing.inventories.items()
    }
    fingerprints = {folder: proxy_fingerprint(identity, folder) for folder in listing.sources_of}
    recipe = Recipe(
        manifest, vocabulary, setups, beside.depth, fingerprints, beside.normals, beside.cameras
    )
    return BuildPlan(listing, recipe, identity)


def annotators_in_use(manifest: Manifest) -> list[Annotator]:
    """The annotators of a manifest that fill in what a source lacks of a proxy's layer."""
    return [
        annotator
        for annotator in manifest.annotators
        if any(
            manifest.annotator_of(proxy, source) is annotator
            for proxy in manifest.proxies
            for source in manifest.sources_of(proxy)
        )
    ]


def _earlier(proxy: Proxy, begun: Mapping[str, Any]) -> dict[str, Any]:
    """The libraries that a corpus names of a proxy, and that its own code has replaced since."""
    named = begun.get("makers", {}).get(proxy.name, {}).get("libraries", {})
    kept = {name: named[name] for name in named if name in proxy.replaced_libraries()}
    if not kept:
        return {}
    return {"libraries": {name: version(name) for name in proxy.libraries()} | kept}


def _files(inventory: Inventory, begun: Mapping[str, str]) -> dict[str, str]:
    """The files of a source, for the identity of a build.

    A file that was not whole when the corpus was begun is known by its beginning alone, so that the
    whole file may take its place.
    """
    return {
        name: begun[name] if is_later_form(begun.get(name, ""), inventory.beginnings.get(name))
        else text
        for name, text in inventory.identity.items()
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class _FilesBeside:
    """What lies beside the pictures of the sources and is drawn, by name of the source."""

    depth: Mapping[str, DenseFiles]
    normals: Mapping[str, DenseFiles]
    cameras: Mapping[str, Cameras]


def _files_beside(listing: Listing) -> _FilesBeside:
    stems = {name: each.shared_stems for name, each in listing.inventories.items()}
    depth, normals, cameras = {}, {}, {}
    for source in listing.manifest.typed_sources():
        drawn = _drawn_beside(listing.manifest, source)
        field, shared = f"sources.{source.name}", stems[source.name]
        if source.depth and "depth" in drawn:
            depth[source.name] = list_dense_files(source.depth, f"{field}.depth", shared)
        if source.normals and "normals" in drawn:
            normals[source.name] = list_dense_files(
                source.normals, f"{field}.normals", shared, NORMALS_SUFFIXES,
                "normals are 8-bit RGB PNGs or .npy arrays",
            )  # fmt: skip
        if source.intrinsics and "intrinsics" in drawn:
            cameras[source.name] = list_cameras(source.intrinsics, f"{field}.intrinsics", shared)
    return _FilesBeside(depth, normals, cameras)


def _drawn_beside(manifest: Manifest, source: Source) -> frozenset[Layer]:
    """The files beside the pictures of a source that its proxies are drawn from."""
    drawing = (
        proxy.files_beside(source.offers())
        for proxy in manifest.proxies
        if source in manifest.sources_of(proxy) and manifest.annotator_of(proxy, source) is None
    )
    return frozenset[Layer]().union(*drawing)


def _makers(
    manifest: Manifest,
    proxy: Proxy,
    setups: Mapping[str, Setup],
    beside: _FilesBeside,
) -> dict[str, Any]:
    """What one proxy depends on beside pictures and annotations."""
    makers: dict[str, Any] = {"libraries": {name: version(name) for name in proxy.libraries()}}
    if origin := origin_of(type(proxy)):
        makers["plugin"] = dict(origin)
    for source in manifest.sources_of(proxy):
        annotator, name = manifest.annotator_of(proxy, source), source.name
        if annotator is not None:
            makers["annotator"] = annotator.identity(setups[annotator.name])
            continue
        drawn = proxy.files_beside(source.offers())
        if "depth" in drawn and name in beside.depth:
            makers.setdefault("files", {})[name] = beside.depth[name].identity
            if meaning := source.depth_identity():
                makers.setdefault("depth_files", {})[name] = meaning
        if "normals" in drawn and name in beside.normals:
            makers.setdefault("files", {})[name] = beside.normals[name].identity
            makers.setdefault("normal_files", {})[name] = source.normals_identity()
        if "intrinsics" in drawn and name in beside.cameras:
            makers.setdefault("cameras", {})[name] = beside.cameras[name].digest
    return makers
