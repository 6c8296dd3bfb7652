"""What travels between the stages of a build, and what comes out of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.receipt import Receipt
from sgt_data.records import RawShard


@dataclass(frozen=True, slots=True)
class ShardTask:
    """A shard that has been read: its inputs, the folders of the corpus that lack it, and keys to
    leave out."""

    raw: RawShard
    folders: tuple[str, ...]
    excluded: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SliceFailure:
    """A slice that could not be worked on to its end. What was done before is kept."""

    source: str
    slice: str
    message: str


@dataclass(frozen=True, slots=True)
class OutputRefused:
    """The output cannot be written: there is no point in going on."""

    message: str


@dataclass(frozen=True, slots=True)
class ShardOutcome:
    """A committed shard: receipts of its folders, the seconds it took, and `key_hashes` uint64 of
    all its samples."""

    shard: str
    receipts: tuple[Receipt, ...]
    seconds: float
    key_hashes: NDArray[np.uint64] = field(repr=False)


Outcome = ShardOutcome | SliceFailure | OutputRefused
