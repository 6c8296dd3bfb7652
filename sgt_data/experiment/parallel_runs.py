"""Run jobs in several processes, the longest first; a job that fails stops no other.

A pool of the standard library, not Ray tasks or joblib: jobs share nothing and stay on one machine,
Ray takes longer to start than a small run takes to train, and joblib ends all jobs when one process
is killed (and reads pickles).
"""

from __future__ import annotations

import fcntl
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.connection import wait as wait_for_connections
from pathlib import Path
from typing import Any

from sgt_data.errors import RequestError, SgtDataError
from sgt_data.experiment.run_job import run_job
from sgt_data.experiment.runs import Job, RunFailure
from sgt_data.foreign_errors import in_words
from sgt_data.progress import OnProgress, Progress
from sgt_data.value_text import counted

_SECONDS_BETWEEN_PROGRESS = 2.0
_PROCESSES_PER_GPU = 4

_Report = Callable[[Sequence[Job]], None]
"""Called with the jobs that are running."""


def default_processes() -> int:
    """Number of processes: one per usable CPU; with GPUs, no more than four per GPU."""
    import torch

    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gpus = torch.cuda.device_count()
    return min(cpus, _PROCESSES_PER_GPU * gpus) if gpus else cpus


@contextmanager
def locked_folder(folder: Path) -> Iterator[None]:
    """Lock a folder for this process and those that it starts.

    Raises:
        RequestError: another command holds the lock.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("wb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as why:
            raise RequestError(f"{folder}: another command is at work in it") from why
        yield


def run_jobs(jobs: Sequence[Job], processes: int, on_progress: OnProgress) -> list[RunFailure]:
    """Run the jobs that have no result yet.

    Args:
        jobs: jobs of one stage, in any order.
        processes: number of jobs at a time; 1 works in this process.
        on_progress: called every few seconds, with training samples as units, and the names of the
            running jobs in the note.

    Returns:
        The jobs that failed, in the order of `jobs`.
    """
    waiting = sorted(
        (job for job in jobs if not job.result.exists()), key=lambda job: -job.training_samples
    )
    failures: dict[str, RunFailure] = {}

    def report(running: Sequence[Job]) -> None:
        on_progress(_progress(jobs, waiting, running))

    if processes <= 1:
        _run_in_this_process(waiting, failures, report)
    while processes > 1 and waiting:
        _run_in_processes(waiting, processes, failures, report)
    report([])
    return [failures[job.name] for job in jobs if job.name in failures]


def _progress(jobs: Sequence[Job], waiting: Sequence[Job], running: Sequence[Job]) -> Progress:
    total = sum(job.training_samples for job in jobs)
    left = sum(job.training_samples for job in waiting)
    left += sum(round(job.training_samples * (1 - job.trained_share)) for job in running)
    ended = len(jobs) - len(waiting) - len(running)
    stage = f" on {jobs[0].stage}" if jobs else ""
    names = ", ".join(job.name.rpartition("-")[0] for job in running)
    note = f"{ended}/{counted(len(jobs), 'run')}{stage}" + (f": {names}" if names else "")
    return Progress(total - left, total, note=note, phase="training and measuring")


def _run_in_this_process(
    waiting: list[Job], failures: dict[str, RunFailure], report: _Report
) -> None:
    while waiting:
        job = waiting.pop(0)
        report([job])
        try:
            run_job(job)
        except Exception as why:
            failures[job.name] = _failure(job, why)


def _run_in_processes(
    waiting: list[Job], processes: int, failures: dict[str, RunFailure], report: _Report
) -> None:
    """Run jobs until none waits or a process is killed.

    A killed process ends its whole pool. Then the jobs that were running are run again one by one,
    to find the job that was killed.
    """
    context = multiprocessing.get_context("spawn")
    number, (reading_end, writing_end) = context.Value("i", 0), context.Pipe(duplex=False)
    processes = min(processes, len(waiting))
    running: dict[Future[None], Job] = {}
    with ProcessPoolExecutor(processes, context, _start_worker, (number, reading_end)) as pool:
        try:
            while _submit(pool, processes, waiting, running) and running:
                report(list(running.values()))
                ended, _ = wait(running, _SECONDS_BETWEEN_PROGRESS, FIRST_COMPLETED)
                if any(isinstance(future.exception(), BrokenProcessPool) for future in ended):
                    break
                for future in ended:
                    job = running.pop(future)
                    if (why := future.exception()) is not None:
                        failures[job.name] = _failure(job, why)
        except BaseException:
            writing_end.close()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    writing_end.close()
    suspects = list(running.values())
    if len(suspects) == 1:
        (job,) = suspects
        message = "its process was killed (is there too little memory?); the same command goes on"
        failures[job.name] = RunFailure(job.name, message, job.arm.name)
        return
    while suspects:
        _run_in_processes(suspects, 1, failures, report)


def _submit(
    pool: ProcessPoolExecutor, processes: int, waiting: list[Job], running: dict[Future[None], Job]
) -> bool:
    """Submit jobs until as many run as there are processes; False where the pool is broken."""
    while waiting and len(running) < processes:
        try:
            future = pool.submit(run_job, waiting[0])
        except BrokenProcessPool:
            return False
        running[future] = waiting.pop(0)
    return True


def _failure(job: Job, why: BaseException) -> RunFailure:
    # a fault of the code keeps the name of its class, which a report of it needs
    known = isinstance(why, SgtDataError | OSError | MemoryError)
    message = in_words(why) if known else f"{type(why).__name__}: {why}"
    return RunFailure(job.name, message, job.arm.name)


def _start_worker(number: Any, life: Connection) -> None:
    """Prepare a worker process: one thread, its GPU, and an end together with the command.

    A run that outlived its command would write into a folder that the next command continues.
    """
    import torch
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    torch.set_num_threads(1)
    threadpool_limits(1)
    with number.get_lock():
        worker, number.value = number.value, number.value + 1
    if gpus := torch.cuda.device_count():
        os.environ["LOCAL_RANK"] = str(worker % gpus)
    threading.Thread(target=_exit_with_command, args=(life,), daemon=True).start()


def _exit_with_command(life: Connection) -> None:
    wait_for_connections([life])  # nothing is ever sent: the other end is closed, or gone
    os._exit(1)
