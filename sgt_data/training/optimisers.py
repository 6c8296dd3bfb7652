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
    matrices.
    """

    def __init__(self, model: nn.Module, config: TrainConfig) -> None:
        heads = [getattr(model, name, None) for name in getattr(model, "adamw_parts", ())]
        tables = [part for part in model.modules() if isinstance(part, nn.Embedding)]
        by_adamw = {
            id(weight)
            for part in (*heads, *tables)
            if part is not None
            for weight in part.parameters()
        }
        trained = [weight for weight in model.parameters() if weight.requires_grad]
        by_muon = [
            weight
            for weight in trained
            if config.optimiser == "muon" and weight.ndim == 2 and id(weight) not in by_adamw
        ]
        muon_ids = set(map(id, by_muon))
        rest = [weight for weight in trained if id(weight) not in muon_ids]
        self._config = config
        self._weights = trained
        self._all: list[tuple[torch.optim.Optimizer, float]] = []
        if by_muon:
            muon = torch.optim.Muon(
                by_muon, lr=config.matrix_rate, momentum=_MOMENTUM, weight_decay=config.weight_decay
            )
            self._all.append((muon, config.matrix_rate))
        if rest:
            adam = torch.optim.AdamW(
                rest, lr=config.rate, betas=_BETAS, weight_decay=config.weight_decay
            )
            self._all.append((adam, config.rate))

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


def rate_share(step: int, config: TrainConfig) -> float:
    """The learning rate of a step as a share of the highest, 0 to 1.

    It rises linearly over `warm_up` steps, stays level, and falls linearly to 0 over the last
    `cool_down` of the steps.
    """
    rise = min(1.0, (step + 1) / config.warm_up) if config.warm_up else 1.0
    fall = (1 - step / config.steps) / config.cool_down if config.cool_down else 1.0
    return rise * min(1.0, fall)
