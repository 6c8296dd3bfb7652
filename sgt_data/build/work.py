"""The two halves of the work on a slice, whoever runs them: read, then render and commit."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sgt_data.build.plan import SliceTask
from sgt_data.build.render import RenderSpec, render_shard
from sgt_data.corpus.receipt import Receipt, commit
from sgt_data.errors import SourceError, StorageError
from sgt_data.records import RawShard


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard that has been read: its inputs, the proxies that lack it, and keys to leave out."""

    raw: RawShard
    proxies: tuple[str, ...]
    excluded: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SliceFailure:
    """A slice that could not be read to its end. What was read before is kept."""

    source: str
    slice: str
    message: str


@dataclass(frozen=True, slots=True)
class OutputRefused:
    """The output cannot be written: there is no point in going on."""

    message: str


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """A committed shard: receipts of its proxies, the seconds it took, and `key_hashes` uint64 of
    all its samples."""

    shard: str
    receipts: tuple[Receipt, ...]
    seconds: float
    key_hashes: NDArray[np.uint64] = field(repr=False)


Outcome = ShardOutcome | SliceFailure | OutputRefused


def read_slice(task: SliceTask, spec: RenderSpec) -> Iterator[ShardTask | SliceFailure]:
    """Read what is still to do of a slice."""
    piece = task.slice
    source = next(one for one in spec.manifest.source_configs() if one.name == piece.source)
    finished = task.finished_shards
    try:
        for raw in source.read(piece, spec.manifest.shard_samples, finished):
            if raw.name not in finished:
                excluded = task.excluded.get(raw.name, {})
                yield ShardTask(raw, task.open_proxies(raw.name), excluded)
    except SourceError as why:
        yield SliceFailure(piece.source, piece.name, str(why))


def finish_shard(task: ShardTask, spec: RenderSpec, root: str) -> Outcome:
    """Render a shard for its proxies and commit each."""
    began = time.monotonic()
    try:
        encoded = render_shard(task.raw, task.proxies, task.excluded, spec)
        receipts = tuple(commit(root, one) for one in encoded)
    except SourceError as why:
        return SliceFailure(task.raw.source, task.raw.slice, str(why))
    except StorageError as why:
        return OutputRefused(str(why))
    keys = {sample for one in encoded for sample in one.keys}
    seconds = time.monotonic() - began
    return ShardOutcome(task.raw.name, receipts, seconds, hash_keys(sorted(keys)))


def hash_keys(keys: list[str]) -> NDArray[np.uint64]:
    """64-bit hashes (BLAKE2b) of keys."""
    joined = b"".join(hashlib.blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(joined, np.uint64)
