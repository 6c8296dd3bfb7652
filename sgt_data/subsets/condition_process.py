"""The process in which a `where` expression is looked at, with a bound on its memory.

    python -m sgt_data.subsets.condition_process BYTES

It reads frames (see `condition_frames`) until there are no more, and answers each table.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from sgt_data.errors import RequestError
from sgt_data.subsets.condition_frames import (
    EXCEEDED,
    MATCHES,
    REFUSED,
    decode_table,
    read_frame,
    write_frame,
)
from sgt_data.subsets.where import Condition


def main() -> None:
    """Answer until nobody asks."""
    pipe_in, pipe_out = sys.stdin.buffer, sys.stdout.buffer
    with suppress(EOFError, BrokenPipeError):
        expression = read_frame(pipe_in)[1].decode()
        condition: Condition | None = None
        while True:
            table = decode_table(read_frame(pipe_in)[1])
            try:
                if condition is None:
                    condition = _opened(expression, table.schema)
                matches = condition.matching(table)
                write_frame(pipe_out, MATCHES, np.packbits(matches).tobytes())
            except RequestError as why:
                write_frame(pipe_out, REFUSED, str(why).encode())
            except MemoryError:
                write_frame(pipe_out, EXCEEDED, b"")


def _opened(expression: str, columns: pa.Schema) -> Condition:
    """The expression, and from then on the bound: with DuckDB loaded, before it looks at a row."""
    with suppress(ImportError):  # the condition says what is missing
        import duckdb  # noqa: F401
    _bound_memory(int(sys.argv[1]))
    return Condition(expression, columns)


def _bound_memory(nbytes: int) -> None:
    """Let this process take so many bytes more, where the system knows such a bound (Linux)."""
    with suppress(ImportError, OSError, ValueError):
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
        most = pages * resource.getpagesize() + nbytes
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


if __name__ == "__main__":
    main()
