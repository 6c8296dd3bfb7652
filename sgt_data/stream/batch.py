"""Batches, and how they pass between processes: all arrays of one as one block of shared memory.

A DataLoader hands over a worker's tensors one by one, each with a file of its own, and numpy arrays
as bytes through a pipe, copied three times; before that it looks at every number in every sample to
see whether it is an array. For batches of pictures all this can cost as much as decoding them.
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

from sgt_data.stream.shared_blocks import HEADER, BlockPool, content

_ALIGNMENT = 64
"""Bytes: arrays begin at multiples of a cache line."""


class Batch:
    """One rank's part of a global batch: `batch["step"]`, `batch["epoch"]` and `batch["samples"]`,
    a list of what the stream's transform gives.

    It can be unpacked like a dict (`dict(batch)`), yet is none, so that a DataLoader leaves its
    samples as they are. From a DataLoader's worker, the arrays and CPU tensors of its samples
    (dicts, lists or tuples of them, lists in these too) travel as one block, and come out as views
    of it.
    """

    __slots__ = ("_fields",)

    def __init__(self, step: int, epoch: int, samples: list[Any]) -> None:
        self._fields = {"step": step, "epoch": epoch, "samples": samples}

    def __getitem__(self, name: str) -> Any:
        return self._fields[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def keys(self) -> Iterator[str]:
        return iter(self._fields)

    def __repr__(self) -> str:
        count = len(self["samples"])
        return f"<Batch of step {self['step']}, epoch {self['epoch']}: {count} samples>"

    def __reduce__(self) -> tuple[Callable[..., Batch], tuple[Any, ...]]:
        torch = sys.modules.get("torch")
        if torch is None or torch.utils.data.get_worker_info() is None:
            return Batch, (self["step"], self["epoch"], self["samples"])
        packer = _Packer(torch)
        samples = _changed(self["samples"], packer.put)
        if packer.size == 0:
            return Batch, (self["step"], self["epoch"], self["samples"])
        return _unpacked, (self["step"], self["epoch"], samples, packer.block())


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an array lies in a block. `axes` [D]: which axis of a tensor each axis in memory is;
    None for an array."""

    offset: int
    shape: tuple[int, ...]
    dtype: str
    axes: tuple[int, ...] | None


class _Packer:
    """Collects arrays, and lays them out in one block of `size` bytes of shared memory."""

    def __init__(self, torch: Any) -> None:
        self._torch = torch
        self._arrays: list[tuple[int, NDArray[Any]]] = []
        self.size = 0

    def put(self, value: Any) -> Any:
        """The place that an array or a tensor gets; anything else as it is."""
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
        place = _Place(self.size, array.shape, array.dtype.str, axes)
        self._arrays.append((self.size, array))
        self.size += -(-array.nbytes // _ALIGNMENT) * _ALIGNMENT
        return place

    def block(self) -> Any:
        """A block of shared memory with all arrays."""
        block = _pool(os.getpid()).lease(self.size)
        memory = block[HEADER:].numpy()
        for offset, array in self._arrays:
            memory[offset : offset + array.nbytes] = array.reshape(-1).view(np.uint8)
        return block


@lru_cache(maxsize=1)
def _pool(process: int) -> BlockPool:
    """The blocks of this process: a fork does not inherit its parent's."""
    return BlockPool(sys.modules["torch"])


def _unpacked(step: int, epoch: int, samples: list[Any], block: Any) -> Batch:
    memory = content(block)

    def take(value: Any) -> Any:
        if not isinstance(value, _Place):
            return value
        size = int(np.prod(value.shape, dtype=np.int64)) * np.dtype(value.dtype).itemsize
        array = memory[value.offset : value.offset + size].view(value.dtype).reshape(value.shape)
        if value.axes is None:
            return array
        torch: Any = sys.modules["torch"]
        return torch.from_numpy(array).permute(*np.argsort(value.axes).tolist())

    return Batch(step, epoch, _changed(samples, take))


def _changed(samples: list[Any], change: Callable[[Any], Any]) -> list[Any]:
    """Samples with their arrays changed: those that are one, or hold them, or lists of them."""

    def within(value: Any, depth: int) -> Any:
        if type(value) in (list, tuple) and depth < 2:
            return type(value)([within(one, depth + 1) for one in value])
        if type(value) is dict and depth == 0:
            return {name: within(one, 1) for name, one in value.items()}
        return change(value)

    return [within(sample, 0) for sample in samples]
