"""The optimisers, Muon for matrices and AdamW for the rest, and their learning rates.

With Muon (Jordan et al. 2024) a small model learns to answer in runs in which, with AdamW alone, it
does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import nn

from sgt_data.training.config import TrainConfig

_BETAS = (0.9, 0.98)
_MOMENTUM = 0.95


class Optimisers:
    """The optimisers of a run, used together.

    AdamW takes vectors, tables of vectors and the parts of the model that its attribute
    `adamw_parts` names, if it has one: the heads, as Muon's authors advise. Muon takes the other
    matrices. The parts that its attribute `drawing_parts` names have learning rates of their own
    where the configuration states some: a head learns to draw a new kind of target at a pace at
    which a trained trunk would forget.
    """

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        self._config = config
        self._weights = [weight for weight in model.parameters() if weight.requires_grad]
        tables = [part for part in model.modules() if isinstance(part, nn.Embedding)]
        by_adamw = _weights_of([*_named_parts(model, "adamw_parts"), *tables])
        drawing = _weights_of(_named_parts(model, "drawing_parts"))
        groups: dict[tuple[bool, bool], list[nn.Parameter]] = {}
        for weight in self._weights:
            is_matrix = weight.ndim == 2 and id(weight) not in by_adamw
            by_muon = config.optimiser == "muon" and is_matrix
            groups.setdefault((by_muon, id(weight) in drawing), []).append(weight)
        self._all: list[tuple[torch.optim.Optimizer, float]] = []
        for (by_muon, draws), weights in groups.items():
            rate = _rate(config, by_muon, draws)
            self._all.append((_optimiser(weights, by_muon, rate, config.weight_decay), rate))

    def step(self, step: int) -> None:
        """Change the weights by their gradients, then clear the gradients.

        Args:
            step: number of the step, from 0; it decides the learning rate.
        """
        if self._config.clip:
            nn.utils.clip_grad_norm_(self._weights, self._config.clip)
        share = rate_share(step, self._config)
        for optimiser, rate in self._all:
            for group in optimiser.param_groups:
                group["lr"] = rate * share
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)

    def state_dict(self) -> list[dict[str, Any]]:
        """The states of all optimisers, in order."""
        return [optimiser.state_dict() for optimiser, _ in self._all]

    def load_state_dict(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Take states that `state_dict` gave."""
        for (optimiser, _), state in zip(self._all, states, strict=True):
            optimiser.load_state_dict(dict(state))


def _named_parts(model: nn.Module, attribute: str) -> list[nn.Module | None]:
    """The parts of a model whose names one of its attributes lists; None for what it lacks."""
    return [getattr(model, name, None) for name in getattr(model, attribute, ())]


def _weights_of(parts: Sequence[nn.Module | None]) -> set[int]:
    return {id(weight) for part in parts if part is not None for weight in part.parameters()}


def _rate(config: TrainConfig, by_muon: bool, draws: bool) -> float:
    own = config.drawing_matrix_rate if by_muon else config.drawing_rate
    if draws and own is not None:
        return own
    return config.matrix_rate if by_muon else config.rate


def _optimiser(
    weights: Sequence[nn.Parameter], by_muon: bool, rate: float, decay: float
) -> torch.optim.Optimizer:
    if by_muon:
        return torch.optim.Muon(weights, lr=rate, momentum=_MOMENTUM, weight_decay=decay)
    return torch.optim.AdamW(weights, lr=rate, betas=_BETAS, weight_decay=decay)


def rate_share(step: int, config: TrainConfig) -> float:
    """The learning rate of a step as a share of the highest, 0 to 1.

    It rises linearly over `warm_up` steps, stays level, and falls linearly to 0 over the last
    `cool_down` of the steps.
    """
    rise = min(1.0, (step + 1) / config.warm_up) if config.warm_up else 1.0
    fall = (1 - step / config.steps) / config.cool_down if config.cool_down else 1.0
    return rise * min(1.0, fall)
