"""The command that publishes a corpus: push."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sgt_data.cli.arguments import AsJson, CorpusUrl
from sgt_data.cli.output import (
    print_messages,
    report_table,
    show,
    size_text,
)
from sgt_data.cli.progress_bar import ProgressBar

if TYPE_CHECKING:
    from sgt_data.publish.push import PushReport


def push_command(
    corpus: CorpusUrl,
    repo: Annotated[
        str, typer.Argument(metavar="REPO", help="dataset repository on the Hub: OWNER/NAME")
    ],
    pictures: Annotated[
        bool,
        typer.Option("--pictures", help="push the pictures too; their licences must allow it"),
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="make the repository private")] = False,
    revision: Annotated[
        str | None,
        typer.Option(metavar="BRANCH", help="default: main; a missing branch is created"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be pushed, send nothing")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Push a corpus or a subset to the Hugging Face Hub, or continue an unfinished push."""
    from sgt_data.publish.push import push_corpus

    with ProgressBar("shards") as bar:
        report = push_corpus(
            corpus, repo,
            pictures=pictures, private=private, revision=revision, dry_run=dry_run,
            on_progress=bar,
        )  # fmt: skip
    print_messages(_report_messages(report))
    show(_report_table(report), {**asdict(report), "succeeded": report.succeeded}, as_json)
    return 0 if report.succeeded or report.dry_run else 1


def _report_table(report: PushReport) -> Table:
    """A row per folder: what is published, and what is not."""
    table = report_table(("folder",), ("samples", "shards", "bytes"))
    table.add_column("", overflow="fold")
    for folder, totals in report.totals.items():
        table.add_row(
            folder, f"{totals['samples']:,}", f"{totals['shards']:,}", size_text(totals["bytes"]),
            "",
        )  # fmt: skip
    for left_out in report.left_out:
        table.add_row(
            left_out.folder, f"{left_out.samples:,}", "-", size_text(left_out.nbytes), "left out"
        )
    licences = [f"{count:>9,}  {licence}" for licence, count in report.licences.items()]
    table.caption = "\n".join(["licences of the pictures, each counted once:", *licences])
    table.caption_justify = "left"
    state = "would be pushed" if report.dry_run else "pushed" if report.complete else "not complete"
    table.title = f"{report.repository} ({state})"
    return table


def _report_messages(report: PushReport) -> list[str]:
    lines = [f"note: {note}" for note in report.notes]
    if report.left_out:
        names = ", ".join(left_out.folder for left_out in report.left_out)
        lines.append(
            f"note: without {names}, which hold pictures; --pictures pushes them too, where all "
            "their licences allow it"
        )
    lines += [f"not pushed: {failure}" for failure in report.failures]
    if report.dry_run:
        return lines
    if not report.complete:
        lines.append("The push is not complete. The same command continues it.")
    lines.append(
        f"{report.pushed_shards:,} shards sent ({size_text(report.pushed_bytes)}), "
        f"{report.found_shards:,} already in the repository, {report.commits} commits"
    )
    return lines
