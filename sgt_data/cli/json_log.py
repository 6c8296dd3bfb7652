"""The option `--log-json`: a command's events as lines of JSON, in a file or on standard error."""

from __future__ import annotations

import functools
import logging
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import ParamSpec, TextIO

from sgt_data.errors import RequestError, SgtDataError
from sgt_data.event_log import LOGGER, JsonLines, tell
from sgt_data.foreign_errors import in_words

_P = ParamSpec("_P")

_OPTION = "log_json"
_STDERR = "-"


def with_log(name: str, command: Callable[_P, int]) -> Callable[_P, int]:
    """A command that writes its log where `--log-json` says; one without the option as it is."""

    @functools.wraps(command)
    def run(*arguments: _P.args, **options: _P.kwargs) -> int:
        place = options.get(_OPTION)
        if place is None:
            return command(*arguments, **options)
        with _opened(str(place)) as stream, _heard(JsonLines(stream, name)):
            began = time.monotonic()
            tell("started", f"sgt-data {name}", version=version("sgt-data"))
            code, why = 1, ""
            try:
                code = command(*arguments, **options)
                return code
            except SgtDataError as error:
                code, why = error.exit_code, str(error)
                raise
            except OSError as error:
                why = in_words(error)
                raise
            finally:
                level = logging.ERROR if code else logging.INFO
                seconds = round(time.monotonic() - began, 3)
                words = why or ("done" if code == 0 else f"ended with exit code {code}")
                tell("finished", words, level, exit_code=code, seconds=seconds)

    return run


@contextmanager
def _opened(place: str) -> Iterator[TextIO]:
    """The stream of a log; a file that exists is continued.

    Raises:
        RequestError: the file cannot be written.
    """
    if place == _STDERR:
        yield sys.stderr
        return
    try:
        stream = open(place, "a", encoding="utf-8", errors="replace")  # noqa: SIM115
    except OSError as why:
        raise RequestError(
            f"--log-json: {place} cannot be written: {in_words(why)}; give a file in a folder that "
            "exists, or - for standard error"
        ) from why
    with stream:
        yield stream


@contextmanager
def _heard(handler: logging.Handler) -> Iterator[None]:
    """In the block, a handler gets all events."""
    level = LOGGER.level
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(level)
