"""Kinds of sources, proxies and annotators by name: ours, and those that a user's package adds."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TypeVar

_Kind = TypeVar("_Kind")


def registered(group: str, own: Mapping[str, type[_Kind]]) -> dict[str, type[_Kind]]:
    """`own`, and what the entry points of a group name beside it."""
    return {**own, **{point.name: point.load() for point in entry_points(group=group)}}
