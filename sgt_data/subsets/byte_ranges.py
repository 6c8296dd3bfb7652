"""Bytes of a tar that belong to some of its samples: which they are, and how they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.mending import MAKE_AGAIN, lost
from sgt_data.errors import CorpusError, FileMissing
from sgt_data.files.reading import read_range
from sgt_data.files.urls import is_local

PIECE_BYTES = 1 << 20
"""A local file is read in pieces of at most so many bytes."""

REMOTE_BYTES = 8 << 20
"""At most so many bytes are asked for at once on an object store."""

REMOTE_GAP = 128 << 10
"""Up to so many bytes between two runs are read and dropped there, instead of a request more."""

_REMOTE_THREADS = 16


@dataclass(frozen=True, slots=True)
class Run:
    """Bytes of a tar that lie together: `length` of them from `start`."""

    start: int
    length: int

    @property
    def end(self) -> int:
        """Where the next byte after the run lies."""
        return self.start + self.length


def runs_of(ends: NDArray[np.int64], kept: NDArray[np.bool_]) -> list[Run]:
    """The bytes of the samples that are kept; neighbours in one run.

    Args:
        ends: `[samples]`, where each sample ends; each begins where the one before ends.
        kept: `[samples]`, whether each sample is kept.
    """
    starts = np.concatenate([[0], ends[:-1]])
    edges = np.flatnonzero(np.diff(np.concatenate([[False], kept, [False]]).astype(np.int8)))
    return [
        Run(int(starts[first]), int(ends[after - 1] - starts[first]))
        for first, after in edges.reshape(-1, 2).tolist()
    ]


def pieces_of(url: str, runs: Sequence[Run]) -> Iterator[memoryview]:
    """Read the bytes of runs, one after the other, in pieces.

    A piece is valid until the next one is asked for.

    Raises:
        SourceError: they cannot be read just now.
        CorpusError: the file is missing or ends too early.
    """
    try:
        yield from _local_pieces(url, runs) if is_local(url) else _remote_pieces(url, runs)
    except FileMissing as why:
        raise lost(url) from why


def cut(runs: Sequence[Run], most: int) -> Iterator[Run]:
    """The bytes of runs, in runs of at most `most` bytes."""
    for run in runs:
        for start in range(run.start, run.end, most):
            yield Run(start, min(most, run.end - start))


def grouped(runs: Sequence[Run], gap: int, most: int) -> list[list[Run]]:
    """Runs that are asked for at once.

    Args:
        runs: in order; longer ones are cut.
        gap: bytes between two runs of a group, at most.
        most: bytes from the first to the last of a group, at most.
    """
    groups: list[list[Run]] = []
    for run in cut(runs, most):
        last = groups[-1] if groups else None
        if last and run.start - last[-1].end <= gap and run.end - last[0].start <= most:
            last.append(run)
        else:
            groups.append([run])
    return groups


def _local_pieces(path: str, runs: Sequence[Run]) -> Iterator[memoryview]:
    buffer, used = memoryview(bytearray(PIECE_BYTES)), 0
    try:
        with open(path, "rb", buffering=0) as file:
            for run in runs:
                file.seek(run.start)
                left = run.length
                while left:
                    count = file.readinto(buffer[used : used + left])
                    if not count:
                        raise CorpusError(f"{path} ends before byte {run.end}. {MAKE_AGAIN}")
                    left -= count
                    used += count
                    if used == PIECE_BYTES:
                        yield buffer
                        used = 0
    except FileNotFoundError as why:
        raise lost(path) from why
    except OSError as why:
        raise CorpusError(f"{path} cannot be read: {why.strerror or why}") from why
    if used:
        yield buffer[:used]


def _remote_pieces(url: str, runs: Sequence[Run]) -> Iterator[memoryview]:
    """In order, while some of the next are being fetched."""

    def fetch(group: Sequence[Run]) -> list[memoryview]:
        start, end = group[0].start, group[-1].end
        data = memoryview(read_range(url, start, end - start))
        if len(data) != end - start:
            raise CorpusError(f"{url} ends before byte {end}. {MAKE_AGAIN}")
        return [data[run.start - start : run.end - start] for run in group]

    coming: deque[Future[list[memoryview]]] = deque()
    with ThreadPoolExecutor(_REMOTE_THREADS) as threads:
        try:
            for group in grouped(runs, REMOTE_GAP, REMOTE_BYTES):
                coming.append(threads.submit(fetch, group))
                if len(coming) == _REMOTE_THREADS:
                    yield from coming.popleft().result()
            while coming:
                yield from coming.popleft().result()
        finally:
            for future in coming:
                future.cancel()
