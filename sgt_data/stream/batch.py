"""Batches, and how they pass between processes: all arrays in one block of shared memory.

By itself, a DataLoader sends each tensor of a worker through a file of its own, and numpy arrays as
bytes through a pipe, copied three times; before that it looks at every number in every sample to
see whether it is an array. For batches of pictures, this can cost as much as decoding them.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.stream.position import note_arrival, note_read
from sgt_data.stream.shared_blocks import HEADER, BlockPool, content
from sgt_data.value_text import counted

Origin = tuple[str, int]
"""The name of a stream's position, and the number of an iteration."""

_ALIGNMENT = 64
"""Bytes: arrays begin at multiples of a cache line."""


class Batch:
    """One rank's part of a global batch: `batch["step"]`, `batch["epoch"]` and `batch["samples"]`.

    The samples are a list of what the stream's transform returns. A batch unpacks like a dict
    (`dict(batch)`), but is no dict, so a DataLoader does not convert its samples. Arrays and CPU
    tensors in the samples (dicts, lists or tuples of them, and lists in these) travel from a
    DataLoader's worker as one block of shared memory, and arrive as views of it.
    """

    __slots__ = ("_arrived", "_fields", "_origin")

    def __init__(
        self, step: int, epoch: int, samples: list[Any], origin: Origin | None = None
    ) -> None:
        """
        Args:
            step: number of the global batch, from 0.
            epoch: the epoch that it belongs to, from 0.
            samples: this rank's samples.
            origin: of a batch that a worker makes, the stream's position and the iteration.
        """
        self._fields: dict[str, Any] = {"step": step, "epoch": epoch, "samples": samples}
        self._origin, self._arrived = origin, False

    def __getitem__(self, name: str) -> Any:
        self._note_read()
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        self._note_read()
        return iter(self._fields)

    def keys(self) -> Iterator[str]:
        """Names of the fields: step, epoch, samples."""
        return iter(self)

    def _note_read(self) -> None:
        """Tell the stream, once, that a batch which came from a worker has been read."""
        if self._arrived and self._origin is not None:
            note_read(*self._origin, self._fields["step"])
            self._origin = None

    def __repr__(self) -> str:
        step, epoch, samples = self._fields.values()
        return f"<Batch of step {step}, epoch {epoch}: {counted(len(samples), 'sample')}>"

    def __reduce__(self) -> tuple[Callable[..., Batch], tuple[Any, ...]]:
        step, epoch, samples = self._fields.values()
        torch = sys.modules.get("torch")
        if torch is None or torch.utils.data.get_worker_info() is None:
            return Batch, (step, epoch, samples)
        packer = _Packer(torch)
        places = _map_arrays(samples, packer.put)
        if packer.size == 0:
            return _arrived, (step, epoch, samples, self._origin)
        return _unpack, (step, epoch, places, self._origin, packer.block())


@dataclass(frozen=True, slots=True)
class _ArrayPlace:
    """Where an array lies in a block.

    Attributes:
        offset: position of its first byte in the block's content.
        shape: its shape, with the axes in the order of memory.
        dtype: numpy's name of its type.
        axes: [D] for a tensor, the tensor's axis that each axis in memory is; None for an array.
    """

    offset: int
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[int, ...] | None


class _Packer:
    """Collects arrays, and puts them into one block of shared memory of `size` bytes."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._arrays: list[tuple[int, NDArray[Any]]] = []
        self.size = 0

    def put(self, value: Any) -> Any:
        """The place that an array or a tensor gets; any other value is returned unchanged."""
        axes = None
        if isinstance(value, self._torch.Tensor):
            if value.is_cuda or value.requires_grad or value.layout != self._torch.strided:
                return value
            strides = value.stride()
            axes = tuple(sorted(range(value.dim()), key=lambda axis: -strides[axis]))
            try:
                value = value.permute(*axes).numpy()
            except TypeError:  # a type that numpy has not: bfloat16
                return value
        elif not isinstance(value, np.ndarray) or value.dtype.kind not in "buif":
            return value
        array = np.ascontiguousarray(value).reshape(value.shape)
        place = _ArrayPlace(self.size, array.shape, array.dtype.str, axes)
        self._arrays.append((self.size, array))
        self.size += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
        return place

    def block(self) -> Any:
        """A block of shared memory that holds all arrays."""
        block = _pool(os.getpid()).lease(self.size)
        memory = block[HEADER:].numpy()
        for offset, array in self._arrays:
            memory[offset : offset + array.nbytes] = array.reshape(-1).view(np.uint8)
        return block


@lru_cache(maxsize=1)
def _pool(process: int) -> BlockPool:
    """The blocks of this process; after a fork, the child makes a pool of its own."""
    return BlockPool(sys.modules["torch"])


def _arrived(step: int, epoch: int, samples: list[Any], origin: Origin | None) -> Batch:
    """A batch in the process that it was sent to."""
    batch = Batch(step, epoch, samples, origin)
    batch._arrived = True
    if origin is not None:
        note_arrival(*origin, step)
    return batch


def _unpack(step: int, epoch: int, samples: list[Any], origin: Origin | None, block: Any) -> Batch:
    memory = content(block)

    def view(value: Any) -> Any:
        if not isinstance(value, _ArrayPlace):
            return value
        size = int(np.prod(value.shape, dtype=np.int64)) * np.dtype(value.dtype).itemsize
        array = memory[value.offset : value.offset + size].view(value.dtype).reshape(value.shape)
        if value.axes is None:
            return array
        torch: Any = sys.modules["torch"]
        return torch.from_numpy(array).permute(*np.argsort(value.axes).tolist())

    return _arrived(step, epoch, _map_arrays(samples, view), origin)


def _map_arrays(samples: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """Samples with `change` applied to every value that may be an array: to the sample itself, to
    its items, and to the items of lists in it."""

    def mapped(value: Any, depth: int) -> Any:
        if type(value) in (list, tuple) and depth < 2:
            return type(value)([mapped(item, depth + 1) for item in value])
        if type(value) is dict and depth == 0:
            return {name: mapped(item, 1) for name, item in value.items()}
        return change(value)

    return [mapped(sample, 0) for sample in samples]
