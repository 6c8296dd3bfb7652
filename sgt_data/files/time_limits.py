"""How long access to remote files may take, where a backend can be bounded."""

from __future__ import annotations

from typing import Any

from fsspec.asyn import AsyncFileSystem

RANGE_SECONDS, FILE_SECONDS = 60.0, 600.0
"""How long one attempt at a range of a few megabytes, or at a whole file, may take."""


def time_limit(filesystem: Any, seconds: float) -> dict[str, float]:
    """The option by which fsspec's blocking calls end the coroutine behind them in time."""
    return {"timeout": seconds} if isinstance(filesystem, AsyncFileSystem) else {}
