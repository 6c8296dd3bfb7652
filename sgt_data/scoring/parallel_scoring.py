"""Score batches of samples in several processes, in bounded memory; results come in any order.

A pool of the standard library, as for the runs of experiments: batches share nothing. Processes are
started anew (`spawn`), since a copy of a process that has threads may stand still.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice

from sgt_data.errors import SgtDataError
from sgt_data.scoring.score_samples import SampleToScore, ScoredRow, Scorer

BATCH = 16
"""Samples that a process scores at a time."""

_AHEAD = 3
_PICTURES_PER_PROCESS = 100  # fewer are scored before a further process has started

_scorer: Scorer | None = None


class ScoringStopped(SgtDataError):
    """A process that scored drawings ended early."""


def default_processes(pictures: int) -> int:
    """One per usable CPU, and no more than there is work for."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(cpus, pictures // _PICTURES_PER_PROCESS))


def score_all(
    scorer: Scorer, samples: Iterable[SampleToScore], processes: int
) -> Generator[list[ScoredRow], None, None]:
    """Score samples, batch by batch. Closing the generator ends the work.

    Args:
        scorer: scores them.
        samples: taken only a little before their turn.
        processes: batches at a time; 1 works in this process.

    Raises:
        CorpusError, SourceError: see `Scorer.score`.
        ScoringStopped: a process was killed.
    """
    batches = _in_batches(samples)
    if processes == 1:
        yield from map(scorer.score, batches)
        return
    context = multiprocessing.get_context("spawn")
    running: set[Future[list[ScoredRow]]] = set()
    with ProcessPoolExecutor(processes, context, _start, (scorer,)) as pool:
        try:
            for batch in batches:
                running.add(pool.submit(_score, batch))
                if len(running) >= _AHEAD * processes:
                    ended, running = wait(running, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in ended)
            while running:
                ended, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in ended)
        except BrokenProcessPool as why:
            raise ScoringStopped(
                "a process that scored drawings ended early: it was killed (is there too little "
                "memory?), or the program that calls `score` starts its work without `if __name__ "
                '== "__main__":`; processes=1 works in one process'
            ) from why
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _in_batches(samples: Iterable[SampleToScore]) -> Iterator[list[SampleToScore]]:
    coming = iter(samples)
    while batch := list(islice(coming, BATCH)):
        yield batch


def _start(scorer: Scorer) -> None:
    """Prepare a process: Ctrl-C is its parent's to hear, with which it ends."""
    global _scorer
    _scorer = scorer
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_exit_with_parent, daemon=True).start()


def _exit_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        parent.join()
        os._exit(1)


def _score(batch: list[SampleToScore]) -> list[ScoredRow]:
    assert _scorer is not None
    return _scorer.score(batch)
