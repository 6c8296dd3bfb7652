"""Kinds of sources, proxies and annotators: the built-in ones, and those of a user's packages."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TypeVar

_Kind = TypeVar("_Kind")


def registered(group: str, built_in: Mapping[str, type[_Kind]]) -> dict[str, type[_Kind]]:
    """Classes by name: those of `built_in`, and those of the entry points of a group."""
    return {**built_in, **{point.name: point.load() for point in entry_points(group=group)}}
