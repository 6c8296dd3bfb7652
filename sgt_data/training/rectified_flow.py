"""Rectified flow (Liu et al. 2022): patches are drawn from noise in steps, each nearer the target.

A model predicts the clean patches from noisy ones at a time, 0 (noise) to 1 (the target).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional as F

WAVES = 32
"""Length of the vector of a time."""

_MEAN, _DEVIATION = -0.5, 1.2
"""Of the logits of times in training, nearer noise than the target (Esser et al. 2024).

Where little noise is left, a noisy target shows the target, and the model need not look at the
picture; were there noise alone, it would not learn to go on with what it has begun to draw.
"""

Predict = Callable[[Tensor, Tensor], Tensor]
"""From noisy patches [n, patches, values] and their times [n] to clean ones."""


def flow_loss(predict: Predict, targets: Tensor) -> Tensor:
    """Mean squared error of what is predicted from targets [n, patches, values] at random times."""
    logits = _MEAN + _DEVIATION * torch.randn(len(targets), device=targets.device)
    time = torch.sigmoid(logits)
    noisy = torch.lerp(torch.randn_like(targets), targets, time[:, None, None])
    return F.mse_loss(predict(noisy, time), targets)


def drawn_by_flow(predict: Predict, noise: Tensor, steps: int) -> Tensor:
    """Patches that `steps` steps make of noise [n, patches, values]."""
    drawn = noise
    times = torch.linspace(0, 1, steps + 1).to(noise)
    for now, then in pairwise(times):
        clean = predict(drawn, now.expand(len(noise)))
        drawn = drawn + (then - now) / (1 - now) * (clean - drawn)
    return drawn


def time_waves(time: Tensor) -> Tensor:
    """Vectors [n, WAVES] of times [n]: sines and cosines."""
    waves = time[:, None] * torch.exp(torch.linspace(0, 6, WAVES // 2)).to(time)
    return torch.cat([waves.sin(), waves.cos()], 1)
