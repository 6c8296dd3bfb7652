"""How many seconds the codecs took in this thread: what no way of drawing could save.

A measurement costs about a microsecond; a codec works for milliseconds.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
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


@contextmanager
def codec_at_work(codec: Codec) -> Iterator[None]:
    """Count the seconds of the block as those of a codec."""
    clock = _CLOCK
    if clock.is_running:
        yield
        return
    clock.is_running, began = True, perf_counter()
    try:
        yield
    finally:
        clock.is_running = False
        clock.seconds[codec] = clock.seconds.get(codec, 0.0) + perf_counter() - began


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
