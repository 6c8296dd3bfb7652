"""The commands for whole corpora, and what they show: build, verify, info, preview."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sgt_data.cli.arguments import (
    AsJson,
    CorpusUrl,
    Plugins,
    RayAddress,
    RayWorkers,
    names_in,
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
from sgt_data.corpus.subset_text import subset_text
from sgt_data.errors import RequestError
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.corpus.opened_corpus import Corpus
    from sgt_data.engine.build_report import BuildReport
    from sgt_data.engine.cluster import Cluster
    from sgt_data.engine.forecast import Forecast
    from sgt_data.manifest.manifest import Manifest
    from sgt_data.verify.findings import Verdict

_COUNTS = ("inputs", "samples", "damaged", "filtered", "segments", "shards")

_HOW_TO_MEND = (
    "To mend it, remove the files named above that are still there (but not corpus.json), then run "
    "the command that wrote the corpus again: what is missing or too short is made anew. It needs "
    "the sources at their places."
)


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
                resolved, output, cluster=cluster, retry_damaged=retry_damaged, progress=bar
            )
    if dry_run:
        with _advice_to_draw_sources(manifest):
            losses = _show_plan(resolved, output, cluster, as_json)
        if losses:
            print_messages(losses)
            return 1
        sets = [word for change in changes for word in ("--set", change)]
        print_next(command_text("build", manifest, "--output", output, *sets))
        return 0
    print_messages(_build_messages(report, resolved))
    show(_build_table(report), {**asdict(report), "succeeded": report.succeeded}, as_json)
    if report.complete:
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


def _show_plan(manifest: Manifest, output: str, cluster: Cluster, as_json: bool) -> list[str]:
    """Show what a build would read and write, after a look at what it needs; why it would fail."""
    from sgt_data.annotators.device import check_packages
    from sgt_data.engine.build import check_build_output
    from sgt_data.engine.build_plan import annotators_in_use
    from sgt_data.engine.forecast import forecast
    from sgt_data.engine.listing import list_inputs
    from sgt_data.engine.looked_at import forecast_losses, look_at_pictures

    check_build_output(manifest, output)
    if cluster.address is None:  # on a cluster the packages of its own nodes count
        for annotator in annotators_in_use(manifest):
            check_packages(annotator)
    listing = list_inputs(manifest)
    rows = forecast(listing)
    looks = look_at_pictures(listing)
    losses = forecast_losses(listing, looks)
    print_messages(f"note: {note}" for note in (*listing.notes, *looks))
    plan = [asdict(row) for row in rows]
    document = {
        "name": manifest.name, "plan": plan, "notes": listing.notes,
        "looked_at": [asdict(look) for look in looks], "losses": losses,
    }  # fmt: skip
    show(_forecast_table(rows), document, as_json)
    return losses


def verify_command(
    corpus: CorpusUrl,
    deep: Annotated[
        bool, typer.Option("--deep", help="read every tar, decode every target")
    ] = False,
    plugins: Plugins = None,
    as_json: AsJson = False,
) -> int:
    """Check a corpus and name all that is wrong with it. Exit code 1 if anything is."""
    own = use_listed_plugins(plugins)
    with ProgressBar("shards", phase=LOADING) as bar:
        from sgt_data.verify.check_corpus import verify_corpus

        verdict = verify_corpus(corpus, deep=deep, progress=bar)
    document = {**asdict(verdict), "deep": deep, "sound": verdict.sound}
    show(_verdict_text(verdict, deep), document, as_json)
    if not verdict.sound:
        has_damage = any(finding.place != "corpus.json" for finding in verdict.findings)
        print_messages([_HOW_TO_MEND] if has_damage and verdict.parent is None else [])
        print_next(_mending_command(corpus))
    elif deep or verdict.parent is not None:
        print_next(command_text("view", corpus))
    else:
        print_next(command_text("verify", corpus, "--deep", *own))
    return 0 if verdict.sound else 1


def _mending_command(corpus: str) -> str:
    """The command that mends a corpus; where it cannot be told, the one that shows the corpus."""
    from sgt_data.corpus.paths import CORPUS_FILE
    from sgt_data.errors import SgtDataError
    from sgt_data.files.urls import join
    from sgt_data.manifest.manifest import load_manifest
    from sgt_data.subsets.open_corpus import open_corpus

    header = join(corpus, CORPUS_FILE)
    try:
        rule, parent = (opened := open_corpus(corpus).header).identity.get("subset"), opened.parent
        if parent is not None and rule is not None:
            return _copying_command(corpus, rule, str(parent["url"]))
        load_manifest(header)
    except SgtDataError:
        return command_text("info", corpus)
    return command_text("build", header, "--output", corpus)


def _copying_command(copy: str, rule: Mapping[str, Any], parent: str) -> str:
    """The command that copies a subset again; where its rule is no choice by `scale`, the one that
    shows the copy."""
    if rule.get("of") or "from" not in rule:
        return command_text("info", copy)
    share = f"{rule['shards'] / rule['from']:.9g}" if rule["whole"] else None
    options: list[str | int] = ["--shards"] if rule["whole"] else ["--samples", rule["samples"]]
    for name, by_default in (("seed", None), ("strata", "source"), ("where", None),
                             ("described_by", None)):  # fmt: skip
        if rule.get(name) != by_default and name in rule:
            options += [f"--{name.replace('_', '-')}", rule[name]]
    if share is not None:
        options += ["--fraction", share]
    return command_text("scale", parent, *options, "--output", copy)


def info_command(corpus: CorpusUrl, as_json: AsJson = False) -> int:
    """Show the totals of a corpus, and why inputs were lost."""
    from sgt_data.corpus.reasons import reasons_of_corpus
    from sgt_data.subsets.open_corpus import open_corpus

    opened = open_corpus(corpus)
    reasons = reasons_of_corpus(opened)
    document = _info_document(opened) | {"reasons": [asdict(reason) for reason in reasons]}
    table = _info_table(opened)
    if reasons:
        lost = [*document["beyond_bounds"], *(f"lost: {reason}" for reason in reasons)]
        table.caption = "\n".join(lost)
        table.caption_justify = "left"
    show(table, document, as_json)
    print_next(command_text("view", corpus))
    return 0


def preview_command(
    corpus: CorpusUrl,
    file: Annotated[
        Path, typer.Option("-o", "--output", help="picture to write: .png, .jpg or .webp")
    ] = Path("preview.png"),
    per_source: Annotated[
        int | None, typer.Option(min=1, help="pictures of each source; default: as many as fit")
    ] = None,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY,...", help="these pictures, by commas or repeated"),
    ] = None,
    proxies: Annotated[
        list[str] | None,
        typer.Option("--proxy", metavar="NAME,...", help="these proxies, by commas or repeated"),
    ] = None,
    where: Annotated[
        str | None,
        typer.Option(help="DuckDB expression over source, licence, segments and other columns"),
    ] = None,
    quarantined: Annotated[
        bool, typer.Option("--quarantined", help="inputs that became no sample, with the reasons")
    ] = False,
    page: Annotated[
        int | None,
        typer.Option(min=1, help="this page of all pictures, in the order of the corpus"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw a contact sheet: pictures, targets and instructions."""
    from sgt_data.files.output_place import check_output
    from sgt_data.preview.contact_sheet import contact_sheet
    from sgt_data.preview.sheet_file import check_sheet_file, write_sheet
    from sgt_data.subsets.open_corpus import open_corpus

    check_sheet_file(file)
    opened = open_corpus(corpus)
    check_output(file, [opened.url])
    sheet = contact_sheet(
        opened, per_source,
        keys=names_in("--key", keys) or (), proxies=names_in("--proxy", proxies) or (),
        where=where, quarantined=quarantined, page=page,
    )  # fmt: skip
    write_sheet(sheet, file)
    document = {"file": str(file), "width": sheet.width, "height": sheet.height}
    show(f"{file} ({sheet.width}x{sheet.height})", document, as_json)
    print_next(command_text("view", corpus))
    return 0


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
    table = _totals_table({proxy: {"all": totals} for proxy, totals in report.totals.items()})
    table.title = report.output
    return table


def _build_messages(report: BuildReport, manifest: Manifest) -> list[str]:
    lines = [f"note: {note}" for note in report.notes]
    if report.complete and not report.built_shards:
        lines.append(f"nothing to do: {counted(report.found_shards, 'shard')}, all built before")
    lines += [f"not read: {failure}" for failure in report.failures]
    lines += [f"lost: {reason}" for reason in report.reasons]
    if report.failures:
        lines.append("The corpus is not complete. The same command continues the build.")
    lines += [
        f"{proxy}: {share:.1%} of the inputs are damaged, max_quarantined allows "
        f"{manifest.max_quarantined:.1%}; "
        f"{report.output}/quarantine/{proxy} names each input and the reason"
        for proxy, share in report.too_damaged.items()
    ]
    lines += [
        f"{proxy}: {share:.1%} of the inputs are filtered out, max_filtered allows "
        f"{manifest.max_filtered:.1%}; "
        f"{report.output}/quarantine/{proxy} names each input and the reason. Change the filters "
        f"of the proxy or the annotations, or allow more with --set max_filtered=SHARE"
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
            ("pictures", source.files_in_identity()), ("depth", source.depth is not None)
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
            f"A corpus states which files it was made of. Where {', '.join(fixed)} are mended and "
            "change in name or size, they make another build: build into a new --output."
        )
    return lines


def _verdict_text(verdict: Verdict, deep: bool) -> str:
    how = "every byte read" if deep else "tars were not read; --deep reads them"
    if verdict.parent is not None:
        how = f"compared with the indexes of {verdict.parent}, which is verified by itself"
    lines = [str(finding) for finding in verdict.findings]
    lines += [
        f"not decoded: {counted(count, 'target')} of the proxy type {kind}, which is not "
        "installed; --plugins FILE decodes them"
        for kind, count in verdict.not_decoded.items()
    ]
    state = "sound" if verdict.sound else counted(len(verdict.findings), "finding")
    lines.append(f"{verdict.counts}, {how}: {state}")
    return "\n".join(lines)


def _info_table(corpus: Corpus) -> Table:
    from sgt_data.engine.losses import beyond_bounds

    header = corpus.header
    totals = header.source_totals
    table = _totals_table({folder: totals[folder] for folder in corpus.folders if folder in totals})
    state = "complete" if header.complete else "not complete yet"
    if header.complete and beyond_bounds(header):
        state = "built to its end, but failed: it lost more than its manifest allows"
    if subset := header.identity.get("subset"):
        state = f"{subset_text(subset)}, {state}"
    if header.left_out:
        state += f", without {', '.join(header.left_out)}"
    table.title = f"{header.name} ({state})"
    return table


def _info_document(corpus: Corpus) -> dict[str, Any]:
    from sgt_data.engine.losses import beyond_bounds

    header = corpus.header
    return {
        "url": corpus.url,
        "name": header.name,
        "complete": header.complete,
        "beyond_bounds": beyond_bounds(header),
        "subset": header.identity.get("subset"),
        "parent": header.parent,
        "left_out": header.left_out,
        "totals": header.totals,
        "source_totals": header.source_totals,
        "fingerprints": header.fingerprints,
        "environment": header.environment,
    }


def _totals_table(by_proxy: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Table:
    """A row per proxy and source."""
    every = [totals for by_source in by_proxy.values() for totals in by_source.values()]
    # notes, and estimated inputs that broken tars lost: columns only where there are any
    rare = [name for name in ("notes", "lost") if any(name in totals for totals in every)]
    counts = (*_COUNTS, *rare)
    table = report_table(("proxy", "source"), (*counts, "bytes"))
    for proxy, by_source in by_proxy.items():
        for source, totals in by_source.items():
            cells = [f"{totals.get(name, 0):,}" for name in counts]
            table.add_row(proxy, source, *cells, size_text(totals["bytes"]))
    return table
