"""What comes of a shard: it is committed, its slice failed, or the output refused it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.receipt import Receipt
from sgt_data.result import Failure


@dataclass(frozen=True, slots=True)
class CommittedShard:
    """A shard whose receipts have been written.

    Attributes:
        shard: its name.
        receipts: those that this work has written, one for each folder.
        seconds: that the work on it took.
        key_hashes: `[samples] uint64`, hashes of the keys in it; empty where nobody asks for them.
    """

    shard: str
    receipts: tuple[Receipt, ...]
    seconds: float
    key_hashes: NDArray[np.uint64] = field(repr=False)


@dataclass(frozen=True, slots=True)
class OutputRefused:
    """The output cannot be written, so that all other shards would fail too.

    Attributes:
        message: why.
    """

    message: str


OWN_CODE = "own code"
"""Part of a failure that is a mistake of a user's own code: it ends the work."""

Outcome = CommittedShard | Failure | OutputRefused


def part_name(source: str, slice_name: str) -> str:
    """Name of a slice in the list of failures."""
    return f"{source}/{slice_name}"
