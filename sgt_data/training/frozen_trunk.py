"""A `frozen` model takes the trunk and the answers of a trained one, and learns with its heads."""

from __future__ import annotations

from torch import nn

from sgt_data.errors import RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.training.checkpoint import read_checkpoint

_HEADS = ("answers", "generator", "patches", "noised", "clock", "classes")
"""Beginnings of the names of the heads' weights: those that a `frozen` model learns."""


def take_trunk(model: nn.Module, checkpoint: str | None) -> None:
    """Take a trained trunk and its answers from a checkpoint, and freeze the trunk.

    Args:
        model: the bundled model.
        checkpoint: path of a checkpoint of a `joint` model.

    Raises:
        RequestError: the path is None, or the checkpoint is missing or of another model.
    """
    if checkpoint is None:
        raise RequestError("model.settings.trunk: a frozen model needs a checkpoint")
    weights = {
        name: weight
        for name, weight in read_checkpoint(checkpoint).model.items()
        if not name.startswith(_HEADS) or name.startswith("answers")
    }
    try:
        lacking = model.load_state_dict(weights, strict=False).missing_keys
    except RuntimeError as why:
        raise RequestError(f"{checkpoint} is of another model: {in_words(why)}") from why
    if missing := [name for name in lacking if not name.startswith(_HEADS)]:
        raise RequestError(f"{checkpoint} is of another model: it has no {missing[0]}")
    for name, weight in model.named_parameters():
        weight.requires_grad = name.startswith(_HEADS)
