"""Call a function for many items at once: on threads of this process, or as Ray tasks."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

from sgt_data.engine.cluster import Cluster

_Item = TypeVar("_Item")
_Done = TypeVar("_Done")


def call_for_each(
    function: Callable[[_Item], _Done],
    items: Iterable[_Item],
    cluster: Cluster,
    threads: int,
    output: str | None = None,
) -> Generator[_Done, None, None]:
    """Call a function for every item; results as they come, in any order.

    Items are taken only a little before their turn, so there may be many of them. Closing the
    generator ends the work.

    Args:
        function: what to call, on threads or on Ray's workers. For Ray it must be picklable, with
            items and results; where a worker dies, its item is worked on again.
        items: arguments of the calls.
        cluster: where the function runs.
        threads: calls at a time, where it runs in this process.
        output: absolute URL of the folder that the calls write into, if they do.

    Raises:
        RequestError: the nodes of the cluster do not share the disk of the output.
        BuildError: Ray failed.
    """
    if cluster.in_process:
        return _call_on_threads(function, items, threads)
    from sgt_data.engine.ray_tasks import call_on_ray

    return call_on_ray(function, items, cluster, output)


def _call_on_threads(
    function: Callable[[_Item], _Done], items: Iterable[_Item], threads: int
) -> Generator[_Done, None, None]:
    pool = ThreadPoolExecutor(threads)
    running: set[Future[_Done]] = set()
    try:
        for item in items:
            running.add(pool.submit(function, item))
            if len(running) > threads:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ended)
        while running:
            ended, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in ended)
    finally:
        pool.shutdown(cancel_futures=True)
