"""The model that a configuration names: found, made, and checked before anything is trained."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from sgt_data.errors import OwnCodeError, RequestError
from sgt_data.plugins.python_file import import_problem, imported, read_python_file
from sgt_data.plugins.traces import file_of_class, where_raised
from sgt_data.suggestions import did_you_mean
from sgt_data.training.config import TrainConfig
from sgt_data.training.initial_weights import take_initial_weights
from sgt_data.training.learner import Learner, TrainingBatch
from sgt_data.value_text import cut

_METHODS = ("forward", "answer", "draw", "features", "visual_attention")
_FORM = "`package.module:function`, or `my_model.py:function` for a file of the current folder"


def make_model(config: TrainConfig) -> nn.Module:
    """The model with which a run begins: its weights are drawn from the seed, or `model.init`'s.

    Raises:
        RequestError: `model.make` names nothing that makes a `Learner`, or `model.init` no
            checkpoint that fits; says what is missing.
    """
    named = config.model.make
    make = _function(named)
    settings = {"picture": config.model.picture, **config.model.settings}
    torch.manual_seed(config.seed)
    try:
        model = make(settings)
    except RequestError:
        raise
    except Exception as why:
        if _is_ours(named):
            raise
        raise RequestError(f"model.make: {named}: {where_raised(why)}") from why
    if problems := _problems(model):
        raise RequestError("\n".join([f"model.make: {named} makes {_shown(model)}:", *problems]))
    module: nn.Module = model
    take_initial_weights(module, config)
    return module


def file_of_model(place: str) -> Path | None:
    """The file of the current folder that holds a model; None where it is an installed module.

    Args:
        place: module or file, as `model.make` names it before the colon.
    """
    if place.endswith(".py"):
        return Path(place).expanduser().absolute()
    file = Path(f"{place.replace('.', '/')}.py").absolute()
    return file if file.is_file() and not _is_installed(place) else None


def _is_installed(place: str) -> bool:
    try:
        return find_spec(place) is not None
    except (ImportError, ValueError):
        return False


def losses_of(model: nn.Module, batch: TrainingBatch, named: str) -> Mapping[str, Any]:
    """The losses of a batch; what a model of a user's own does wrong is named.

    Args:
        model: the model, or what runs it on several processes.
        batch: what is learnt from.
        named: `model.make` of the configuration.

    Raises:
        OwnCodeError: `forward` raised an error, or returned no losses.
    """
    if _is_ours(named):
        losses: Mapping[str, Tensor] = model(batch)
        return losses
    try:
        returned: Any = model(batch)
    except Exception as why:
        own = getattr(model, "module", model)  # what runs on several processes holds the model
        place = where_raised(why, file_of_class(type(own)))
        raise OwnCodeError(f"forward of {named}: {place}") from why
    wanted = {
        "answers": batch.questions, "drawings": batch.drawings, "captions": batch.captions,
    }  # fmt: skip
    allowed = [name for name, part in wanted.items() if part is not None]
    allowed += ["accuracy"] if batch.questions is not None else []
    problem = None
    if not isinstance(returned, Mapping):
        problem = f"it returned a {type(returned).__name__}"
    else:
        for name, value in returned.items():
            if not isinstance(value, Tensor) or value.ndim:
                what = tuple(value.shape) if isinstance(value, Tensor) else value
                problem = f"{name} is {cut(what, 60)}, and no scalar tensor (a mean)"
            elif name not in allowed:
                problem = (
                    f"{cut(name, 40)} is no loss of this batch, which has {', '.join(allowed)}"
                )
        for name, part in wanted.items():
            if part is not None and name not in returned:
                problem = f"{name} is missing, and the batch has {name}"
            elif part is not None and not problem and not returned[name].requires_grad:
                problem = f"{name} has no gradient, so nothing can be learnt from it (detach, item)"
    if problem:
        raise OwnCodeError(
            f"forward of {named}: {problem}; right is a dict of losses, each a scalar tensor: "
            "answers where batch.questions is given, drawings where batch.drawings is given, "
            "captions where batch.captions is given"
        )
    checked: Mapping[str, Tensor] = returned
    return checked


def _is_ours(named: str) -> bool:
    return named.startswith("sgt_data.")


def _function(named: str) -> Any:
    """The function that a configuration names."""
    place, colon, name = named.rpartition(":")
    if not colon or not place or not name:
        raise RequestError(f"model.make: found {cut(named)}; the form is {_FORM}")
    module = _module(place, named)
    make = getattr(module, name, None)
    if make is None:
        names = [each for each in vars(module) if callable(getattr(module, each))]
        raise RequestError(
            f"model.make: {place} has no function {cut(name, 40)}{did_you_mean(name, names)}"
        )
    if not callable(make):
        raise RequestError(f"model.make: {named} is {cut(make, 40)}, and no function")
    try:
        inspect.signature(make).bind({})
    except TypeError as why:
        raise RequestError(
            f"model.make: {named} takes {inspect.signature(make)}; it is called with (settings), "
            "a dict: answers are texts, and no list of them is given"
        ) from why
    except ValueError:  # built-in classes state no signature
        pass
    return make


def _module(place: str, named: str) -> ModuleType:
    """The module or the file of a model. Files of the current folder are found by module name."""
    field = "model.make"
    if (file := file_of_model(place)) is not None:
        return imported(read_python_file(str(file), field), field)
    try:
        return import_module(place)
    except (Exception, SystemExit) as why:
        if isinstance(why, ModuleNotFoundError) and f"{place}.".startswith(f"{why.name}."):
            beside = Path(f"{place.replace('.', '/')}.py").absolute()
            raise RequestError(
                f"{field}: found {cut(named)}; there is no module {place}, neither installed nor "
                f"as {beside}; the form is {_FORM}"
            ) from why
        loaded = sys.modules.get(place)
        path = getattr(loaded, "__file__", None) or place
        raise RequestError(str(import_problem(why, path, field))) from why


def _problems(model: Any) -> list[str]:
    """What a model lacks, a line each."""
    if isinstance(model, nn.Module) and isinstance(model, Learner) and _is_written(model):
        return []
    problems = []
    if not isinstance(model, nn.Module):
        problems.append("  it is no torch.nn.Module: class MyModel(nn.Module)")
    for name in _METHODS:
        written = getattr(model, name, None)
        if not callable(written) or (name == "forward" and not _is_written(model)):
            function = getattr(Learner, name)
            signature = str(inspect.signature(function)).replace("'", "")
            summary = (inspect.getdoc(function) or "").split("\n")[0]
            problems.append(f"  {name} is missing: `def {name}{signature}`. {summary}")
    return problems


def _is_written(model: Any) -> bool:
    """Whether `forward` is the model's own: every module has one, which only raises an error."""
    return getattr(type(model), "forward", None) not in (None, nn.Module.forward)


def _shown(model: Any) -> str:
    return "None" if model is None else f"a {type(model).__name__}"
