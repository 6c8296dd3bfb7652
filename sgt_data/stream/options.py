"""What a stream can be told beside its sources, mixture and seed: order, reading, topology."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from sgt_data.errors import RequestError
from sgt_data.stream.order import WINDOW
from sgt_data.stream.schedule import Last

OnError = Literal["raise", "skip"]

Instructions = Literal["stored", "resampled", "held-out"]
"""`stored`: as built. `resampled`: a train line for each epoch. `held-out`: a line that no training
sees, the same in every epoch, so that evaluations compare."""

INSTRUCTIONS: tuple[Instructions, ...] = ("stored", "resampled", "held-out")


@dataclass(frozen=True, slots=True)
class Ordering:
    """In which order a stream gives its samples, and what an epoch is.

    Attributes:
        shuffle: False keeps the order of the corpora.
        window: number of shards that are shuffled together (see `order`); None for all shards.
        last: what becomes of an epoch's incomplete last batch: `carry` its samples over into the
            next epoch, `drop` them, or `pad` the batch with others.
        epoch_of: the component whose pass is an epoch; None for the mixture's first.
    """

    shuffle: bool = True
    window: int | None = WINDOW
    last: Last = "carry"
    epoch_of: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stream reads of its sources, and how.

    Attributes:
        fraction: of the corpora, above 0 and at most 1: the keys that `sgt_data.subset` takes by
            default; fractions nest. Conversations are not divided. None for all.
        instructions: `stored`; `resampled`, a line of the train bank for each epoch; or
            `held-out`, for evaluation.
        images: folder of the JSONL files' pictures; None for the files' own folders.
        on_error: `raise`, or `skip` damaged samples: the same ones in every topology.
        skip_max: share of the samples read so far (0 to 1) above which skipping ends in an error;
            the first damaged sample is always skipped.
        checksums: compare every member with its CRC-32.
        cache: a folder on a local disk where shards of remote corpora are kept, for any number of
            processes. None reads their samples by ranges.
        cache_bytes: that the folder may hold; the least recently used shards are removed.
    """

    fraction: float | None = None
    instructions: Instructions = "stored"
    images: str | None = None
    on_error: OnError = "raise"
    skip_max: float = 0.01
    checksums: bool = True
    cache: str | None = None
    cache_bytes: int = 50 << 30

    def __post_init__(self) -> None:
        if self.instructions not in INSTRUCTIONS:
            raise RequestError(
                f"instructions: found {self.instructions!r}; allowed: {', '.join(INSTRUCTIONS)}"
            )


@dataclass(frozen=True, slots=True)
class Topology:
    """Which share of every global batch this process gets.

    Attributes:
        rank: of this process, from 0.
        world: number of processes.
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise RequestError(f"rank is {self.rank} of {self.world}")

    @classmethod
    def of_torchrun(cls) -> Topology:
        """From torchrun's environment, RANK and WORLD_SIZE; without them rank 0 of 1."""
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))
