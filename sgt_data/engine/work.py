"""The work on a slice, whoever runs it: read; annotate (see `annotate`); then render and commit."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.receipt import commit
from sgt_data.engine.listing import BuildPlan
from sgt_data.engine.plan import SliceTask
from sgt_data.engine.render import RenderSpec, render_shard
from sgt_data.engine.tasks import (
    Outcome,
    OutputRefused,
    ShardOutcome,
    ShardTask,
    SliceFailure,
)
from sgt_data.errors import SourceError, StorageError
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import RawShard, Slice
from sgt_data.sources.base import Source
from sgt_data.sources.dense_maps import with_files


class SliceReader(Protocol):
    """Reads slices: a source, or what a copy takes of a corpus."""

    def read(
        self, piece: Slice, shard_samples: int, skip: Collection[str], /
    ) -> Iterator[RawShard]: ...


class Job(Protocol):
    """What is to be made of shards: samples of a corpus, annotated tars, or copies."""

    @property
    def shard_samples(self) -> int: ...

    @property
    def pictures(self) -> tuple[SizeRule, int]:
        """The output's size rule, and the most pixels a picture may have."""
        ...

    @property
    def setups(self) -> Mapping[str, Setup]:
        """What the annotators come to, by name."""
        ...

    def source(self, name: str) -> SliceReader: ...

    def annotators_for(self, source: str, folders: Collection[str]) -> tuple[Annotator, ...]: ...

    def with_extras(self, raw: RawShard, folders: Collection[str]) -> RawShard:
        """A shard with what lies beside its pictures and is wanted for these folders."""
        ...

    def finish(self, task: ShardTask, root: str) -> Outcome:
        """Make and commit what is to be made of a shard that has all it needs."""
        ...


@dataclass(frozen=True, slots=True)
class CorpusJob:
    """Samples of a corpus."""

    spec: RenderSpec
    setups: Mapping[str, Setup]

    @classmethod
    def of(cls, plan: BuildPlan) -> CorpusJob:
        vocabulary = {
            name: {category.id: category for category in inventory.vocabulary}
            for name, inventory in plan.listing.inventories.items()
        }
        return cls(RenderSpec(plan.manifest, vocabulary, plan.fingerprints), plan.setups)

    @property
    def shard_samples(self) -> int:
        return self.spec.manifest.shard_samples

    @property
    def pictures(self) -> tuple[SizeRule, int]:
        rule = self.spec.manifest.pictures
        return rule, rule.max_pixels

    def source(self, name: str) -> Source:
        return next(one for one in self.spec.manifest.source_configs() if one.name == name)

    def annotators_for(self, source: str, folders: Collection[str]) -> tuple[Annotator, ...]:
        return self.spec.manifest.annotators_for(source, folders)

    def with_extras(self, raw: RawShard, folders: Collection[str]) -> RawShard:
        depth = self.source(raw.source).depth
        wanted = any(
            proxy.name in folders and proxy.annotated_layer == "depth"
            for proxy in self.spec.manifest.proxies
        )
        if depth is None or not wanted:
            return raw
        return replace(raw, inputs=with_files(raw.inputs, depth, "depth"))

    def finish(self, task: ShardTask, root: str) -> Outcome:
        began = time.monotonic()
        try:
            encoded = render_shard(task.raw, task.folders, task.excluded, self.spec)
            receipts = tuple(commit(root, one) for one in encoded)
        except SourceError as why:
            return SliceFailure(task.raw.source, task.raw.slice, str(why))
        except StorageError as why:
            return OutputRefused(str(why))
        keys = {sample for one in encoded for sample in one.keys}
        seconds = time.monotonic() - began
        return ShardOutcome(task.raw.name, receipts, seconds, hash_keys(sorted(keys)))


def read_slice(task: SliceTask, job: Job) -> Iterator[ShardTask | SliceFailure]:
    """Read what is still to do of a slice."""
    piece = task.slice
    source = job.source(piece.source)
    finished = task.finished_shards
    try:
        for raw in source.read(piece, job.shard_samples, finished):
            if raw.name not in finished:
                folders = task.open_folders(raw.name)
                excluded = task.excluded.get(raw.name, {})
                yield ShardTask(job.with_extras(raw, folders), folders, excluded)
    except SourceError as why:
        yield SliceFailure(piece.source, piece.name, str(why))


def annotators_of(tasks: Collection[SliceTask], job: Job) -> tuple[Annotator, ...]:
    """The annotators that these slices may need, each once."""
    found: dict[str, Annotator] = {}
    for task in tasks:
        known = task.slice.shards
        open_folders = set(task.folders)
        if known is not None:
            open_folders = {one for shard in known for one in task.open_folders(shard)}
        for annotator in job.annotators_for(task.slice.source, open_folders):
            found[annotator.name] = annotator
    return tuple(found.values())


def hash_keys(keys: list[str]) -> NDArray[np.uint64]:
    """64-bit hashes (BLAKE2b) of keys."""
    joined = b"".join(hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(joined, np.uint64)
