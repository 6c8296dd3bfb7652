"""Engine of a Ray cluster, or of a Ray that is started on this machine."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any, cast

import ray

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.engine.cluster import Cluster
from sgt_data.engine.outcomes import Outcome
from sgt_data.engine.ray_messages import RayMessages
from sgt_data.engine.ray_session import cluster_resource, ray_session, ray_words
from sgt_data.engine.shared_output import check_nodes_share
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import Stages
from sgt_data.errors import BuildError, RequestError, SgtDataError
from sgt_data.files.storage_options import StorageOptions, storage_options_in_use
from sgt_data.value_text import counted


class RayEngine:
    """Runs annotators and tasks on Ray.

    A context manager: it connects when Ray is first needed, and at the end takes down what it has
    started.
    """

    def __init__(self, cluster: Cluster, announce: Callable[[str], None] = lambda _: None) -> None:
        self._cluster, self._announce = cluster, announce
        self._session = ExitStack()
        self._is_connected = self._is_own = False
        self._shared: set[str] = set()
        self._messages = RayMessages()

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def set_up(self, annotator: Annotator) -> Setup:
        """Look at an annotator's weights and device, on a worker of the kind that will run it.

        Raises:
            RequestError: the annotator cannot run.
            BuildError: Ray failed.
        """
        if self._cluster.address in (None, "local"):
            from sgt_data.annotators.device import check_packages_and_files

            check_packages_and_files(annotator)  # before Ray takes its time to start
        self._connect()
        self._announce(f"looking at the weights of {annotator.name}")
        gpus = cluster_resource("GPU")
        if annotator.device == "cuda" and gpus < annotator.num_gpus:
            raise RequestError(
                f"annotators.{annotator.name}: found device cuda and num_gpus "
                f"{annotator.num_gpus:g}; this cluster has {counted(gpus, 'GPU')}"
            )
        on_gpu = annotator.device != "cpu" and gpus >= annotator.num_gpus
        task = ray.remote(_set_up).options(
            num_cpus=0, num_gpus=annotator.num_gpus if on_gpu else 0, max_retries=2
        )
        try:
            setup, problem = cast(Any, ray.get(task.remote(annotator, storage_options_in_use())))
        except ray.exceptions.RayError as why:
            raise BuildError(
                f"annotators.{annotator.name} cannot be set up: {ray_words(why)}"
            ) from why
        if problem is not None:
            raise problem
        return cast(Setup, setup)

    def run(self, tasks: Sequence[SliceTask], stages: Stages) -> Generator[Outcome, None, None]:
        """Do the tasks; outcomes as they come, in any order.

        Raises:
            RequestError: the nodes do not share the disk of the output.
            BuildError: Ray failed.
        """
        with ThreadPoolExecutor(1) as beside:  # its imports take as long as the start of Ray
            graph = beside.submit(_load_graph)
            self._connect()
        if not self._is_own and stages.output not in self._shared:
            check_nodes_share(stages.output)
            self._shared.add(stages.output)
        self._announce("starting workers and reading the first inputs")
        return graph.result()(tasks, stages, on_one_machine=self._is_own)

    def notes(self) -> list[str]:
        """What happened to the cluster meanwhile: nodes and workers that died."""
        return self._messages.notes()

    def _connect(self) -> None:
        if not self._is_connected:
            is_local = self._cluster.address in (None, "local")
            self._is_own = is_local and not ray.is_initialized()
            self._announce("starting Ray" if is_local else f"connecting to {self._cluster.address}")
            self._messages = self._session.enter_context(ray_session(self._cluster))
            self._is_connected = True


def _load_graph() -> Callable[..., Generator[Outcome, None, None]]:
    from sgt_data.engine.ray_graph import run_graph

    return run_graph


def _set_up(
    annotator: Annotator, storage: StorageOptions
) -> tuple[Setup | None, SgtDataError | None]:
    """On a worker, where the storage options are used since they arrived. An error is a value here:
    Ray would wrap it in a traceback."""
    del storage
    from sgt_data.annotators.device import set_up

    try:
        return set_up(annotator), None
    except SgtDataError as why:
        return None, type(why)(str(why))
