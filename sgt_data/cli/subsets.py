"""The command that takes subsets of a corpus: scale."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer
from rich.table import Table

from sgt_data.cli.arguments import (
    AsJson,
    CorpusUrl,
    LogJson,
    RayAddress,
    RayWorkers,
    numbers_in,
)
from sgt_data.cli.output import (
    command_text,
    print_messages,
    print_next,
    report_table,
    show,
    size_text,
)
from sgt_data.cli.progress_bar import ProgressBar
from sgt_data.corpus.subset_text import subset_text
from sgt_data.errors import RequestError
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.subsets.strata import StrataRule
    from sgt_data.subsets.subset_report import SubsetReport


def scale_command(
    corpus: CorpusUrl,
    more: Annotated[list[float] | None, typer.Argument(hidden=True)] = None,
    fraction: Annotated[
        float | None, typer.Option(help="share of the samples, above 0 and at most 1")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="number of samples, instead of --fraction")
    ] = None,
    fractions: Annotated[
        list[str] | None,
        typer.Option(metavar="F,...", help="several fractions at once, by commas or repeated"),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="DuckDB expression over source, licence, segments and other columns"),
    ] = None,
    strata: Annotated[
        str,
        typer.Option(help="what a subset has its exact share of: source, segments or category"),
    ] = "source",
    described_by: Annotated[
        str | None,
        typer.Option(metavar="PROXY", help="proxy whose segments and categories are used"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="default: the seed of the manifest")] = None,
    shards: Annotated[bool, typer.Option("--shards", help="take whole shards")] = False,
    file: Annotated[
        str | None,
        typer.Option(
            help="subset file to write; {} stands for the fraction; default: NAME-FRACTION, or "
            "NAME-where-DIGEST-FRACTION"
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(help="copy the subset to this URL instead; {} stands for the fraction"),
    ] = None,
    address: RayAddress = None,
    workers: RayWorkers = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Take nested subsets of a corpus: as files, or as new corpora."""
    from sgt_data.engine.cluster import Cluster
    from sgt_data.subsets.rule import SubsetRule
    from sgt_data.subsets.subset import subset

    several = numbers_in("--fractions", fractions)
    if (more or several) and (fraction is not None or samples is not None):
        raise RequestError("give one of --fraction, --samples and --fractions")
    if more and not several:
        raise RequestError(f"found {more[0]:g} after the corpus; is --fractions missing?")
    if output is None and (address is not None or workers is not None):
        option = "--workers" if address is None else "--address"
        raise RequestError(
            f"{option} says where tars are copied; without --output no tar is copied, a subset "
            "file alone is written"
        )
    with ProgressBar("pictures") as bar:
        rule = SubsetRule(seed, cast("StrataRule", strata), where, described_by, shards)
        options: dict[str, Any] = {
            "samples": samples, "rule": rule, "file": file, "output": output,
            "cluster": Cluster(address, workers), "progress": bar,
        }  # fmt: skip
        if several:
            reports = subset(corpus, [*several, *(more or ())], **options)
        else:
            reports = [subset(corpus, fraction, **options)]
    complete = all(report.complete for report in reports)
    succeeded = all(report.succeeded for report in reports)
    subsets = [{**asdict(report), "rule": dict(report.rule)} for report in reports]
    print_messages(_report_messages(reports))
    show(_report_table(reports), {"subsets": subsets, "complete": complete}, as_json)
    if succeeded:
        print_next(command_text("view" if output is None else "verify", reports[-1].place))
    return 0 if succeeded else 1


def _report_table(reports: Sequence[SubsetReport]) -> Table:
    """A row per subset and proxy."""
    table = report_table(("place", "of", "proxy"), ("samples", "shards", "bytes"))
    for report in reports:
        place, size = report.place, subset_text(report.rule, report.available)
        for proxy, totals in report.totals.items():
            table.add_row(
                place, size, proxy, f"{totals['samples']:,}", f"{totals['shards']:,}",
                size_text(totals["bytes"]),
            )  # fmt: skip
            place = size = ""
    return table


def _report_messages(reports: Sequence[SubsetReport]) -> list[str]:
    lines = [
        f"note: {effect.of}: pictures of one shard correlate with {effect.correlation:+.3f}; "
        f"the variance of a mean over whole shards is {effect.design_effect:.2f} times that of a "
        "mean over the same number of single pictures"
        for effect in reports[0].likeness
    ]
    if "shards" in reports[0].rule:
        lines.append(
            "note: whole shards are runs of neighbouring pictures, not a random draw of pictures; "
            "the fraction is exact in shards, not in samples"
        )
    for report in reports:
        lines += [f"note: {report.place}: {note}" for note in report.notes]
        lines += [f"not copied: {failure}" for failure in report.failures]
        if report.copied and report.complete and not report.built_shards:
            lines.append(
                f"nothing to do: {counted(report.found_shards, 'shard')}, all in {report.place}"
            )
        if report.complete and not report.succeeded:
            lines.append(f"{report.place}: the subset holds no sample")
    if not all(report.complete for report in reports):
        lines.append(
            "The copy is not complete. Once what is named above is mended, the same command "
            "continues it."
        )
    return lines
