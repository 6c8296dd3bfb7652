"""The command that writes visual questions: questions."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sgt_data.cli.arguments import AsJson, CorpusUrl, LogJson, names_in
from sgt_data.cli.output import (
    command_text,
    print_messages,
    print_next,
    report_table,
    show,
    size_text,
)
from sgt_data.cli.progress_bar import ProgressBar
from sgt_data.value_text import counted

SHARES = ("train=0.8", "val=0.1", "test=0.1")

if TYPE_CHECKING:
    from sgt_data.questions.write_questions import QuestionsReport


def questions_command(
    corpus: CorpusUrl,
    output: Annotated[str, typer.Option(help="fsspec URL of the folder to write")],
    proxy: Annotated[
        str | None,
        typer.Option(help="proxy whose segments to ask about; default: instance or panoptic"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK,...",
            help="tasks, by commas or repeated; default: all that the corpus can answer",
        ),
    ] = None,
    per_picture: Annotated[
        int, typer.Option(min=1, help="most questions of a task about one picture")
    ] = 4,
    per_task: Annotated[
        int | None, typer.Option(min=1, help="most questions of a task in one split")
    ] = None,
    shares: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPLIT=SHARE,...",
            help="share of the pictures in each split, by commas or repeated; default: "
            "train=0.8,val=0.1,test=0.1",
        ),
    ] = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Write visual questions about a corpus, in LLaVA's format."""
    from sgt_data.questions.question_plan import QuestionPlan
    from sgt_data.questions.splits import parse_shares
    from sgt_data.questions.write_questions import write_questions

    plan = QuestionPlan(
        seed=seed,
        tasks=names_in("--tasks", tasks),
        per_picture=per_picture,
        per_task=per_task,
        shares=parse_shares(",".join(names_in("--shares", shares) or SHARES)),
    )
    with ProgressBar("pictures") as bar:
        report = write_questions(corpus, output, plan, proxy=proxy, progress=bar)
    print_messages([f"note: {note}" for note in report.notes])
    show(_report_table(report), asdict(report), as_json)
    run = f"{output.rstrip('/')}-run"
    print_next(command_text("train", corpus, "--questions", output, "--output", run))
    return 0


def _report_table(report: QuestionsReport) -> Table:
    """A row per split and task."""
    table = report_table(
        ("split", "task"), ("questions", "texts", "pictures", "chance", "blind reader")
    )
    for split, tasks in report.splits.items():
        for task, row in tasks.items():
            counts = [f"{row[name]:,}" for name in ("questions", "texts", "pictures")]
            table.add_row(split, task, *counts, f"{row['chance']:.1%}", f"{row['blind']:.1%}")
    table.title = report.output
    table.caption = (
        f"{counted(report.pictures, 'picture')} read; {report.images:,} written "
        f"({size_text(report.nbytes)})"
    )
    return table
