"""What `sgt-data experiment` shows while it works, and at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from sgt_data.experiment.parallel_runs import State
    from sgt_data.experiment.run_experiment import ExperimentReport

_SPEED_OVER_SECONDS = 600.0


class ExperimentProgress:
    """Two bars: runs, and the training of all of them, from which the time left is told."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            SpinnerColumn(),
            BarColumn(),
            TextColumn("{task.fields[share]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[what]}"),
            console=console,
            transient=True,
            speed_estimate_period=_SPEED_OVER_SECONDS,
        )
        self._task = self._bar.add_task("", total=None, share="", what="")

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *ended: object) -> None:
        self._bar.stop()

    def note(self, text: str) -> None:
        """What is being done; what a reader must know stays on the screen."""
        if text.startswith("note: "):
            self._console.print(text, markup=False)
        else:
            self._bar.update(self._task, what=text)

    def __call__(self, split: str, state: State) -> None:
        names = ", ".join(name.rpartition("-")[0] for name in state.running)
        self._bar.update(
            self._task, total=1.0, completed=state.work,
            share=f"{state.done}/{state.jobs} runs on {split}", what=names,
        )  # fmt: skip


def experiment_text(report: ExperimentReport) -> str:
    """What came out, and where it stands."""
    lines = [*report.findings]
    if report.page is not None:
        done = report.runs - len(report.failures)
        lines.append(f"{done} of {report.runs} runs on {report.split}: {report.page}")
    return "\n".join(lines)


def experiment_json(report: ExperimentReport) -> dict[str, Any]:
    return {**asdict(report), "succeeded": report.succeeded}


def failure_lines(report: ExperimentReport, test: bool) -> Sequence[str]:
    """Runs that failed, and what that means."""
    lines = [f"failed: {one.run} ({one.arm}): {one.message}" for one in report.failures]
    if report.failures:
        lines.append("The same command does what is missing, and nothing else.")
    if report.failures and test and report.split != "test":
        lines.append("The test split stays closed until every run is there.")
    return lines
