"""What there is to build from: a manifest with the inventories of its sources, and with what its
annotators come to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.identity import build_identity, proxy_fingerprint
from sgt_data.corpus.layout import INPUT
from sgt_data.errors import FileMissing, RequestError
from sgt_data.manifest import Manifest
from sgt_data.proxies.base import Proxy
from sgt_data.records import Inventory, Slice
from sgt_data.sources.dense_maps import files_identity


@dataclass(frozen=True, slots=True)
class Listing:
    """A manifest with what its sources hold, by source."""

    manifest: Manifest
    inventories: dict[str, Inventory]

    @property
    def slices(self) -> list[Slice]:
        """All slices, in corpus order."""
        return [piece for inventory in self.inventories.values() for piece in inventory.slices]

    @property
    def sources_of(self) -> dict[str, tuple[str, ...]]:
        """By folder of the corpus (`input` first, where it is shared; then each proxy): names of
        the sources it is drawn for."""
        found = {
            proxy.name: tuple(one.name for one in self.manifest.sources_of(proxy))
            for proxy in self.manifest.proxies
        }
        if self.manifest.inputs == "embedded":
            return found
        used = {source for sources in found.values() for source in sources}
        every = tuple(one.name for one in self.manifest.sources if one.name in used)
        return {INPUT: every, **found}

    @property
    def folders_of(self) -> dict[str, tuple[str, ...]]:
        """By source: the folders of the corpus that it is drawn for."""
        return {
            source.name: tuple(
                folder for folder, sources in self.sources_of.items() if source.name in sources
            )
            for source in self.manifest.source_configs()
        }

    @property
    def notes(self) -> list[str]:
        """What the sources remark."""
        return [
            f"{source}: {note}"
            for source, inventory in self.inventories.items()
            for note in inventory.notes
        ]


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """A listing with what makes the build itself.

    Attributes:
        listing: what to build from.
        setups: what the annotators in use come to, by name.
        identity: what makes the build itself.
        fingerprints: by folder of the corpus.
    """

    listing: Listing
    setups: dict[str, Setup]
    identity: dict[str, object]
    fingerprints: dict[str, str]

    @property
    def manifest(self) -> Manifest:
        return self.listing.manifest


def list_inputs(manifest: Manifest) -> Listing:
    """List the inputs; read no picture, write nothing.

    Raises:
        RequestError, SourceError: a source cannot be listed.
    """
    inventories = {}
    for source in manifest.source_configs():
        try:
            inventories[source.name] = source.inventory(manifest.shard_samples)
        except FileMissing as why:
            raise RequestError(
                f"source {source.name}: {why}. Say where it lies with --set "
                f"sources.{source.name}.FIELD=URL (fields: {', '.join(sorted(source.places))})"
            ) from why
    return Listing(manifest, inventories)


def plan_build(listing: Listing, set_up: Callable[[Annotator], Setup]) -> BuildPlan:
    """Settle what makes the build itself.

    Args:
        listing: what there is.
        set_up: looks at an annotator's weights and device, where it will run.

    Raises:
        RequestError: an annotator cannot run.
    """
    manifest = listing.manifest
    setups = {
        annotator.name: set_up(annotator)
        for annotator in manifest.annotators
        if any(
            manifest.annotator_of(proxy, source) is annotator
            for proxy in manifest.proxies
            for source in manifest.sources_of(proxy)
        )
    }
    identity = build_identity(
        manifest.identity(),
        {name: dict(one.identity) for name, one in listing.inventories.items()},
        {proxy.name: proxy.bank() for proxy in manifest.proxies},
        {proxy.name: _makers(manifest, proxy, setups) for proxy in manifest.proxies},
    )
    fingerprints = {folder: proxy_fingerprint(identity, folder) for folder in listing.sources_of}
    return BuildPlan(listing, setups, identity, fingerprints)


def _makers(manifest: Manifest, proxy: Proxy, setups: Mapping[str, Setup]) -> dict[str, Any]:
    """What one proxy depends on beside pictures and annotations."""
    made: dict[str, Any] = {"libraries": {name: version(name) for name in proxy.libraries()}}
    for source in manifest.sources_of(proxy):
        annotator = manifest.annotator_of(proxy, source)
        if annotator is not None:
            made["annotator"] = annotator.identity(setups[annotator.name])
        elif source.depth and proxy.annotated_layer == "depth":
            field = f"sources.{source.name}.depth"
            made.setdefault("files", {})[source.name] = files_identity(source.depth, field)
    return made
