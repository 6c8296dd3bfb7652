"""Adapters for functions that do not call `OnProgress` yet.

To be deleted as soon as builds, copies, exports, questions and samples do.
"""

from __future__ import annotations

from collections.abc import Callable

from sgt_data.progress import OnProgress, Progress


def of_counts(on_progress: OnProgress) -> Callable[[int, int], None]:
    """For functions that tell units done, and all."""
    return lambda done, total: on_progress(Progress(done, total))


def of_steps(on_progress: OnProgress) -> Callable[[], None]:
    """For functions that tell nothing but that a unit is done."""
    done = 0

    def call() -> None:
        nonlocal done
        done += 1
        on_progress(Progress(done))

    return call
