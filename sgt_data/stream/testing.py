"""Check that a stream is exact: for your own corpora, mixture and transform, as well as for ours.

from sgt_data.stream.testing import check_exact
check_exact(lambda topology: Stream(..., topology=topology), batch_size=24)
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

Make = Callable[[Topology], Stream]
"""Makes a new stream for a rank."""

TOPOLOGIES = tuple((ranks, workers) for ranks in (1, 2, 3, 8) for workers in (0, 1, 4))


def global_batches(
    make: Make, ranks: int, workers: int, steps: int, state: State | None = None
) -> list[list[Any]]:
    """The next global batches, put together again from what every rank and worker gives, as a
    DataLoader with so many workers would: epoch after epoch, worker after worker in turn."""
    of_rank = [
        _of_rank(make(Topology(rank, ranks)), workers, steps, state) for rank in range(ranks)
    ]
    together = []
    for step, parts in enumerate(zip(*of_rank, strict=True)):
        assert len({part["step"] for part in parts}) == 1, f"ranks differ at batch {step}"
        together.append(_interleaved([part["samples"] for part in parts]))
    return together


def _interleaved(parts: Sequence[Sequence[Any]]) -> list[Any]:
    """A global batch from its ranks' parts: in its order, or rank by rank where skipped samples
    have left gaps of which nobody knows."""
    total = sum(map(len, parts))
    if any(len(part) != len(range(rank, total, len(parts))) for rank, part in enumerate(parts)):
        return [sample for part in parts for sample in part]
    samples: list[Any] = [None] * total
    for rank, part in enumerate(parts):
        samples[rank :: len(parts)] = part
    return samples


def check_exact(
    make: Make,
    *,
    steps: int,
    topologies: Sequence[tuple[int, int]] = TOPOLOGIES,
    identify: Callable[[Any], Any] = lambda sample: (sample.component, sample.corpus, sample.key),
) -> None:
    """Check that global batches are the same in every topology, and that from a state taken after
    any number of steps, restored twice in a row and into every topology, the rest is the same.

    Raises:
        AssertionError: they are not; says where.
    """

    def seen(batches: list[list[Any]]) -> list[list[Any]]:
        return [[identify(sample) for sample in batch] for batch in batches]

    expected = seen(global_batches(make, 1, 0, steps))
    for ranks, workers in topologies:
        found = seen(global_batches(make, ranks, workers, steps))
        assert found == expected, f"{ranks} ranks of {workers} workers give other batches"
    for step in range(steps):
        stream = make(Topology())
        states = _states(stream, step)
        ranks, workers = topologies[step % len(topologies)]
        for state in (states, _again(make, states)):
            found = seen(global_batches(make, ranks, workers, steps - step, state))
            assert found == expected[step:], (
                f"restored after {step} batches, {ranks} ranks of {workers} workers go on otherwise"
            )


def _states(stream: Stream, steps: int) -> State:
    """The state after so many batches."""
    given = _endless(stream)
    for _ in range(steps):
        next(given)
    return copy.deepcopy(stream.state_dict())


def _again(make: Make, state: State) -> State:
    """A state, restored and taken again."""
    stream = make(Topology())
    stream.load_state_dict(copy.deepcopy(state))
    return stream.state_dict()


def _endless(stream: Stream) -> Iterator[Batch]:
    while True:
        yield from stream


def _of_rank(stream: Stream, workers: int, steps: int, state: State | None) -> list[Batch]:
    """One rank's batches."""
    if state is not None:
        stream.load_state_dict(copy.deepcopy(state))
    if workers == 0:
        given = _endless(stream)
        return [next(given) for _ in range(steps)]
    found: list[Batch] = []
    while len(found) < steps:
        copies = [copy.deepcopy(stream) for _ in range(workers)]
        iterators = [_as_worker(one, number, workers) for number, one in enumerate(copies)]
        while iterators and len(found) < steps:
            for iterator in list(iterators):
                try:
                    found.append(next(iterator))
                except StopIteration:
                    iterators.remove(iterator)
        stream.set_epoch(stream.epoch + 1)
    return found[:steps]


def _as_worker(stream: Stream, worker: int, workers: int) -> Iterator[Batch]:
    with mock.patch.object(stream_module, "_worker", lambda: (worker, workers)):
        iterator = iter(stream)
        first = next(iterator, None)
    if first is not None:
        yield first
        yield from iterator
