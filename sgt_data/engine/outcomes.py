"""What comes of a shard: it is under way or committed, it failed, or the output refused it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from sgt_data.corpus.key_hashes import Hashes
from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.stage_times import StageTimes
from sgt_data.result import Failure


@dataclass(frozen=True, slots=True)
class CommittedShard:
    """A shard whose receipts have been written.

    Attributes:
        shard: its name.
        receipts: those that this work has written, one for each folder.
        seconds: that the work on it took.
        key_hashes: of the keys that each receipt commits, in the order of `receipts`; empty where
            keys cannot repeat.
        times: where the time of the shard went, from its reading on.
        troubles: requests to stores that were made again for it, by kind (see `files.troubles`).
    """

    shard: str
    receipts: tuple[Receipt, ...]
    seconds: float
    key_hashes: tuple[Hashes, ...] = field(default=(), repr=False)
    times: StageTimes = field(default_factory=StageTimes)
    troubles: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OutputRefused:
    """The output cannot be written, so that all other shards would fail too.

    Attributes:
        message: why.
    """

    message: str


OUTPUT = "output"
"""Part of a failure that is one of the output as a whole, and of no slice."""

OWN_CODE = "own code"
"""Part of a failure that is a mistake of a user's own code: it ends the work."""


@dataclass(frozen=True, slots=True)
class InputsDone:
    """How far a shard is that is still being worked on.

    Attributes:
        shard: its name.
        inputs: of it that are done; 0 where the work on it begins again, or failed.
        note: what is done to them, where that is not their last stage; they are then not counted.
    """

    shard: str
    inputs: int
    note: str = ""


Outcome = CommittedShard | Failure | OutputRefused | InputsDone


def part_name(source: str, slice_name: str) -> str:
    """Name of a slice in the list of failures."""
    return f"{source}/{slice_name}"
