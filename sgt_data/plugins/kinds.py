"""Kinds of sources, proxies and annotators by name: built in, of entry points, of plug-ins."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from sgt_data.errors import PluginError
from sgt_data.plugins.contract import check_kind
from sgt_data.plugins.member import Member
from sgt_data.plugins.origins import note_distribution
from sgt_data.plugins.python_file import import_problem
from sgt_data.plugins.registered import plugin_kinds, reserve

_Kind = TypeVar("_Kind", bound=Member)


class Kinds(Mapping[str, type[_Kind]], Generic[_Kind]):
    """Classes by the `type` that a manifest gives.

    An entry point is imported when its name is asked for, and one that cannot be imported breaks
    that name alone: `kinds[name]` raises its `PluginError`, and iterating leaves it out.
    """

    def __init__(self, group: str, base: type[_Kind], built_in: Mapping[str, type[_Kind]]) -> None:
        """
        Args:
            group: of the entry points.
            base: the class that every kind extends.
            built_in: the kinds of this package.
        """
        self._group, self._base, self._built_in = group, base, built_in
        reserve(base.role, built_in)
        self._loaded: dict[str, type[_Kind]] = {}
        self._broken: dict[str, PluginError] = {}

    def __getitem__(self, name: str) -> type[_Kind]:
        if name in self._built_in:
            return self._built_in[name]
        plugins = plugin_kinds(self._base)
        if name in plugins:
            return plugins[name]
        points = self._points[name]
        if name in self._broken:
            raise self._broken[name]
        if name not in self._loaded:
            try:
                self._loaded[name] = self._of_points(name, points)
            except PluginError as why:
                self._broken[name] = why
                raise
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        """Whether the name is registered, even where its class cannot be imported."""
        return name in self._names()

    def __iter__(self) -> Iterator[str]:
        broken = self.broken()
        return (name for name in self._names() if name not in broken)

    def __len__(self) -> int:
        return len(self._names()) - len(self.broken())

    def installed(self) -> tuple[str, ...]:
        """Names of the kinds of this package and of entry points, without those of plug-ins."""
        return (*self._built_in, *self._points)

    def broken(self) -> dict[str, str]:
        """Why entry points cannot be used, by name. Imports all of them."""
        for name in self._points:
            if name not in self._loaded and name not in self._broken:
                try:
                    self[name]
                except PluginError as why:
                    self._broken[name] = why
        return {name: str(why) for name, why in self._broken.items()}

    def _names(self) -> dict[str, None]:
        return dict.fromkeys((*self.installed(), *plugin_kinds(self._base)))

    @cached_property
    def _points(self) -> dict[str, list[EntryPoint]]:
        points: dict[str, list[EntryPoint]] = {}
        for point in entry_points(group=self._group):
            if point.name not in self._built_in:
                points.setdefault(point.name, []).append(point)
        return points

    def _of_points(self, name: str, points: Sequence[EntryPoint]) -> type[_Kind]:
        """The class of an entry point, imported and checked."""
        point, *others = points
        package = point.dist.name if point.dist else "a package"
        field = f"{self._base.role} {name}: entry point {point.value!r} of {package}"
        if others:
            values = ", ".join(other.value for other in others)
            raise PluginError(f"{field}: {values} has the same name; uninstall one of them")
        try:
            kind = point.load()
        except (Exception, SystemExit) as why:
            raise import_problem(why, point.module, field) from why
        check_kind(kind, self._base, field, name)
        if point.dist:
            note_distribution(kind, point.dist.name, point.dist.version)
        checked: type[_Kind] = kind
        return checked
