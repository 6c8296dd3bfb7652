"""Copy a subset into a corpus of its own, shard by shard."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import partial

from sgt_data.corpus.committed_receipts import committed_receipts
from sgt_data.corpus.header import read_header, write_header
from sgt_data.corpus.identity import check_same_build
from sgt_data.corpus.lost_files import lost_notes, revoke_lost
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.readme import write_readme
from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.cluster import IN_PROCESS, THIS_MACHINE, Cluster
from sgt_data.engine.drive import drive
from sgt_data.engine.outcomes import CommittedShard, Outcome, OutputRefused
from sgt_data.engine.parallel import call_for_each
from sgt_data.engine.unseen_receipts import forget_unseen
from sgt_data.errors import (
    CorpusError,
    RequestError,
    SourceError,
    StorageError,
    Unreachable,
)
from sgt_data.files.troubles import take_troubles
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import absolute
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.result import Failure
from sgt_data.subsets.shard_copy import AT_ONCE, ShardCopier
from sgt_data.subsets.subset_headers import begun_header, finished_header
from sgt_data.subsets.subset_report import SubsetReport

SMALL_BYTES = 2 << 30
"""A copy of at most so many bytes takes less time than Ray takes to start."""


@dataclass(frozen=True, slots=True)
class _MissingShard:
    """A shard that folders of the copy lack.

    Attributes:
        shard: its name.
        keys: that are taken; none where shards are taken whole.
        fingerprints: of the copy, by the folders that lack the shard.
    """

    shard: str
    keys: tuple[str, ...]
    fingerprints: Mapping[str, str]


def copy_subset(
    subset: Corpus,
    output: str,
    *,
    cluster: Cluster = THIS_MACHINE,
    on_progress: OnProgress = ignore,
) -> SubsetReport:
    """Copy a subset, or go on copying it. What is committed is kept.

    Args:
        subset: an opened subset.
        output: fsspec URL of the copy.
        cluster: where to copy. A small subset is copied in this process where none is given.
        on_progress: called after every shard; the unit is the key.

    Raises:
        RequestError: the output is the corpus itself, or holds something else.
        CorpusError: the corpus at the output is damaged.
        StorageError: the output cannot be written; what is committed is kept.
        BuildError: Ray failed; what is committed is kept.
    """
    root, header, selection = absolute(output), subset.header, subset.selection
    assert selection is not None
    if root == subset.url:
        raise RequestError(f"output is {root}, which is the corpus itself")
    nbytes = sum(totals["bytes"] for totals in header.totals.values())
    if cluster == THIS_MACHINE and nbytes <= SMALL_BYTES:
        cluster = IN_PROCESS
    cluster.check_reach([subset.url, root])
    existing = read_header(root)
    if existing is not None:
        check_same_build(existing.identity, header.identity, root)
    if existing is None or existing.fingerprints != header.fingerprints:
        write_header(root, begun_header(header))
    every = sum(end - start for start, end in selection.spans.values())
    on_progress(Progress(0, every, phase="looking for what is copied"))
    sweep_unfinished(root)
    receipts = committed_receipts(root, header.fingerprints)
    lost = revoke_lost(root, begun_header(header), receipts)
    report = SubsetReport.of(subset, root)
    report.notes += lost_notes(lost, "copied")
    report.copied, report.found_shards = True, sum(map(len, receipts.values()))

    def note(shard: CommittedShard) -> None:
        for receipt in shard.receipts:
            receipts[receipt["proxy"]][receipt["shard"]] = receipt

    lacking = _lacking_folders(subset, receipts)
    if lacking:
        copy = partial(_copy_shard, ShardCopier(subset.url, root, selection.whole))
        keys = sum(selection.spans[shard][1] - selection.spans[shard][0] for shard in lacking)
        work = call_for_each(copy, _missing_shards(subset, lacking), cluster, AT_ONCE, root)
        with closing(work) as outcomes:
            kept = every - keys
            begun = Progress(kept, every, phase="copying", kept=kept)
            on_progress(begun)
            drive(outcomes, report, note, begun, on_progress)
        if not cluster.in_process:
            report.failures += forget_unseen(root, receipts)
        report.tell_troubles()
    finished = finished_header(header, receipts)
    write_header(root, finished)
    if finished.complete:
        write_readme(Corpus(root, finished))
    report.complete, report.totals = finished.complete, finished.totals
    return report


def _lacking_folders(
    subset: Corpus, receipts: Mapping[str, Mapping[str, Receipt]]
) -> dict[str, tuple[str, ...]]:
    """By shard: the folders of the copy that lack it."""
    assert subset.selection is not None
    shards = {folder: frozenset(subset.header.shards[folder]) for folder in subset.folders}
    lacking = {
        shard: tuple(
            folder
            for folder in subset.folders
            if shard in shards[folder] and shard not in receipts[folder]
        )
        for shard in subset.selection.spans
    }
    return {shard: folders for shard, folders in lacking.items() if folders}


def _missing_shards(
    subset: Corpus, lacking: Mapping[str, tuple[str, ...]]
) -> Iterator[_MissingShard]:
    """The missing shards, one after the other: the keys of all of them may be many."""
    selection, fingerprints = subset.selection, subset.header.fingerprints
    assert selection is not None
    for shard, folders in lacking.items():
        keys = () if selection.whole else tuple(selection.of(shard).to_pylist())
        yield _MissingShard(shard, keys, {folder: fingerprints[folder] for folder in folders})


def _copy_shard(copier: ShardCopier, missing: _MissingShard) -> Outcome:
    """Copy a shard of every folder that lacks it."""
    began = time.monotonic()
    try:
        receipts = tuple(
            copier.copy(folder, missing.shard, missing.keys, fingerprint)
            for folder, fingerprint in missing.fingerprints.items()
        )
    except (SourceError, CorpusError) as why:
        return Failure(missing.shard, str(why), may_pass=isinstance(why, Unreachable))
    except StorageError as why:
        return OutputRefused(str(why))
    seconds = time.monotonic() - began
    return CommittedShard(missing.shard, receipts, seconds, troubles=take_troubles())
