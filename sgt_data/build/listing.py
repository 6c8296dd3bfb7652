"""What there is to build from: a manifest with the inventories of its sources."""

from __future__ import annotations

from dataclasses import dataclass

from sgt_data.corpus.identity import build_identity, proxy_fingerprint
from sgt_data.errors import FileMissing, RequestError
from sgt_data.manifest import Manifest
from sgt_data.records import Inventory, Slice


@dataclass(frozen=True, slots=True)
class BuildPlan:
    """A manifest with what its sources hold.

    Attributes:
        manifest: what to build.
        inventories: by source.
        identity: what makes the build itself.
        fingerprints: by proxy.
    """

    manifest: Manifest
    inventories: dict[str, Inventory]
    identity: dict[str, object]
    fingerprints: dict[str, str]

    @property
    def slices(self) -> list[Slice]:
        """All slices, in corpus order."""
        return [piece for inventory in self.inventories.values() for piece in inventory.slices]

    @property
    def proxies_of(self) -> dict[str, tuple[str, ...]]:
        """By source: names of the proxies drawn for it."""
        return {
            source.name: tuple(
                proxy.name
                for proxy in self.manifest.proxies
                if source in self.manifest.sources_of(proxy)
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


def plan_build(manifest: Manifest) -> BuildPlan:
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
    identity = build_identity(
        manifest.identity(),
        {name: dict(one.identity) for name, one in inventories.items()},
        {proxy.name: proxy.bank() for proxy in manifest.proxies},
    )
    fingerprints = {
        proxy.name: proxy_fingerprint(identity, proxy.name) for proxy in manifest.proxies
    }
    return BuildPlan(manifest, inventories, identity, fingerprints)
