"""Engine of this process, without Ray: a few shards at a time, on threads.

One thread reads shards and annotates them, in order; the others draw and commit them. Codecs and
compiled code run without Python's lock, so the threads use the cores.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.engine.annotate_shard import annotate_shard, load_annotator
from sgt_data.engine.cluster import cpus_of_this_process
from sgt_data.engine.outcomes import InputsDone, Outcome
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import (
    ShardTask,
    Stages,
    finish_shard,
    read_slice,
)
from sgt_data.errors import BuildError
from sgt_data.result import Failure

_MOST_THREADS = 8
"""More would wait for Python's lock; Ray's workers do not."""


class InProcessEngine:
    """Runs annotators and tasks in this process."""

    def __init__(self, announce: Callable[[str], None] = lambda _: None) -> None:
        self._announce = announce

    def set_up(self, annotator: Annotator) -> Setup:
        """Look at an annotator's weights, and at the device of this machine.

        Raises:
            RequestError: the annotator cannot run.
        """
        from sgt_data.annotators.device import set_up

        return set_up(annotator)

    def run(self, tasks: Sequence[SliceTask], stages: Stages) -> Generator[Outcome, None, None]:
        """Do the tasks; outcomes as they come, in any order. Closing the generator ends the work
        after the inputs that are being drawn."""
        self._announce("loading compiled code, or compiling it the first time")
        work = _Work(stages)
        try:
            yield from work.outcomes(tasks)
        finally:
            work.stop()

    def notes(self) -> list[str]:
        """Nothing: this process lives."""
        return []


class _Stopped(Exception):
    """The work is not wanted any more."""


class _Work:
    """The threads that do the tasks, and what they tell the one that asked."""

    def __init__(self, stages: Stages) -> None:
        threads = max(1, min(cpus_of_this_process(), _MOST_THREADS))
        self._stages = stages
        self._told: SimpleQueue[Outcome | BaseException | None] = SimpleQueue()
        self._pool = ThreadPoolExecutor(threads, "finish")
        self._free = threading.Semaphore(threads)
        self._stopped = threading.Event()

    def outcomes(self, tasks: Sequence[SliceTask]) -> Iterator[Outcome]:
        """Begin, and pass on what the threads tell. A fault of a thread is raised here."""
        threading.Thread(target=self._begin, args=(tasks,), name="read", daemon=True).start()
        while (told := self._told.get()) is not None:
            if isinstance(told, MemoryError):
                raise BuildError(
                    "this process may take no more memory; a smaller shard_samples or fewer CPUs "
                    "(taskset) need less. What is committed is kept"
                ) from told
            if isinstance(told, BaseException):
                raise told
            yield told

    def stop(self) -> None:
        """End the work as soon as the inputs that are being drawn are done."""
        self._stopped.set()
        self._pool.shutdown(cancel_futures=True)

    def _begin(self, tasks: Sequence[SliceTask]) -> None:
        """Read and annotate; hand each shard to a thread that is free."""
        try:
            for shard in self._annotated(tasks):
                if isinstance(shard, Failure):
                    self._told.put(shard)
                    continue
                while not self._free.acquire(timeout=1):
                    self._check()
                self._check()
                self._pool.submit(self._finish, shard)
            self._pool.shutdown()
            self._told.put(None)
        except _Stopped:
            pass
        except BaseException as fault:
            self._told.put(fault)

    def _annotated(self, tasks: Sequence[SliceTask]) -> Iterator[ShardTask | Failure]:
        stage = self._stages.annotate

        models: dict[str, ShardAnnotator] = {}

        def load_once(annotator: Annotator) -> ShardAnnotator:
            name = annotator.name
            if name not in models:
                models[name] = load_annotator(annotator, stage.setups[name])
            return models[name]

        for task in tasks:
            for shard in read_slice(task, self._stages):
                self._check()
                yield self._with_layers(shard, load_once)

    def _with_layers(
        self, shard: ShardTask | Failure, load_once: Callable[[Annotator], ShardAnnotator]
    ) -> ShardTask | Failure:
        """A shard with the results of all its annotators, or the first failure."""
        if isinstance(shard, Failure):
            return shard
        stage = self._stages.annotate
        for annotator in stage.needed(shard.raw.source, shard.folders):
            shard_name, count = shard.raw.name, len(shard.raw.inputs)

            def tell(inputs: int, name: str = annotator.name, of: int = count) -> None:
                self._check()
                note = f"{name}: {inputs} of {of} in {shard_name}"  # noqa: B023
                self._told.put(InputsDone(shard_name, 0, note))  # noqa: B023

            annotated = annotate_shard(shard, load_once(annotator), stage, tell)
            if isinstance(annotated, Failure):
                return annotated
            shard = annotated
        return shard

    def _finish(self, shard: ShardTask) -> None:
        try:
            for outcome in finish_shard(shard, self._stages):
                self._check()
                self._told.put(outcome)
        except _Stopped:
            pass
        except BaseException as fault:
            self._told.put(fault)
        finally:
            self._free.release()

    def _check(self) -> None:
        if self._stopped.is_set():
            raise _Stopped
