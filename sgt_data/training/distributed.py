"""The processes of a run: one, or those that `torchrun` started."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch import distributed as dist


@dataclass(frozen=True, slots=True)
class Processes:
    """Which of how many, and on what.

    Attributes:
        rank, world: of this process, and how many there are.
        device: that it computes on.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    @classmethod
    @contextmanager
    def joined(cls) -> Iterator[Processes]:
        """This process among those of the run: with `torchrun`'s environment one of its group, a
        GPU each where there are GPUs."""
        rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
        device = torch.device("cpu")
        if torch.cuda.is_available():
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
            torch.cuda.set_device(device)
        ours = world > 1 and not dist.is_initialized()
        if ours:
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
        try:
            yield cls(rank, world, device)
        finally:
            if ours:
                dist.destroy_process_group()

    def mean(self, value: Tensor) -> float:
        """Of a scalar, over all processes."""
        if self.world > 1:
            value = value.clone()
            dist.all_reduce(value)
            value = value / self.world
        return float(value)

    def gathered(self, value: Tensor) -> list[Tensor]:
        """A tensor of each process, by rank."""
        if self.world == 1:
            return [value]
        value = value.to(self.device)
        found = [torch.empty_like(value) for _ in range(self.world)]
        dist.all_gather(found, value)
        return [one.cpu() for one in found]

    def board(self, folder: Path, step: int) -> Any:
        """TensorBoard's log of the first process, from a step on; other processes have none."""
        if not self.first:
            return _Nothing()
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(folder), purge_step=step or None)


class _Nothing:
    def add_scalar(self, name: str, value: float, step: int) -> None: ...

    def close(self) -> None: ...
