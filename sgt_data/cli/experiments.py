"""The commands that train: one run, or an experiment of many."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from sgt_data.cli.arguments import AsJson, CorpusUrl
from sgt_data.cli.output import messages, print_messages, show
from sgt_data.cli.progress_bar import ProgressBar


def train(
    corpus: CorpusUrl,
    questions: Annotated[str, typer.Option(help="folder of `sgt-data questions`, or a .jsonl")],
    output: Annotated[Path, typer.Option(help="folder of the run; goes on where it was")],
    proxies: Annotated[
        list[str] | None, typer.Option("--proxy", help="to draw; may be repeated")
    ] = None,
    fraction: Annotated[float | None, typer.Option(help="of the corpus, as in scale")] = None,
    config: Annotated[Path | None, typer.Option(help="YAML file of all settings")] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="one setting")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Train the bundled unified model, or one of your own, on questions and drawings."""
    from sgt_data.cli.training_report import trained_document, trained_text
    from sgt_data.training.config import load_config
    from sgt_data.training.train import train as train_model

    data: dict[str, Any] = {"corpus": corpus, "questions": questions, "proxies": proxies or []}
    if fraction is not None:
        data["fraction"] = fraction
    settings = load_config(config, data, overrides or ())
    with ProgressBar("steps") as bar:
        trained = train_model(settings, output, on_progress=bar)
    if os.environ.get("RANK", "0") != "0":  # another process of torchrun shows the result
        return 0
    show(trained_text(trained), trained_document(trained), as_json)
    return 0


def experiment(
    kind: Annotated[Literal["scale", "proxies", "ratio"], typer.Argument(help="what is varied")],
    corpus: CorpusUrl,
    output: Annotated[Path, typer.Option(help="folder; goes on where it was")],
    plan: Annotated[
        Path | None, typer.Option(help="YAML file, or a shipped plan: scale-larger, for GPUs")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="one field of the plan")
    ] = None,
    test: Annotated[
        bool, typer.Option("--test", help="open the test split, once, for this plan")
    ] = False,
    processes: Annotated[
        int | None, typer.Option(min=1, help="runs at a time; default: one for each CPU")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Train and measure all runs of an experiment; tables, plots and a page come out."""
    from sgt_data.cli import experiment_reports as reports
    from sgt_data.experiment.plans import is_shipped, names_proxies, plan_of
    from sgt_data.experiment.run_experiment import run_experiment

    chosen = plan_of(kind, plan, overrides or ())
    with reports.ExperimentProgress(messages) as progress:
        report = run_experiment(
            kind, chosen, corpus, output,
            test_on=date.today().isoformat() if test else None,
            leave_out=(plan is None or is_shipped(plan)) and not names_proxies(overrides or ()),
            processes=processes, on_note=progress.note, on_state=progress,
        )  # fmt: skip
    print_messages(reports.failure_lines(report, test))
    show(reports.experiment_text(report), reports.experiment_json(report), as_json)
    return 0 if report.succeeded else 1
