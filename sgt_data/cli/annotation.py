"""The command that draws masks for pictures without annotation: annotate."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgt_data.cli.arguments import AsJson, LogJson, RayAddress, RayWorkers
from sgt_data.cli.output import command_text, print_messages, print_next, show, size_text
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.engine.annotate_pictures import AnnotationReport


def annotate_command(
    pictures: Annotated[str, typer.Argument(metavar="PICTURES", help="folder (fsspec URL)")],
    output: Annotated[str, typer.Option(help="fsspec URL of the folder for the tars")],
    checkpoint: Annotated[
        str, typer.Option(help="checkpoint of Segment Anything: file or fsspec URL")
    ],
    pictures_per_tar: Annotated[int, typer.Option(min=1, max=100_000)] = 256,
    max_quarantined: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="largest share of damaged pictures, 0 to 1; more is a failure"
        ),
    ] = 0.05,
    address: RayAddress = None,
    workers: RayWorkers = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="FIELD=VALUE", help="replace a parameter of the mask generator"
        ),
    ] = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Draw masks for pictures without annotation. Writes tars in SA-1B's format."""
    with ProgressBar("pictures", phase=LOADING) as bar:
        from sgt_data.engine.annotate_pictures import annotate_pictures
        from sgt_data.engine.cluster import Cluster
        from sgt_data.manifest.manifest import parse_annotator
        from sgt_data.overrides import override_fields

        fields: dict[str, Any] = {"type": "sam", "checkpoint": checkpoint}
        override_fields(fields, overrides or ())
        annotator = parse_annotator(fields, "annotate")
        report = annotate_pictures(
            pictures, output, annotator,
            pictures_per_tar=pictures_per_tar, max_quarantined=max_quarantined,
            cluster=Cluster(address, workers), progress=bar,
        )  # fmt: skip
    print_messages(_messages(report))
    show(_report_text(report), {**asdict(report), "succeeded": report.succeeded}, as_json)
    if report.succeeded:
        tars = f"sources.sa1b.tars={output.rstrip('/')}/sa_*.tar"
        corpus = f"{output.rstrip('/')}-corpus"
        print_next(command_text("build", "sa1b-proxies", "--output", corpus, "--set", tars))
    return 0 if report.succeeded else 1


def _messages(report: AnnotationReport) -> list[str]:
    lines = [f"note: {note}" for note in report.notes]
    if report.complete and not report.built_shards:
        lines.append(f"nothing to do: {counted(report.found_shards, 'tar')}, all written before")
    lines += [f"not done: {failure}" for failure in report.failures]
    lines += [f"lost: {reason}" for reason in report.reasons]
    if report.damaged_share > report.max_quarantined:
        lines.append(
            f"{report.damaged_share:.1%} of the pictures are damaged, --max-quarantined allows "
            f"{report.max_quarantined:.1%}; {report.output}/quarantine names each and the reason"
        )
    if report.complete and not report.totals["samples"]:
        lines.append("no picture got masks")
    return lines


def _report_text(report: AnnotationReport) -> str:
    totals = report.totals
    return (
        f"{report.output}: {counted(report.built_shards, 'tar')} written, {report.found_shards} "
        f"found; {totals['samples']:,} of {counted(totals['inputs'], 'picture')} with "
        f"{counted(totals['masks'], 'mask')}, "
        f"{totals['damaged']:,} left out (quarantine/), {size_text(totals['bytes'])}"
    )
