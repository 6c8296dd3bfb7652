"""The command that scores what a model drew: score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.table import Table

from sgt_data.cli.arguments import AsJson, CorpusUrl, LogJson, names_in
from sgt_data.cli.output import command_text, print_messages, print_next, report_table, show
from sgt_data.cli.progress_bar import LOADING, ProgressBar

if TYPE_CHECKING:
    from sgt_data.scoring.score_result import Score


def score_command(
    corpus: CorpusUrl,
    drawn: Annotated[
        list[str],
        typer.Argument(
            help="what was drawn: a folder, tars, a glob pattern; files named KEY.png, or "
            "PROXY/KEY.png"
        ),
    ],
    proxies: Annotated[
        list[str] | None,
        typer.Option(
            "--proxy",
            metavar="NAME,...",
            help="for which proxies they are, by commas or repeated; default: those that paths "
            "name",
        ),
    ] = None,
    reports: Annotated[
        list[str] | None,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            help="write a report: .json everything, .html a page; may be repeated",
        ),
    ] = None,
    missing: Annotated[
        Literal["zero", "skip"],
        typer.Option(help="a sample without a readable drawing: zero, the worst; or left out"),
    ] = "zero",
    changes: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="change a parameter of decoding; may be repeated"
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the intervals")] = 0,
    processes: Annotated[
        int | None, typer.Option(min=1, help="that score at a time; default: one per CPU")
    ] = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Score what a model drew for the samples of a corpus. Exit code 1 where nothing was scored."""
    decoding: dict[str, Any] = {}
    with ProgressBar("samples", phase=LOADING) as bar:
        from sgt_data.overrides import override_fields
        from sgt_data.scoring.score_drawings import score
        from sgt_data.scoring.score_result import check_report

        override_fields(decoding, changes or ())
        for report in reports or ():
            check_report(report, [corpus])
        result = score(
            corpus, drawn, proxy=names_in("--proxy", proxies), missing=missing,
            decoding=decoding, seed=seed, processes=processes, progress=bar,
        )  # fmt: skip
        for report in reports or ():
            result.write(report)
    print_messages(f"note: {note}" for note in result.notes)
    print_messages(f"wrote {report}" for report in reports or ())
    show(_measures_table(result), _document(result), as_json)
    if not as_json:
        show(_counts_table(result), None, as_json)
    words = names_in("--proxy", proxies)
    named = ("--proxy", ",".join(words)) if words else ()
    if reports:
        print_next(command_text("view", corpus))
    else:
        print_next(command_text("score", corpus, *drawn, *named, "-o", "score.html"))
    return 0 if result.scored else 1


def _document(result: Score) -> dict[str, Any]:
    from sgt_data.scoring.score_document import score_document

    return score_document(result.stated, result.proxies, with_pictures=False)


def _measures_table(result: Score) -> Table:
    from sgt_data.scoring.proxy_score import figure_text, interval_text

    table = report_table(("proxy", "measure"), ("value", "95 % interval", "pictures"))
    for name, scored in result.proxies.items():
        for measure, estimate in scored.measures.items():
            table.add_row(
                name, measure, figure_text(estimate.value), interval_text(estimate),
                f"{estimate.count:,}",
            )  # fmt: skip
    return table


def _counts_table(result: Score) -> Table:
    columns = ("samples", "scored", "missing", "unreadable", "extra")
    table = report_table(("proxy",), columns)
    for name, scored in result.proxies.items():
        table.add_row(name, *(f"{number:,}" for number in scored.counts.values()))
    return table
