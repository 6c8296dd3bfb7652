"""A stream's batches for a training loop that is written with Hugging Face's Accelerate.

Such a loop counts optimizer steps, and each takes `gradient_accumulation_steps` batches of every
rank. The loader keeps one rule: the batches of optimizer step n are those of the stream's steps
`n * accumulation` to `(n + 1) * accumulation - 1`, whatever epochs, ranks and workers there are.
So the number of an optimizer step, which every checkpoint's name holds, is the exact place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sgt_data import checks
from sgt_data.errors import RequestError, StreamError
from sgt_data.stream.stream import Stream
from sgt_data.value_text import counted

Collate = Callable[[list[Any]], Any]
"""Makes one batch of a list of samples, as the trainer's own collator does."""


class TrainLoader:
    """The batches of one rank, collated, and moved to the accelerator's device.

    One iteration gives the batches of one epoch, and the next iteration goes on from there, so
    each epoch has an order of its own. That an optimizer step never lacks batches, an iteration is
    rounded up to whole optimizer steps: it takes the few batches that it lacks from the stream's
    next epoch, and the next iteration begins after them. No sample is left out or given twice.

    `accelerator.prepare` leaves it as it is. It needs no `set_epoch`.

    Attributes:
        accumulation: batches of an optimizer step, on each rank.
        dataset: numbers of the samples of all components, over all ranks; as of a DataLoader's data
            set, its length is what training loops log.
        stream: the stream whose batches these are.
    """

    def __init__(
        self, accelerator: Any, stream: Stream, collate: Collate, *, num_workers: int = 0
    ) -> None:
        """
        Args:
            accelerator: an `accelerate.Accelerator`: its device, rank, number of ranks and
                gradient accumulation.
            stream: a stream of this rank.
            collate: makes a batch of samples, in the worker. It is given what the stream's
                transform returns.
            num_workers: number of processes that make batches; 0 makes them in this process.

        Raises:
            RequestError: the stream is of another rank than the accelerator, or its batches do not
                divide among the ranks.
        """
        self.stream = checks.instance_of("stream", stream, Stream)
        if not callable(collate):
            raise checks.wrong("collate", collate, "a function of a list of samples")
        self._num_workers = checks.whole_number("num_workers", num_workers, 0)
        self._device = accelerator.device
        self.accumulation = int(accelerator.gradient_accumulation_steps)
        _check_ranks(accelerator, stream)
        self.dataset = range(sum(stream.sizes.values()))
        self._batches = _RankBatches(stream, collate)
        self._steps = -(-stream.epoch_start(1) // self.accumulation) * self.accumulation
        self._next_step = 0
        self._upcoming = _Upcoming()
        self._workers: Any = None  # the DataLoader, made when it is first needed

    def __len__(self) -> int:
        """Number of batches of an iteration, on every rank: whole optimizer steps."""
        return self._steps

    def resume(self, global_step: int) -> None:
        """Go to the first batch after a number of optimizer steps.

        Args:
            global_step: number of optimizer steps that were done, as the checkpoint's name says.
                Each took `accumulation` batches of the stream's `batch_size`; both must be as then.
                Ranks and workers may be others.

        Raises:
            RequestError: it is no whole number from 0 on.
        """
        done = checks.whole_number("global_step", global_step, 0)
        self._next_step = done * self.accumulation

    def __iter__(self) -> Iterator[Any]:
        end = (self._next_step // self._steps + 1) * self._steps
        self._upcoming.steps = range(self._next_step, end)
        for step, batch in zip(self._upcoming.steps, self._made(), strict=True):
            self._next_step = step + 1
            yield moved(batch, self._device)

    def _made(self) -> Iterator[Any]:
        """The batches of the upcoming steps, in their order."""
        if self._num_workers == 0:
            return map(self._batches.__getitem__, self._upcoming)
        if self._workers is None:
            from torch.utils.data import DataLoader

            self._workers = DataLoader(
                self._batches,  # type: ignore[arg-type]  # any object with items
                batch_size=None,
                sampler=self._upcoming,
                num_workers=self._num_workers,
                collate_fn=_unchanged,
                persistent_workers=True,
            )
        return iter(self._workers)


@dataclass(slots=True)
class _Upcoming:
    """The steps of an iteration, as a DataLoader's sampler."""

    steps: range = range(0)

    def __iter__(self) -> Iterator[int]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)


class _RankBatches:
    """This rank's batches by step: a data set for DataLoaders, whose items are whole batches."""

    def __init__(self, stream: Stream, collate: Collate) -> None:
        self._stream, self._collate = stream, collate
        self._size = stream.batch_size // stream.topology.world

    def __getitem__(self, step: int) -> Any:
        return self._collate(self._filled(self._stream.batch(step)["samples"], step))

    def _filled(self, samples: Sequence[Any], step: int) -> list[Any]:
        """As many samples as every rank has: where damaged ones were skipped, others of this batch
        stand in their place, as ranks whose batches differ in size wait for each other for ever."""
        if not samples:
            raise StreamError(
                f"step {step}, rank {self._stream.topology.rank}: "
                f"{counted(self._size, 'sample')} of the batch, and all are damaged and skipped; "
                f"the last: {self._stream.skipped[-1]}. Leave these samples out by a subset, or "
                "give each rank more samples per batch"
            )
        return [samples[number % len(samples)] for number in range(self._size)]


def moved(value: Any, device: Any) -> Any:
    """A batch with every tensor in it on a device: in dicts, lists and tuples at any depth.

    All that is no tensor stays as it is: texts, numbers, None.
    """
    if hasattr(value, "to"):
        return value.to(device)
    if isinstance(value, Mapping):
        return {name: moved(item, device) for name, item in value.items()}
    if type(value) in (list, tuple):
        return type(value)(moved(item, device) for item in value)
    return value


def _unchanged(batch: Any) -> Any:
    return batch


def _check_ranks(accelerator: Any, stream: Stream) -> None:
    """Check that a stream is that of the accelerator's rank, with as much for every rank."""
    rank, world = accelerator.process_index, accelerator.num_processes
    topology = stream.topology
    if (topology.rank, topology.world) != (rank, world):
        raise RequestError(
            f"the stream is of rank {topology.rank} of {topology.world}, the accelerator of rank "
            f"{rank} of {world}; make the stream with topology=Topology(accelerator.process_index, "
            "accelerator.num_processes)"
        )
    if stream.batch_size % world:
        raise RequestError(
            f"batch_size is {stream.batch_size}, and {world} ranks need the same number of samples "
            f"each; allowed: a multiple of {world}"
        )
