"""The weights with which a run begins, where `model.init` names a checkpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import file_digest
from pathlib import Path

from torch import Tensor, nn

from sgt_data.errors import RequestError
from sgt_data.files.claim import differences
from sgt_data.training.checkpoint import CHECKPOINTS, newest_path, read_checkpoint
from sgt_data.training.config import TrainConfig, document_of
from sgt_data.value_text import counted, cut

_NAMED_MAX = 5
"""So many wrong weights are named; of more, their number."""


def init_checkpoint(init: str) -> Path:
    """The file of `model.init`: a checkpoint itself, or the newest one of a run.

    Raises:
        RequestError: there is none.
    """
    place = Path(init)
    if place.is_file():
        return place
    newest = newest_path(place / CHECKPOINTS) or newest_path(place)
    if newest is None:
        raise RequestError(
            f"model.init: {init} is no file, and no folder of a run with checkpoints; give the "
            "folder of a finished run, or one of its checkpoints/step-*.pt"
        )
    return newest


def with_init_digest(config: TrainConfig) -> TrainConfig:
    """A configuration that states which weights its run begins with, by their digest.

    Raises:
        RequestError: there is no checkpoint, or it is not the one whose digest is stated.
    """
    if config.model.init is None:
        return config
    path = init_checkpoint(config.model.init)
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
    if config.model.init_digest not in (None, digest):
        raise RequestError(
            f"model.init: {path} has the digest {digest}, and model.init_digest is "
            f"{cut(config.model.init_digest, 80)}: it is another checkpoint; take it as a new run, "
            "without model.init_digest and in a folder of its own"
        )
    return replace(config, model=replace(config.model, init_digest=digest))


def take_initial_weights(model: nn.Module, config: TrainConfig) -> None:
    """Give a model the weights of `model.init`, by name; nothing where there is none.

    Raises:
        RequestError: there is no checkpoint, it is not the one whose digest is stated, or its
            weights are not those of this model: names them, and the settings that differ.
    """
    if config.model.init is None:
        return
    with_init_digest(config)
    path = init_checkpoint(config.model.init)
    checkpoint = read_checkpoint(str(path))
    problems = _problems(checkpoint.model, model.state_dict())
    if not problems:
        model.load_state_dict(checkpoint.model)
        return
    theirs, mine = (dict(each["model"]) for each in (checkpoint.config, document_of(config)))
    for document in (theirs, mine):
        document.pop("init", None)
        document.pop("init_digest", None)
    differing = "; ".join(map(str, differences({"model": theirs}, {"model": mine})))
    more = [f"  and {len(problems) - _NAMED_MAX} more"] if len(problems) > _NAMED_MAX else []
    hint = (
        f"Set the model as the checkpoint's run had it: {differing}"
        if differing
        else "Its run states the same settings, so the code of the model has changed since; train "
        "it anew"
    )
    raise RequestError(
        "\n".join(
            [
                f"model.init: {path} is of another model, {counted(len(problems), 'weight')}:",
                *(f"  {problem}" for problem in problems[:_NAMED_MAX]),
                *more,
                hint,
            ]
        )
    )


def _problems(given: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> list[str]:
    """What is wrong with each weight of a checkpoint."""
    problems = [f"{name} is missing in the checkpoint" for name in wanted if name not in given]
    problems += [f"{name} is not in this model" for name in given if name not in wanted]
    for name, weight in wanted.items():
        if name in given and given[name].shape != weight.shape:
            shapes = tuple(given[name].shape), tuple(weight.shape)
            problems.append(f"{name} has the shape {shapes[0]} in the checkpoint, here {shapes[1]}")
    return problems
