"""Plug-ins that a person named for this run: files and modules, and the classes that they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sgt_data.errors import PluginError
from sgt_data.plugins.contract import check_kind
from sgt_data.plugins.member import Member, base_of, is_own
from sgt_data.plugins.python_file import import_problem, imported, read_python_file

_Kind = TypeVar("_Kind", bound=Member)

_REGISTERED: dict[str, _Plugin] = {}


@dataclass(frozen=True, slots=True)
class _Plugin:
    """What one file or module adds.

    Attributes:
        module: as it was imported.
        kinds: its classes.
    """

    module: ModuleType
    kinds: tuple[type[Member], ...]


def use_plugins(plugins: Sequence[str], field: str = "plugins") -> None:
    """Import files and modules, and register their sources, annotators and proxies.

    They hold for this process. A file that has changed since takes the place of its older text.

    Args:
        plugins: paths of files (`my_proxy.py`), or names of installed modules (`package.module`).
        field: that names them, for messages.

    Raises:
        PluginError: one cannot be imported, or a class in it is wrong: names file, class, method.
    """
    for number, plugin in enumerate(plugins):
        _use(plugin, f"{field}.{number}" if len(plugins) > 1 else field)


def plugin_kinds(base: type[_Kind]) -> dict[str, type[_Kind]]:
    """The registered classes that extend a base class, by their `type`."""
    return {
        kind.model_fields["type"].get_default(): kind
        for plugin in _REGISTERED.values()
        for kind in plugin.kinds
        if issubclass(kind, base)
    }


def is_file(plugin: str) -> bool:
    """Whether a plug-in is named by the path of a file, and not as a module."""
    return plugin.endswith(".py") or "/" in plugin or "\\" in plugin


def check_is_local(plugin: Any, field: str) -> None:
    """Refuse code that lies elsewhere.

    Raises:
        PluginError: the plug-in is a URL, or no text.
    """
    if not isinstance(plugin, str) or not plugin.strip():
        raise PluginError(
            f"{field}: found {plugin!r:.60}; a plug-in is the path of a Python file (my_proxy.py) "
            "or the name of an installed module (package.module)"
        )
    if "://" in plugin or "::" in plugin:
        raise PluginError(
            f"{field}: found {plugin:.80}; code is run from local files alone: copy the file "
            "beside the manifest, read it, and name the copy"
        )


def _use(plugin: str, field: str) -> None:
    check_is_local(plugin, field)
    if is_file(plugin):
        file = read_python_file(plugin, field)
        place, module = file.path, imported(file, field)
    else:
        file, place = None, plugin
        try:
            module = import_module(plugin)
        except (Exception, SystemExit) as why:
            beside = Path(f"{plugin.partition(':')[0]}.py")
            hint = f"; did you mean the file {beside}?" if beside.is_file() else ""
            problem = import_problem(why, plugin, field)
            raise PluginError(f"{problem}{hint}") from why
    if place in _REGISTERED and _REGISTERED[place].module is module:
        return
    kinds = _kinds_in(module)
    if not kinds:
        raise PluginError(f"{field}: {place} {_why_none(module)}")
    for kind in kinds:
        kind.own_file = file
        check_kind(kind, base_of(kind), field)
        _check_is_free(kind, place, field)
    _REGISTERED[place] = _Plugin(module, kinds)


def _kinds_in(module: ModuleType) -> tuple[type[Member], ...]:
    """The classes that a module defines; those that begin with an underscore are its own affair."""
    return tuple(
        value
        for name, value in vars(module).items()
        if isinstance(value, type)
        and issubclass(value, Member)
        and is_own(value)
        and f"{value.__module__}.".startswith(f"{module.__name__}.")
        and not name.startswith("_")
    )


def _why_none(module: ModuleType) -> str:
    """Why a module registers nothing."""
    methods = {"draw": "proxies.base.Proxy", "inventory": "sources.base.Source",
               "find_weights": "annotators.base.Annotator"}  # fmt: skip
    for name, value in vars(module).items():
        if isinstance(value, type) and value.__module__ == module.__name__:
            for method, base in methods.items():
                if hasattr(value, method):
                    bare = base.rpartition(".")[2]
                    return (
                        f"registers nothing: class {name} extends no class of sgt_data; write "
                        f"`from sgt_data.{base.rpartition('.')[0]} import {bare}` and "
                        f"`class {name}({bare})`"
                    )
    return (
        "registers nothing: it has no class that extends Proxy, Source or Annotator (classes "
        "whose names begin with _ are left out); `sgt-data new proxy NAME` writes one to begin with"
    )


def _check_is_free(kind: type[Member], place: str, field: str) -> None:
    """Refuse a kind whose name another plug-in or this package has."""
    base, name = base_of(kind), kind.model_fields["type"].get_default()
    for other, plugin in _REGISTERED.items():
        taken = [
            each for each in plugin.kinds
            if issubclass(each, base) and each.model_fields["type"].get_default() == name
        ]  # fmt: skip
        if taken and other != place:
            raise PluginError(
                f"{field}: {place}, class {kind.__name__}: the type {name!r} is that of "
                f"{taken[0].__name__} in {other}; take another"
            )
