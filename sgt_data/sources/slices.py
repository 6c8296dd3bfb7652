"""Cut a list of inputs into slices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

_Item = TypeVar("_Item")


def chunked(items: list[_Item], size: int) -> Iterator[list[_Item]]:
    """Parts of a list, in order, of `size` items each; the last part may be shorter."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
