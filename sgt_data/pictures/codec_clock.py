"""How many seconds the codecs took in this thread: what no way of drawing could save.

A measurement costs about a microsecond; a codec works for milliseconds.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from time import perf_counter
from typing import Literal, ParamSpec, TypeVar

Codec = Literal["picture decoding", "JPEG encoding", "PNG encoding"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _Clock(threading.local):
    """Seconds by codec, and whether one is at work: a codec that calls another counts alone."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.is_running = False


_CLOCK = _Clock()


class codec_at_work:  # a context manager, called as a function is
    """Count the seconds of a block as those of a codec."""

    __slots__ = ("_began", "_codec", "_is_outer")

    def __init__(self, codec: Codec) -> None:
        self._codec: Codec = codec

    def __enter__(self) -> None:
        self._is_outer = not _CLOCK.is_running
        _CLOCK.is_running = True
        self._began = perf_counter()

    def __exit__(self, *_: object) -> None:
        if self._is_outer:
            seconds = perf_counter() - self._began
            _CLOCK.seconds[self._codec] = _CLOCK.seconds.get(self._codec, 0.0) + seconds
            _CLOCK.is_running = False


def timed_codec(codec: Codec) -> Callable[[Callable[_P, _R]], Callable[_P, _R]]:
    """Decorate a function all of whose work is that of a codec."""

    def decorate(function: Callable[_P, _R]) -> Callable[_P, _R]:
        @functools.wraps(function)
        def timed(*arguments: _P.args, **options: _P.kwargs) -> _R:
            with codec_at_work(codec):
                return function(*arguments, **options)

        return timed

    return decorate


def codec_seconds() -> dict[str, float]:
    """Seconds by codec that this thread has counted since it began."""
    return dict(_CLOCK.seconds)
