"""The progress bar of the command line."""

from __future__ import annotations

from typing import Self

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress
from rich.text import Text

from sgt_data.cli.output import messages, size_text
from sgt_data.progress import Progress


class ProgressBar:
    """A bar on standard error: units done, of how many, units per second, time left, a note.

    It is a context manager, and an `OnProgress`: within the context, call it with each `Progress`.
    """

    def __init__(self, unit: str) -> None:
        """Prepare a bar; it is shown from `__enter__` to `__exit__`.

        Args:
            unit: what is counted, in the plural: pictures, samples, shards, steps.
        """
        self._bar = RichProgress(
            SpinnerColumn(),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn(unit),
            _Rate(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=messages,
            transient=True,
        )
        self._task = self._bar.add_task(unit, total=None, note="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        # an estimated total may be less than what is done by now
        total = None if progress.total is None else max(progress.done, progress.total)
        self._bar.update(
            self._task, completed=progress.done, total=total, note=_note_text(progress)
        )


class _Rate(ProgressColumn):
    """Units per second."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s")


def _note_text(progress: Progress) -> str:
    parts = [progress.note] if progress.note else []
    if progress.shards:
        parts.append(f"{progress.shards:,} shards")
    if progress.nbytes:
        parts.append(size_text(progress.nbytes))
    note = ", ".join(parts)
    return note if progress.exact else f"{note} (total estimated)".lstrip()
