"""Which samples lie in which row group, and which row groups in which file (pure).

BAGEL's loaders deal whole row groups out to ranks, and those of a rank to its workers, and leave
over what does not come out even: a number of row groups that is no multiple of ranks x workers
loses samples, and a worker without a row group waits for ever. So a proxy has a multiple of ranks
x workers row groups of as many samples each, or one more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

GROUP_BYTES = 32 << 20
"""Most bytes of a row group, unless one sample has more: a loader's worker holds one at a time, and
twice again while it decodes it."""

GROUP_SAMPLES = 64
"""Most samples of a row group: a worker gives them in a row, so fewer mix better."""

FILE_BYTES = 128 << 20
"""Bytes after which a file ends: little is lost where an export is stopped."""

FILE_SAMPLES = 4096
"""Samples after which a file ends: its footer, which loaders read for each row group, stays
small."""


@dataclass(frozen=True, slots=True)
class PlannedFile:
    """Samples of one file.

    Attributes:
        start: number of its first sample among those of the proxy.
        groups: number of samples of each of its row groups.
    """

    start: int
    groups: tuple[int, ...]

    @property
    def samples(self) -> int:
        """How many samples it holds."""
        return sum(self.groups)


def planned_files(sizes: NDArray[np.int64], slots: int) -> list[PlannedFile]:
    """The files of a proxy.

    Args:
        sizes: [n] bytes of each sample, in order.
        slots: ranks x workers.
    """
    groups = group_samples(sizes, slots)
    ends = np.cumsum(groups)
    starts = ends - groups
    before = np.concatenate([[0], np.cumsum(sizes)])
    group_bytes = before[ends] - before[starts]
    files = []
    for first, stop in _runs(group_bytes, groups):
        files.append(PlannedFile(int(starts[first]), tuple(groups[first:stop].tolist())))
    return files


def group_samples(sizes: NDArray[np.int64], slots: int) -> NDArray[np.int64]:
    """[g] int64: how many samples each row group of a proxy holds.

    g is a multiple of `slots`; where there are fewer samples than slots, each is a row group.

    Args:
        sizes: [n] bytes of each sample, in order.
        slots: ranks x workers.
    """
    total = len(sizes)
    if total <= slots:
        return np.ones(total, np.int64)
    most = max(1, min(GROUP_SAMPLES, GROUP_BYTES // max(1, int(sizes.max()))))
    number = min(total // slots, -(-total // (slots * most))) * slots
    ends = np.arange(number + 1, dtype=np.int64) * total // number
    return np.diff(ends)


def _runs(group_bytes: NDArray[np.int64], groups: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """First row group of each file, and the one after its last."""
    first, nbytes, samples = 0, 0, 0
    for number, (size, count) in enumerate(zip(group_bytes, groups, strict=True)):
        is_full = nbytes + size > FILE_BYTES or samples + count > FILE_SAMPLES
        if is_full and number > first:
            yield first, number
            first, nbytes, samples = number, 0, 0
        nbytes, samples = nbytes + int(size), samples + int(count)
    if len(groups):
        yield first, len(groups)
