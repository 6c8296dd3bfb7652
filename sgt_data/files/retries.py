"""Try file access again when a connection fails; say at once when it can never succeed."""

from __future__ import annotations

import errno
import logging
import time
from collections.abc import Callable
from typing import TypeVar

from sgt_data.errors import FileMissing, SgtDataError, SourceError
from sgt_data.event_log import tell
from sgt_data.foreign_errors import in_words
from sgt_data.redaction import shown_text

_T = TypeVar("_T")


class ShortAnswer(OSError):
    """Fewer bytes came than there are, as if a connection had ended in between."""


ATTEMPTS = 4
PAUSE_SECONDS = 0.5
"""Pause before the second attempt; each further pause is twice as long."""

_FOR_EVER = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP,
        errno.EROFS, errno.ENOSPC, errno.EDQUOT,
    }
)  # fmt: skip
"""What the next attempt would answer again."""


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
        except SgtDataError:
            raise  # said by our own code, in its own words
        except Exception as why:
            # backends raise classes of their own (aiohttp, botocore): unknown ones mean "later"
            status = http_status(why)
            missing = isinstance(why, FileNotFoundError) and status is None
            if missing or status in (404, 410):
                raise FileMissing(f"{what}: no such file") from _shown(why)
            if isinstance(why, NotADirectoryError):
                raise FileMissing(
                    f"{what}: no such file; a part of the path is a file, not a folder"
                ) from why
            if isinstance(why, OSError) and why.errno in _FOR_EVER:
                raise SourceError(f"{what}: {_describe(why)}") from _shown(why)
            if _is_refusal(status) or attempt == ATTEMPTS - 1:
                raise SourceError(f"{what}: {_describe(why)}") from _shown(why)
            pause = PAUSE_SECONDS * 2**attempt
            words = f"{what}: {_describe(why)}; tried again after {pause:g} s"
            tell("retried", words, logging.WARNING, attempt=attempt + 1, pause=pause)
            time.sleep(pause)
    raise AssertionError("unreachable")


class _Redacted(Exception):
    """Stands for an exception whose own text holds a secret, which a traceback would show."""

    status: int | None = None


def _shown(why: Exception) -> Exception:
    """The exception, or one with its text and HTTP status where its own text holds a secret."""
    if (text := f"{why} {why!r}") == shown_text(text):
        return why
    redacted = _Redacted(shown_text(f"{type(why).__name__}: {why}"))
    redacted.status = http_status(why)
    return redacted


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
    return in_words(why)
