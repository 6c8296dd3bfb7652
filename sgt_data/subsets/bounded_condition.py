"""A `where` expression, looked at in a process of its own, whose memory and time are bounded.

DuckDB's own limit of memory does not count the texts that functions make, and a function that has
begun cannot be interrupted. A process can be bounded and killed.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.subsets.condition_frames import (
    MATCHES,
    REFUSED,
    encode_table,
    read_frame,
    write_frame,
)
from sgt_data.value_text import counted, cut

MEMORY_BYTES = 1 << 30
"""Memory that an expression may take beside what the process has when it begins: the columns of
32,768 keys are 4 MB, so honest expressions stay far below it, and it fits beside a driver."""

SECONDS_MAX = 60.0
"""How long an expression may look at one block of keys. Honest ones take milliseconds, so this
leaves room for a start on a busy machine."""


class BoundedCondition:
    """Looks at an expression in a process that is started now and ends with `close`."""

    def __init__(
        self, expression: str, memory: int = MEMORY_BYTES, seconds: float = SECONDS_MAX
    ) -> None:
        """
        Args:
            expression: in DuckDB's SQL.
            memory: bytes that it may take.
            seconds: how long it may look at one table.
        """
        self._expression, self._memory, self._seconds = expression, memory, seconds
        # -P: a file in the working directory must not take the place of a package
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "sgt_data.subsets.condition_process", str(memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
        )
        self._is_late = False
        with suppress(OSError):  # a process that has ended says so at the first table
            write_frame(self._process.stdin, MATCHES, expression.encode())

    def matching(self, description: pa.Table) -> NDArray[np.bool_]:
        """The rows that the expression is true of: `[rows] bool`.

        Raises:
            RequestError: it is no expression over these columns, or takes too much memory or time.
        """
        patience = threading.Timer(self._seconds, self._end_late)
        patience.start()
        try:
            write_frame(self._process.stdin, MATCHES, encode_table(description))
            kind, answer = read_frame(self._process.stdout)
        except (OSError, EOFError):
            raise self._exceeded(len(description)) from None
        finally:
            patience.cancel()
        if kind == REFUSED:
            raise RequestError(answer.decode())
        if kind != MATCHES:
            raise self._exceeded(len(description))
        return np.unpackbits(np.frombuffer(answer, np.uint8), count=len(description)).astype(bool)

    @property
    def process(self) -> int:
        """Number of the process."""
        return self._process.pid

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _end_late(self) -> None:
        self._is_late = True
        self._process.kill()

    def _exceeded(self, rows: int) -> RequestError:
        bound = (
            f"{self._seconds:g} seconds"
            if self._is_late
            else f"{self._memory >> 20:,} MiB of memory"
        )
        return RequestError(
            f"where: {cut(self._expression, 400)}: it takes more than {bound} for "
            f"{counted(rows, 'key')}; write one that makes no long texts or lists and does not "
            "repeat work"
        )


def _environment() -> dict[str, str]:
    """Of a process that finds the same packages. Arrow's own allocator reserves more addresses than
    it uses, which count against the bound."""
    paths = os.pathsep.join(os.path.abspath(path) for path in sys.path)
    return {**os.environ, "PYTHONPATH": paths, "ARROW_DEFAULT_MEMORY_POOL": "system"}
