"""Where the reader of a stream stands, also while a DataLoader's workers read ahead of it.

Workers make batches that nobody may ever look at: a loop is left, and what they had made is thrown
away. So they do not move the position. The process that has the DataLoader does, when it reads a
field of a batch; workers learn from shared memory where to begin, whether they are new or have
begun before (`persistent_workers`). Where an iteration ends without a word of what was read of it,
the next one is refused, as it could only lose samples or repeat them.
"""

from __future__ import annotations

import uuid
from ctypes import c_int64
from hashlib import blake2b
from multiprocessing.context import get_spawning_popen
from multiprocessing.sharedctypes import RawArray
from typing import Any
from weakref import WeakValueDictionary

from sgt_data.errors import StreamError
from sgt_data.stream.loader_worker import LoaderWorker

_STEP, _MOVES, _ITERATION, _FIRST_STEP, _READ_OF, _CLOSED, _HAS_GAP, _FIELDS = range(8)
"""Places in the shared memory. After the fields, the last iteration of each worker."""

_WORKERS_MAX = 1024

_positions: WeakValueDictionary[str, Position] = WeakValueDictionary()
"""The positions of the streams of this process, by name."""


class Position:
    """The step that a stream goes on with, shared with the workers that make its batches.

    An iteration of a DataLoader has a number that all its workers know. Only the process that reads
    the batches moves the position; a new worker begins where it was when the worker was made.

    Attributes:
        name: of the position, the same in all processes that share it.
    """

    def __init__(self, step: int = 0) -> None:
        """
        Args:
            step: the step to begin with.
        """
        self._set_up(uuid.uuid4().hex, RawArray(c_int64, _FIELDS + _WORKERS_MAX), step, 0)
        self._shared[_STEP] = step

    def _set_up(self, name: str, shared: Any, step: int, moves: int) -> None:
        self.name, self._shared, self._moves, self._step = name, shared, moves, step
        self._iterations = 0  # that a worker has begun
        self._arrived: set[int] = set()  # steps of batches from workers, in the reading process
        self._last_read = -1
        _positions[name] = self

    @property
    def step(self) -> int:
        """The step after the last one whose batch was read, or where the stream was moved to."""
        return int(self._shared[_STEP])

    def move(self, step: int) -> None:
        """Go to a step, whatever was read before, and whatever is read of an earlier iteration."""
        shared = self._shared
        shared[_READ_OF] = shared[_CLOSED] = shared[_ITERATION]
        shared[_HAS_GAP] = 0
        self._arrived.clear()
        self._note_move(step)

    def arrive(self, iteration: int, step: int) -> None:
        """Note that a batch which workers made has come to this process; see `read`."""
        if self._counts(iteration):
            self._arrived.add(step)

    def read(self, iteration: int, step: int) -> None:
        """Note that a batch which workers made has been read.

        The batches before it that had come count as read too: they were given, and passed over.

        Args:
            iteration: number of the iteration that the batch is of; batches of earlier ones than
                the last do not count.
            step: of the batch.
        """
        if not self._counts(iteration):
            return
        shared, following = self._shared, self.step
        if shared[_READ_OF] != iteration:
            following, self._last_read = min(int(shared[_FIRST_STEP]), step), step
        self._last_read = max(self._last_read, step)
        while following <= self._last_read and following in self._arrived:
            self._arrived.remove(following)
            following += 1
        shared[_HAS_GAP] = following <= self._last_read  # of a loader that does not keep the order
        shared[_READ_OF] = iteration
        self._note_move(following)

    def begin(self, worker: LoaderWorker) -> tuple[int, int]:
        """Begin an iteration in one of the workers of a DataLoader.

        Returns:
            The number of the iteration, and its first step.

        Raises:
            StreamError: it is not known what was read of the iteration before.
        """
        shared, iteration = self._shared, self._next_iteration(worker)
        place, last = _FIELDS + worker.number % _WORKERS_MAX, shared[_ITERATION]
        if last == iteration and shared[place] != iteration:  # another worker began it
            shared[place] = iteration
            return iteration, int(shared[_FIRST_STEP])
        first = self._step if self._iterations == 1 else self.step
        if self._is_late:
            return iteration, first
        if last and shared[_READ_OF] != last:
            raise StreamError(_UNKNOWN.format(step=first))
        if last and shared[_HAS_GAP]:
            raise StreamError(_GAP.format(step=first))
        self._note_begin(place, iteration, first)
        return iteration, first

    def begin_elsewhere(self, worker: LoaderWorker, step: int) -> int:
        """Begin an iteration at a step that a worker's own state names; returns its number."""
        iteration = self._next_iteration(worker)
        if self._shared[_ITERATION] == iteration:
            step = min(step, int(self._shared[_FIRST_STEP]))
        elif self._is_late:
            return iteration
        self._note_begin(_FIELDS + worker.number % _WORKERS_MAX, iteration, step)
        return iteration

    @property
    def _is_late(self) -> bool:
        """Whether the position was moved after this worker was made and before it began: its
        iteration may have ended."""
        return self._iterations == 1 and bool(self._shared[_MOVES] != self._moves)

    def _counts(self, iteration: int) -> bool:
        """Whether what is read of an iteration moves the position."""
        return bool(self._shared[_ITERATION] == iteration != self._shared[_CLOSED])

    def _note_move(self, step: int) -> None:
        self._step, self._moves = step, self._moves + 1
        self._shared[_STEP], self._shared[_MOVES] = step, self._moves

    def _note_begin(self, place: int, iteration: int, step: int) -> None:
        self._shared[place] = iteration
        self._shared[_FIRST_STEP] = step
        self._shared[_ITERATION] = iteration  # last: other workers look at it first

    def _next_iteration(self, worker: LoaderWorker) -> int:
        """A number, not 0, that the workers of one iteration have in common."""
        self._iterations += 1
        text = f"{worker.seed} {self._iterations} {self._moves}".encode()
        return 1 + int.from_bytes(blake2b(text, digest_size=7).digest(), "little")

    def __getstate__(self) -> dict[str, Any]:
        # memory is shared with processes that are being started, and copied to all others
        shared = self._shared if get_spawning_popen() is not None else None
        return {"name": self.name, "step": self.step, "shared": shared, "moves": self._moves}

    def __setstate__(self, state: dict[str, Any]) -> None:
        if state["shared"] is None:
            self.__init__(state["step"])  # type: ignore[misc]
        else:
            self._set_up(state["name"], state["shared"], state["step"], state["moves"])


_UNKNOWN = (
    "a DataLoader iterates the stream again from step {step}, and it is not known what was used of "
    "the last time: no field of any batch was read in the process that has the DataLoader (a "
    "collate_fn reads batches in the workers). To go on would repeat samples or lose them. Call "
    "stream.set_epoch(epoch) before each iteration of the DataLoader; or collate in the training "
    "process, from the stream's own batches"
)
_GAP = (
    "a DataLoader iterates the stream again, and of the last time step {step} had not been read "
    "while later ones had (in_order=False). Call stream.set_epoch(epoch) before each iteration of "
    "the DataLoader, or take in_order=True"
)


def note_arrival(name: str, iteration: int, step: int) -> None:
    """Note that a batch has come, if this process has the stream that it is of."""
    position = _positions.get(name)
    if position is not None:
        position.arrive(iteration, step)


def note_read(name: str, iteration: int, step: int) -> None:
    """Note that a batch has been read, if this process has the stream that it is of."""
    position = _positions.get(name)
    if position is not None:
        position.read(iteration, step)
