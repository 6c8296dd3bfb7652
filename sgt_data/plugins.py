"""Kinds of sources, proxies and annotators: the built-in ones, and those of a user's packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import TypeVar

_Kind = TypeVar("_Kind")


class Kinds(dict[str, type[_Kind]]):
    """Classes by the `type` that a manifest gives, without the plug-ins that cannot be imported."""

    def __init__(self, kinds: Mapping[str, type[_Kind]], broken: Mapping[str, str]) -> None:
        super().__init__(kinds)
        self._broken = dict(broken)

    def broken(self) -> dict[str, str]:
        """Why plug-ins cannot be imported, by name."""
        return dict(self._broken)


def registered(group: str, built_in: Mapping[str, type[_Kind]]) -> Kinds[_Kind]:
    """Classes by name: those of `built_in`, and those of the entry points of a group."""
    kinds, broken = dict(built_in), {}
    for point in entry_points(group=group):
        try:
            kinds[point.name] = point.load()
        except (Exception, SystemExit) as why:
            broken[point.name] = _problem(point, why)
    return Kinds(kinds, broken)


def _problem(point: EntryPoint, why: BaseException) -> str:
    package = point.dist.name if point.dist else "a package"
    reason = str(why).partition("\n")[0]
    return (
        f"entry point {point.value!r} of {package} cannot be imported: "
        f"{type(why).__name__}{f': {reason}' if reason else ''}"
    )
