"""What `sgt-data experiment` shows: progress while it works, and its results at the end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as ProgressBar

from sgt_data.progress import Progress

if TYPE_CHECKING:
    from sgt_data.experiment.prepared_experiment import ExperimentReport

_SPEED_OVER_SECONDS = 600.0


class ExperimentProgress:
    """A bar over the training samples of all runs, with the time left and what is being done.

    Notes that start with `note: ` are for the reader and stay on the screen.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = ProgressBar(
            SpinnerColumn(),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
            speed_estimate_period=_SPEED_OVER_SECONDS,
        )
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._bar.stop()

    def __call__(self, progress: Progress) -> None:
        if progress.note.startswith("note: "):
            self._console.print(progress.note, markup=False)
            return
        self._bar.update(
            self._task,
            description=progress.note,
            completed=progress.done,
            total=progress.total,
        )


def experiment_text(report: ExperimentReport) -> str:
    """The main comparisons, the number of runs with a result, and the path of the page."""
    lines = [*report.findings]
    if report.page is not None:
        done = report.runs - len(report.failures)
        lines.append(f"{done} of {report.runs} runs on {report.split}: {report.page}")
    return "\n".join(lines)


def experiment_json(report: ExperimentReport) -> dict[str, Any]:
    """The report as plain data."""
    return {**asdict(report), "succeeded": report.succeeded}


def failure_lines(report: ExperimentReport, test: bool) -> Sequence[str]:
    """Runs that failed, and what to do next.

    Args:
        report: report of the experiment.
        test: whether results on the test split were asked for.
    """
    lines = [f"failed: {failure}" for failure in report.failures]
    if report.failures:
        lines.append("The same command does what is missing, and nothing else.")
    if report.failures and test and report.split != "test":
        lines.append("The test split stays closed until every run is there.")
    return lines
