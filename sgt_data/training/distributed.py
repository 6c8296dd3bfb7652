"""The processes that train together: one, or those that `torchrun` started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor
from torch import distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

_GROUPS = count()
"""Numbers of the groups that this process has joined; all processes join the same ones."""


@dataclass(frozen=True, slots=True)
class ProcessGroup:
    """The processes of a run, as one of them sees them.

    Attributes:
        rank: number of this process, from 0.
        world: number of processes.
        device: device that this process computes on.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes files and reports progress."""
        return self.rank == 0

    @classmethod
    @contextmanager
    def join(cls) -> Iterator[ProcessGroup]:
        """Join the processes of the run, and leave them at the end.

        Rank and number are those that `torchrun` put into the environment; without it this process
        is the only one. Where there are GPUs, each process takes one.
        """
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        device = torch.device("cpu")
        if torch.cuda.is_available():
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
        starts_group = world > 1 and not dist.is_initialized()
        if starts_group:
            store, rank, world = next(rendezvous("env://"))
            dist.init_process_group(
                "nccl" if device.type == "cuda" else "gloo",
                # with keys of its own: those of an earlier group are still in the store, and a
                # process that reads them waits for ever for one that has left
                store=PrefixStore(f"group {next(_GROUPS)}", store),
                rank=rank,
                world_size=world,
            )
        try:
            yield cls(rank, world, device)
        finally:
            if starts_group:
                dist.destroy_process_group()

    def sum(self, values: Tensor) -> Tensor:
        """The sum of a tensor over all processes, on the CPU; all have the same shape."""
        if self.world > 1:
            values = values.to(self.device, copy=True)
            dist.all_reduce(values)
        return values.cpu()

    def gather_values(self, value: Any) -> list[Any]:
        """Plain data of all processes by rank; it travels as JSON."""
        if self.world == 1:
            return [value]
        data = torch.frombuffer(bytearray(orjson.dumps(value)), dtype=torch.uint8)
        sizes = [int(size) for size in self.gather(torch.tensor([len(data)]))]
        padded = torch.zeros(max(sizes), dtype=torch.uint8)
        padded[: len(data)] = data
        return [
            orjson.loads(tensor[:size].numpy().tobytes())
            for tensor, size in zip(self.gather(padded), sizes, strict=True)
        ]

    def gather(self, value: Tensor) -> list[Tensor]:
        """The tensors of all processes by rank, on the CPU; all have the same shape."""
        if self.world == 1:
            return [value]
        value = value.to(self.device)
        tensors = [torch.empty_like(value) for _ in range(self.world)]
        dist.all_gather(tensors, value)
        return [tensor.cpu() for tensor in tensors]

    def summary_writer(self, folder: Path, step: int) -> Any:
        """TensorBoard's writer on the first process, one that writes nothing on the others.

        Args:
            folder: folder of TensorBoard's files.
            step: where the run stands; what the files have after it is hidden.
        """
        if not self.is_first:
            return _NoWriter()
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder), purge_step=step or None)


class _NoWriter:
    def add_scalar(self, name: str, value: float, step: int) -> None: ...

    def close(self) -> None: ...
