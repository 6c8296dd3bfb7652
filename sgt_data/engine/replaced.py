"""Functions of another library that are replaced for a while, where it has no setting for it."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any


@contextmanager
def replaced(changes: Sequence[tuple[Any, str, Any]]) -> Iterator[bool]:
    """In the block, attributes have other values: all of them, or none where one does not exist.

    Args:
        changes: owner, name and value in the block of each attribute.

    Yields:
        whether they are replaced.
    """
    if not all(hasattr(owner, name) for owner, name, _ in changes):
        yield False
        return
    before = [(owner, name, inspect.getattr_static(owner, name)) for owner, name, _ in changes]
    try:
        for owner, name, value in changes:
            setattr(owner, name, value)
        yield True
    finally:
        for owner, name, value in before:
            setattr(owner, name, value)
