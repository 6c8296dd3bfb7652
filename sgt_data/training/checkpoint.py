"""Checkpoints of a run: written whole or not at all, read without executing anything in them."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sgt_data.errors import RequestError
from sgt_data.files.writing import write_atomic

_KEPT = 2


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that a run goes on from.

    Attributes:
        step: the next one.
        config: of the run, as `config.document_of` gives it.
        answers: of the model, in order.
        model, optimisers, stream: their states.
        chance: torch's generator, by rank.
        curve: what was logged so far.
    """

    step: int
    config: Mapping[str, Any]
    answers: tuple[str, ...]
    model: Mapping[str, Tensor]
    optimisers: Sequence[Mapping[str, Any]]
    stream: Mapping[str, Any]
    chance: Sequence[Tensor]
    curve: Sequence[Mapping[str, float]]


def checkpoint_place(folder: Path, step: int) -> Path:
    """Where the checkpoint of a step lies."""
    return folder / f"step-{step:08d}.pt"


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write it to its place, and remove all but the newest few."""
    out = io.BytesIO()
    torch.save({name: getattr(checkpoint, name) for name in _FIELDS}, out)
    place = checkpoint_place(folder, checkpoint.step)
    write_atomic(str(place), out.getvalue())
    for old in sorted(folder.glob("step-*.pt"))[:-_KEPT]:
        old.unlink()
    return place


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest one of a folder, if there is any."""
    found = sorted(folder.glob("step-*.pt"))
    return read_checkpoint(str(found[-1])) if found else None


def read_checkpoint(path: str) -> Checkpoint:
    """
    Raises:
        RequestError: it is not there, or is no checkpoint.
    """
    if not os.path.isfile(path):
        raise RequestError(f"there is no checkpoint {path}")
    try:
        fields = torch.load(path, map_location="cpu", weights_only=True)
        return Checkpoint(**{name: fields[name] for name in _FIELDS})
    except Exception as why:  # torch raises its own kinds, by what is damaged
        raise RequestError(f"{path} is no checkpoint of a run: {why!r:.200}") from why


_FIELDS = tuple(Checkpoint.__dataclass_fields__)
