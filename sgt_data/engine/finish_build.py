"""The end of a build: totals, what was lost, and the final `corpus.json`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from sgt_data.corpus.header import CorpusHeader, write_header
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.readme import write_readme
from sgt_data.corpus.reasons import reasons_in
from sgt_data.corpus.receipt import Receipt, add_up
from sgt_data.engine.losses import (
    damaged_share,
    filtered_share,
    ledgers_with_rows,
    notes_on_slices,
)
from sgt_data.engine.running_build import RunningBuild
from sgt_data.engine.slice_tasks import corpus_order, pending_tasks


def finish_build(header: CorpusHeader, build: RunningBuild) -> None:
    """Add up what is committed, and write the final header.

    Args:
        header: of the corpus until it is complete.
        build: its state after the last pass; its report takes totals and notes.

    Raises:
        StorageError: the corpus cannot be written.
    """
    root, listing = build.root, build.plan.listing
    report, receipts = build.report, build.committed.receipts
    report.complete = not report.failures and not pending_tasks(
        listing.slices, listing.folders_of, receipts
    )
    shards, samples, source_totals = {}, {}, {}
    for folder, sources in listing.sources_of.items():
        by_shard = receipts[folder]
        shards[folder] = corpus_order(listing.slices, sources, by_shard)
        samples[folder] = tuple(by_shard[shard]["samples"] for shard in shards[folder])
        source_totals[folder] = {
            source: add_up(_of_source(by_shard.values(), source)) for source in sources
        }
        totals = add_up(by_shard.values())
        report.totals[folder] = totals
        if (share := damaged_share(totals)) > listing.manifest.max_quarantined:
            report.too_damaged[folder] = share
        if (share := filtered_share(totals)) > listing.manifest.max_filtered:
            report.too_filtered[folder] = share
        is_whole = report.complete or report.limit is not None
        if is_whole and listing.slices and not totals["samples"]:
            report.empty.append(folder)
    report.notes += [*listing.notes, *notes_on_slices(receipts, listing.slices)]
    report.tell_troubles()
    in_order = {folder: receipts[folder] for folder in listing.sources_of}
    report.reasons = reasons_in(root, ledgers_with_rows(in_order))
    if report.complete:
        build.roller.finish(shards)
    else:
        build.roller.close()
    report.notes += build.roller.notes
    finished = replace(
        header,
        complete=report.complete,
        shards=shards,
        samples=samples,
        totals=report.totals,
        source_totals=source_totals,
        limit=report.limit,
    )
    write_header(root, finished)
    if report.complete:
        write_readme(Corpus(root, finished))


def _of_source(receipts: Iterable[Receipt], source: str) -> list[Receipt]:
    return [receipt for receipt in receipts if receipt["source"] == source]
