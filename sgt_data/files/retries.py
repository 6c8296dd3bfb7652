"""Try file access again when a connection fails; say at once when it can never succeed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from sgt_data.errors import FileMissing, SourceError

_T = TypeVar("_T")


class ShortAnswer(OSError):
    """Fewer bytes came than there are, as if a connection had ended in between."""


ATTEMPTS = 4
PAUSE_SECONDS = 0.5
"""Pause before the second attempt; each further pause is twice as long."""


def retried(access: Callable[[], _T], what: str) -> _T:
    """The result of `access`, which is called again after a pause when a connection fails.

    Args:
        access: reads or writes something; it must be safe to repeat.
        what: beginning of the error message, such as `cannot read s3://bucket/file`.

    Raises:
        FileMissing: the file does not exist (not tried again).
        SourceError: access is refused (not tried again), or every attempt failed.
    """
    for attempt in range(ATTEMPTS):
        try:
            return access()
        except Exception as why:
            # backends raise classes of their own (aiohttp, botocore): unknown ones mean "later"
            status = http_status(why)
            missing = isinstance(why, FileNotFoundError) and status is None
            if missing or status in (404, 410):
                raise FileMissing(f"{what}: no such file") from why
            if isinstance(why, (PermissionError, IsADirectoryError, NotADirectoryError)):
                raise SourceError(f"{what}: {_describe(why)}") from why
            if _is_refusal(status) or attempt == ATTEMPTS - 1:
                raise SourceError(f"{what}: {_describe(why)}") from why
            time.sleep(PAUSE_SECONDS * 2**attempt)
    raise AssertionError("unreachable")


def http_status(why: BaseException | None) -> int | None:
    """The HTTP status behind an exception or behind its causes; None where there is none."""
    while why is not None:
        response = getattr(why, "response", None)
        for status in (getattr(why, "status", None), getattr(response, "status_code", None)):
            if isinstance(status, int):
                return status
        why = why.__cause__ or why.__context__
    return None


def _is_refusal(status: int | None) -> bool:
    """Whether a server refused (HTTP 4xx), so that another attempt cannot help."""
    return status is not None and 400 <= status < 500 and status not in (408, 429)


def _describe(why: BaseException) -> str:
    status = http_status(why)
    if status is not None:
        return f"the server answered {status}"
    if isinstance(why, ShortAnswer):
        return str(why)
    return f"{type(why).__name__}: {why}"
