"""The commands that train: `train` for one run, `experiment` for many."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sgt_data.cli.output import AsJson, CorpusUrl, notes, show


def train(
    corpus: CorpusUrl,
    questions: Annotated[
        str, typer.Option(help="folder written by `sgt-data questions`, or a .jsonl file")
    ],
    output: Annotated[
        Path, typer.Option(help="folder of the run; an interrupted run is continued")
    ],
    proxies: Annotated[
        list[str] | None, typer.Option("--proxy", help="proxy to draw; may be repeated")
    ] = None,
    fraction: Annotated[
        float | None, typer.Option(help="share of the corpus that is drawn, 0 to 1")
    ] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of settings")] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="change one setting; may be repeated"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Train the bundled unified model, or your own model, on questions and drawings."""
    from sgt_data.cli import reports
    from sgt_data.training.config import load_config
    from sgt_data.training.train import train as train_model

    data: dict[str, Any] = {"corpus": corpus, "questions": questions, "proxies": proxies or []}
    if fraction is not None:
        data["fraction"] = fraction
    settings = load_config(config, data, overrides or ())
    with reports.TrainProgress(notes, settings.steps) as progress:
        trained = train_model(settings, output, progress)
    if os.environ.get("RANK", "0") != "0":  # another process of torchrun shows the result
        return 0
    show(reports.trained_text(trained), reports.trained_json(trained), as_json)
    return 0


def experiment(
    kind: Annotated[
        Literal["scale", "proxies", "ratio"], typer.Argument(help="what differs between the arms")
    ],
    corpus: CorpusUrl,
    output: Annotated[
        Path, typer.Option(help="folder of the experiment; an interrupted one is continued")
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
    from sgt_data.cli import experiment_reports as reports
    from sgt_data.experiment.plan.load import is_shipped_plan, load_plan, overrides_name_proxies
    from sgt_data.experiment.run_experiment import run_experiment

    shipped = plan is None or is_shipped_plan(plan)
    with reports.ExperimentProgress(notes) as progress:
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
    for line in reports.failure_lines(report, test):
        notes.print(line, markup=False)
    show(reports.experiment_text(report), reports.experiment_json(report), as_json)
    return 0 if report.succeeded else 1
