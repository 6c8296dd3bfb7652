"""What every node is asked: it travels to the node, and brings back checks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sgt_data.annotators.base import Annotator
from sgt_data.doctor.accelerators import accelerator_checks
from sgt_data.doctor.check import Check
from sgt_data.doctor.machine import disk_check, machine_checks
from sgt_data.doctor.packages import base_check
from sgt_data.doctor.places import shared_output_check, written_and_read
from sgt_data.doctor.sources import SourcePlace, source_check, weights_checks
from sgt_data.engine.build_plan import annotators_in_use
from sgt_data.files.urls import is_local
from sgt_data.manifest.manifest import Manifest
from sgt_data.manifest.places import stated_places


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a build needs of every machine that works on it.

    Attributes:
        output: absolute URL of the corpus; None where none was given.
        places: that the sources of a manifest read.
        annotators: of a manifest, that its proxies use.
    """

    output: str | None = None
    places: tuple[SourcePlace, ...] = ()
    annotators: tuple[Annotator, ...] = ()

    @classmethod
    def of(cls, manifest: Manifest | None, output: str | None) -> Wanted:
        """What a build of a manifest needs."""
        if manifest is None:
            return cls(output)
        return cls(output, tuple(_places(manifest)), tuple(annotators_in_use(manifest)))

    def checks(self) -> Iterator[Check]:
        """Whether this process reaches all of it."""
        if self.output is not None:
            if is_local(self.output):
                folder = Path(self.output.removeprefix("file://"))
                yield disk_check("disk of the output", folder)
            yield written_and_read(self.output)
        yield from map(source_check, self.places)
        yield from weights_checks(self.annotators)


@dataclass(frozen=True, slots=True)
class NodeQuestion:
    """Called on a node of a cluster: all checks of it.

    Attributes:
        wanted: what a build needs.
        written: URL of a file below the output that another process has written; None where there
            is no output.
    """

    wanted: Wanted
    written: str | None = None

    def __call__(self) -> list[Check]:
        return [
            *machine_checks(),
            _ray_folder(),
            base_check(),
            *accelerator_checks(),
            *self.wanted.checks(),
            *([] if self.written is None else [shared_output_check(self.written)]),
        ]


def _places(manifest: Manifest) -> Iterator[SourcePlace]:
    for source in manifest.typed_sources():
        for name, pattern in stated_places(source):
            yield SourcePlace(f"sources.{source.name}.{name}", pattern)


def _ray_folder() -> Check:
    """Free space where Ray keeps its session, and what does not fit into its memory."""
    from sgt_data.engine.node_facts import session_folder

    return disk_check("Ray's temporary files", session_folder())
