"""The commands that show a corpus in a browser: view, report."""

from __future__ import annotations

import os
import sys
import webbrowser
from dataclasses import asdict
from typing import Annotated

import typer

from sgt_data.cli.arguments import AsJson
from sgt_data.cli.output import print_messages, print_next, show, size_text
from sgt_data.cli.progress_bar import ProgressBar
from sgt_data.value_text import counted

Shown = Annotated[
    str,
    typer.Argument(metavar="CORPUS", help="fsspec URL of a corpus, a subset file or an export"),
]


def view_command(
    corpus: Shown,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="to listen on; default: any that is free")
    ] = 0,
    opens: Annotated[
        bool | None,
        typer.Option(
            "--open/--no-open", help="open a browser; default: where this machine shows one"
        ),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Browse a corpus: samples, filters, distributions, lost inputs. Ends with Ctrl-C."""
    from sgt_data.view.serve import serve_corpus

    with serve_corpus(corpus, port=port) as viewer:
        try:
            show(viewer.url, {"url": viewer.url, "title": viewer.title}, as_json)
            print_messages(
                [f"{viewer.title} is shown to this machine alone, read-only. Ctrl-C ends it."]
            )
            if _has_screen() if opens is None else opens:
                webbrowser.open(viewer.url)
            viewer.wait()
        except KeyboardInterrupt:  # it has no other end
            print_messages(["sgt-data: stopped."])
    print_next(f"sgt-data report {corpus} -o report.html")
    return 0


def report_command(
    corpus: Shown,
    output: Annotated[
        str, typer.Option("-o", "--output", help="HTML file to write (fsspec URL)")
    ] = "report.html",
    samples: Annotated[
        int, typer.Option(min=1, help="pictures to show, each in every proxy that has it")
    ] = 12,
    max_megabytes: Annotated[
        int, typer.Option(min=1, help="size that the pictures may bring the file to")
    ] = 32,
    seed: Annotated[int, typer.Option(min=0, help="chooses the pictures")] = 0,
    as_json: AsJson = False,
) -> int:
    """Write one HTML file about a corpus: totals and some samples."""
    from sgt_data.view.report_file import write_report

    with ProgressBar("pictures") as bar:
        report = write_report(
            corpus, output,
            samples=samples, max_megabytes=max_megabytes, seed=seed, progress=bar,
        )  # fmt: skip
    print_messages(f"note: {note}" for note in report.notes)
    print_messages(f"not read: {failure}" for failure in report.failures)
    text = (
        f"{report.output} ({size_text(report.nbytes)}): {counted(report.pictures, 'picture')}, "
        f"{report.samples:,} of {counted(report.of, 'sample')}"
    )
    show(text, {**asdict(report), "succeeded": report.succeeded}, as_json)
    print_next(f"sgt-data view {corpus}")
    return 0 if report.succeeded else 1


def _has_screen() -> bool:
    """Whether a browser with windows can be expected: not over ssh, and not for a program."""
    if not sys.stdout.isatty() or os.environ.get("SSH_CONNECTION"):
        return False
    shows = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    return shows or sys.platform in ("darwin", "win32")
