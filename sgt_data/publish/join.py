"""Join: put the pictures back into a copy of a corpus from which a push has left them out.

First the pictures of the sources are compared with the SHA-256 that the copy states of them; while
one differs, nothing is written. Then what was left out is made anew, shard by shard, and each shard
is committed only if its bytes are those of the original. `corpus.json` of the whole corpus comes
last; until then the copy stays what it was, and the same call goes on after a kill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from sgt_data import checks
from sgt_data.corpus.committed_receipts import committed_receipts
from sgt_data.corpus.header import CorpusHeader, read_header, write_header
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE, LEFT_OUT_FILE
from sgt_data.corpus.readme import write_readme
from sgt_data.engine.build import check_build_output
from sgt_data.engine.choose_engine import open_engine
from sgt_data.engine.cluster import IN_PROCESS, THIS_MACHINE, Cluster
from sgt_data.engine.drive import drive
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.outcomes import CommittedShard
from sgt_data.errors import RequestError
from sgt_data.files.output_place import check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location, absolute, below, plain
from sgt_data.files.writing import delete
from sgt_data.manifest.manifest import Manifest
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.publish.check_pictures import (
    CheckedPictures,
    check_pictures,
    repeated_keys,
)
from sgt_data.publish.fetch_copy import check_place, fetch_copy
from sgt_data.publish.join_manifest import join_manifest, list_sources
from sgt_data.publish.join_plan import JoinPlan, plan_join
from sgt_data.publish.join_report import JoinReport
from sgt_data.publish.left_out import LeftOutRecord, read_record
from sgt_data.publish.put_back import join_stages, present_shards
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.subset_headers import finished_header

SMALL_SAMPLES = 2_000
"""So many samples are put back in less time than Ray takes to start."""


def join_pictures(
    copy: Location,
    sources: Sequence[str] | str = (),
    *,
    output: Location | None = None,
    dry_run: bool = False,
    cluster: Cluster = THIS_MACHINE,
    progress: ProgressTo = False,
) -> JoinReport:
    """Put back what a push without pictures has left out, or go on putting it back.

    The result is the corpus that was pushed, byte for byte, or the copy of the subset that was.

    Args:
        copy: fsspec URL of a corpus that was pushed without pictures, on the Hub or fetched.
        sources: where the pictures are, `sources.NAME.FIELD=URL` each, or one of these, as for a
            manifest.
        output: URL of the whole corpus; None completes the copy in its own place.
        dry_run: only compare the pictures; nothing is written.
        cluster: where to work. Small corpora are completed in this process where none is given.
        progress: True shows how far it is, as pictures are compared, shards fetched and shards put
            back; a function is called with each.

    Raises:
        RequestError: the copy lacks nothing, does not state what it lacks, or lies on the Hub and
            no output is given; the sources are others than those of the build.
        CorpusError, SourceError: the copy is damaged, or cannot be read just now; a source cannot
            be listed.
        StorageError: the output cannot be written; what is committed is kept.
        BuildError: Ray failed; what is committed is kept.
    """
    checks.instance_of("cluster", cluster, Cluster)
    opened = _open_copy(copy)
    root = _place(opened, output)
    report = JoinReport(copy=opened.url, output=root, dry_run=dry_run)
    record = read_record(opened.url)
    if not opened.header.left_out or _is_whole(root, record):
        report.complete = True
        report.notes.append(f"{root} lacks no pictures; nothing is to be done")
        if not dry_run and not opened.header.left_out and root == opened.url:
            delete(below(root, LEFT_OUT_FILE))  # a join was killed just before
        return report
    if record is None:
        raise RequestError(
            f"{opened.url} has no {LEFT_OUT_FILE}, which states what was left out: it is a part of "
            "a copy, or an earlier version pushed it. Build its manifest on top of it instead: "
            "sgt-data build MANIFEST --output COPY"
        )
    manifest = join_manifest(record, opened.header.left_out, sources, opened.url)
    _check_places(opened, root, manifest, cluster)
    plan = plan_join(opened, record, list_sources(manifest), InProcessEngine().set_up)
    report.notes += [*plan.listing.notes, *(f"other versions: {each}" for each in plan.versions)]
    if cluster == THIS_MACHINE and _samples(plan) <= SMALL_SAMPLES:
        cluster = IN_PROCESS
    with shown(progress, "pictures") as on_progress:
        _Join(plan, root, report, cluster, on_progress).run()
    return report


@dataclass(slots=True)
class _Join:
    """A join under way."""

    plan: JoinPlan
    root: str
    report: JoinReport
    cluster: Cluster
    on_progress: OnProgress

    def run(self) -> None:
        report, plan = self.report, self.plan
        present = present_shards(plan, self.root)
        report.found_shards = sum(map(len, present.values()))
        lacking = plan.lacking(present)
        tasks = plan.tasks(lacking)
        checked = check_pictures(plan, tasks, self.cluster, self.on_progress)
        report.checked, report.differing = checked.checked, checked.differing
        report.failures += checked.failures
        if report.differing or report.failures or report.dry_run:
            return
        if self.root != plan.copy.url:
            report.fetched_shards, failures = fetch_copy(plan.copy, self.root, self.on_progress)
            report.failures += failures
        if not report.failures:
            sweep_unfinished(self.root)
            self._put_back(lacking, checked)
        if not report.failures:
            self._finish()

    def _put_back(self, lacking: Mapping[str, frozenset[str]], checked: CheckedPictures) -> None:
        plan = self.plan
        excluded = repeated_keys(plan, checked.unexpected)
        tasks = [task.slice_task_without(excluded) for task in plan.tasks(lacking)]
        if not tasks:
            return
        total = sum(task.slice.pictures for task in tasks)
        begun = Progress(0, total, exact=plan.listing.exact, phase="putting pictures back")

        def announce(phase: str) -> None:
            self.on_progress(replace(begun, phase=phase))

        with (
            open_engine(self.cluster, announce) as engine,
            closing(engine.run(tasks, join_stages(plan, lacking, self.root))) as outcomes,
        ):
            drive(outcomes, self.report, _forget, begun, self.on_progress)

    def _finish(self) -> None:
        """Write the header of the whole corpus, once all of it is there."""
        header = self._finished_header()
        if header is None:
            return
        write_readme(Corpus(self.root, header))
        write_header(self.root, header)
        delete(below(self.root, LEFT_OUT_FILE))
        left_out = self.plan.copy.header.left_out
        self.report.totals = {folder: header.totals[folder] for folder in left_out}
        self.report.complete = True

    def _finished_header(self) -> CorpusHeader | None:
        plan = self.plan
        header = plan.record.header
        if any(plan.lacking(present_shards(plan, self.root)).values()):
            return None
        if plan.record.receipts:
            return header
        return finished_header(header, committed_receipts(self.root, header.fingerprints))


def _forget(shard: CommittedShard) -> None:
    """Keep nothing of a committed shard: its receipt is read when all are there."""


def _open_copy(copy: Location) -> Corpus:
    opened = open_corpus(plain(copy))
    if opened.selection is not None:
        raise RequestError(
            f"{plain(copy)} is a subset file; join the corpus that it names: {opened.url}"
        )
    opened.finished()
    return opened


def _place(copy: Corpus, output: Location | None) -> str:
    """The absolute URL of the place that is completed."""
    if output is None:
        if copy.url.startswith("hf://"):
            raise RequestError(
                f"{copy.url} lies on the Hub, which is not written to; give --output (output=), a "
                "folder or URL for the whole corpus"
            )
        return copy.url
    if absolute(output) == copy.url:
        return copy.url
    return check_output(output, [copy.url], marker=CORPUS_FILE)


def _is_whole(root: str, record: LeftOutRecord | None) -> bool:
    """Whether the whole corpus is at a place already."""
    existing = read_header(root)
    return (
        record is not None
        and existing is not None
        and existing.complete
        and not existing.left_out
        and existing.fingerprints == record.header.fingerprints
    )


def _check_places(copy: Corpus, root: str, manifest: Manifest, cluster: Cluster) -> None:
    check_build_output(manifest, root)
    cluster.check_reach([copy.url, root])
    if root != copy.url:
        check_place(copy, root)


def _samples(plan: JoinPlan) -> int:
    totals = plan.record.header.totals
    return sum(totals[folder]["samples"] for folder in plan.copy.header.left_out)
