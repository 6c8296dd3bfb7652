"""The optimisers: which weights they change, and how fast."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from sgt_data.training.config import TrainConfig, parse_config
from sgt_data.training.model import make
from sgt_data.training.optimisers import Optimisers

DATA = {"corpus": "corpus", "questions": "questions"}


def config_with(**fields: object) -> TrainConfig:
    return parse_config({"data": DATA, "drawings": 0, "warm_up": 0, "cool_down": 0.0, **fields})


def changes(model: nn.Module, config: TrainConfig) -> dict[str, float]:
    """Largest change of each weight in one step of equal gradients."""
    before = {name: weight.detach().clone() for name, weight in model.named_parameters()}
    for weight in model.parameters():
        weight.grad = torch.full_like(weight, 0.1)
    Optimisers(model, config).step(0)
    return {
        name: float((weight.detach() - before[name]).abs().max())
        for name, weight in model.named_parameters()
    }


@pytest.mark.parametrize("optimiser", ["muon", "adamw"])
def test_the_head_that_draws_has_learning_rates_of_its_own(optimiser: str) -> None:
    torch.manual_seed(0)
    model = make({"picture": 16})
    rates = {"optimiser": optimiser, "matrix_rate": 1e-3, "rate": 1e-3}
    plain = changes(model, config_with(**rates))
    fast = changes(model, config_with(**rates, drawing_matrix_rate=1e-2, drawing_rate=1e-2))
    draws = {name for name in plain if name.partition(".")[0] in model.drawing_parts}
    assert {name.partition(".")[0] for name in draws} == set(model.drawing_parts)
    for name, change in plain.items():
        factor = 10 if name in draws else 1
        assert fast[name] == pytest.approx(factor * change, rel=0.02, abs=1e-6), name


def test_every_weight_is_changed_once_whatever_the_rates() -> None:
    torch.manual_seed(0)
    model = make({"picture": 16})
    changed = changes(model, config_with(drawing_rate=1e-2))
    assert all(change > 0 for change in changed.values())
    own = Optimisers(model, config_with(drawing_rate=1e-2))
    groups = [group for state in own.state_dict() for group in state["param_groups"]]
    assert sum(len(group["params"]) for group in groups) == len(changed)
