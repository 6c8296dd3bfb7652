"""Engines: who does the work of a build. This process, or Ray."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.engine.cluster import Cluster
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.outcomes import Outcome
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import Stages


class Engine(Protocol):
    """Sets up annotators, and runs slices through their stages."""

    def set_up(self, annotator: Annotator) -> Setup:
        """Look at an annotator's weights and device, where it will run.

        Raises:
            RequestError: the annotator cannot run.
        """
        ...

    def run(self, tasks: Sequence[SliceTask], stages: Stages) -> Generator[Outcome, None, None]:
        """Do the tasks; outcomes as they come, in any order."""
        ...

    def notes(self) -> list[str]:
        """What happened meanwhile to those who work, for a person."""
        ...


def open_engine(
    cluster: Cluster, announce: Callable[[str], None]
) -> AbstractContextManager[Engine]:
    """The engine of a cluster. Ray is imported only where it is needed.

    Args:
        cluster: where to work.
        announce: called with what the engine does before there are outcomes, in words.
    """
    if cluster.in_process:
        return nullcontext(InProcessEngine(announce))
    from sgt_data.engine.ray_engine import RayEngine

    return RayEngine(cluster, announce)
