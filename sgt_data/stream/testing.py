"""Checks that a stream is exact: for your own corpora, mixture and transform, as well as for ours.

from sgt_data import Stream
from sgt_data.stream.testing import check_exact
check_exact(lambda topology: Stream(..., batch_size=24, topology=topology), steps=50)
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from unittest import mock

from sgt_data.stream import stream as stream_module
from sgt_data.stream.batch import Batch
from sgt_data.stream.options import Topology
from sgt_data.stream.stream import State, Stream

MakeStream = Callable[[Topology], Stream]
"""Makes a new stream for a rank."""

TOPOLOGIES = tuple((ranks, workers) for ranks in (1, 2, 3, 8) for workers in (0, 1, 4))
"""Numbers of ranks, and of each rank's workers."""


def global_batches(
    make: MakeStream, ranks: int, workers: int, steps: int, state: State | None = None
) -> list[list[Any]]:
    """The samples of the next global batches, put together from what all ranks and workers give.

    Each rank gives its batches as a DataLoader would: epoch after epoch, its workers in turn.

    Args:
        make: makes a new stream for a rank.
        ranks: number of ranks.
        workers: number of each rank's workers; 0 iterates the stream itself.
        steps: number of global batches.
        state: where to begin; None for the first step.

    Raises:
        AssertionError: ranks give batches of different steps.
    """
    batches_of_ranks = [
        _rank_batches(make(Topology(rank, ranks)), workers, steps, state) for rank in range(ranks)
    ]
    whole_batches = []
    for step, parts in enumerate(zip(*batches_of_ranks, strict=True)):
        assert len({part["step"] for part in parts}) == 1, f"ranks differ at batch {step}"
        whole_batches.append(_merged([part["samples"] for part in parts]))
    return whole_batches


def _merged(parts: Sequence[Sequence[Any]]) -> list[Any]:
    """A global batch from the parts of its ranks: in its own order, or rank by rank where skipped
    samples have left gaps, as it is not known where these are."""
    total = sum(map(len, parts))
    if any(len(part) != len(range(rank, total, len(parts))) for rank, part in enumerate(parts)):
        return [sample for part in parts for sample in part]
    samples: list[Any] = [None] * total
    for rank, part in enumerate(parts):
        samples[rank :: len(parts)] = part
    return samples


def check_exact(
    make: MakeStream,
    *,
    steps: int,
    topologies: Sequence[tuple[int, int]] = TOPOLOGIES,
    identify: Callable[[Any], Any] = lambda sample: (sample.component, sample.corpus, sample.key),
) -> None:
    """Check that global batches are equal in every topology and after every restart.

    For the restarts, a state is taken after every number of steps below `steps`, restored twice in
    a row, and continued in one of the topologies.

    Args:
        make: makes a new stream for a rank.
        steps: number of global batches that are compared.
        topologies: numbers of ranks, and of each rank's workers.
        identify: what two samples are compared by.

    Raises:
        AssertionError: the batches differ; says in which topology, and after which step.
    """

    def identities(batches: list[list[Any]]) -> list[list[Any]]:
        return [[identify(sample) for sample in batch] for batch in batches]

    expected = identities(global_batches(make, 1, 0, steps))
    for ranks, workers in topologies:
        batches = identities(global_batches(make, ranks, workers, steps))
        assert batches == expected, f"{ranks} ranks of {workers} workers give other batches"
    for step in range(steps):
        first_state = _state_after(make(Topology()), step)
        ranks, workers = topologies[step % len(topologies)]
        for state in (first_state, _restored_state(make, first_state)):
            batches = identities(global_batches(make, ranks, workers, steps - step, state))
            assert batches == expected[step:], (
                f"restored after {step} batches, {ranks} ranks of {workers} workers go on otherwise"
            )


def _state_after(stream: Stream, steps: int) -> State:
    batches = _all_epochs(stream)
    for _ in range(steps):
        next(batches)
    return copy.deepcopy(stream.state_dict())


def _restored_state(make: MakeStream, state: State) -> State:
    """The state of a stream that has just loaded a state."""
    stream = make(Topology())
    stream.load_state_dict(copy.deepcopy(state))
    return stream.state_dict()


def _all_epochs(stream: Stream) -> Iterator[Batch]:
    while True:
        yield from stream


def _rank_batches(stream: Stream, workers: int, steps: int, state: State | None) -> list[Batch]:
    """The next batches of one rank, as a DataLoader with so many workers gives them."""
    if state is not None:
        stream.load_state_dict(copy.deepcopy(state))
    if workers == 0:
        all_batches = _all_epochs(stream)
        return [next(all_batches) for _ in range(steps)]
    batches: list[Batch] = []
    while len(batches) < steps:
        copies = [copy.deepcopy(stream) for _ in range(workers)]
        iterators = [
            _iterate_as_worker(copied, worker, workers) for worker, copied in enumerate(copies)
        ]
        while iterators and len(batches) < steps:
            for iterator in list(iterators):
                try:
                    batches.append(next(iterator))
                except StopIteration:
                    iterators.remove(iterator)
        stream.set_epoch(stream.epoch + 1)
    return batches[:steps]


def _iterate_as_worker(stream: Stream, worker: int, workers: int) -> Iterator[Batch]:
    with mock.patch.object(stream_module, "loader_worker", lambda: (worker, workers)):
        iterator = iter(stream)
        first = next(iterator, None)
    if first is not None:
        yield first
        yield from iterator
