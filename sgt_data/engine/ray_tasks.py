"""Plain Ray tasks: a function and items in, results out."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import Any, TypeVar, cast

import ray

from sgt_data.engine.cluster import Cluster
from sgt_data.engine.ray_session import cluster_resource, ray_session, ray_words
from sgt_data.engine.shared_output import check_nodes_share
from sgt_data.errors import BuildError
from sgt_data.files.storage_options import StorageOptions, storage_options_in_use

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")

_WORKER_DEATHS = 20
"""A call is repeated so many times, at most, where its worker or the worker's machine dies."""


def call_on_ray(
    function: Callable[[_Item], _Done], items: Iterable[_Item], cluster: Cluster, output: str | None
) -> Generator[_Done, None, None]:
    """Call a function for every item, one CPU each; results as they come, in any order.

    Raises:
        RequestError: the nodes do not share the disk of `output`, an absolute URL.
        BuildError: Ray failed, or the function raised an error.
    """
    with ray_session(cluster):
        if output is not None:
            check_nodes_share(output)
        call = ray.remote(_call).options(num_cpus=1, max_retries=_WORKER_DEATHS)
        shared = ray.put((function, storage_options_in_use()))
        running: list[Any] = []
        try:
            for item in items:
                running.append(call.remote(shared, item))
                # as many again wait their turn, so that no CPU waits for this process
                while len(running) >= 2 * max(1, int(cluster_resource("CPU"))):
                    ended, running = ray.wait(running)
                    yield from cast(list[_Done], ray.get(ended))
            while running:
                ended, running = ray.wait(running)
                yield from cast(list[_Done], ray.get(ended))
        except ray.exceptions.RayError as why:
            raise BuildError(f"Ray failed: {ray_words(why)}") from why
        finally:
            for task in running:
                ray.cancel(task)


def _call(shared: tuple[Callable[[Any], Any], StorageOptions], item: Any) -> Any:
    """On a worker, where the storage options are used since they arrived."""
    function, _ = shared
    return function(item)
