"""Copy a subset into a corpus of its own: shard by shard, as builds are done."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field

import numpy as np
import orjson

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.copy_header import begun_header, finished_header
from sgt_data.corpus.header import read_header, write_header
from sgt_data.corpus.identity import check_same_build
from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.receipt import Receipt, committed_receipts
from sgt_data.engine.build import (
    INLINE,
    Engine,
    Progress,
    engine_for,
)
from sgt_data.engine.plan import SliceTask
from sgt_data.engine.tasks import (
    Outcome,
    OutputRefused,
    ShardOutcome,
    ShardTask,
    SliceFailure,
)
from sgt_data.engine.work import read_slice
from sgt_data.errors import (
    CorpusError,
    RequestError,
    SourceError,
    StorageError,
)
from sgt_data.files.urls import absolute, lives_in_one_process
from sgt_data.files.writing import sweep_unfinished
from sgt_data.pictures.prepare import MAX_PIXELS
from sgt_data.pictures.size_rule import AsStored, SizeRule
from sgt_data.records import RawInput, RawShard, Slice
from sgt_data.subsets.shard_copy import AT_ONCE, ShardCopier

INLINE_BYTES = 2 << 30
"""Up to here a copy is done before Ray would have started."""


@dataclass(slots=True)
class CopyReport:
    """What came of a copy: shards copied now and found there, what could not be copied, by shard;
    totals by proxy."""

    complete: bool = False
    built_shards: int = 0
    found_shards: int = 0
    failures: dict[str, str] = field(default_factory=dict)
    totals: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Keys:
    """Gives the selected keys of a shard as its inputs, which a copy reads for itself."""

    def read(
        self, piece: Slice, shard_samples: int, skip: Collection[str], /
    ) -> Iterator[RawShard]:
        keys = orjson.loads(piece.payload)
        inputs = tuple(RawInput(key, "") for key in keys)
        yield RawShard(piece.name, piece.name, piece.source, inputs, True)


@dataclass(frozen=True, slots=True)
class CopyJob:
    """Copies of shards."""

    origin: str
    whole: bool
    fingerprints: Mapping[str, str]
    shard_samples: int
    setups: Mapping[str, Setup] = field(default_factory=dict)

    @property
    def pictures(self) -> tuple[SizeRule, int]:
        return AsStored(), MAX_PIXELS

    def source(self, name: str) -> _Keys:
        return _Keys()

    def annotators_for(self, source: str, folders: Collection[str]) -> tuple[Annotator, ...]:
        return ()

    def with_extras(self, raw: RawShard, folders: Collection[str]) -> RawShard:
        return raw

    def finish(self, task: ShardTask, root: str) -> Outcome:
        began = time.monotonic()
        raw = task.raw
        copier = ShardCopier(self.origin, root, self.whole)
        keys = [one.key for one in raw.inputs]
        try:
            receipts = tuple(
                copier.copy(folder, raw.name, keys, self.fingerprints[folder])
                for folder in task.folders
            )
        except (SourceError, CorpusError) as why:
            return SliceFailure(raw.source, raw.name, str(why))
        except StorageError as why:
            return OutputRefused(str(why))
        return ShardOutcome(raw.name, receipts, time.monotonic() - began, np.empty(0, np.uint64))


def copy_corpus(
    subset: Corpus,
    output: str,
    *,
    address: str | None = None,
    workers: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> CopyReport:
    """Copy a subset, or go on copying it. What is committed is kept.

    Args:
        subset: an opened one.
        output: fsspec URL.
        address: of a Ray cluster.
        workers: CPUs of a Ray started here; 0 copies in this process, without Ray. By default a
            small copy does, and a large one takes all CPUs.
        on_progress: called after every shard.

    Raises:
        RequestError: the output is the corpus itself, or holds something else.
        CorpusError: the corpus at the output is damaged.
        StorageError: it cannot be written.
    """
    root, header = absolute(output), subset.header
    nbytes = sum(totals["bytes"] for totals in header.totals.values())
    if workers is None and address is None and nbytes <= INLINE_BYTES:
        workers = INLINE
    _check_reach(subset.url, root, address, workers)
    existing = read_header(root)
    if existing is not None:
        check_same_build(existing.identity, header.identity, root)
    if existing is None or existing.fingerprints != header.fingerprints:
        write_header(root, begun_header(header))
    sweep_unfinished(root)
    receipts = committed_receipts(root, header.fingerprints)
    tasks = _tasks(subset, receipts)
    report = CopyReport(found_shards=sum(map(len, receipts.values())))
    assert subset.selection is not None
    most = max((task.slice.pictures for task in tasks), default=1)
    job = CopyJob(subset.url, subset.selection.whole, header.fingerprints, max(1, most))
    expected, done, written = sum(task.slice.pictures for task in tasks), 0, 0
    with _engine(address, workers) as engine:
        for outcome in engine.run(tasks, job, root) if tasks else ():
            if isinstance(outcome, OutputRefused):
                raise StorageError(f"{outcome.message}; what is committed is kept")
            if isinstance(outcome, SliceFailure):
                report.failures[outcome.slice] = outcome.message
                continue
            for receipt in outcome.receipts:
                receipts[receipt["proxy"]][receipt["shard"]] = receipt
                report.built_shards += 1
                written += receipt["tar"]["bytes"] if receipt["tar"] else 0
            done += max(receipt["inputs"] for receipt in outcome.receipts)
            if on_progress:
                on_progress(Progress(done, expected, True, report.built_shards, written))
    done_header = finished_header(header, receipts)
    write_header(root, done_header)
    report.complete, report.totals = done_header.complete, done_header.totals
    return report


class _Threads:
    """Copies several shards at once in this process: while one waits for the disk, another is read,
    and hashes take no turns in Python."""

    def run(self, tasks: Sequence[SliceTask], job: CopyJob, root: str) -> Iterator[Outcome]:
        """Do the tasks; outcomes as they come, in any order."""

        def do(task: SliceTask) -> list[Outcome]:
            return [
                shard if isinstance(shard, SliceFailure) else job.finish(shard, root)
                for shard in read_slice(task, job)
            ]

        threads = ThreadPoolExecutor(AT_ONCE)
        try:
            for done in as_completed([threads.submit(do, task) for task in tasks]):
                yield from done.result()
        finally:
            threads.shutdown(cancel_futures=True)


def _engine(
    address: str | None, workers: int | None
) -> AbstractContextManager[_Threads] | AbstractContextManager[Engine]:
    return nullcontext(_Threads()) if workers == INLINE else engine_for(address, workers)


def _check_reach(origin: str, root: str, address: str | None, workers: int | None) -> None:
    if workers is not None and workers < 0:
        raise RequestError(f"workers is {workers}; allowed: 0 (in this process) and more")
    if address is not None and workers is not None:
        raise RequestError("workers is for the Ray started here; a cluster has its own")
    if root == origin:
        raise RequestError(f"output is {root}, which is the corpus itself")
    for place in (origin, root):
        if lives_in_one_process(place) and workers != INLINE:
            raise RequestError(
                f"{place} lives in the memory of one process, which Ray's workers do not share; "
                "use workers=0"
            )


def _tasks(subset: Corpus, receipts: Mapping[str, Mapping[str, Receipt]]) -> list[SliceTask]:
    """A task per shard that is not yet committed in full."""
    selection, header = subset.selection, subset.header
    assert selection is not None
    folders_of = {
        shard: tuple(folder for folder in subset.folders if shard in header.shards[folder])
        for shard in selection.spans
    }
    samples = max(1, len(selection.keys))
    nbytes = sum(totals["bytes"] for totals in header.totals.values())
    tasks = []
    for shard, folders in folders_of.items():
        done = tuple(folder for folder in folders if shard in receipts[folder])
        if done == folders:
            continue
        keys = selection.of(shard).to_pylist()
        piece = Slice(
            "", shard, orjson.dumps([] if selection.whole else keys), (shard,), len(keys),
            nbytes * len(keys) // samples,
        )  # fmt: skip
        tasks.append(SliceTask(piece, folders, {shard: done}))
    return tasks
