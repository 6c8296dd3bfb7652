"""The command line: one command per verb, each a thin face over a Python function.

Exit codes: 0 done; 1 the work failed, or a check did; 2 the request was wrong. Results go to
standard output, everything else to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from sgt_data.cli import experiments as cli_experiment
from sgt_data.cli.output import (
    AsJson,
    CorpusUrl,
    notes,
    show,
)
from sgt_data.errors import RequestError, SgtDataError


def _exit_with(code: int) -> None:
    """What a command returns is its exit code."""
    raise typer.Exit(code)


app = typer.Typer(
    name="sgt-data",
    help="Draw proxy tasks for semantic generative tuning, and keep them as WebDataset corpora.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    result_callback=_exit_with,
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; exits the process."""
    try:
        app(args=arguments)
    except SgtDataError as why:
        notes.print(f"sgt-data: {why}", markup=False)
        sys.exit(why.exit_code)


@app.command()
def build(
    manifest: Annotated[str, typer.Argument(metavar="MANIFEST", help="YAML file (fsspec URL)")],
    output: Annotated[str, typer.Option(help="fsspec URL of the corpus")],
    address: Annotated[str | None, typer.Option(help="a Ray cluster; default: one here")] = None,
    workers: Annotated[
        int | None, typer.Option(help="CPUs to use here; 0 builds in this process, without Ray")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="print the plan, do nothing")] = False,
    overrides: Annotated[
        list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="override a field")
    ] = None,
    max_quarantined: Annotated[
        float | None, typer.Option(help="share of damaged inputs that fails the build")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Build the corpus that a manifest describes, or go on building it."""
    from sgt_data.cli import reports
    from sgt_data.engine.build import build_corpus
    from sgt_data.engine.forecast import forecast
    from sgt_data.engine.listing import list_inputs
    from sgt_data.manifest import load_manifest

    changes = list(overrides or ())
    if max_quarantined is not None:
        changes.append(f"max_quarantined={max_quarantined}")
    resolved = load_manifest(manifest, changes)
    if dry_run:
        plan = list_inputs(resolved)
        rows = forecast(plan)
        show(reports.forecast_table(rows), reports.forecast_json(plan, rows), as_json)
        return 0
    with reports.BuildProgress(notes) as progress:
        report = build_corpus(
            resolved, output, address=address, workers=workers, on_progress=progress
        )
    for line in reports.build_warnings(report):
        notes.print(line, markup=False)
    show(reports.build_table(report), reports.build_json(report), as_json)
    return 0 if report.succeeded else 1


@app.command()
def verify(
    corpus: CorpusUrl,
    deep: Annotated[bool, typer.Option("--deep", help="read and decode everything")] = False,
    as_json: AsJson = False,
) -> int:
    """Check every law that can be checked on disk; exit 1 names what is wrong."""
    from sgt_data.cli import reports
    from sgt_data.verify.corpus import verify_corpus

    with reports.CountProgress(notes, "shards") as progress:
        verdict = verify_corpus(corpus, deep=deep, on_shard=progress)
    show(reports.verdict_text(verdict, deep), reports.verdict_json(verdict, deep), as_json)
    return 0 if verdict.sound else 1


@app.command()
def info(corpus: CorpusUrl, as_json: AsJson = False) -> int:
    """Totals of a corpus, by proxy and source."""
    from sgt_data.cli import reports
    from sgt_data.subsets.opening import open_corpus

    opened = open_corpus(corpus)
    show(reports.info_table(opened), reports.info_json(opened), as_json)
    return 0


@app.command()
def preview(
    corpus: CorpusUrl,
    file: Annotated[Path, typer.Option("-o", "--output", help="PNG file")] = Path("preview.png"),
    per_source: Annotated[
        int | None, typer.Option(min=1, help="pictures of each source; default: as many as fit")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw a contact sheet: pictures, targets, instructions."""
    from sgt_data.preview.contact_sheet import contact_sheet
    from sgt_data.subsets.opening import open_corpus

    sheet = contact_sheet(open_corpus(corpus), per_source)
    file.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(file, "PNG")
    found = {"file": str(file), "width": sheet.width, "height": sheet.height}
    show(f"{file} ({sheet.width}x{sheet.height})", found, as_json)
    return 0


@app.command()
def annotate(
    pictures: Annotated[str, typer.Argument(metavar="PICTURES", help="folder (fsspec URL)")],
    output: Annotated[str, typer.Option(help="fsspec URL of the folder for the tars")],
    checkpoint: Annotated[str, typer.Option(help="of Segment Anything: file or URL")],
    pictures_per_tar: Annotated[int, typer.Option(min=1, max=100_000)] = 256,
    address: Annotated[str | None, typer.Option(help="a Ray cluster; default: one here")] = None,
    workers: Annotated[
        int | None, typer.Option(help="CPUs to use here; 0 works in this process, without Ray")
    ] = None,
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="a parameter of the mask generator"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw masks of everything in pictures without annotation, as SA-1B-format tars."""
    from sgt_data.cli import reports
    from sgt_data.engine.annotate_pictures import annotate_pictures
    from sgt_data.manifest import parse_annotator
    from sgt_data.overrides import override_fields

    fields: dict[str, Any] = {"type": "sam", "checkpoint": checkpoint}
    override_fields(fields, overrides or ())
    annotator = parse_annotator(fields, "annotate")
    with reports.BuildProgress(notes) as progress:
        report = annotate_pictures(
            pictures, output, annotator,
            pictures_per_tar=pictures_per_tar, address=address, workers=workers,
            on_progress=progress,
        )  # fmt: skip
    for failure in report.failures:
        notes.print(f"not done: {failure.slice}: {failure.message}", markup=False)
    show(reports.annotation_text(report), reports.annotation_json(report), as_json)
    return 0 if report.succeeded else 1


@app.command()
def export(
    corpus: CorpusUrl,
    output: Annotated[str, typer.Option(help="local folder to write")],
    form: Annotated[str, typer.Option("--format", help="bagel or omnigen2")] = "bagel",
    proxies: Annotated[
        list[str] | None, typer.Option("--proxy", help="only this one; may be repeated")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Write a corpus as the folders and lists that SGT's released trainers read."""
    from sgt_data.cli import reports
    from sgt_data.trainers.export import export_corpus

    with reports.CountProgress(notes, "samples") as progress:
        report = export_corpus(corpus, output, form, proxies, on_sample=progress)  # type: ignore[arg-type]
    for note in report.notes:
        notes.print(f"note: {note}", markup=False)
    show(reports.export_text(report), reports.export_json(report), as_json)
    return 0


@app.command()
def push(
    corpus: CorpusUrl,
    repo: Annotated[str, typer.Argument(metavar="REPO", help="a dataset on the Hub: OWNER/NAME")],
    pictures: Annotated[
        bool, typer.Option("--pictures", help="the pictures too; all their licences must allow it")
    ] = False,
    private: Annotated[bool, typer.Option("--private", help="nobody else sees it")] = False,
    revision: Annotated[
        str | None, typer.Option(metavar="BRANCH", help="default: main; made if it is not there")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="print what would be pushed, ask nobody")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Push a corpus or a subset to the Hugging Face Hub, or go on pushing it."""
    from sgt_data.cli import reports
    from sgt_data.cli.push_reports import push_json, push_notes, push_table
    from sgt_data.publish.push import push_corpus

    with reports.CountProgress(notes, "shards") as progress:
        report = push_corpus(
            corpus, repo,
            pictures=pictures, private=private, revision=revision, dry_run=dry_run,
            on_progress=progress,
        )  # fmt: skip
    for line in push_notes(report):
        notes.print(line, markup=False)
    show(push_table(report), push_json(report), as_json)
    return 0 if report.complete or report.dry_run else 1


@app.command()
def scale(
    corpus: CorpusUrl,
    more: Annotated[list[float] | None, typer.Argument(hidden=True)] = None,
    fraction: Annotated[float | None, typer.Option(help="above 0, at most 1")] = None,
    samples: Annotated[int | None, typer.Option(help="so many instead")] = None,
    fractions: Annotated[
        float | None, typer.Option(metavar="F1 F2 ...", help="several at once, after CORPUS")
    ] = None,
    where: Annotated[
        str | None, typer.Option(help="DuckDB expression over source, licence, segments ...")
    ] = None,
    strata: Annotated[
        str, typer.Option(help="exact shares by source, or in it by segments or category")
    ] = "source",
    described_by: Annotated[
        str | None, typer.Option(metavar="PROXY", help="whose segments and categories are meant")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="default: the manifest's")] = None,
    shards: Annotated[bool, typer.Option("--shards", help="take whole shards")] = False,
    file: Annotated[
        str | None, typer.Option(help="the subset file; {} stands for the fraction")
    ] = None,
    output: Annotated[
        str | None, typer.Option(help="copy to this URL instead; {} stands for the fraction")
    ] = None,
    address: Annotated[str | None, typer.Option(help="a Ray cluster; default: one here")] = None,
    workers: Annotated[
        int | None, typer.Option(help="CPUs to use here; 0 copies in this process, without Ray")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Take nested subsets: a file that names the keys, or with --output a corpus of its own."""
    from sgt_data.cli import reports
    from sgt_data.cli.subset_reports import subset_json, subset_notes, subset_table
    from sgt_data.subsets.subset import subset, subset_ladder

    if (more or fractions is not None) and (fraction is not None or samples is not None):
        raise RequestError("give one of --fraction, --samples and --fractions")
    if more and fractions is None:
        raise RequestError(f"found {more[0]:g} after the corpus; is --fractions missing?")
    with reports.BuildProgress(notes) as progress:
        terms: dict[str, Any] = {
            "where": where, "strata": strata, "described_by": described_by, "seed": seed,
            "whole_shards": shards, "file": file, "output": output, "address": address,
            "workers": workers, "on_progress": progress,
        }  # fmt: skip
        if fractions is None:
            done = [subset(corpus, fraction, samples=samples, **terms)]
        else:
            done = subset_ladder(corpus, [fractions, *(more or ())], **terms)
    for line in subset_notes(done):
        notes.print(line, markup=False)
    show(subset_table(done), subset_json(done), as_json)
    return 0 if all(one.complete for one in done) else 1


@app.command()
def questions(
    corpus: CorpusUrl,
    output: Annotated[str, typer.Option(help="fsspec URL of the folder to write")],
    proxy: Annotated[
        str | None, typer.Option(help="whose segments to ask about; default: instance or panoptic")
    ] = None,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    tasks: Annotated[
        str | None, typer.Option(help="by commas, of those it lists; default: all it can")
    ] = None,
    per_picture: Annotated[int, typer.Option(min=1, help="at most, of each task")] = 4,
    per_task: Annotated[int | None, typer.Option(min=1, help="at most, in each split")] = None,
    shares: Annotated[str, typer.Option(help="of the pictures")] = "train=0.8,val=0.1,test=0.1",
    as_json: AsJson = False,
) -> int:
    """Ask questions about the pictures, whose words do not tell the answers; in LLaVA's form."""
    from sgt_data.cli import reports
    from sgt_data.cli.question_reports import questions_json, questions_notes, questions_table
    from sgt_data.questions.splits import parse_shares
    from sgt_data.questions.write import write_questions

    with reports.CountProgress(notes, "pictures") as progress:
        report = write_questions(
            corpus, output,
            proxy=proxy, seed=seed, tasks=tasks.split(",") if tasks else None,
            per_picture=per_picture, per_task=per_task, shares=parse_shares(shares),
            on_picture=progress,
        )  # fmt: skip
    for line in questions_notes(report):
        notes.print(line, markup=False)
    show(questions_table(report), questions_json(report), as_json)
    return 0


@app.command()
def sample(
    directory: Annotated[str, typer.Argument(metavar="DIR", help="folder to write")],
    images: Annotated[int, typer.Option(min=1, help="pictures of each form")] = 64,
    seed: Annotated[int, typer.Option(min=0)] = 0,
    width: Annotated[int, typer.Option(min=16, help="pixels")] = 640,
    height: Annotated[int, typer.Option(min=16, help="pixels")] = 480,
    scenes: Annotated[
        str, typer.Option(help="varied, or simple: few large things, for small models")
    ] = "varied",
    forms: Annotated[
        list[str] | None, typer.Option("--form", help="sa1b or coco; both by default")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Draw sample scenes and write them in SA-1B's and COCO's own formats."""
    from dataclasses import asdict

    from sgt_data.cli import reports
    from sgt_data.scenes.write import FORMS, write_samples

    with reports.CountProgress(notes, "pictures") as progress:
        written = write_samples(
            directory, images, seed=seed, size=(width, height),
            scenes=scenes, forms=forms or FORMS,  # type: ignore[arg-type]
            on_progress=lambda drawn: progress(drawn.done, drawn.total),
        )  # fmt: skip
    said = {
        "sa1b": f"{written.images} pictures in SA-1B's form ({written.masks} masks)",
        "coco": f"{written.images} pictures in COCO's form ({written.instances} instances, "
        f"{written.segments} segments)",
    }
    text = f"{written.directory}: {', '.join(said[form] for form in written.forms)}"
    show(text, asdict(written), as_json)
    return 0


app.command()(cli_experiment.train)
app.command()(cli_experiment.experiment)
