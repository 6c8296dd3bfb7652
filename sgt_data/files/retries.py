"""Try file access again when a connection fails; say at once when it can never succeed."""

from __future__ import annotations

import errno
import logging
import os
import time
import zlib
from collections.abc import Callable
from typing import TypeVar

from sgt_data.errors import FileMissing, SgtDataError, SourceError, Unreachable
from sgt_data.event_log import tell
from sgt_data.files.troubles import BROKEN, NO_ANSWER, SHORT, note_trouble
from sgt_data.foreign_errors import in_words
from sgt_data.redaction import shown_text

_T = TypeVar("_T")


class ShortAnswer(OSError):
    """Fewer bytes came than there are, as if a connection had ended in between."""


ATTEMPTS, MOST_ATTEMPTS = 4, 7
"""How often access is tried. Where attempts fail fast, more of them fit into `PATIENCE_SECONDS`."""

PATIENCE_SECONDS = 20.0
"""An outage of a server that is over before is survived."""

REFUSED_ATTEMPTS = 3
"""How often access is tried where a server forbids it (401, 403). Most refusals stay. Some do not:
stores forbid what they allow a moment later where keys were just made or renewed, where a clock was
just set, and where too many ask."""

PAUSE_SECONDS, _LONGEST_PAUSE = 0.5, 8.0
"""Pause before the second attempt; each further pause is twice as long, up to the longest."""

_FOR_EVER = frozenset(
    {
        errno.EACCES, errno.EPERM, errno.EISDIR, errno.ENAMETOOLONG, errno.ELOOP,
        errno.EROFS, errno.ENOSPC, errno.EDQUOT,
    }
)  # fmt: skip
"""What the next attempt would answer again."""

_FORBIDDEN = (401, 403)
_PASSING_CODES = frozenset({"RequestTimeout", "OperationAborted", "ConditionalRequestConflict"})
"""Refusals of S3 (400, 409) that mean "later"."""


def retried(access: Callable[[], _T], what: str) -> _T:
    """The result of `access`, which is called again after a pause when a connection fails.

    Every failure that is followed by another attempt is counted (see `troubles`).

    Args:
        access: reads or writes something; it must be safe to repeat.
        what: beginning of the error message, such as `cannot read s3://bucket/file`.

    Raises:
        FileMissing: the file does not exist (not tried again).
        Unreachable: every attempt failed, and a later one may succeed.
        SourceError: access is refused.
    """
    began = time.monotonic()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        try:
            return access()
        except SgtDataError:
            raise  # said by our own code, in its own words
        except Exception as why:
            # backends raise classes of their own (aiohttp, botocore): unknown ones mean "later"
            _raise_what_stays(why, what)
            status = http_status(why)
            if status in _FORBIDDEN and attempt == REFUSED_ATTEMPTS:
                raise SourceError(f"{what}: {_describe(why)}") from _shown(why)
            if attempt >= _most_attempts(why, time.monotonic() - began):
                raise Unreachable(f"{what}: {_describe(why)}") from _shown(why)
            note_trouble(_trouble(why))
            pause = _pause(attempt, what)
            words = f"{what}: {_describe(why)}; tried again after {pause:.1f} s"
            tell("retried", words, logging.WARNING, attempt=attempt, pause=pause)
            time.sleep(pause)
    raise AssertionError("unreachable")


def _raise_what_stays(why: Exception, what: str) -> None:
    """Raise the error of a failure that another attempt cannot change."""
    status = http_status(why)
    missing = isinstance(why, FileNotFoundError) and status is None
    if missing or status in (404, 410):
        raise FileMissing(f"{what}: no such file") from _shown(why)
    if isinstance(why, NotADirectoryError):
        raise FileMissing(
            f"{what}: no such file; a part of the path is a file, not a folder"
        ) from why
    is_refused = isinstance(why, OSError) and why.errno in _FOR_EVER and status is None
    if is_refused or (_is_refusal(status) and _code(why) not in _PASSING_CODES):
        raise SourceError(f"{what}: {_describe(why)}") from _shown(why)


def _most_attempts(why: Exception, seconds: float) -> int:
    """How often to try in all, after so many seconds: a disk that fails is no server that rests."""
    is_of_disk = isinstance(why, OSError) and why.errno is not None and http_status(why) is None
    is_of_network = isinstance(why, ConnectionError | TimeoutError)
    is_short = is_of_disk and not is_of_network
    return ATTEMPTS if is_short or seconds >= PATIENCE_SECONDS else MOST_ATTEMPTS


def _pause(attempt: int, what: str) -> float:
    """Seconds until the next attempt; up to a quarter longer, so that workers do not ask at once.

    The part is taken from what is asked and by whom: nothing here is left to chance.
    """
    share = zlib.crc32(f"{what} {attempt} {os.getpid()}".encode()) / 2**32
    scale = PAUSE_SECONDS / 0.5
    return min(PAUSE_SECONDS * 2.0 ** (attempt - 1), _LONGEST_PAUSE * scale) * (1 + share / 4)


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
        cause = why.__cause__ or why.__context__
        if type(cause).__module__ == "aiohttp.http_exceptions":
            return None  # an answer that is broken; the client itself calls it a bad request
        if (status := _own_status(why)) is not None:
            return status
        why = cause
    return None


def _own_status(why: BaseException) -> int | None:
    response = getattr(why, "response", None)
    stated = [getattr(why, "status", None), getattr(response, "status_code", None)]
    if isinstance(response, dict):  # botocore's
        stated.append(response.get("ResponseMetadata", {}).get("HTTPStatusCode"))
    return next((each for each in stated if isinstance(each, int) and each >= 400), None)


def _trouble(why: BaseException) -> str:
    """The kind of trouble, for counts."""
    status = http_status(why)
    if status is not None:
        return str(status)
    if isinstance(why, TimeoutError) or "Timeout" in type(why).__name__:
        return NO_ANSWER
    return SHORT if isinstance(why, ShortAnswer) else BROKEN


def _is_refusal(status: int | None) -> bool:
    """Whether a server refused (HTTP 4xx), so that another attempt cannot help."""
    passing = (*_FORBIDDEN, 408, 429)
    return status is not None and 400 <= status < 500 and status not in passing


def _describe(why: BaseException) -> str:
    status = http_status(why)
    if status is None:
        return in_words(why)
    code = _code(why)
    return f"the server answered {status}{f' ({code})' if code else ''}"


def _code(why: BaseException | None) -> str:
    """The word by which S3 tells one refusal from another, such as `RequestTimeTooSkewed`."""
    while why is not None:
        response = getattr(why, "response", None)
        if isinstance(response, dict):
            code = str(response.get("Error", {}).get("Code", ""))
            return code if code.isalpha() else ""
        why = why.__cause__ or why.__context__
    return ""
