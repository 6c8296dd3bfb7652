"""Exports a corpus as the files that a trainer's own code reads, and continues what was stopped.

OUTPUT/export.json states which corpus was exported, and how; the rest is the format's
(`sgt_data.exports.formats`). A file gets its name when it is whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing

from sgt_data import checks
from sgt_data.corpus.identity import in_words
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.exports.export_format import Export, ExportFormat
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.export_report import ExportReport
from sgt_data.exports.exported_files import ExportedFiles
from sgt_data.exports.formats import FORMATS
from sgt_data.exports.questions import FORM as QUESTIONS
from sgt_data.exports.questions import export_questions
from sgt_data.files.claim import Claim, claim
from sgt_data.files.output_place import EXPORT_MARKER, check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location, is_local, plain
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.suggestions import not_among

NO_OPTIONS = ExportOptions()


def export_corpus(
    corpus: Location,
    output: Location,
    form: str = "bagel",
    proxies: Sequence[str] | str | None = None,
    *,
    options: ExportOptions = NO_OPTIONS,
    progress: ProgressTo = False,
) -> ExportReport:
    """Export a finished corpus, or continue an export that was stopped.

    Args:
        corpus: fsspec URL of the corpus or of a subset file; for the format `questions`, of a
            folder that `write_questions` wrote.
        output: fsspec URL of a folder; some formats take local folders only.
        form: name of the format, after the trainer that will read the export.
        proxies: names of the proxies to export, or the name of one; None for all.
        options: what the format should know of the training.
        progress: True shows a bar; a function is called as samples are done, which it counts.

    Raises:
        RequestError: the corpus is not complete or has no such proxy; the format is unknown, takes
            no such option, or cannot hold what is asked for; the output is not local where it must
            be, holds other files, or has a path that the trainer's loaders would misread.
        CorpusError: a sample is damaged.
        StorageError: the output cannot be written.
    """
    checks.instance_of("options", options, ExportOptions)
    with shown(progress, "samples") as on_progress:
        if form == QUESTIONS:
            if proxies is not None:
                raise RequestError(f"proxies: the format {QUESTIONS} takes questions, not proxies")
            return export_questions(plain(corpus), plain(output), options, on_progress)
        on_progress(Progress(0, phase="opening the corpus"))
        opened = open_corpus(plain(corpus))
        export_format = _chosen_format(form, options)
        export = _begun(opened, plain(output), export_format, proxies, options)
        with closing(export.files):
            _write(export, export_format, on_progress)
    return export.report


def _chosen_format(form: str, options: ExportOptions) -> ExportFormat:
    if form not in FORMATS:
        raise RequestError(f"format: {not_among(form, (*FORMATS, QUESTIONS))}")
    options.check(form, FORMATS[form].takes)
    return FORMATS[form]()


def _begun(
    corpus: Corpus,
    output: str,
    export_format: ExportFormat,
    proxies: Sequence[str] | str | None,
    options: ExportOptions,
) -> Export:
    """The export, checked, in a folder that is claimed for it."""
    finished = corpus.finished(proxies)
    asked = [proxy for proxy in corpus.proxies if proxy in finished]
    # a reversed proxy comes after its base, whose files it gets links to
    chosen = tuple(sorted(asked, key=lambda proxy: proxy in corpus.bases))
    root = check_output(output, [corpus.url], marker=EXPORT_MARKER)
    if export_format.local_only and not is_local(root):
        raise RequestError(f"output is {output}; the trainers read local folders only")
    report = ExportReport(root, export_format.name)
    export = Export(corpus, chosen, options, ExportedFiles(root, report), report)
    _note_empty(export)
    export_format.check(export)
    claim(root, _claim_of(export, export_format), remedy="export to another folder")
    sweep_unfinished(root)  # of a new folder too: one may have been killed while it claimed it
    return export


def _note_empty(export: Export) -> None:
    """Say which proxies have no samples.

    Raises:
        RequestError: none of them has any.
    """
    counts = {proxy: sum(export.corpus.samples_per_shard(proxy)) for proxy in export.proxies}
    if not any(counts.values()):
        raise RequestError(
            f"{export.corpus.url} has no sample of {', '.join(counts)}: there is nothing to export"
        )
    for proxy, count in counts.items():
        if not count:
            export.report.note(f"{proxy}: it has no sample, so it is left out")


def _claim_of(export: Export, export_format: ExportFormat) -> Claim:
    """What the output folder is claimed for: existing files are trusted by their size, so they must
    come from exactly this corpus."""
    header = export.corpus.header
    identity = {
        "version": 1,
        "format": export_format.name,
        "corpus": header.name,
        "fingerprints": {proxy: header.fingerprints[proxy] for proxy in export.proxies},
        **export_format.identity(export.options),
    }
    return Claim(EXPORT_MARKER, identity, "an export", describe=in_words)


def _write(export: Export, export_format: ExportFormat, on_progress: OnProgress) -> None:
    report = export.report
    total = sum(sum(export.corpus.samples_per_shard(proxy)) for proxy in export.proxies)
    done = 0
    on_progress(Progress(0, total, phase="exporting"))
    for proxy in export.proxies:
        report.samples[proxy] = 0
        with closing(export_format.write(export, proxy)) as counts:
            for count in counts:
                report.samples[proxy] += count
                done += count
                on_progress(Progress(done, total, phase="exporting"))
    export.files.flush()
    for path, text in export_format.finish(export).items():
        report.configs.append(export.files.write(path, text.encode()))
    report.complete = True
