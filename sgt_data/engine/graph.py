"""The build as a Ray Data graph. The only room that knows Ray.

    slices -> read (generator: one row per shard) -> annotate -> render and commit -> receipts

A shard travels as one row whose inputs are a nested column, so no splitting or merging of blocks
can mix two shards. Reading takes no CPU from rendering: it waits for storage, and its memory is
bounded by Ray Data's backpressure. The stages ask for different resources, so Ray Data does not
fuse them, and the shards of one tar are rendered side by side while it is still being read.

Annotators are pools of actors, one stage each, and only where a slice needs them. Those on GPUs
take no CPU from rendering either; those on CPUs share each core evenly with the renderers. An actor
on a GPU works on two shards at once: while one has the device, the other is decoded.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, cast

import numpy as np
import pyarrow as pa
import ray
import ray.data

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.engine.annotate import annotate_shard, loaded
from sgt_data.engine.plan import SliceTask
from sgt_data.engine.rows import (
    OUTCOME,
    SHARD,
    failure_row,
    outcome_of,
    outcome_row,
    shard_of,
    shard_row,
    task_of,
    task_row,
)
from sgt_data.engine.tasks import Outcome, SliceFailure
from sgt_data.engine.work import Job, annotators_of, read_slice
from sgt_data.errors import BuildError, RequestError, SgtDataError
from sgt_data.segmentation.label_map import paint
from sgt_data.segmentation.run_lengths import parse_masks
from sgt_data.segmentation.sampling import sample_grid

_DENSE_BYTES = 2
"""An annotator's map takes so many bytes per pixel on its way; masks take less."""


class RayEngine:
    """Runs annotators and tasks on a cluster, or on a Ray started here; connects when it is first
    needed. A context manager, which takes down what it started."""

    def __init__(self, address: str | None, workers: int | None) -> None:
        self._address, self._workers = address, workers
        self._session = ExitStack()
        self._connected = False

    def __enter__(self) -> RayEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def set_up(self, annotator: Annotator) -> Setup:
        """Look at weights and device on a worker of the kind that will run it."""
        self._connect()
        gpus = _resource("GPU")
        if annotator.device == "cuda" and gpus < annotator.num_gpus:
            raise RequestError(
                f"annotators.{annotator.name}: found device cuda and num_gpus "
                f"{annotator.num_gpus:g}; this cluster has {gpus:g} GPUs"
            )
        on_gpu = annotator.device != "cpu" and gpus >= annotator.num_gpus
        task = ray.remote(_set_up).options(
            num_cpus=0, num_gpus=annotator.num_gpus if on_gpu else 0, max_retries=2
        )
        try:
            setup, problem = cast(Any, ray.get(task.remote(annotator)))
        except ray.exceptions.RayError as why:
            raise BuildError(f"annotators.{annotator.name} cannot be set up: {why}") from why
        if problem is not None:
            raise problem
        return cast(Setup, setup)

    def run(self, tasks: Sequence[SliceTask], job: Job, root: str) -> Iterator[Outcome]:
        """Do the tasks; outcomes as they come, in any order."""
        self._connect()
        return run_graph(tasks, job, root)

    def _connect(self) -> None:
        if not self._connected:
            self._session.enter_context(connected(self._address, self._workers))
            self._connected = True


def _set_up(annotator: Annotator) -> tuple[Setup | None, SgtDataError | None]:
    """On a worker. An error is a value here: Ray would wrap it in a traceback."""
    from sgt_data.annotators.device import set_up

    try:
        return set_up(annotator), None
    except SgtDataError as why:
        return None, type(why)(str(why))


@contextmanager
def connected(address: str | None, workers: int | None) -> Iterator[None]:
    """A Ray session for the length of a build: that of the cluster at `address`, or, where it is
    None, one started on this machine with `workers` CPUs (None: all of them)."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # its core warns of Ray Data's own actors at every start
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    already = ray.is_initialized()
    if not already:
        settings: dict[str, Any] = {"log_to_driver": False, "logging_level": "error"}
        if address is None:
            settings |= {
                "address": "local", "include_dashboard": False, "num_cpus": workers,
                # a worker costs a second to start: keep it through a pause
                "_system_config": {"idle_worker_killing_time_threshold_ms": 60_000},
            }  # fmt: skip
        else:
            settings["address"] = address
        ray.init(**settings)
    try:
        yield
    finally:
        if not already:
            ray.shutdown()


def run_graph(tasks: Sequence[SliceTask], job: Job, root: str) -> Iterator[Outcome]:
    """Do the tasks on the connected cluster; outcomes as they come, in any order."""
    annotators = annotators_of(tasks, job)
    shard_count = _shards_in(tasks, job)
    context = ray.data.DataContext.get_current().copy()
    context.target_max_block_size = 1  # every row its own block: a shard moves on once it is read
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.resource_limits = ray.data.ExecutionResources.for_limits(
        object_store_memory=_held_bytes(tasks, job, len(annotators))
    )
    on_cpus = sum(job.setups[one.name].device == "cpu" for one in annotators)
    cpu_share = 1 / (1 + on_cpus)
    with ray.data.DataContext.current(context):
        shards = ray.data.from_arrow([task_row(task) for task in tasks]).map_batches(
            cast(Any, _read),
            fn_kwargs={"job": job},
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=0,
            compute=ray.data.TaskPoolStrategy(size=_readers()),
        )
        for annotator in annotators:
            on_cpu = job.setups[annotator.name].device == "cpu"
            shards = shards.map_batches(
                cast(Any, _Annotate),
                fn_constructor_args=(annotator, job),
                batch_size=1,
                batch_format="pyarrow",
                num_cpus=cpu_share if on_cpu else 0,
                num_gpus=0 if on_cpu else annotator.num_gpus,
                compute=_annotator_pool(annotator, on_cpu, shard_count),
            )
        outcomes = shards.map_batches(
            cast(Any, _Finish),
            fn_kwargs={"job": job, "root": root},
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=cpu_share,
            compute=_renderers(shard_count),
        )
        batches = outcomes.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
        try:
            for batch in batches:
                for row in cast(pa.Table, batch).to_pylist():
                    yield outcome_of(row)
        except ray.exceptions.RayError as why:
            raise BuildError(f"Ray failed: {why}") from why


def _shards_in(tasks: Sequence[SliceTask], job: Job) -> int:
    """About how many shards these slices hold."""
    return sum(max(1, -(-task.slice.pictures // job.shard_samples)) for task in tasks)


def _renderers(shards: int) -> ray.data.ActorPoolStrategy:
    """An actor for each core (and shard), more where the cluster grows. Each has its next shard
    waiting, so that it never idles while the driver schedules."""
    cpus = min(max(1, int(_resource("CPU"))), shards)
    return ray.data.ActorPoolStrategy(
        min_size=cpus, max_size=None, initial_size=cpus, max_tasks_in_flight_per_actor=2
    )


def _annotator_pool(annotator: Annotator, on_cpu: bool, shards: int) -> ray.data.ActorPoolStrategy:
    if on_cpu:
        actors = annotator.concurrency or max(1, int(_resource("CPU")))
        return ray.data.ActorPoolStrategy(size=min(actors, shards), max_tasks_in_flight_per_actor=2)
    actors = annotator.concurrency or max(1, int(_resource("GPU") / annotator.num_gpus))
    return ray.data.ActorPoolStrategy(
        size=min(actors, shards),
        max_tasks_in_flight_per_actor=4,
        max_concurrent_calls_per_actor=2,
        enable_true_multi_threading=True,
    )


def _held_bytes(tasks: Sequence[SliceTask], job: Job, annotators: int) -> int:
    """Object store for shards on their way: two for each core and reader, at most a third of it.

    Without a bound Ray Data would fill half of the store with shards read ahead.
    """
    pictures = sum(task.slice.pictures for task in tasks)
    nbytes = sum(task.slice.nbytes for task in tasks)
    annotated = _DENSE_BYTES * annotators * job.pictures[0].max_side ** 2
    shard = job.shard_samples * (nbytes / max(1, pictures) + annotated)
    wanted = 2 * (_resource("CPU") + _readers()) * shard
    return int(max(256 << 20, min(wanted, _resource("object_store_memory") / 3)))


def _readers() -> int:
    """Slices read side by side: enough to feed the cores, few enough to bound memory."""
    return max(1, round(_resource("CPU") / 4))


def _resource(name: str) -> float:
    """How much of a resource the connected cluster has in all."""
    found: float = cast(Any, ray).cluster_resources().get(name, 0)
    return found


def _read(batch: pa.Table, job: Job) -> Iterator[pa.Table]:
    """One slice -> a row per shard, or a row that says what failed."""
    for task in map(task_of, batch.to_pylist()):
        for shard in read_slice(task, job):
            yield shard_row(shard)


class _Annotate:
    """One shard's row -> the same with what an annotator says; failures, and shards that do not
    need it, pass."""

    def __init__(self, annotator: Annotator, job: Job) -> None:
        self._name, self._job = annotator.name, job
        # a model that cannot be loaded here fails the shards, not the actor, which Ray would
        # start again and again
        self._problem: str | None = None
        try:
            self._annotator = loaded(annotator, job.setups[annotator.name])
        except SgtDataError as why:
            self._problem = str(why)

    def __call__(self, batch: pa.Table) -> pa.Table:
        # the pictures are looked at only where they are needed
        (head,) = batch.select(["failure", "source", "slice", "folders"]).to_pylist()
        if head["failure"] is not None or not self._needed(head):
            return batch
        if self._problem is not None:
            return failure_row(SliceFailure(head["source"], head["slice"], self._problem), SHARD)
        (row,) = batch.to_pylist()
        return shard_row(annotate_shard(shard_of(row), self._annotator, *self._job.pictures))

    def _needed(self, row: Mapping[str, Any]) -> bool:
        needed = self._job.annotators_for(row["source"], row["folders"])
        return self._name in [one.name for one in needed]


class _Finish:
    """One shard's row -> one row of receipts; failures pass."""

    def __init__(self) -> None:
        # load the compiled code while the actor starts, by drawing a smallest mask
        masks = parse_masks([b"04"], 2, 2)
        paint(masks, np.zeros(1, np.int64), np.ones(1, np.uint16), sample_grid(2, 2, 2, 2))

    def __call__(self, batch: pa.Table, job: Job, root: str) -> pa.Table:
        (row,) = batch.to_pylist()
        if row["failure"] is not None:
            failure = SliceFailure(row["source"], row["slice"], row["failure"])
            return failure_row(failure, OUTCOME)
        return outcome_row(job.finish(shard_of(row), root))
