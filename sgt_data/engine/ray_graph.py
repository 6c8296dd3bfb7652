"""The stages of a build as a Ray Data graph.

    slices -> read (generator: one row per shard) -> annotate -> finish -> receipts

A shard travels as one row whose inputs are a nested column, so no splitting or merging of blocks
can mix two shards. Reading takes no CPU from rendering: it waits for storage, and its memory is
bounded by Ray Data's backpressure. The stages ask for different resources, so Ray Data does not
fuse them, and the first shards of a tar are finished while the rest is still being read.

Shards are finished by tasks, which take the workers that Ray starts with; actors would each wait
for a process of their own. A worker keeps the compiled code that it has loaded. Shards are read by
tasks as well, on a Ray of this machine; on a cluster by actors (see `_reader_pool`).

Annotators are pools of actors, one stage each, and only where a slice needs them. Those on GPUs
take no CPU from rendering either; those on CPUs share each core evenly with the renderers. An actor
on a GPU works on two shards at once: while one has the device, the other is decoded.
"""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Any, cast

import pyarrow as pa
import ray
import ray.data
from ray.util.annotations import RayDeprecationWarning

from sgt_data.annotators.base import Annotator
from sgt_data.engine.annotate_shard import annotate_shard, load_annotator
from sgt_data.engine.arrow_rows import (
    OUTCOME,
    SHARD,
    failure_of,
    failure_row,
    outcome_of,
    outcome_row,
    shard_of,
    shard_row,
    task_of,
    task_row,
)
from sgt_data.engine.kept_memory import dying_of_memory, freeze_loaded_objects
from sgt_data.engine.outcomes import OWN_CODE, InputsDone, Outcome, part_name
from sgt_data.engine.ray_data_alone import one_machine
from sgt_data.engine.ray_metrics import count_outcome
from sgt_data.engine.ray_session import cluster_resource, ray_words
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import (
    AnnotateStage,
    Stages,
    annotators_of,
    finish_shard,
    read_slice,
)
from sgt_data.errors import BuildError, OwnCodeError, SgtDataError
from sgt_data.files.storage_options import StorageOptions
from sgt_data.result import Failure

_DRAWINGS_PER_REPORT, _CPUS_OF_FREQUENT_REPORTS = 50, 16
"""A worker says about once a second how far its shard is; less often where there are many workers,
so that the driver takes a few dozen reports a second at most."""

_WORKER_DEATHS = 10
"""A task is repeated so many times, at most, where its worker or the worker's machine dies: a shard
that needs more memory than there is would kill workers for ever. Calls of actors have no bound, as
each attempt to reach one whose machine just died counts."""

_DENSE_BYTES = 2
"""Bytes per pixel of an annotator's map between the stages; masks take less."""


def run_graph(
    tasks: Sequence[SliceTask], stages: Stages, *, on_one_machine: bool
) -> Generator[Outcome, None, None]:
    """Do the tasks on the connected cluster; outcomes as they come, in any order.

    Args:
        tasks: what there is to do.
        stages: how.
        on_one_machine: Ray was started on this machine for it, and gets no other.

    Raises:
        BuildError: Ray failed.
    """
    # its import sets another level; what it logs of a failure is in the error that it raises
    logging.getLogger("ray.data").setLevel(logging.CRITICAL + 1)
    with one_machine() if on_one_machine else nullcontext():
        yield from _outcomes(tasks, stages, on_one_machine)


def _outcomes(
    tasks: Sequence[SliceTask], stages: Stages, on_one_machine: bool
) -> Generator[Outcome, None, None]:
    annotators = annotators_of(tasks, stages)
    shard_count = _shards_in(tasks, stages)
    context = ray.data.DataContext.get_current().copy()
    context.target_max_block_size = 1  # every row its own block: a shard moves on once it is read
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    context.execution_options.resource_limits = ray.data.ExecutionResources.for_limits(
        object_store_memory=_held_bytes(tasks, stages, len(annotators))
    )
    devices = {name: setup.device for name, setup in stages.annotate.setups.items()}
    cpu_share = 1 / (1 + sum(devices[annotator.name] == "cpu" for annotator in annotators))
    with warnings.catch_warnings(), ray.data.DataContext.current(context):
        warnings.simplefilter("ignore", RayDeprecationWarning)  # of what `_repeated` gives
        shards = ray.data.from_arrow([task_row(task) for task in tasks]).map_batches(
            cast(Any, _read if on_one_machine else _Read),
            fn_kwargs={"stages": stages},
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=0,
            compute=_reader_pool(on_one_machine, len(tasks)),
            **(_repeated("max_retries") if on_one_machine else {}),
        )
        for annotator in annotators:
            on_cpu = devices[annotator.name] == "cpu"
            shards = shards.map_batches(
                cast(Any, _Annotate),
                fn_constructor_args=(annotator, stages.annotate, stages.storage),
                batch_size=1,
                batch_format="pyarrow",
                num_cpus=cpu_share if on_cpu else 0,
                num_gpus=0 if on_cpu else annotator.num_gpus,
                compute=_annotator_pool(annotator, on_cpu, shard_count),
            )
        outcomes = shards.map_batches(
            cast(Any, _finish),
            fn_kwargs={
                "stages": stages,
                "drawings_per_report": _drawings_per_report(),
                # a Ray that was started for this work has no agent that would export metrics
                "has_metrics": not on_one_machine,
            },
            batch_size=1,
            batch_format="pyarrow",
            num_cpus=cpu_share,
            **_repeated("max_retries"),
        )
        batches = outcomes.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0)
        try:
            for batch in batches:
                for row in cast(pa.Table, batch).to_pylist():
                    yield outcome_of(row)
        except ray.exceptions.RayError as why:
            raise BuildError(f"Ray failed: {ray_words(why)}") from why


def _repeated(option: str) -> dict[str, Any]:
    """The option by which Ray bounds how often work is repeated whose worker died.

    It has no name among the parameters of Ray Data, and later versions may not take it.
    """
    takes = inspect.signature(ray.data.Dataset.map_batches).parameters
    return {option: _WORKER_DEATHS} if "ray_remote_args" in takes else {}


def _shards_in(tasks: Sequence[SliceTask], stages: Stages) -> int:
    """About how many shards these slices hold."""
    return sum(max(1, -(-task.slice.pictures // stages.shard_samples)) for task in tasks)


def _annotator_pool(annotator: Annotator, on_cpu: bool, shards: int) -> ray.data.ActorPoolStrategy:
    if on_cpu:
        actors = annotator.concurrency or max(1, int(cluster_resource("CPU")))
        return ray.data.ActorPoolStrategy(size=min(actors, shards), max_tasks_in_flight_per_actor=2)
    actors = annotator.concurrency or max(1, int(cluster_resource("GPU") / annotator.num_gpus))
    return ray.data.ActorPoolStrategy(
        size=min(actors, shards),
        max_tasks_in_flight_per_actor=4,
        max_concurrent_calls_per_actor=2,
        enable_true_multi_threading=True,
    )


def _held_bytes(tasks: Sequence[SliceTask], stages: Stages, annotators: int) -> int:
    """Object store for shards on their way: two for each core and reader, at most a third of it.

    Without a bound Ray Data would fill half of the store with shards read ahead.
    """
    pictures = sum(task.slice.pictures for task in tasks)
    nbytes = sum(task.slice.nbytes for task in tasks)
    annotated = _DENSE_BYTES * annotators * stages.annotate.size_rule.max_side**2
    shard = stages.shard_samples * (nbytes / max(1, pictures) + annotated)
    enough = 2 * (cluster_resource("CPU") + _readers()) * shard
    return int(max(256 << 20, min(enough, cluster_resource("object_store_memory") / 3)))


def _drawings_per_report() -> int:
    crowd = cluster_resource("CPU") / _CPUS_OF_FREQUENT_REPORTS
    return round(_DRAWINGS_PER_REPORT * max(1.0, crowd))


def _readers() -> int:
    """Slices read at the same time: enough to feed the cores, few enough to bound memory."""
    return max(1, round(cluster_resource("CPU") / 4))


def _reader_pool(
    on_one_machine: bool, slices: int
) -> ray.data.TaskPoolStrategy | ray.data.ActorPoolStrategy:
    """Tasks on a Ray of this machine, which keeps its workers; actors on a cluster.

    A node of a cluster keeps as many idle workers as it has CPUs, for a second. Readers take no
    CPU, so theirs would end with every slice, and each slice would wait for a new one.
    """
    readers = min(_readers(), slices)
    if on_one_machine:
        return ray.data.TaskPoolStrategy(size=readers)
    return ray.data.ActorPoolStrategy(size=readers, max_tasks_in_flight_per_actor=2)


def _read(batch: pa.Table, stages: Stages) -> Iterator[pa.Table]:
    """A slice's row -> a row per shard, or a row that says what failed."""
    with dying_of_memory():
        for task in map(task_of, batch.to_pylist()):
            for shard in read_slice(task, stages):
                yield shard_row(shard)


class _Read:
    """The same, by an actor."""

    def __call__(self, batch: pa.Table, stages: Stages) -> Iterator[pa.Table]:
        yield from _read(batch, stages)


class _Annotate:
    """A shard's row -> the same row with an annotator's results. Failures, and shards that do not
    need the annotator, pass unchanged."""

    def __init__(self, annotator: Annotator, stage: AnnotateStage, storage: StorageOptions) -> None:
        del storage  # its arrival is its use
        self._name, self._stage = annotator.name, stage
        # a model that cannot be loaded here fails the shards, not the actor, which Ray would
        # start again and again
        self._problem: str | None = None
        try:
            self._annotator = load_annotator(annotator, stage.setups[annotator.name])
        except SgtDataError as why:
            self._problem, self._is_mistake = str(why), isinstance(why, OwnCodeError)

    def __call__(self, batch: pa.Table) -> pa.Table:
        # the pictures are looked at only where they are needed
        (head,) = batch.select(["failure", "source", "slice", "folders"]).to_pylist()
        if head["failure"] is not None or not self._is_needed(head):
            return batch
        if self._problem is not None:
            part = OWN_CODE if self._is_mistake else part_name(head["source"], head["slice"])
            return failure_row(Failure(part, self._problem), SHARD)
        (row,) = batch.to_pylist()
        return shard_row(annotate_shard(shard_of(row), self._annotator, self._stage))

    def _is_needed(self, row: Mapping[str, Any]) -> bool:
        annotators = self._stage.needed(row["source"], row["folders"])
        return self._name in [annotator.name for annotator in annotators]


def _finish(
    batch: pa.Table, stages: Stages, drawings_per_report: int, has_metrics: bool
) -> Iterator[pa.Table]:
    """A shard's row -> rows that say how far it is, and last one of receipts; failures pass."""
    (row,) = batch.to_pylist()
    if row["failure"] is not None:
        yield failure_row(failure_of(row), OUTCOME)
        return
    freeze_loaded_objects()
    # which rows come depends on the shard alone: Ray may run the call again
    every = max(1, drawings_per_report // max(1, len(row["folders"])))
    with dying_of_memory():
        for outcome in finish_shard(shard_of(row), stages):
            if has_metrics:
                count_outcome(outcome)
            if not isinstance(outcome, InputsDone) or outcome.inputs % every == 0:
                yield outcome_row(outcome)
