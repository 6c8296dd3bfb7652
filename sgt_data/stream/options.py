"""Options of a stream: the order of samples, how sources are read, and the rank of this process."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sgt_data import checks
from sgt_data.errors import RequestError
from sgt_data.files.urls import Location, plain
from sgt_data.stream.order import WINDOW
from sgt_data.stream.schedule import LAST_BATCHES, LastBatch

OnError = Literal["raise", "skip"]
"""What happens at a damaged sample: `raise` an error, or `skip` the sample."""

ON_ERROR: tuple[OnError, ...] = ("raise", "skip")

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
        epoch_of: name of the component whose pass is an epoch; None for the first of mixture or
            pattern.
        pattern: name of the component that fills the batch of each step, and again from the
            beginning; it stands in place of a mixture. None mixes within each batch. With `drop`
            and `pad`, an epoch is a number of whole patterns.
    """

    shuffle: bool = True
    window: int | None = WINDOW
    last: LastBatch = "carry"
    epoch_of: str | None = None
    pattern: Sequence[str] | None = None

    def __post_init__(self) -> None:
        checks.flag("shuffle", self.shuffle)
        if self.window is not None:
            window = checks.whole_number("window", self.window, 1)
            object.__setattr__(self, "window", window)
        checks.one_of("last", self.last, LAST_BATCHES)
        if self.epoch_of is not None:
            checks.text("epoch_of", self.epoch_of)
        if self.pattern is not None:
            object.__setattr__(self, "pattern", _names_of_steps(self.pattern))


def _names_of_steps(pattern: object) -> tuple[str, ...]:
    """The names of a pattern; a text alone would be a pattern of its letters."""
    if isinstance(pattern, str) or not isinstance(pattern, Sequence) or not pattern:
        raise checks.wrong("pattern", pattern, "a list of components' names, one for each step")
    return tuple(checks.text("pattern", name) for name in pattern)


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
        check_first: whether all conversations are parsed and checked when the stream opens, where
            `on_error` is `raise`. With False each is checked when it is read, so that a stream of
            a large file begins at once.
        checksums: compare every member with its CRC-32.
        cache: a folder on a local disk that keeps shards of remote corpora, for any number of
            processes; None reads single samples by byte ranges.
        cache_bytes: greatest size of that folder in bytes; the least recently used shards are
            removed first.
    """

    fraction: float | None = None
    instructions: Instructions = "stored"
    images: Location | None = None
    on_error: OnError = "raise"
    skip_max: float = 0.01
    check_first: bool = True
    checksums: bool = True
    cache: Location | None = None
    cache_bytes: int = 50 << 30

    def __post_init__(self) -> None:
        checks.one_of("instructions", self.instructions, INSTRUCTIONS)
        checks.one_of("on_error", self.on_error, ON_ERROR)
        checks.flag("check_first", self.check_first)
        checks.flag("checksums", self.checksums)
        checked: dict[str, Any] = {
            "skip_max": checks.share("skip_max", self.skip_max),
            "cache_bytes": checks.whole_number("cache_bytes", self.cache_bytes, 1),
        }
        if self.fraction is not None:
            checked["fraction"] = checks.share("fraction", self.fraction, above_zero=True)
        if self.images is not None:
            checked["images"] = plain(self.images)
        if self.cache is not None:
            checked["cache"] = plain(self.cache)
        for name, value in checked.items():
            object.__setattr__(self, name, value)


@dataclass(frozen=True, slots=True)
class Topology:
    """Which part of every global batch this process gets.

    Attributes:
        rank: rank of this process, from 0.
        world: number of processes.

    Raises:
        RequestError: they are no whole numbers, or the rank is not below their number.
    """

    rank: int = 0
    world: int = 1

    def __post_init__(self) -> None:
        world = checks.whole_number("world", self.world, 1)
        rank = checks.whole_number("rank", self.rank, 0)
        if rank >= world:
            raise RequestError(f"rank: found {rank} of {world}; allowed: 0 to {world - 1}")
        object.__setattr__(self, "world", world)
        object.__setattr__(self, "rank", rank)

    @classmethod
    def of_torchrun(cls) -> Topology:
        """The topology that torchrun states in RANK and WORLD_SIZE; without them, rank 0 of 1."""
        return cls(_whole_variable("RANK", 0), _whole_variable("WORLD_SIZE", 1))


def _whole_variable(name: str, default: int) -> int:
    """A whole number from the environment."""
    value = os.environ.get(name, str(default))
    if not value.strip().isdecimal():
        raise checks.wrong(f"environment variable {name}", value, "a whole number from 0 on")
    return int(value)
