"""Build a corpus: list the inputs, check that it is one build, do what is missing, add it up."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from sgt_data import checks
from sgt_data.corpus.committed_receipts import check_one_build
from sgt_data.corpus.committed_shards import Announce, Committed, committed_shards, list_receipts
from sgt_data.corpus.header import CorpusHeader, read_header, write_header
from sgt_data.corpus.identity import check_same_build, environment
from sgt_data.corpus.lost_files import lost_notes, revoke_lost
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.corpus.readme import write_readme
from sgt_data.corpus.reasons import reasons_in
from sgt_data.corpus.receipt import Receipt, add_up, revoke
from sgt_data.engine.begun_corpus import is_uncommitted
from sgt_data.engine.build_plan import BuildPlan, plan_build
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.build_stages import corpus_stages
from sgt_data.engine.choose_engine import Engine, open_engine
from sgt_data.engine.cluster import THIS_MACHINE, Cluster
from sgt_data.engine.drive import drive
from sgt_data.engine.duplicates import repeated_keys
from sgt_data.engine.limited import first_shards, limited_listing, reached_limit
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.losses import (
    again_note,
    damaged_share,
    filtered_share,
    ledgers_with_rows,
    notes_on_slices,
)
from sgt_data.engine.outcomes import CommittedShard
from sgt_data.engine.place_of_work import core_seconds, place_note, place_of_work
from sgt_data.engine.receipt_roller import ReceiptRoller
from sgt_data.engine.retry_damaged import revoke_damaged
from sgt_data.engine.shard_events import tell_quarantined
from sgt_data.engine.slice_tasks import (
    SliceId,
    SliceTask,
    corpus_order,
    kept_inputs,
    pending_tasks,
)
from sgt_data.engine.unseen_receipts import forget_unseen
from sgt_data.errors import RequestError
from sgt_data.files.output_place import check_output
from sgt_data.files.troubles import take_troubles, troubles_text
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location
from sgt_data.manifest.manifest import Manifest, load_manifest
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.sources.picture_pool import COCO_URL


def build_corpus(
    manifest: Manifest | Location,
    output: Location,
    *,
    cluster: Cluster = THIS_MACHINE,
    retry_damaged: bool = False,
    limit: int | None = None,
    progress: ProgressTo = False,
) -> BuildReport:
    """Build, or go on building, the corpus that a manifest describes.

    What is committed is kept; the rest is done. A shard whose files were lost or cut since (sizes
    are compared with the receipts) is built again, and a note of the report names it. The bytes do
    not depend on how many workers there are, nor on how often the build was interrupted.

    Args:
        manifest: a manifest, or the URL of its file.
        output: fsspec URL of the corpus.
        cluster: where to work; `IN_PROCESS` builds in this process, without Ray. By default little
            work is done in this process, and more on a Ray that is started on this machine.
        retry_damaged: build the shards again whose ledgers name damage, as after missing pictures
            were put back.
        limit: build the first so many pictures of each source alone, rounded up to whole shards.
            The shards are those of the whole build: without the limit, the same output is
            continued.
        progress: True shows a bar; a function is called when inputs are done, of which it counts.

    Raises:
        RequestError: manifest, sources or output do not allow it; nothing was built.
        SourceError, CorpusError: a source cannot be listed, or the corpus at the output is damaged.
        StorageError: the output cannot be written; what is committed is kept.
        BuildError: Ray failed; what is committed is kept.
    """
    checks.instance_of("cluster", cluster, Cluster)
    if limit is not None:
        checks.whole_number("limit", limit, 1)
        if retry_damaged:
            raise RequestError(
                "retry_damaged takes shards out of the whole corpus, which a limited build would "
                "not put back; give one of limit and retry_damaged"
            )
    with shown(progress, "pictures") as on_progress:
        return _build(manifest, output, _Asked(cluster, retry_damaged, limit), on_progress)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a build was asked for beside manifest and output."""

    cluster: Cluster
    retry_damaged: bool
    limit: int | None


def _build(
    manifest: Manifest | Location, output: Location, asked: _Asked, on_progress: OnProgress
) -> BuildReport:
    began = time.monotonic()
    if not isinstance(manifest, Manifest):
        manifest = load_manifest(manifest)
    root = check_build_output(manifest, output)
    on_progress(Progress(0, phase="listing inputs"))
    listing = list_inputs(manifest)
    wanted = None if asked.limit is None else first_shards(listing, asked.limit)
    to_read = listing if wanted is None else limited_listing(listing, wanted)
    cluster = place_of_work(asked.cluster, core_seconds(to_read))
    cluster.check_reach([root, *_source_places(manifest)])
    drawn = {source for source, folders in listing.folders_of.items() if folders}
    pictures = sum(piece.pictures for piece in to_read.slices if piece.source in drawn)
    start = Progress(0, pictures, listing.exact, note=place_note(asked.cluster, cluster))

    def announce(phase: str, note: str = "") -> None:
        on_progress(replace(start, phase=phase, note=note or start.note))

    announce("checking what is there")
    start = replace(start, note="")  # which is said once
    with open_engine(cluster, announce) as engine:
        begun, listed = read_header(root), list_receipts(root)
        anew = begun is not None and is_uncommitted(root, begun, listed)
        existing = None if anew else begun
        plan = plan_build(listing, engine.set_up, existing.identity if existing else {})
        header = _header(plan, root, existing)
        committed = committed_shards(root, header.fingerprints, listed, announce)
        receipts = committed.receipts
        check_one_build(root, receipts, header.fingerprints)
        is_other = existing is None or existing.fingerprints != header.fingerprints
        if is_other or (existing is not None and existing.limit is not None):
            write_header(root, header)
        sweep_unfinished(root)
        announce("looking for lost files")
        lost = revoke_lost(root, header, receipts)
        if lost:
            announce(f"{len(lost):,} shards lost files and are built again")
        if asked.retry_damaged:
            revoke_damaged(root, header, receipts, listing.slices)
        report = BuildReport(output=root, found_shards=sum(map(len, receipts.values())))
        if anew and begun and begun.identity != plan.identity:
            report.notes.append(
                f"{root}: another build began there and committed nothing; this one takes its place"
            )
        report.notes += [*lost_notes(lost, "built"), *committed.notes]
        tasks = pending_tasks(listing.slices, listing.folders_of, receipts, wanted)
        kept = kept_inputs(to_read.slices, listing.folders_of, receipts)
        start = replace(start, done=kept, kept=kept)
        with closing(ReceiptRoller(root, committed)) as roller:
            build = _Build(plan, root, committed, roller, report, start, wanted)
            build.work(engine, tasks, on_progress)
            build.read_again(engine, on_progress)
            while repeated := build.revoke_duplicates(announce):
                build.work(engine, repeated, on_progress)
            report.notes += engine.notes()
            ended = time.monotonic()
            if report.built_shards and not cluster.in_process:
                report.failures += forget_unseen(root, receipts)
            report.start_seconds = (build.first_work or ended) - began
            report.work_seconds = ended - began - report.start_seconds
            if not report.failures:
                earlier = existing.limit if existing is not None else None
                report.limit = reached_limit(listing, receipts, asked.limit, earlier)
            _finish(plan, root, header, build)
    return report


@dataclass(slots=True)
class _Build:
    """The state of one run: what is committed, and which keys it holds."""

    plan: BuildPlan
    root: str
    committed: Committed
    roller: ReceiptRoller
    report: BuildReport
    progress: Progress
    wanted: Mapping[SliceId, int] | None
    first_work: float | None = None

    def work(self, engine: Engine, tasks: Sequence[SliceTask], on_progress: OnProgress) -> None:
        """Do the tasks."""
        if not tasks:
            return
        begun = replace(self.progress, phase="building")
        # closed here, also after an error: the engine's session may end before its error is dropped
        with closing(engine.run(tasks, corpus_stages(self.plan.recipe, self.root))) as outcomes:
            self.progress = drive(outcomes, self.report, self._note, begun, on_progress)

    def read_again(self, engine: Engine, on_progress: OnProgress) -> None:
        """Do the slices once more that failed for a reason that may have passed."""
        if not self.report.built_shards:
            return
        passing = {failure.part: failure for failure in self.report.failures if failure.may_pass}
        tasks = [task for task in self._pending() if task.part in passing]
        self.report.failures = [failure for failure in self.report.failures if not failure.may_pass]
        if tasks:
            self.report.notes.append(again_note(list(passing.values())))
            self.work(engine, tasks, on_progress)

    def _pending(self) -> list[SliceTask]:
        listing = self.plan.listing
        return pending_tasks(
            listing.slices, listing.folders_of, self.committed.receipts, self.wanted
        )

    def _note(self, shard: CommittedShard) -> None:
        if self.first_work is None:
            self.first_work = time.monotonic() - shard.seconds
        places = [(receipt["proxy"], receipt["shard"]) for receipt in shard.receipts]
        for (folder, name), receipt in zip(places, shard.receipts, strict=True):
            self.committed.receipts[folder][name] = receipt
        for place, hashes in zip(places, shard.key_hashes, strict=False):
            self.committed.hashes.add(*place, hashes)
        for place in places:
            self.roller.note(*place)
        tell_quarantined(self.root, shard.receipts)

    def revoke_duplicates(self, announce: Announce) -> list[SliceTask]:
        """Revoke the shards that repeat another's keys; the tasks that build them again.

        Waits until every slice is read: only then is it known which shard comes first.
        """
        listing, receipts = self.plan.listing, self.committed.receipts
        doubtful = [source for source in listing.manifest.typed_sources() if not source.keys_differ]
        if not doubtful or self.report.failures:
            return []
        holders: dict[str, tuple[str, ...]] = {}  # by shard: folders that hold it
        for source in doubtful:
            for folder in listing.folders_of[source.name]:
                for shard in corpus_order(listing.slices, {source.name}, receipts[folder]):
                    holders[shard] = (*holders.get(shard, ()), folder)
        announce("comparing the keys of all shards", "")
        excluded = repeated_keys(self.root, holders, self.committed.hashes, announce)
        for shard in excluded:
            for folder in holders[shard]:
                revoke(self.root, folder, shard)
                del receipts[folder][shard]
                self.committed.hashes.forget(folder, shard)
                self.report.built_shards -= 1
        return [replace(task, excluded=excluded) for task in self._pending()]


def check_build_output(manifest: Manifest, output: Location) -> str:
    """Check the place of a corpus against what it is built from; its absolute URL.

    Raises:
        RequestError: it is empty, overlaps a source or another corpus, or holds other work.
    """
    return check_output(output, _source_places(manifest), marker=CORPUS_FILE)


def _source_places(manifest: Manifest) -> list[str]:
    """URLs and patterns that the manifest's sources read."""
    places: list[str] = []
    for source in manifest.typed_sources():
        for field_name in source.places:
            value = getattr(source, field_name)
            places += [value] if isinstance(value, str) else value or []
    return [place for place in places if place != COCO_URL]  # which is a word


def _header(plan: BuildPlan, root: str, existing: CorpusHeader | None) -> CorpusHeader:
    """The header of the build until it is complete; checks that what exists is this build's."""
    manifest = plan.listing.manifest
    resolved = manifest.resolved()
    if existing is not None:
        check_same_build(existing.identity, plan.identity, root)
        # proxies added come last, wherever the manifest has them: subsets go by the first ones
        known = [proxy["name"] for proxy in existing.manifest["proxies"]]
        added = [proxy for proxy in resolved["proxies"] if proxy["name"] not in known]
        by_name = {proxy["name"]: proxy for proxy in resolved["proxies"]}
        kept = [by_name[name] for name in known if name in by_name]
        resolved["proxies"] = [*kept, *added]
    return CorpusHeader(
        manifest.name,
        resolved,
        plan.identity,
        environment(),
        {name: inventory.vocabulary for name, inventory in plan.listing.inventories.items()},
        plan.recipe.fingerprints,
    )


def _finish(plan: BuildPlan, root: str, header: CorpusHeader, build: _Build) -> None:
    """Add up, and write the final header."""
    listing, report, receipts = plan.listing, build.report, build.committed.receipts
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
    report.note_troubles(take_troubles())
    report.notes += [*listing.notes, *notes_on_slices(receipts, listing.slices)]
    report.notes += filter(None, [troubles_text(report.troubles)])
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
