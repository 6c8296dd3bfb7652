"""Adapters for functions that do not call `OnProgress` yet.

To be deleted as soon as builds, copies, exports, questions and samples do.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sgt_data.progress import OnProgress, Progress

if TYPE_CHECKING:
    from sgt_data.engine.build import Progress as BuildProgress


def of_build(on_progress: OnProgress) -> Callable[[BuildProgress], None]:
    """For builds and copies."""

    def call(state: BuildProgress) -> None:
        on_progress(Progress(state.inputs, state.expected, state.exact, state.shards, state.nbytes))

    return call


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
