"""The commands that publish a corpus, and put its pictures back: push, join."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from sgt_data.cli.arguments import (
    AsJson,
    CorpusUrl,
    LogJson,
    Plugins,
    RayAddress,
    RayWorkers,
    use_listed_plugins,
)
from sgt_data.cli.output import (
    command_text,
    print_messages,
    print_next,
    report_table,
    show,
    size_text,
)
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.publish.join_report import JoinReport
    from sgt_data.publish.push import PushReport

_SHOWN = 5
"""So many pictures that stand in the way of a join are named."""


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
    plugins: Plugins = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Push a corpus or a subset to the Hugging Face Hub. The same command continues a push."""
    use_listed_plugins(plugins)
    with ProgressBar("shards", phase=LOADING) as bar:
        from sgt_data.publish.push import push_corpus

        report = push_corpus(
            corpus, repo,
            pictures=pictures, private=private, revision=revision, dry_run=dry_run,
            progress=bar,
        )  # fmt: skip
    print_messages(_report_messages(report))
    show(_report_table(report), {**asdict(report), "succeeded": report.succeeded}, as_json)
    if report.dry_run:
        options = ["--pictures"] * pictures + ["--private"] * private
        options += ["--revision", revision] if revision else []
        print_next(command_text("push", report.corpus, repo, *options))
    elif report.succeeded:
        print_next(command_text("info", report.repository))
    return 0 if report.succeeded or report.dry_run else 1


def join_command(
    copy: Annotated[
        str,
        typer.Argument(
            metavar="COPY", help="corpus without pictures: hf://datasets/OWNER/NAME, or a URL"
        ),
    ],
    sources: Annotated[
        list[str] | None,
        typer.Option(
            "--source", metavar="FIELD=URL", help="where pictures are: sources.sa1b.tars=URL"
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(help="fsspec URL of the whole corpus; default: the copy is completed"),
    ] = None,
    differences: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="write a line of JSON for each picture that differs"),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="compare the pictures, write nothing")
    ] = False,
    address: RayAddress = None,
    workers: RayWorkers = None,
    as_json: AsJson = False,
) -> int:
    """Put pictures back into a copy that was pushed without them."""
    from sgt_data.files.output_place import check_file_place

    if differences is not None:
        check_file_place(differences, "--differences")
    with ProgressBar("pictures", phase=LOADING) as bar:
        from sgt_data.engine.cluster import Cluster
        from sgt_data.publish.join import join_pictures

        report = join_pictures(
            copy, sources or (),
            output=output, dry_run=dry_run, cluster=Cluster(address, workers), progress=bar,
        )  # fmt: skip
    if differences is not None and report.differing:
        report.write_differences(differences)
    print_messages(_join_messages(report, differences))
    document = {
        **asdict(report),
        "differing": [asdict(each) for each in report.differing[:_SHOWN]],
        "differing_by_kind": report.differing_by_kind,
        "succeeded": report.succeeded,
    }
    show(_join_text(report), document, as_json)
    if report.complete:
        print_next(command_text("verify", report.output, "--deep"))
    return 0 if report.succeeded else 1


def _join_text(report: JoinReport) -> str:
    if report.complete:
        return f"{report.output}: whole"
    state = "the pictures are the same" if report.succeeded else "not complete"
    return f"{report.output}: {state}"


def _join_messages(report: JoinReport, file: str | None) -> list[str]:
    lines = [f"note: {note}" for note in report.notes]
    lines += [str(each) for each in report.differing[:_SHOWN]]
    if report.differing:
        more = len(report.differing) - _SHOWN
        counts = ", ".join(f"{count:,} {kind}" for kind, count in report.differing_by_kind.items())
        lines += [f"and {more:,} more" + ("" if file else "; --differences FILE names each")] * (
            more > 0
        )
        lines.append(
            f"{counts}: of {counted(report.checked, 'picture')}. Nothing was written. Name the "
            "sources that the corpus was built from, with --source, and run the same command again"
        )
    lines += [f"failed: {failure}" for failure in report.failures]
    if report.failures:
        lines.append("The corpus is not complete. The same command continues.")
    if report.checked and not report.differing:
        lines.append(
            f"{counted(report.checked, 'picture')} compared, "
            f"{counted(report.fetched_shards, 'shard')} fetched, "
            f"{counted(report.built_shards, 'shard')} put back, {report.found_shards:,} found"
        )
    return lines


def _report_table(report: PushReport) -> Table:
    """A row per folder: what is published, and what is not; then a row per licence of pictures."""
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
    table.add_row()
    table.add_row("licence", "pictures")
    for licence, pictures in report.licences.items():
        table.add_row(licence, f"{pictures:,}")
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
    if report.complete and not report.commits:
        lines.append(
            f"nothing to do: {counted(report.found_shards, 'shard')}, all in the repository"
        )
    lines += [f"not pushed: {failure}" for failure in report.failures]
    if report.dry_run:
        return lines
    if not report.complete:
        lines.append("The push is not complete. The same command continues it.")
    lines.append(
        f"{counted(report.pushed_shards, 'shard')} sent ({size_text(report.pushed_bytes)}), "
        f"{report.found_shards:,} already in the repository, {counted(report.commits, 'commit')}"
    )
    return lines
