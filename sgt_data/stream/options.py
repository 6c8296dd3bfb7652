"""Options of a stream: the order of samples, how sources are read, and the rank of this process."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Literal

from sgt_data.errors import RequestError
from sgt_data.stream.order import WINDOW
from sgt_data.stream.schedule import LastBatch

OnError = Literal["raise", "skip"]
"""What happens at a damaged sample: `raise` an error, or `skip` the sample."""

Instructions = Literal["stored", "resampled", "held-out"]
"""Which instruction a sample gets: `stored`, as built; `resampled`, another line of the train bank
in each epoch; `held-out`, a line that training never sees, the same in every epoch, so that
evaluations can be compared."""

INSTRUCTIONS: tuple[Instructions, ...] = ("stored", "resampled", "held-out")


@dataclass(frozen=True, slots=True)
class Ordering:
    """In which order a stream gives its samples, and what an epoch is.

    Attributes:
        shuffle: False keeps the order of the corpora.
        window: number of shards that are shuffled together (see `order`); None for all shards.
        last: what happens to an epoch's incomplete last batch: `carry` fills it up with samples of
            the next epoch, `drop` leaves it out, `pad` fills it up with samples of the same epoch.
        epoch_of: name of the component whose pass is an epoch; None for the mixture's first.
    """

    shuffle: bool = True
    window: int | None = WINDOW
    last: LastBatch = "carry"
    epoch_of: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What a stream reads of its sources, and how.

    Attributes:
        fraction: share of each corpus, above 0 and at most 1: the keys that `sgt_data.subset` takes
            by default, so a smaller fraction lies within a larger one. Conversations are not
            divided. None for all keys.
        instructions: which instruction a sample gets: `stored`, `resampled` or `held-out`.
        images: fsspec URL of the folder of the JSONL files' pictures; None for each file's own
            folder.
        on_error: `raise` an error at a damaged sample, or `skip` damaged samples; every topology
            skips the same ones.
        skip_max: greatest share of damaged samples among those read so far, 0 to 1; more end in an
            error. The first damaged sample is always skipped.
        checksums: compare every member with its CRC-32.
        cache: a folder on a local disk that keeps shards of remote corpora, for any number of
            processes; None reads single samples by byte ranges.
        cache_bytes: greatest size of that folder in bytes; the least recently used shards are
            removed first.
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
    """Which part of every global batch this process gets.

    Attributes:
        rank: rank of this process, from 0.
        world: number of processes.
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        if not 0 <= self.rank < self.world:
            raise RequestError(f"rank is {self.rank} of {self.world}")

    @classmethod
    def of_torchrun(cls) -> Topology:
        """The topology that torchrun states in RANK and WORLD_SIZE; without them, rank 0 of 1."""
        return cls(int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1)))
