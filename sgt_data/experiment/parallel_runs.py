"""Jobs side by side in processes: the longest first, and one that fails stops no other."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_end
from pathlib import Path
from typing import Any

from sgt_data.errors import RequestError, SgtDataError
from sgt_data.experiment.runs import Job, do

_GLANCE_SECONDS = 2.0
_PER_GPU = 4


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that came to no result, and why."""

    run: str
    arm: str
    message: str


@dataclass(frozen=True, slots=True)
class State:
    """How far all jobs are.

    Attributes:
        done, jobs: how many have ended, and how many there are.
        work: share of all training that is done, 0 to 1.
        running: names of the jobs that are going on.
    """

    done: int
    jobs: int
    work: float
    running: tuple[str, ...]


def default_processes() -> int:
    """One for each CPU that this process may use; with GPUs, no more than a few for each."""
    import torch

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus = torch.cuda.device_count()
    return min(cpus, _PER_GPU * gpus) if gpus else cpus


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold a folder for this process and those that it starts.

    Raises:
        RequestError: another command is at work in it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            raise RequestError(f"{folder}: another command is at work in it") from why
        yield


def do_all(
    jobs: Sequence[Job], processes: int, on_state: Callable[[State], None] = lambda state: None
) -> list[Failure]:
    """Do the jobs that have no result yet.

    Args:
        jobs: in any order.
        processes: at a time; 1 works in this process.
        on_state: told of progress, every few seconds.

    Returns:
        Those that failed, in the order of `jobs`.
    """
    waiting = sorted((job for job in jobs if not job.result.exists()), key=lambda job: -job.cost)
    failed: dict[str, Failure] = {}

    def tell(running: Sequence[Job]) -> None:
        ended = len(jobs) - len(waiting) - len(running)
        left = sum(job.cost for job in waiting)
        left += sum(job.cost * (1 - job.trained) for job in running)
        work = 1 - left / (sum(job.cost for job in jobs) or 1.0)
        on_state(State(ended, len(jobs), work, tuple(job.name for job in running)))

    if processes <= 1:
        _one_by_one(waiting, failed, tell)
    while processes > 1 and waiting:
        _in_processes(waiting, processes, failed, tell)
    tell([])
    return [failed[job.name] for job in jobs if job.name in failed]


Told = Callable[[Sequence[Job]], None]


def _one_by_one(waiting: list[Job], failed: dict[str, Failure], tell: Told) -> None:
    while waiting:
        job = waiting.pop(0)
        tell([job])
        try:
            do(job)
        except Exception as why:
            failed[job.name] = _failure(job, why)


def _in_processes(
    waiting: list[Job], processes: int, failed: dict[str, Failure], tell: Told
) -> None:
    """Until none waits, or a process was killed, which ends its pool: then those at work are tried
    again one by one, to find whose it was."""
    context = multiprocessing.get_context("spawn")
    number, (life, ours) = context.Value("i", 0), context.Pipe(duplex=False)
    processes = min(processes, len(waiting))
    running: dict[Future[None], Job] = {}
    with ProcessPoolExecutor(processes, context, _begin, (number, life)) as pool:
        try:
            while _start(pool, processes, waiting, running) and running:
                tell(list(running.values()))
                ended, _ = wait(running, _GLANCE_SECONDS, FIRST_COMPLETED)
                if any(isinstance(one.exception(), BrokenProcessPool) for one in ended):
                    break
                for future in ended:
                    job = running.pop(future)
                    if (why := future.exception()) is not None:
                        failed[job.name] = _failure(job, why)
        except BaseException:
            ours.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    ours.close()
    suspects = list(running.values())
    if len(suspects) == 1:
        (job,) = suspects
        said = "its process was killed (is there too little memory?); the same command goes on"
        failed[job.name] = Failure(job.name, job.arm.name, said)
        return
    while suspects:
        _in_processes(suspects, 1, failed, tell)


def _start(
    pool: ProcessPoolExecutor, processes: int, waiting: list[Job], running: dict[Future[None], Job]
) -> bool:
    """Have as many at work as there are processes; False where the pool's end is seen."""
    while waiting and len(running) < processes:
        try:
            future = pool.submit(do, waiting[0])
        except BrokenProcessPool:
            return False
        running[future] = waiting.pop(0)
    return True


def _failure(job: Job, why: BaseException) -> Failure:
    kind = "" if isinstance(why, SgtDataError) else f"{type(why).__name__}: "
    return Failure(job.name, job.arm.name, f"{kind}{why}")


def _begin(number: Any, life: Connection) -> None:
    """In each process: one thread, a GPU in turn, and an end when the command ends, however it
    does: a run that outlives it would write into a folder that the next command takes up."""
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch.set_num_threads(1)
    threadpool_limits(1)
    with number.get_lock():
        mine, number.value = number.value, number.value + 1
    if gpus := torch.cuda.device_count():
        os.environ["LOCAL_RANK"] = str(mine % gpus)
    threading.Thread(target=_end_with, args=(life,), daemon=True).start()


def _end_with(life: Connection) -> None:
    wait_for_end([life])  # nothing is ever sent: its other end is closed, or gone
    os._exit(1)
