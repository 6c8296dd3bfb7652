"""The stages that a slice passes through: it is read into shards; each is annotated and finished.

    read      slice -> shards, each with its inputs
    annotate  shard -> the same shard, with what models say of its inputs
    finish    shard -> files, committed by their receipts

Engines know these stages and not what is made: samples of a corpus, or tars with masks.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.key_hashes import hash_keys
from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.kept_memory import keep_freed_memory
from sgt_data.engine.outcomes import (
    OWN_CODE,
    CommittedShard,
    InputsDone,
    Outcome,
    OutputRefused,
    part_name,
)
from sgt_data.engine.own_sources import read_shards
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stage_times import READ, StageTimes, Stopwatch
from sgt_data.errors import (
    OwnCodeError,
    RequestError,
    SgtDataError,
    SourceError,
    StorageError,
    Unreachable,
)
from sgt_data.files.storage_options import StorageOptions, storage_options_in_use
from sgt_data.files.troubles import added_troubles, take_troubles
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import RawShard
from sgt_data.result import Failure
from sgt_data.sources.base import Source


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard that has been read, and what is to be made of it.

    Attributes:
        raw: its inputs.
        folders: the folders of the output that lack it.
        excluded: keys that must not become samples, with the reason.
        times: of the stages that it has passed.
        troubles: requests to stores that were made again to read it, by kind.
    """

    raw: RawShard
    folders: tuple[str, ...]
    excluded: Mapping[str, str]
    times: StageTimes = field(default_factory=StageTimes)
    troubles: Mapping[str, int] = field(default_factory=dict)

    @property
    def part(self) -> str:
        """Name of its slice in the list of failures."""
        return part_name(self.raw.source, self.raw.slice)


@dataclass(frozen=True, slots=True)
class FinishedShard:
    """What the last stage has made of a shard.

    Attributes:
        receipts: written by it, one for each folder.
        keys: that each of them commits, in the order of its index; empty where no other shard can
            have them.
        times: of this stage.
    """

    receipts: tuple[Receipt, ...]
    keys: tuple[tuple[str, ...], ...] = ()
    times: StageTimes = field(default_factory=StageTimes)


@dataclass(frozen=True, slots=True)
class AnnotateStage:
    """Which annotators run over a shard, and how.

    Attributes:
        needed: the annotators for a source's shard and the folders that lack it.
        setups: how each annotator runs, by its name.
        size_rule: size of the pictures in the output.
        max_pixels: larger pictures are refused.
    """

    needed: Callable[[str, Collection[str]], tuple[Annotator, ...]]
    setups: Mapping[str, Setup]
    size_rule: SizeRule
    max_pixels: int


@dataclass(frozen=True, slots=True)
class Stages:
    """What is done to slices. It travels to every worker, so its functions must be picklable.

    Attributes:
        read: reads what is still to do of a slice; may raise SourceError.
        annotate: which annotators run over each shard.
        finish: makes and commits what is to be made of a shard, and yields how many of its inputs
            are done; may raise SourceError and StorageError.
        shard_samples: inputs per shard.
        output: absolute URL of the folder that the files are written into.
        storage: options of object stores, which a worker uses from when they arrive.
    """

    read: Callable[[SliceTask], Iterator[ShardTask]]
    annotate: AnnotateStage
    finish: Callable[[ShardTask], Generator[int, None, FinishedShard]]
    shard_samples: int
    output: str
    storage: StorageOptions = field(default_factory=storage_options_in_use)


def shards_to_do(task: SliceTask, source: Source, shard_samples: int) -> Iterator[ShardTask]:
    """Read the shards of a slice that a folder still lacks.

    Raises:
        SourceError: the slice cannot be read just now.
    """
    finished, wanted = task.finished_shards, task.wanted_shards
    left = None if wanted is None else set(wanted)
    watch = Stopwatch()
    with closing(read_shards(source, task.slice, shard_samples, finished)) as shards:
        for raw in shards:
            if raw.name in finished or (left is not None and raw.name not in left):
                continue
            watch.lap(READ)
            excluded = task.excluded.get(raw.name, {})
            yield ShardTask(raw, task.open_folders(raw.name), excluded, watch.taken())
            watch.go_on()
            if left is not None:
                left.discard(raw.name)
                if not left:
                    return  # the rest of the slice is not read


def read_slice(task: SliceTask, stages: Stages) -> Iterator[ShardTask | Failure]:
    """Do the first stage; where the source cannot be read, a failure comes last."""
    try:
        for shard in stages.read(task):
            yield replace(shard, troubles=take_troubles())
    except (SourceError, RequestError) as why:  # as where a node lacks the package of a store
        yield failure_at(task.part, why)
    except OwnCodeError as why:
        yield Failure(OWN_CODE, str(why))


def finish_shard(shard: ShardTask, stages: Stages) -> Iterator[Outcome]:
    """Do the last stage; yield how far it is, and last what came of it."""
    keep_freed_memory()
    began, name = time.monotonic(), shard.raw.name
    work = stages.finish(shard)
    try:
        while True:
            yield InputsDone(name, next(work))
    except StopIteration as end:
        finished: FinishedShard = end.value
    except (SourceError, RequestError) as why:
        yield InputsDone(name, 0)
        yield failure_at(shard.part, why)
        return
    except OwnCodeError as why:
        yield Failure(OWN_CODE, str(why))
        return
    except StorageError as why:
        yield OutputRefused(str(why))
        return
    hashes = tuple(map(hash_keys, finished.keys))
    seconds, times = time.monotonic() - began, shard.times + finished.times
    troubles = added_troubles((shard.troubles, take_troubles()))
    yield CommittedShard(name, finished.receipts, seconds, hashes, times, troubles)


def failure_at(part: str, why: SgtDataError) -> Failure:
    """A failure that names this node: what one node cannot read, another may."""
    message = f"{why} (node {socket.gethostname()})"
    return Failure(part, message, may_pass=isinstance(why, Unreachable))


def annotators_of(tasks: Iterable[SliceTask], stages: Stages) -> tuple[Annotator, ...]:
    """The annotators that these slices may need, each once."""
    annotators: dict[str, Annotator] = {}
    for task in tasks:
        shards = task.slice.shards
        folders = set(task.folders)
        if shards is not None:
            folders = {folder for shard in shards for folder in task.open_folders(shard)}
        for annotator in stages.annotate.needed(task.slice.source, folders):
            annotators[annotator.name] = annotator
    return tuple(annotators.values())
