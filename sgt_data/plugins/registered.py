"""Plug-ins that a person named for this run: files and modules, and the classes that they have."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from sgt_data.errors import PluginError
from sgt_data.plugins.contract import check_kind
from sgt_data.plugins.member import Member, base_of, is_own
from sgt_data.plugins.python_file import (
    PythonFile,
    import_problem,
    imported,
    read_python_file,
)
from sgt_data.value_text import cut

_Kind = TypeVar("_Kind", bound=Member)

_REGISTERED: dict[tuple[str, str], type[Member]] = {}
"""By role and type: the class that was named last for this process."""

_RESERVED: set[tuple[str, str]] = set()
"""Role and type of the built-in classes."""


def reserve(role: str, types: Iterable[str]) -> None:
    """Note the types of built-in classes, which no plug-in may have."""
    _RESERVED.update((role, name) for name in types)


def use_plugins(
    plugins: Sequence[str | os.PathLike[str]] | str | os.PathLike[str], field: str = "plugins"
) -> None:
    """Import files and modules, and register their sources, annotators and proxies.

    They hold for this process; a class takes the place of an earlier one of the same type.

    Args:
        plugins: paths of files (`my_proxy.py`), or names of installed modules (`package.module`);
            or one of these alone.
        field: that names them, for messages.

    Raises:
        PluginError: one cannot be imported, or a class in it is wrong: names file, class, method.
    """
    named: dict[tuple[str, str], tuple[type[Member], str]] = {}
    listed = [plugins] if isinstance(plugins, str | os.PathLike) else plugins
    for number, given in enumerate(listed):
        plugin = os.fspath(given) if isinstance(given, os.PathLike) else given
        where = f"{field}.{number}" if len(listed) > 1 else field
        for kind in _kinds_of(plugin, where):
            key = kind.role, kind.model_fields["type"].get_default()
            if key in _RESERVED:
                raise PluginError(
                    f"{where}: {plugin}, class {kind.__name__}: the type {key[1]!r} is that of a "
                    f"built-in {kind.role}; give its type another default"
                )
            if key in named and named[key][0] is not kind:
                other, place = named[key]
                raise PluginError(
                    f"{where}: {plugin}, class {kind.__name__}: the type {key[1]!r} is that of "
                    f"{other.__name__} in {place}; take another"
                )
            named[key] = kind, plugin
    _REGISTERED.update({key: kind for key, (kind, _) in named.items()})


def forget_plugins() -> None:
    """Take back all classes that were registered in this process."""
    _REGISTERED.clear()


def plugin_kinds(base: type[_Kind]) -> dict[str, type[_Kind]]:
    """The registered classes that extend a base class, by their `type`."""
    return {name: kind for (_, name), kind in _REGISTERED.items() if issubclass(kind, base)}


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
            f"{field}: found {cut(plugin, 60)}; a plug-in is the path of a Python file "
            "(my_proxy.py) or the name of an installed module (package.module)"
        )
    if "://" in plugin or "::" in plugin:
        raise PluginError(
            f"{field}: found {cut(plugin)}; code is run from local files alone: copy the file "
            "beside the manifest, read it, and name the copy"
        )


def _kinds_of(plugin: str, field: str) -> tuple[type[Member], ...]:
    """The classes of one plug-in, each checked."""
    check_is_local(plugin, field)
    file: PythonFile | None = None
    if is_file(plugin):
        file = read_python_file(plugin, field)
        place, module = file.path, imported(file, field)
    else:
        place, module = plugin, _module(plugin, field)
    kinds = _kinds_in(module)
    if not kinds:
        raise PluginError(f"{field}: {place} {_why_none(module)}")
    for kind in kinds:
        kind.own_file = file
        check_kind(kind, base_of(kind), field)
    return kinds


def _module(name: str, field: str) -> ModuleType:
    """An installed module."""
    try:
        return import_module(name)
    except (Exception, SystemExit) as why:
        beside = Path(f"{name.partition('.')[0]}.py")
        hint = f"; did you mean the file {beside}?" if beside.is_file() else ""
        raise PluginError(f"{import_problem(why, name, field)}{hint}") from why


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
        is_own_class = isinstance(value, type) and value.__module__ == module.__name__
        if is_own_class and not issubclass(value, Member):
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
