"""Cut a list of inputs into slices of consecutive ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def chunked(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    """Consecutive runs of at most `size` items."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
