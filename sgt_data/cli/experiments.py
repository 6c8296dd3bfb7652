"""The command that trains and measures many runs: experiment."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from sgt_data.cli.arguments import AsJson, CorpusUrl
from sgt_data.cli.output import command_text, print_messages, print_next, show
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.experiment.experiment_report import ExperimentReport

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
    init: Annotated[
        Path | None,
        typer.Option(help="folder of `sgt-data train --stage pretrain`, which all arms begin with"),
    ] = None,
    captions: Annotated[
        str | None, typer.Option(help="COCO's captions of the corpus' pictures, to replay and draw")
    ] = None,
    rich: Annotated[
        str | None, typer.Option(help="corpus of more varied scenes, a further test set")
    ] = None,
    ledger: Annotated[
        Path | None,
        typer.Option(
            help="file that records openings of the test split; default: beside the corpus"
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
    """Train and measure all runs of an experiment. Writes tables, plots and a page."""
    with ProgressBar("training samples", _SPEED_OVER_SECONDS, LOADING) as bar:
        from sgt_data.experiment.materials import Materials
        from sgt_data.experiment.plan.load_plan import load_plan
        from sgt_data.experiment.run_experiment import run_experiment

        report = run_experiment(
            kind,
            load_plan(kind, plan, overrides or ()),
            corpus,
            output,
            materials=Materials(init=init, captions=captions, rich=rich, ledger=ledger),
            test_on=date.today().isoformat() if test else None,
            processes=processes,
            progress=bar,
        )
    print_messages(_failure_lines(report, test))
    show(_text(report), {**asdict(report), "succeeded": report.succeeded}, as_json)
    if report.succeeded:
        given = {
            "--init": init, "--captions": captions, "--rich": rich, "--ledger": ledger,
        }  # fmt: skip
        read = [word for name, value in given.items() if value for word in (name, str(value))]
        options = [] if plan is None else ["--plan", str(plan)]
        options += [word for change in overrides or () for word in ("--set", change)]
        if not test:
            words = (kind, corpus, *read, "--output", output, *options, "--test")
            print_next(command_text("experiment", *words))
        else:
            print_next(_other_experiment(kind, corpus, read, output))
    return 0 if report.succeeded else 1


def _other_experiment(kind: str, corpus: str, read: Sequence[str], output: str) -> str:
    others = {"scale": "proxies", "proxies": "ratio", "ratio": "scale"}
    folder = f"{output.rstrip('/')}-{others[kind]}"
    return command_text("experiment", others[kind], corpus, *read, "--output", folder)


def _text(report: ExperimentReport) -> str:
    """The main comparisons, the number of runs with a result, and the path of the page."""
    lines = [*report.findings]
    if report.page is not None:
        lines.append(
            f"{report.measured} of {counted(report.runs, 'run')} on {report.split}: {report.page}"
        )
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
