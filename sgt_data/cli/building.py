"""The command `build`: what it plans, what it did, and what can be done about losses."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sgt_data.cli.arguments import AsJson, LogJson, RayAddress, RayWorkers
from sgt_data.cli.output import (
    command_text,
    print_messages,
    print_next,
    report_table,
    show,
    size_text,
)
from sgt_data.cli.profile_table import profile_document, profile_table, profile_text
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.cli.totals_table import totals_table
from sgt_data.errors import RequestError
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from rich.table import Table

    from sgt_data.engine.build_report import BuildReport
    from sgt_data.engine.cluster import Cluster
    from sgt_data.engine.forecast import Forecast
    from sgt_data.manifest.manifest import Manifest


def build_command(
    manifest: Annotated[
        str,
        typer.Argument(
            metavar="MANIFEST", help="YAML file (fsspec URL), or a name of `sgt-data manifests`"
        ),
    ],
    output: Annotated[str, typer.Option(help="fsspec URL of the corpus")],
    address: RayAddress = None,
    workers: RayWorkers = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print the plan, write nothing")
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="build only the first N pictures of each source, rounded up to whole shards; "
            "without it the same output is continued",
        ),
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="replace a field of the manifest"),
    ] = None,
    max_quarantined: Annotated[
        float | None,
        typer.Option(help="largest share of damaged inputs, 0 to 1; more fails the build"),
    ] = None,
    retry_damaged: Annotated[
        bool,
        typer.Option(
            "--retry-damaged", help="build the shards again whose ledgers name damaged inputs"
        ),
    ] = False,
    profile: Annotated[
        bool, typer.Option("--profile", help="show at the end where the time went, stage by stage")
    ] = False,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Build the corpus that a manifest describes, or continue it."""
    changes = list(overrides or ())
    if max_quarantined is not None:
        changes.append(f"max_quarantined={max_quarantined}")
    if dry_run and retry_damaged:
        raise RequestError(
            "--dry-run plans a whole build, and says nothing of the shards that --retry-damaged "
            "builds again; give one of the two"
        )
    with _advice_to_draw_sources(manifest), ProgressBar("pictures", phase=LOADING) as bar:
        from sgt_data.engine.build import build_corpus
        from sgt_data.engine.cluster import Cluster
        from sgt_data.manifest.manifest import load_manifest

        resolved, cluster = load_manifest(manifest, changes), Cluster(address, workers)
        if not dry_run:
            report = build_corpus(
                resolved, output, cluster=cluster, retry_damaged=retry_damaged, limit=limit,
                progress=bar,
            )  # fmt: skip
    if dry_run:
        with _advice_to_draw_sources(manifest):
            losses = _show_plan(resolved, output, cluster, limit, as_json)
        if losses:
            print_messages(losses)
            return 1
        sets = [word for change in changes for word in ("--set", change)]
        limits = [] if limit is None else ["--limit", str(limit)]
        print_next(command_text("build", manifest, "--output", output, *sets, *limits))
        return 0
    print_messages(_build_messages(report, resolved))
    document = {**asdict(report), "succeeded": report.succeeded}
    if profile:
        document["profile"] = profile_document(report)
    show(_build_table(report), document, as_json)
    if profile and not as_json:
        show(profile_table(report), None, as_json)
        show(profile_text(report), None, as_json)
    if report.complete or report.limit is not None:
        print_next(command_text("view" if report.succeeded else "info", output))
    return 0 if report.succeeded else 1


@contextmanager
def _advice_to_draw_sources(manifest: str) -> Iterator[None]:
    """Add to a refusal that the sources of a shipped manifest are drawn by `sample`, where they do
    not lie here."""
    from sgt_data.shipped_manifests import is_manifest_name, sample_command, shipped_manifests

    try:
        yield
    except RequestError as why:
        text = shipped_manifests().get(manifest, "") if is_manifest_name(manifest) else ""
        command = sample_command(text)
        is_of_sources = str(why).startswith(("source ", "sources."))
        if command is None or not is_of_sources or Path(shlex.split(command)[2]).exists():
            raise
        raise type(why)(f"{why}. This command draws the sources: {command}") from why


def _show_plan(
    manifest: Manifest, output: str, cluster: Cluster, limit: int | None, as_json: bool
) -> list[str]:
    """Show what a build would read and write, after a look at what it needs; why it would fail."""
    from sgt_data.annotators.device import check_packages
    from sgt_data.engine.build import check_build_output
    from sgt_data.engine.build_plan import annotators_in_use
    from sgt_data.engine.forecast import forecast
    from sgt_data.engine.limited import first_shards, limited_listing
    from sgt_data.engine.listing import list_inputs
    from sgt_data.engine.looked_at import forecast_losses, look_at_pictures

    check_build_output(manifest, output)
    if cluster.address is None:  # on a cluster the packages of its own nodes count
        for annotator in annotators_in_use(manifest):
            check_packages(annotator)
    listing = list_inputs(manifest)
    if limit is not None:
        listing = limited_listing(listing, first_shards(listing, limit))
    rows = forecast(listing)
    looks = look_at_pictures(listing)
    losses = forecast_losses(listing, looks)
    print_messages(f"note: {note}" for note in (*listing.notes, *looks))
    plan = [asdict(row) for row in rows]
    document = {
        "name": manifest.name, "limit": limit, "plan": plan, "notes": listing.notes,
        "looked_at": [asdict(look) for look in looks], "losses": losses,
    }  # fmt: skip
    show(_forecast_table(rows), document, as_json)
    return losses


def _forecast_table(rows: Sequence[Forecast]) -> Table:
    table = report_table(
        ("source", "proxy"), ("slices", "shards", "pictures", "reads", "writes about")
    )
    for row in rows:
        sign = "" if row.exact else "~"
        table.add_row(
            row.source,
            row.proxy,
            f"{row.slices:,}",
            f"{sign}{row.shards:,}",
            f"{sign}{row.pictures:,}",
            size_text(row.source_bytes),
            size_text(row.output_bytes),
        )
    return table


def _build_table(report: BuildReport) -> Table:
    table = totals_table({proxy: {"all": totals} for proxy, totals in report.totals.items()})
    table.title = report.output
    return table


def _build_messages(report: BuildReport, manifest: Manifest) -> list[str]:
    from sgt_data.engine.losses import beyond_max_filtered, beyond_max_quarantined
    from sgt_data.engine.outcomes import OUTPUT
    from sgt_data.names import QUARANTINE

    lines = [f"note: {note}" for note in report.notes]
    if (report.complete or report.limit is not None) and not report.built_shards:
        lines.append(f"nothing to do: {counted(report.found_shards, 'shard')}, all built before")
    lines += [
        str(failure) if failure.part == OUTPUT else f"not read: {failure}"
        for failure in report.failures
    ]
    lines += [f"lost: {reason}" for reason in report.reasons]
    if report.limit is not None:
        lines.append(
            f"The corpus is not complete: it was limited to the first "
            f"{counted(report.limit, 'picture')} of each source, in whole shards. The same command "
            "without --limit builds the rest."
        )
    if report.failures:
        lines.append("The corpus is not complete. The same command continues the build.")
    lines += [
        f"{beyond_max_quarantined(proxy, share, manifest.max_quarantined)}; {report.output}/"
        f"{QUARANTINE}/{proxy} names each input and the reason"
        for proxy, share in report.too_damaged.items()
    ]
    lines += [
        f"{beyond_max_filtered(proxy, share, manifest.max_filtered)}; {report.output}/"
        f"{QUARANTINE}/{proxy} names each input and the reason. Change the filters of the proxy or "
        "the annotations, or allow more with --set max_filtered=SHARE"
        for proxy, share in report.too_filtered.items()
    ]
    lines += [f"{proxy}: no input became a sample" for proxy in report.empty]
    if any(totals["damaged"] for totals in report.totals.values()):
        lines += _how_to_mend(manifest)
    return lines


def _how_to_mend(manifest: Manifest) -> list[str]:
    """What can be done about damaged inputs."""
    sources = manifest.typed_sources()
    fixed = [
        f"the files of sources.{source.name}.{field}"
        for source in sources
        for field, is_fixed in (
            ("pictures", source.files_in_identity()),
            ("depth", source.depth is not None),
            ("normals", source.normals is not None),
            ("intrinsics", isinstance(source.intrinsics, str)),
        )
        if is_fixed
    ]  # fmt: skip
    lines = []
    if not all(source.files_in_identity() for source in sources):
        lines.append(
            "Damaged inputs that can be mended: put the files back, then build again with "
            "--retry-damaged."
        )
    if fixed:
        lines.append(
            f"A corpus states which files it was made of. Where {' or '.join(fixed)} are mended "
            "and change in name or size, they make another build: build into a new --output."
        )
    return lines
