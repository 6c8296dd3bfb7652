"""The command that writes captions of a corpus' pictures: captions."""

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
from sgt_data.cli.questions import SHARES
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.questions.write_captions import CaptionsReport


def captions_command(
    corpus: CorpusUrl,
    captions: Annotated[
        str, typer.Option(help="fsspec URL of a JSON file in the form of COCO's captions")
    ],
    output: Annotated[str, typer.Option(help="fsspec URL of the folder to write")],
    draw: Annotated[
        str | None,
        typer.Option(
            metavar="PROXY",
            help="proxy whose targets are drawn; default: the pictures themselves",
        ),
    ] = None,
    ask: Annotated[
        str | None,
        typer.Option(
            metavar="QUESTION", help="question that the captions answer; nothing is drawn then"
        ),
    ] = None,
    tasks: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TASK,...",
            help="tasks whose captions are written, by commas or repeated; default: all",
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="source whose pictures are meant; default: any that has the name"),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the splits, as for questions")] = 0,
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
    """Write captions of a corpus' pictures, in LLaVA's format."""
    from sgt_data.questions.caption_plan import CaptionPlan
    from sgt_data.questions.splits import parse_shares
    from sgt_data.questions.write_captions import write_captions

    split_shares = parse_shares(",".join(names_in("--shares", shares) or SHARES))
    names = names_in("--tasks", tasks)
    plan = CaptionPlan(
        draw=draw,
        ask=ask,
        tasks=None if names is None else tuple(names),
        source=source,
        seed=seed,
        shares=split_shares,
    )
    with ProgressBar("pictures") as bar:
        report = write_captions(corpus, captions, output, plan, progress=bar)
    notes = [f"note: {note}" for note in report.notes]
    left_out = [
        f"note: {counted(count, 'caption')} left out: {reason}"
        for reason, count in report.left_out.items()
    ]
    print_messages(notes + left_out)
    show(_report_table(report), asdict(report), as_json)
    run, list_ = f"{output.rstrip('/')}-run", f"{output.rstrip('/')}/train.jsonl"
    part = "captions" if ask is None else "descriptions"
    sets = ("--set", f"data.{part}=[{list_}]", "--set", f"{part}=16")
    print_next(command_text("train", corpus, "--questions", "QUESTIONS", "--output", run, *sets))
    return 0


def _report_table(report: CaptionsReport) -> Table:
    """A row per split and task."""
    table = report_table(("split", "task"), ("captions",))
    for split, tasks in report.splits.items():
        for task, count in tasks.items():
            table.add_row(split, task, f"{count:,}")
    table.title = report.output
    table.caption = (
        f"{report.written:,} of {counted(report.captions, 'caption')} for "
        f"{counted(report.pictures, 'picture')}; {report.pictures_without_caption:,} without; "
        f"{report.images:,} written ({size_text(report.nbytes)})"
    )
    return table
