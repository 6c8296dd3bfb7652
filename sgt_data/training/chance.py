"""The state of torch's random numbers: stored with a checkpoint, and kept over a validation."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


def device_chance(device: torch.device) -> Tensor | None:
    """State of the random numbers that a GPU draws; None for the CPU, which has its own."""
    return torch.cuda.get_rng_state(device) if device.type == "cuda" else None


@contextmanager
def evaluating(model: nn.Module, device: torch.device) -> Iterator[None]:
    """Put a model into evaluation, without gradients, and leave no trace of it.

    Afterwards every part of the model is in the mode that it was in, and torch's random numbers go
    on as if none had been drawn.
    """
    modes = {part: part.training for part in model.modules()}
    devices = [device] if device.type == "cuda" else []
    model.eval()
    try:
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            yield
    finally:
        for part, mode in modes.items():
            part.training = mode
