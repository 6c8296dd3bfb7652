"""Arrays that are made once and kept, as many as fit into a bound."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from numpy.typing import NDArray

CACHE_BYTES = 256 * 1024**2
"""Bytes of arrays that one cache keeps."""


@dataclass(slots=True)
class PixelCache:
    """Arrays by name. Those that no longer fit are not kept, and are made again when asked for.

    Attributes:
        kept: the arrays.
        size: their bytes.
    """

    kept: dict[Hashable, NDArray[Any]] = field(default_factory=dict)
    size: int = 0

    def get(self, name: Hashable) -> NDArray[Any] | None:
        """The array of a name; None where it is not kept."""
        return self.kept.get(name)

    def put(self, name: Hashable, array: NDArray[Any]) -> NDArray[Any]:
        """Keep an array if there is room, and return it."""
        if self.size + array.nbytes <= CACHE_BYTES:
            self.kept[name] = array
            self.size += array.nbytes
        return array
