"""What a step of training takes: waiting for its batch, computing, and both as a run has them.

A run does not wait for its GPU after a step, so that the next batch is fetched meanwhile. So the
same steps are taken twice: with a wait after each, which tells the parts apart, and without.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from statistics import median
from threading import BrokenBarrierError
from typing import Protocol

import torch

from sgt_data.training.batches import epoch_batches, open_stream
from sgt_data.training.collation import Collator
from sgt_data.training.config import TrainConfig
from sgt_data.training.distributed import ProcessGroup
from sgt_data.training.gradient_step import GradientStep
from sgt_data.training.learner import TrainingBatch
from sgt_data.training.optimisers import Optimisers
from sgt_data.training.own_models import make_model

_BARRIER_SECONDS = 120


class _Barrier(Protocol):
    def wait(self, timeout: float | None = None) -> int: ...


_barriers: list[_Barrier] = []


@dataclass(frozen=True, slots=True)
class StepTimes:
    """What a step takes, milliseconds.

    Attributes:
        wait_ms: median time in which the process waits for the batch, with the GPU idle.
        work_ms: median time from the batch to the end of the work on the GPU.
        wait_share: share of all time in which the GPU waits for a batch, 0 to 1.
        step_ms: mean time of a step of a run, in which the process does not wait for the GPU.
        memory_mib: most memory of tensors on the GPU; None without a GPU.
        steps: steps of each kind.
    """

    wait_ms: float
    work_ms: float
    wait_share: float
    step_ms: float
    memory_mib: float | None
    steps: int


def share_barrier(barrier: _Barrier) -> None:
    """Let `time_steps` of this process begin together with that of the others."""
    _barriers.append(barrier)


def time_steps(config: TrainConfig, steps: int) -> StepTimes:
    """Time so many steps of a run, twice, after a tenth as many that are not timed.

    Raises:
        SystemExit: another process that was to begin together has failed.
    """
    with ProcessGroup.join() as processes:
        device = processes.device
        torch.set_num_threads(config.threads)
        model = make_model(config).to(device)
        optimisers = Optimisers(model, config)
        gradients = GradientStep(model, config, processes)
        gradients.model.train()
        batches, numbers = _batches(config, device), count()

        def work(batch: TrainingBatch) -> None:
            gradients(batch)
            optimisers.step(min(next(numbers), config.steps - 1))

        for _ in range(max(2, steps // 10)):
            work(next(batches))
        _finish(device)
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
        _begin_together()
        began = time.perf_counter()
        for _ in range(steps):
            work(next(batches))
        _finish(device)
        step_ms = 1000 * (time.perf_counter() - began) / steps
        waits, works = [], []
        for _ in range(steps):
            began = time.perf_counter()
            batch = next(batches)
            fetched = time.perf_counter()
            work(batch)
            _finish(device)
            waits.append(1000 * (fetched - began))
            works.append(1000 * (time.perf_counter() - fetched))
        memory = torch.cuda.max_memory_allocated(device) if device.type == "cuda" else None
    return StepTimes(
        wait_ms=median(waits),
        work_ms=median(works),
        wait_share=sum(waits) / (sum(waits) + sum(works)),
        step_ms=step_ms,
        memory_mib=None if memory is None else memory / 2**20,
        steps=steps,
    )


def _batches(config: TrainConfig, device: torch.device) -> Iterator[TrainingBatch]:
    """Batches as a run loads them, without an end."""
    stream = open_stream(config, 0, 1)
    collate = Collator(config.data.wrong_targets, pinned=device.type == "cuda")
    while True:
        epoch = stream.epoch
        yield from map(collate, epoch_batches(stream, config.workers))
        stream.set_epoch(epoch + 1)


def _begin_together() -> None:
    for barrier in _barriers:
        try:
            barrier.wait(_BARRIER_SECONDS)
        except BrokenBarrierError:
            raise SystemExit("another arm did not come to its first step") from None


def _finish(device: torch.device) -> None:
    """Wait for the GPU."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
