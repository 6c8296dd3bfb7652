"""Build a corpus: list the inputs, check that it is one build, do what is missing, add it up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.header import CorpusHeader, read_header, write_header
from sgt_data.corpus.identity import check_same_build, environment
from sgt_data.corpus.receipt import (
    Receipt,
    add_up,
    committed_receipts,
    revoke,
)
from sgt_data.engine import duplicates
from sgt_data.engine.inline import InlineEngine
from sgt_data.engine.listing import BuildPlan, list_inputs, plan_build
from sgt_data.engine.plan import SliceTask, corpus_order, pending_tasks
from sgt_data.engine.tasks import (
    Outcome,
    OutputRefused,
    ShardOutcome,
    SliceFailure,
)
from sgt_data.engine.work import CorpusJob, Job
from sgt_data.errors import RequestError, StorageError
from sgt_data.files.urls import absolute, lives_in_one_process
from sgt_data.files.writing import sweep_unfinished
from sgt_data.manifest import Manifest, load_manifest

INLINE = 0
"""As `workers`: build in this process, without Ray."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a build is: inputs done now, inputs expected (an estimate where `exact` is false),
    shards committed now, bytes of tars written now."""

    inputs: int
    expected: int
    exact: bool
    shards: int
    nbytes: int


@dataclass(slots=True)
class BuildReport:
    """What came of a build.

    Attributes:
        output: root of the corpus.
        complete: every planned shard is committed.
        totals: by proxy (see `corpus.receipt.add_up`).
        built_shards: committed by this run, over all proxies.
        found_shards: committed before.
        failures: slices that could not be read; the same command tries them again.
        too_damaged: proxies whose share of damaged inputs is above the manifest's bound.
        notes: remarks of the sources.
        start_seconds: until the first shard began to be rendered (listing inputs, starting Ray and
            its workers, reading the first inputs).
        work_seconds: from then until the last shard was committed.
    """

    output: str
    complete: bool = False
    totals: dict[str, dict[str, int]] = field(default_factory=dict)
    built_shards: int = 0
    found_shards: int = 0
    failures: list[SliceFailure] = field(default_factory=list)
    too_damaged: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    start_seconds: float = 0.0
    work_seconds: float = 0.0

    @property
    def succeeded(self) -> bool:
        return self.complete and not self.too_damaged


def build_corpus(
    manifest: Manifest | str,
    output: str,
    *,
    address: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> BuildReport:
    """Build, or go on building, the corpus that a manifest describes.

    What is committed is kept; the rest is done. The bytes do not depend on how many workers there
    are, nor on how often the build was interrupted.

    Args:
        manifest: a manifest, or the URL of its file.
        output: fsspec URL of the corpus.
        address: of a Ray cluster; None starts one on this machine.
        workers: CPUs of the Ray started here (None: all); 0 builds in this process, without Ray.
        on_progress: called after every shard.

    Raises:
        RequestError: manifest, sources or output do not allow it; nothing was built.
        SourceError, CorpusError: a source cannot be listed, or the corpus there is damaged.
    """
    began = time.monotonic()
    if isinstance(manifest, str):
        manifest = load_manifest(manifest)
    root = absolute(output)
    _check_reach(manifest, root, address, workers)
    listing = list_inputs(manifest)
    with engine_for(address, workers) as engine:
        plan = plan_build(listing, engine.set_up)
        header = _begin(plan, root)
        sweep_unfinished(root)
        receipts = committed_receipts(root, header.fingerprints)
        report = BuildReport(root, notes=listing.notes)
        report.found_shards = sum(map(len, receipts.values()))
        building = _Building(plan, root, engine, receipts, report, on_progress)
        building.do(pending_tasks(listing.slices, listing.folders_of, receipts))
        while again := building.without_duplicates():
            building.do(again)
        ended = time.monotonic()
    report.start_seconds = (building.first_work or ended) - began
    report.work_seconds = ended - began - report.start_seconds
    _finish(plan, root, header, receipts, report)
    return report


class Engine(Protocol):
    """Who does the work."""

    def set_up(self, annotator: Annotator) -> Setup: ...

    def run(self, tasks: Sequence[SliceTask], job: Job, root: str) -> Iterator[Outcome]: ...


def engine_for(address: str | None, workers: int | None) -> AbstractContextManager[Engine]:
    """This process, or Ray (which is not even imported otherwise)."""
    if workers == INLINE:
        return nullcontext(InlineEngine())
    from sgt_data.engine.graph import RayEngine

    return RayEngine(address, workers)


@dataclass(slots=True)
class _Building:
    """The state of one run: which receipts there are, and what they say of keys."""

    plan: BuildPlan
    root: str
    engine: Engine
    receipts: dict[str, dict[str, Receipt]]
    report: BuildReport
    on_progress: Callable[[Progress], None] | None
    hashes: dict[str, NDArray[np.uint64]] = field(default_factory=dict)
    inputs: int = 0
    nbytes: int = 0
    first_work: float | None = None

    def do(self, tasks: Sequence[SliceTask]) -> None:
        expected = sum(task.slice.pictures for task in tasks)
        exact = all(one.exact for one in self.plan.listing.inventories.values())
        job = CorpusJob.of(self.plan)
        for outcome in self.engine.run(tasks, job, self.root) if tasks else ():
            if isinstance(outcome, OutputRefused):
                raise StorageError(f"{outcome.message}; what is committed is kept")
            if isinstance(outcome, SliceFailure):
                self.report.failures.append(outcome)
                continue
            self._note(outcome)
            if self.on_progress:
                self.on_progress(
                    Progress(self.inputs, expected, exact, self.report.built_shards, self.nbytes)
                )

    def _note(self, outcome: ShardOutcome) -> None:
        if self.first_work is None:
            self.first_work = time.monotonic() - outcome.seconds
        for receipt in outcome.receipts:
            self.receipts[receipt["proxy"]][receipt["shard"]] = receipt
            self.report.built_shards += 1
            self.nbytes += receipt["tar"]["bytes"] if receipt["tar"] else 0
        self.hashes[outcome.shard] = outcome.key_hashes
        self.inputs += max(receipt["inputs"] for receipt in outcome.receipts)

    def without_duplicates(self) -> list[SliceTask]:
        """Take back the shards that repeat another's keys; the tasks that build them again.

        Waits until every slice is read: only then is it known which shard comes first.
        """
        doubtful = [one for one in self.plan.manifest.source_configs() if not one.keys_differ]
        if not doubtful or self.report.failures:
            return []
        folders_of = self.plan.listing.folders_of
        slices = self.plan.listing.slices
        order: dict[str, tuple[str, ...]] = {}  # shard -> folders that hold it
        for source in doubtful:
            for folder in folders_of[source.name]:
                for shard in corpus_order(slices, {source.name}, self.receipts[folder]):
                    order[shard] = (*order.get(shard, ()), folder)
        for shard, folders in order.items():
            if shard not in self.hashes:
                self.hashes[shard] = duplicates.committed_hashes(self.root, shard, folders)
        clashes = duplicates.clashing_shards(list(order), self.hashes)
        involved = {*clashes, *(other for others in clashes.values() for other in others)}
        keys = {shard: duplicates.held_keys(self.root, shard, order[shard]) for shard in involved}
        excluded = duplicates.keys_to_exclude(keys, clashes)
        for shard in excluded:
            for folder in order[shard]:
                revoke(self.root, folder, shard)
                del self.receipts[folder][shard]
                self.report.built_shards -= 1
        tasks = pending_tasks(slices, folders_of, self.receipts)
        return [replace(task, excluded=excluded) for task in tasks]


def _check_reach(manifest: Manifest, root: str, address: str | None, workers: int | None) -> None:
    """Refuse what cannot work before anything starts."""
    if workers is not None and workers < 0:
        raise RequestError(f"workers is {workers}; allowed: 0 (in this process) and more")
    if address is not None and workers is not None:
        raise RequestError("workers is for the Ray started here; a cluster has its own")
    places = [root]
    for source in manifest.source_configs():
        for name in source.places:
            value = getattr(source, name)
            places += [value] if isinstance(value, str) else value or []
    lonely = [place for place in places if lives_in_one_process(place)]
    if lonely and workers != INLINE:
        raise RequestError(
            f"{lonely[0]} lives in the memory of one process, which Ray's workers do not share; "
            "use workers=0"
        )


def _begin(plan: BuildPlan, root: str) -> CorpusHeader:
    """Claim the output for this build, or check that it already is this build's."""
    existing = read_header(root)
    resolved = plan.manifest.resolved()
    if existing is not None:
        check_same_build(existing.identity, plan.identity, root)
        # proxies added come last, wherever the manifest has them: subsets go by the first ones
        known = [proxy["name"] for proxy in existing.manifest["proxies"]]
        added = [proxy for proxy in resolved["proxies"] if proxy["name"] not in known]
        by_name = {proxy["name"]: proxy for proxy in resolved["proxies"]}
        kept = [by_name[name] for name in known if name in by_name]
        resolved["proxies"] = [*kept, *added]
    header = CorpusHeader(
        plan.manifest.name,
        resolved,
        plan.identity,
        environment(),
        {name: one.vocabulary for name, one in plan.listing.inventories.items()},
        plan.fingerprints,
    )
    if existing is None or existing.fingerprints != header.fingerprints:
        write_header(root, header)
    return header


def _finish(
    plan: BuildPlan,
    root: str,
    header: CorpusHeader,
    receipts: dict[str, dict[str, Receipt]],
    report: BuildReport,
) -> None:
    """Add up, and write the final header."""
    report.complete = not report.failures and not pending_tasks(
        plan.listing.slices, plan.listing.folders_of, receipts
    )
    shards, samples, source_totals = {}, {}, {}
    for folder, sources in plan.listing.sources_of.items():
        shards[folder] = corpus_order(plan.listing.slices, sources, receipts[folder])
        samples[folder] = tuple(receipts[folder][one]["samples"] for one in shards[folder])
        source_totals[folder] = {
            source: add_up(_of_source(receipts[folder].values(), source)) for source in sources
        }
        totals = add_up(receipts[folder].values())
        report.totals[folder] = totals
        share = totals["damaged"] / max(1, totals["inputs"])
        if share > plan.manifest.max_quarantined:
            report.too_damaged[folder] = share
    write_header(
        root,
        replace(
            header,
            complete=report.complete,
            shards=shards,
            samples=samples,
            totals=report.totals,
            source_totals=source_totals,
        ),
    )


def _of_source(receipts: Iterable[Receipt], source: str) -> list[Receipt]:
    return [receipt for receipt in receipts if receipt["source"] == source]
