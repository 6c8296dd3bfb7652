"""The command that writes what released trainers read: export."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from sgt_data.cli.arguments import AsJson, CorpusUrl, LogJson, names_in
from sgt_data.cli.output import command_text, print_messages, print_next, show, size_text
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.trainers.export import ExportReport


def export_command(
    corpus: CorpusUrl,
    output: Annotated[str, typer.Option(help="local folder to write")],
    form: Annotated[str, typer.Option("--format", help="bagel or omnigen2")] = "bagel",
    proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy", metavar="PROXY,...", help="export these alone, by commas or repeated"
        ),
    ] = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Write a corpus in the layout that released trainers read."""
    with ProgressBar("samples", phase=LOADING) as bar:
        from sgt_data.trainers.export import export_corpus

        report = export_corpus(
            corpus, output, form,  # type: ignore[arg-type]
            names_in("--proxy", proxies), progress=bar,
        )  # fmt: skip
    print_messages(f"note: {note}" for note in report.notes)
    if report.succeeded and not report.written and not report.linked:
        print_messages([f"nothing to do: {counted(report.kept, 'file')}, all written before"])
    show(_report_text(report), asdict(report), as_json)
    if report.succeeded:
        print_next(command_text("view", output))
    return 0 if report.succeeded else 1


def _report_text(report: ExportReport) -> str:
    samples = ", ".join(f"{count:,} {proxy}" for proxy, count in report.samples.items())
    return (
        f"{report.output}: {samples}; {counted(report.written, 'file')} written "
        f"({size_text(report.nbytes)}), {report.linked:,} linked, {report.kept:,} found; "
        f"{', '.join(report.configs)}"
    )
