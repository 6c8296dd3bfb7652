"""Checkpoints of a run: written whole or not at all, and read without executing what they hold."""

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
from sgt_data.files.tensor_files import why_not_tensors
from sgt_data.files.writing import write_atomic

CHECKPOINTS = "checkpoints"
"""Folder of the checkpoints in that of a run."""

_KEPT = 2

_FORMAT = 2
"""Form of the file. The first form held the list of answers from which a model chose."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a run after a step; the names of its fields are those in the file.

    Attributes:
        step: number of steps that are done.
        config: the run's configuration, as `config.document_of` gives it.
        model: weights by name.
        optimisers: states of the optimisers.
        stream: state of the stream.
        chance: states of torch's random number generator, by rank.
        device_chance: states of the random number generators of GPUs, by rank; none on CPUs.
        curve: rows that were logged so far.
    """

    step: int
    config: Mapping[str, Any]
    model: Mapping[str, Tensor]
    optimisers: Sequence[Mapping[str, Any]]
    stream: Mapping[str, Any]
    chance: Sequence[Tensor]
    device_chance: Sequence[Tensor]
    curve: Sequence[Mapping[str, float]]


def checkpoint_path(folder: Path, step: int) -> Path:
    """The path of the checkpoint of a step."""
    return folder / f"step-{step:08d}.pt"


def write_checkpoint(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write a checkpoint, and remove all but the newest two.

    Returns:
        Its path.
    """
    content = io.BytesIO()
    fields = {name: getattr(checkpoint, name) for name in _FIELDS}
    torch.save({"format": _FORMAT, **fields}, content)
    path = checkpoint_path(folder, checkpoint.step)
    write_atomic(str(path), content.getvalue())
    for old in _checkpoints(folder)[:-_KEPT]:
        old.unlink()
    return path


def newest_checkpoint(folder: Path) -> Checkpoint | None:
    """The newest checkpoint in a folder; None where the folder has none.

    Raises:
        RequestError: the file is no checkpoint.
    """
    path = newest_path(folder)
    return None if path is None else read_checkpoint(str(path))


def newest_path(folder: Path) -> Path | None:
    """The path of the newest checkpoint in a folder; None where the folder has none."""
    paths = _checkpoints(folder)
    return paths[-1] if paths else None


def read_checkpoint(path: str) -> Checkpoint:
    """Read a checkpoint; tensors come to the CPU.

    Raises:
        RequestError: the file is not there, is no checkpoint, or is one of an earlier version.
    """
    if not os.path.isfile(path):
        raise RequestError(f"there is no checkpoint {path}")
    try:
        fields = torch.load(path, map_location="cpu", weights_only=True)
        is_first_form = "format" not in fields and "answers" in fields
        if not is_first_form:
            return Checkpoint(**{name: fields[name] for name in _FIELDS})
    except Exception as why:  # torch raises many kinds, depending on the damage
        raise RequestError(
            f"{path} is no checkpoint of a run: {why_not_tensors(path, why)}"
        ) from why
    raise RequestError(
        f"{path} was written by an earlier version, whose models chose from a list of answers; "
        "they score answers as text now. Train the run anew, in another folder"
    )


def _checkpoints(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.pt"))


_FIELDS = tuple(Checkpoint.__dataclass_fields__)
