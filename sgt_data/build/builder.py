"""Build a corpus: list the inputs, check that it is one build, do what is missing, add it up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from sgt_data.build import duplicates
from sgt_data.build.inline import run_inline
from sgt_data.build.listing import BuildPlan, plan_build
from sgt_data.build.plan import SliceTask, corpus_order, pending_tasks
from sgt_data.build.render import RenderSpec
from sgt_data.build.work import Outcome, OutputRefused, ShardOutcome, SliceFailure
from sgt_data.corpus.header import CorpusHeader, read_header, write_header
from sgt_data.corpus.identity import (
    check_same_build,
    environment,
)
from sgt_data.corpus.receipt import Receipt, add_up, read_receipts, revoke
from sgt_data.errors import CorpusError, RequestError, StorageError
from sgt_data.manifest import Manifest, load_manifest
from sgt_data.storage import absolute, lives_in_one_process, sweep_unfinished

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
    plan = plan_build(manifest)
    header = _begin(plan, root)
    sweep_unfinished(root)
    receipts = _committed(root, header)
    report = BuildReport(root, notes=plan.notes)
    report.found_shards = sum(map(len, receipts.values()))
    building = _Building(plan, root, receipts, report, on_progress)
    tasks = pending_tasks(plan.slices, plan.proxies_of, receipts)
    with building.executor(tasks, address, workers) as run:
        building.do(run, tasks)
        while again := building.without_duplicates():
            building.do(run, again)
        ended = time.monotonic()
    report.start_seconds = (building.first_work or ended) - began
    report.work_seconds = ended - began - report.start_seconds
    _finish(plan, root, header, receipts, report)
    return report


Run = Callable[[Sequence[SliceTask]], Iterator[Outcome]]


@dataclass(slots=True)
class _Building:
    """The state of one run: which receipts there are, and what they say of keys."""

    plan: BuildPlan
    root: str
    receipts: dict[str, dict[str, Receipt]]
    report: BuildReport
    on_progress: Callable[[Progress], None] | None
    hashes: dict[str, NDArray[np.uint64]] = field(default_factory=dict)
    inputs: int = 0
    nbytes: int = 0
    first_work: float | None = None

    @property
    def spec(self) -> RenderSpec:
        vocabulary = {
            name: {category.id: category for category in inventory.vocabulary}
            for name, inventory in self.plan.inventories.items()
        }
        return RenderSpec(self.plan.manifest, vocabulary, self.plan.fingerprints)

    @contextmanager
    def executor(
        self, tasks: Sequence[SliceTask], address: str | None, workers: int | None
    ) -> Iterator[Run]:
        """How tasks are run: in this process, or by Ray (which is not even imported otherwise)."""
        spec = self.spec
        if workers == INLINE or not tasks:
            yield lambda some: run_inline(some, spec, self.root)
            return
        from sgt_data.build import graph

        with graph.connected(address, workers):
            yield lambda some: graph.run_graph(some, spec, self.root)

    def do(self, run: Run, tasks: Sequence[SliceTask]) -> None:
        expected = sum(task.slice.pictures for task in tasks)
        exact = all(one.exact for one in self.plan.inventories.values())
        for outcome in run(tasks) if tasks else ():
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
        proxies_of = self.plan.proxies_of
        slices = self.plan.slices
        order: dict[str, tuple[str, ...]] = {}  # shard -> proxies that hold it
        for source in doubtful:
            for proxy in proxies_of[source.name]:
                for shard in corpus_order(slices, {source.name}, self.receipts[proxy]):
                    order[shard] = (*order.get(shard, ()), proxy)
        for shard, proxies in order.items():
            if shard not in self.hashes:
                self.hashes[shard] = duplicates.committed_hashes(self.root, shard, proxies)
        clashes = duplicates.clashing_shards(list(order), self.hashes)
        involved = {*clashes, *(other for others in clashes.values() for other in others)}
        keys = {shard: duplicates.held_keys(self.root, shard, order[shard]) for shard in involved}
        excluded = duplicates.keys_to_exclude(keys, clashes)
        for shard in excluded:
            for proxy in order[shard]:
                revoke(self.root, proxy, shard)
                del self.receipts[proxy][shard]
                self.report.built_shards -= 1
        tasks = pending_tasks(slices, proxies_of, self.receipts)
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
    if existing is not None:
        check_same_build(existing.identity, plan.identity, root)
    header = CorpusHeader(
        plan.manifest.name,
        plan.manifest.resolved(),
        plan.identity,
        environment(),
        {name: one.vocabulary for name, one in plan.inventories.items()},
        plan.fingerprints,
    )
    if existing is None or existing.fingerprints != header.fingerprints:
        write_header(root, header)
    return header


def _committed(root: str, header: CorpusHeader) -> dict[str, dict[str, Receipt]]:
    receipts = read_receipts(root, header.fingerprints)
    for proxy, found in receipts.items():
        for shard, receipt in found.items():
            if receipt["fingerprint"] != header.fingerprints[proxy]:
                raise CorpusError(
                    f"{root}: shard {proxy}/{shard} was committed by another build "
                    f"(fingerprint {receipt['fingerprint'][:12]}, this build's is "
                    f"{header.fingerprints[proxy][:12]})"
                )
    return receipts


def _finish(
    plan: BuildPlan,
    root: str,
    header: CorpusHeader,
    receipts: dict[str, dict[str, Receipt]],
    report: BuildReport,
) -> None:
    """Add up, and write the final header."""
    report.complete = not report.failures and not pending_tasks(
        plan.slices, plan.proxies_of, receipts
    )
    shards, source_totals = {}, {}
    for proxy in plan.manifest.proxies:
        sources = [one.name for one in plan.manifest.sources_of(proxy)]
        shards[proxy.name] = corpus_order(plan.slices, sources, receipts[proxy.name])
        source_totals[proxy.name] = {
            source: add_up(_of_source(receipts[proxy.name].values(), source)) for source in sources
        }
        totals = add_up(receipts[proxy.name].values())
        report.totals[proxy.name] = totals
        share = totals["damaged"] / max(1, totals["inputs"])
        if share > plan.manifest.max_quarantined:
            report.too_damaged[proxy.name] = share
    write_header(
        root,
        replace(
            header,
            complete=report.complete,
            shards=shards,
            totals=report.totals,
            source_totals=source_totals,
        ),
    )


def _of_source(receipts: Iterable[Receipt], source: str) -> list[Receipt]:
    return [receipt for receipt in receipts if receipt["source"] == source]
