"""The command that writes what trainers' own loaders read: export."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sgt_data.cli.arguments import AsJson, CorpusUrl, LogJson, names_in
from sgt_data.cli.output import command_text, print_messages, print_next, show, size_text
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.exports.export_report import ExportReport

_VIEWED = ("bagel", "omnigen2", "folders")
"""Formats that `sgt-data view` shows."""


def export_command(
    corpus: CorpusUrl,
    output: Annotated[str, typer.Option(help="folder to write: a path or URL")],
    form: Annotated[
        str,
        typer.Option(
            "--format",
            help="of the trainer that reads it: bagel, bagel-edit, energon, folders, hf, "
            "lmms-engine, omnigen2; or questions",
        ),
    ] = "bagel",
    proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy", metavar="PROXY,...", help="export these alone, by commas or repeated"
        ),
    ] = None,
    ranks: Annotated[int | None, typer.Option(help="processes that will train")] = None,
    workers: Annotated[int | None, typer.Option(help="workers of each process' DataLoader")] = None,
    relative_to: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="write paths in lists relative to this folder"),
    ] = None,
    questions: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="folder of `sgt-data questions` to mix in"),
    ] = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Write a corpus in the form that a trainer's own loaders read."""
    with ProgressBar("samples", phase=LOADING) as bar:
        from sgt_data.exports.export import export_corpus
        from sgt_data.exports.export_options import ExportOptions

        report = export_corpus(
            corpus, output, form, names_in("--proxy", proxies),
            options=ExportOptions(
                ranks=ranks, workers=workers, relative_to=relative_to, questions=questions
            ),
            progress=bar,
        )  # fmt: skip
    print_messages(f"note: {note}" for note in report.notes)
    if report.succeeded and report.kept and not report.written and not report.linked:
        print_messages([f"nothing to do: {counted(report.kept, 'file')}, all written before"])
    show(_report_text(report), asdict(report), as_json)
    if report.succeeded and form in _VIEWED:
        print_next(command_text("view", output))
    return 0 if report.succeeded else 1


def _report_text(report: ExportReport) -> str:
    samples = ", ".join(f"{count:,} {proxy}" for proxy, count in report.samples.items())
    configs = f"; {', '.join(report.configs)}" if report.configs else ""
    files = (
        f"; {counted(report.written, 'file')} written ({size_text(report.nbytes)}), "
        f"{report.linked:,} linked, {report.kept:,} kept of an earlier run"
        if report.written or report.linked or report.kept
        else ""  # lists alone, which are not counted
    )
    return f"{report.output}: {samples}{files}{configs}"
