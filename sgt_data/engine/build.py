"""Build a corpus: list the inputs, check that it is one build, do what is missing, add it up."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, replace

from sgt_data import checks
from sgt_data.corpus.committed_receipts import check_one_build
from sgt_data.corpus.committed_shards import committed_shards, list_receipts
from sgt_data.corpus.header import CorpusHeader, read_header, write_header
from sgt_data.corpus.identity import check_same_build, environment
from sgt_data.corpus.lost_files import lost_notes, revoke_lost
from sgt_data.corpus.paths import CORPUS_FILE
from sgt_data.engine.begun_corpus import is_uncommitted
from sgt_data.engine.build_plan import BuildPlan, plan_build
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.choose_engine import open_engine
from sgt_data.engine.cluster import THIS_MACHINE, Cluster
from sgt_data.engine.finish_build import finish_build
from sgt_data.engine.limited import first_shards, limited_listing, reached_limit
from sgt_data.engine.listing import list_inputs
from sgt_data.engine.place_of_work import core_seconds, place_note, place_of_work
from sgt_data.engine.receipt_roller import ReceiptRoller
from sgt_data.engine.retry_damaged import revoke_damaged
from sgt_data.engine.running_build import RunningBuild
from sgt_data.engine.slice_tasks import kept_inputs, pending_tasks
from sgt_data.engine.unseen_receipts import forget_unseen
from sgt_data.errors import RequestError
from sgt_data.files.output_place import check_output
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import Location
from sgt_data.manifest.manifest import Manifest, load_manifest
from sgt_data.manifest.places import stated_places
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown


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
            build = RunningBuild(plan, root, committed, roller, report, start, wanted)
            build.work(engine, tasks, on_progress)
            build.read_again(engine, on_progress)
            while repeated := build.revoke_duplicates(on_progress):
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
            finish_build(header, build)
    return report


def check_build_output(manifest: Manifest, output: Location) -> str:
    """Check the place of a corpus against what it is built from; its absolute URL.

    Raises:
        RequestError: it is empty, overlaps a source or another corpus, or holds other work.
    """
    return check_output(output, _source_places(manifest), marker=CORPUS_FILE)


def _source_places(manifest: Manifest) -> list[str]:
    """URLs and patterns that the manifest's sources read."""
    return [place for source in manifest.typed_sources() for _, place in stated_places(source)]


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
