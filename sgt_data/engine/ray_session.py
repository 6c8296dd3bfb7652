"""A Ray session: connected to a cluster, or started on this machine."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, cast

import ray
from ray._private import services

from sgt_data.engine.cluster import Cluster
from sgt_data.engine.cluster_probe import check_cluster, no_answer
from sgt_data.engine.ray_messages import RayMessages, messages_counted
from sgt_data.engine.ray_start import few_processes
from sgt_data.errors import BuildError, SgtDataError
from sgt_data.foreign_errors import in_words


@contextmanager
def ray_session(cluster: Cluster) -> Iterator[RayMessages]:
    """A Ray session for the length of a block; what Ray says in it of nodes and workers that died.

    A session that was there before is used and kept, and says everything itself.

    Raises:
        BuildError: the cluster does not answer in time, or Ray cannot be started.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # its core warns of Ray Data's own actors at every start
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    is_own = not ray.is_initialized()
    if is_own:
        settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        start: AbstractContextManager[None] = nullcontext()
        if cluster.address in (None, "local"):
            settings |= {
                "address": "local", "include_dashboard": False, "num_cpus": cluster.workers,
                "_system_config": {
                    # a worker costs a second to start: keep it through a pause
                    "idle_worker_killing_time_threshold_ms": 60_000,
                    "preload_python_modules": ["sgt_data.engine.ray_worker"],
                },
            }  # fmt: skip
            start = few_processes()
        else:
            settings["address"] = _answering_address(cluster)
        with _stop_signals_kept(), _core_is_silent(), start:
            _connect(cluster, settings)
    try:
        with messages_counted() if is_own else nullcontext(RayMessages()) as messages:
            yield messages
    finally:
        if is_own:
            ray.shutdown()


def _answering_address(cluster: Cluster) -> str:
    """The address of a cluster that answers.

    Raises:
        BuildError: none does.
    """
    address = cluster.address or "auto"
    if address == "auto":
        try:
            known = services.canonicalize_bootstrap_address("auto")
        except (ConnectionError, ValueError) as why:  # several clusters, or a wrong RAY_ADDRESS
            raise BuildError(f"address auto: {in_words(why)}") from why
        if known is None:
            raise BuildError(
                "no Ray cluster is known on this machine (address auto): RAY_ADDRESS is not set, "
                "and `ray start` was not run here; give --address host:port, or none to start a "
                "Ray on this machine"
            )
        address = known
    check_cluster(address, cluster.connect_seconds)
    return address


def _connect(cluster: Cluster, settings: dict[str, Any]) -> None:
    """Connect to a cluster, or start one.

    Raises:
        BuildError: Ray cannot.
    """
    try:
        ray.init(**settings)
    except (ConnectionError, TimeoutError, RuntimeError, ValueError, ImportError) as why:
        if cluster.address is None:
            raise BuildError(f"Ray cannot be started on this machine: {in_words(why)}") from why
        raise BuildError(
            no_answer(cluster.address, in_words(why), cluster.connect_seconds)
        ) from why


@contextmanager
def _stop_signals_kept() -> Iterator[None]:
    """Signals are answered after the block as before it.

    Ray's core answers SIGTERM by an abort, which leaves all its processes behind.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    earlier = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, answer in earlier.items():
            if answer is not None:  # None: it was not set by Python
                signal.signal(number, answer)


@contextmanager
def _core_is_silent() -> Iterator[None]:
    """What Ray's core prints to standard error in the block is dropped: it says that it says little
    (RAY_BACKEND_LOG_LEVEL). Errors are raised."""
    try:
        stderr, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    except OSError:  # standard error is closed
        yield
        return
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nowhere)


def cluster_resource(name: str) -> float:
    """How much of a resource (`CPU`, `GPU`, `object_store_memory` in bytes) the cluster has."""
    amount: float = cast(Any, ray).cluster_resources().get(name, 0)
    return amount


_DEATHS = (
    ray.exceptions.WorkerCrashedError,
    ray.exceptions.ActorDiedError,
    ray.exceptions.OutOfMemoryError,
)


def ray_words(why: BaseException) -> str:
    """What a failure of Ray says: the error of the task behind it, where that says enough alone.

    A fault of this package's own code keeps its traceback, which a report of it needs.
    """
    if isinstance(why, _DEATHS):
        return (
            "a worker died at the same shard again and again. Memory is the most frequent cause: "
            "fewer CPUs for Ray (--workers, or ray start --num-cpus), or a smaller shard_samples. "
            "What is committed is kept; the same command continues"
        )
    cause = getattr(why, "cause", None)
    return in_words(cause) if isinstance(cause, SgtDataError | OSError) else str(why)
