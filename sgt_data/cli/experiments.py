"""The command that trains and measures many runs: experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, Self

import typer
from rich.progress import (
    BarColumn,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as RichProgress

from sgt_data.cli.arguments import AsJson, CorpusUrl
from sgt_data.cli.output import messages, print_messages, show
from sgt_data.progress import Progress

if TYPE_CHECKING:
    from sgt_data.experiment.prepared_experiment import ExperimentReport

_SPEED_OVER_SECONDS = 600.0


def experiment_command(
    kind: Annotated[
        Literal["scale", "proxies", "ratio"], typer.Argument(help="what differs between the arms")
    ],
    corpus: CorpusUrl,
    output: Annotated[
        str, typer.Option(help="folder of the experiment; an interrupted one is continued")
    ],
    plan: Annotated[
        Path | None, typer.Option(help="YAML file, or a shipped plan: scale-larger, for GPUs")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="change one field of the plan; may be repeated"
        ),
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="measure on the test split, which opens once for a plan")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="runs at a time; default: one per CPU")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Train and measure all runs of an experiment; write tables, plots and a page."""
    from sgt_data.experiment.plan.load_plan import (
        is_shipped_plan,
        load_plan,
        overrides_name_proxies,
    )
    from sgt_data.experiment.run_experiment import run_experiment

    shipped = plan is None or is_shipped_plan(plan)
    with _ExperimentBar() as progress:
        report = run_experiment(
            kind,
            load_plan(kind, plan, overrides or ()),
            corpus,
            output,
            test_on=date.today().isoformat() if test else None,
            leave_out=shipped and not overrides_name_proxies(overrides or ()),
            processes=processes,
            on_progress=progress,
        )
    print_messages(_failure_lines(report, test))
    show(_text(report), {**asdict(report), "succeeded": report.succeeded}, as_json)
    return 0 if report.succeeded else 1


class _ExperimentBar:
    """A bar over the training samples of all runs, with the time left and what is being done.

    Notes that start with `note: ` are for the reader and stay on the screen.
    """

    def __init__(self) -> None:
        self._bar = RichProgress(
            SpinnerColumn(),
            BarColumn(),
            TaskProgressColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}"),
            console=messages,
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
            messages.print(progress.note, markup=False)
            return
        self._bar.update(
            self._task,
            description=progress.note,
            completed=progress.done,
            total=progress.total,
        )


def _text(report: ExperimentReport) -> str:
    """The main comparisons, the number of runs with a result, and the path of the page."""
    lines = [*report.findings]
    if report.page is not None:
        done = report.runs - len(report.failures)
        lines.append(f"{done} of {report.runs} runs on {report.split}: {report.page}")
    return "\n".join(lines)


def _failure_lines(report: ExperimentReport, test: bool) -> Sequence[str]:
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
