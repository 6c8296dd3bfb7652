"""The commands that look at whole corpora: verify, info, preview."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from sgt_data.cli.arguments import (
    AsJson,
    CorpusUrl,
    LogJson,
    Plugins,
    names_in,
    use_listed_plugins,
)
from sgt_data.cli.mending_commands import mending_command
from sgt_data.cli.output import (
    command_text,
    print_messages,
    print_next,
    show,
)
from sgt_data.cli.progress_bar import LOADING, ProgressBar
from sgt_data.cli.totals_table import totals_table
from sgt_data.corpus.subset_text import subset_text
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.corpus.opened_corpus import Corpus
    from sgt_data.verify.findings import Verdict

_HOW_TO_MEND = (
    "To mend it, remove the files named above that are still there (but not corpus.json), then run "
    "the command that wrote the corpus again: what is missing or too short is made anew. It needs "
    "the sources at their places."
)


def verify_command(
    corpus: CorpusUrl,
    deep: Annotated[
        bool, typer.Option("--deep", help="read every tar, decode every target")
    ] = False,
    plugins: Plugins = None,
    log_json: LogJson = None,
    as_json: AsJson = False,
) -> int:
    """Check a corpus and name all that is wrong with it. Exit code 1 if anything is."""
    own = use_listed_plugins(plugins)
    with ProgressBar("shards", phase=LOADING) as bar:
        from sgt_data.corpus.paths import CORPUS_FILE
        from sgt_data.verify.check_corpus import verify_corpus

        verdict = verify_corpus(corpus, deep=deep, progress=bar)
    document = {**asdict(verdict), "deep": deep, "sound": verdict.sound}
    show(_verdict_text(verdict, deep), document, as_json)
    if not verdict.sound:
        has_damage = any(finding.place != CORPUS_FILE for finding in verdict.findings)
        print_messages([_HOW_TO_MEND] if has_damage and verdict.parent is None else [])
        print_next(mending_command(corpus))
    elif deep or verdict.parent is not None:
        print_next(command_text("view", corpus))
    else:
        print_next(command_text("verify", corpus, "--deep", *own))
    return 0 if verdict.sound else 1


def info_command(corpus: CorpusUrl, as_json: AsJson = False) -> int:
    """Show the totals of a corpus, and why inputs were lost.

    Of targets that were made elsewhere also what they are.
    """
    from sgt_data.corpus.reasons import reasons_of_corpus
    from sgt_data.corpus.target_audits import audits_of_corpus
    from sgt_data.subsets.open_corpus import open_corpus

    opened = open_corpus(corpus)
    reasons = reasons_of_corpus(opened)
    audits = audits_of_corpus(opened)
    document = _info_document(opened) | {"reasons": [asdict(reason) for reason in reasons]}
    document["audits"] = {proxy: asdict(each) for proxy, each in audits.items()}
    table = _info_table(opened)
    lines = [line for proxy, each in audits.items() for line in each.lines(proxy)]
    if reasons:
        lines += [*document["beyond_bounds"], *(f"lost: {reason}" for reason in reasons)]
    if lines:
        table.caption = "\n".join(lines)
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
    if verdict.accepted:
        others = [f"{counted(n, 'file')} of {writer}" for writer, n in verdict.accepted.items()]
        lines.append(f"not of the corpus, and accepted: {', '.join(others)}")
    if verdict.limit is not None:
        lines.append(
            f"not complete: limited to the first {counted(verdict.limit, 'picture')} of each "
            "source; these shards were checked"
        )
    state = "sound" if verdict.sound else counted(len(verdict.findings), "finding")
    lines.append(f"{verdict.counts}, {how}: {state}")
    return "\n".join(lines)


def _info_table(corpus: Corpus) -> Table:
    from sgt_data.engine.losses import beyond_bounds

    header = corpus.header
    totals = header.source_totals
    table = totals_table({folder: totals[folder] for folder in corpus.folders if folder in totals})
    state = header.state
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
        "limit": header.limit,
        "beyond_bounds": beyond_bounds(header),
        "subset": header.identity.get("subset"),
        "parent": header.parent,
        "left_out": header.left_out,
        "totals": header.totals,
        "source_totals": header.source_totals,
        "fingerprints": header.fingerprints,
        "environment": header.environment,
    }
