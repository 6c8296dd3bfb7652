"""Work that goes on only while somebody asks for it, so that nothing is left running."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator


class GradualWork:
    """Long work as an iterator of short steps; any thread may ask it to go on."""

    def __init__(self, steps: Iterator[object]) -> None:
        """
        Args:
            steps: each `next` does a part of the work; what it yields is not looked at.
        """
        self._steps = steps
        self._lock = threading.Lock()
        self._failure: Exception | None = None
        self.finished = False

    def advance(self, seconds: float) -> None:
        """Go on for about so long: at least one step, unless another thread is at it.

        Raises:
            Exception: what a step raised, in this call or an earlier one.
        """
        if self.finished or not self._lock.acquire(blocking=False):
            return
        try:
            self._go_on(time.monotonic() + seconds)
        finally:
            self._lock.release()

    def finish(self) -> None:
        """Do all that is left.

        Raises:
            Exception: what a step raised.
        """
        with self._lock:
            self._go_on(float("inf"))

    def _go_on(self, until: float) -> None:
        if self._failure is not None:
            raise self._failure
        try:
            while not self.finished:
                if next(self._steps, self) is self:
                    self.finished = True
                if time.monotonic() >= until:
                    return
        except Exception as why:
            self._failure = why
            raise
