"""What there is to build from: a manifest in, what its sources hold out."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping
from dataclasses import dataclass

from sgt_data.corpus.paths import INPUT
from sgt_data.engine.own_sources import inventory_of
from sgt_data.errors import FileMissing, RequestError
from sgt_data.files.urls import absolute, is_local
from sgt_data.manifest.manifest import Manifest
from sgt_data.records import Inventory, Slice
from sgt_data.sources.base import Source


@dataclass(frozen=True, slots=True)
class Listing:
    """A manifest with the inventories of its sources.

    Attributes:
        manifest: what to build.
        inventories: what each source holds, by the source's name, in the manifest's order.
    """

    manifest: Manifest
    inventories: Mapping[str, Inventory]

    @property
    def slices(self) -> list[Slice]:
        """All slices, in corpus order."""
        return [piece for inventory in self.inventories.values() for piece in inventory.slices]

    @property
    def exact(self) -> bool:
        """Whether the pictures of all slices are counted; False where some are estimated."""
        return all(inventory.exact for inventory in self.inventories.values())

    @property
    def sources_of(self) -> dict[str, tuple[str, ...]]:
        """By folder of the corpus: names of the sources it is drawn for.

        `input` comes first, where proxies share it; then each proxy.
        """
        by_proxy = {
            proxy.name: tuple(source.name for source in self.manifest.sources_of(proxy))
            for proxy in self.manifest.proxies
        }
        if self.manifest.inputs == "embedded":
            return by_proxy
        used = {source for sources in by_proxy.values() for source in sources}
        shared = tuple(
            source.name for source in self.manifest.typed_sources() if source.name in used
        )
        return {INPUT: shared, **by_proxy}

    @property
    def folders_of(self) -> dict[str, tuple[str, ...]]:
        """By source: the folders of the corpus that it is drawn for."""
        sources_of = self.sources_of
        return {
            source.name: tuple(
                folder for folder, sources in sources_of.items() if source.name in sources
            )
            for source in self.manifest.typed_sources()
        }

    @property
    def notes(self) -> list[str]:
        """Remarks of the sources, for the person who builds."""
        return [
            f"{source}: {note}"
            for source, inventory in self.inventories.items()
            for note in inventory.notes
        ]


def list_inputs(manifest: Manifest) -> Listing:
    """List the inputs of a manifest; read no picture, write nothing.

    Raises:
        RequestError, SourceError: a source cannot be listed.
    """
    inventories = {}
    for source in manifest.typed_sources():
        try:
            inventories[source.name] = inventory_of(source, manifest.shard_samples)
        except FileMissing as why:
            problems = [str(why), *_missing_folders(source)]
            raise RequestError(
                f"source {source.name}: {'; '.join(problems)}. Say where it lies with --set "
                f"sources.{source.name}.FIELD=URL (fields: {', '.join(sorted(source.places))})"
            ) from why
    return Listing(manifest, inventories)


def _missing_folders(source: Source) -> list[str]:
    """The local folders that a source names and that do not exist, each with its field."""
    missing = []
    for field in sorted(source.places):
        value = getattr(source, field)
        if not isinstance(value, str) or value in source.place_words:
            continue
        place = absolute(value)
        is_folder = not set("*?[{") & set(place) and not posixpath.splitext(place)[1]
        if is_folder and is_local(place) and not os.path.exists(place):
            missing.append(f"there is no folder {place} (sources.{source.name}.{field})")
    return missing
