"""Where the time of work on shards went, for people: a row per stage, and the codecs' floor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sgt_data.engine.drive import ShardResult

_ORDER = ("read", "annotate", "fetch", "decode", "draw", "input", "encode", "commit")


@dataclass(frozen=True, slots=True)
class ProfileRow:
    """A stage, or a codec within the stages.

    Attributes:
        name: of the stage (`draw edge`), or of the codec.
        seconds: of all workers together.
        share: of the seconds of all stages, 0 to 1.
        milliseconds: per input.
    """

    name: str
    seconds: float
    share: float
    milliseconds: float


@dataclass(frozen=True, slots=True)
class Profile:
    """Where the time of the shards went that a run has committed.

    Attributes:
        inputs: of these shards.
        stages: in the order in which a shard passes them.
        codecs: what decoding pictures and encoding JPEGs and PNGs took, within the stages.
        work_seconds: of all stages.
        codec_floor_seconds: of all codecs. No way of drawing takes less with these codecs.
    """

    inputs: int
    stages: tuple[ProfileRow, ...]
    codecs: tuple[ProfileRow, ...]
    work_seconds: float
    codec_floor_seconds: float

    @property
    def above_floor(self) -> float:
        """How many times the codecs' floor the work took; 0 where nothing was coded."""
        floor = self.codec_floor_seconds
        return self.work_seconds / floor if floor else 0.0


def profile_of(result: ShardResult) -> Profile:
    """The profile of what a run did; without rows where it committed nothing."""
    every = sum(result.stage_seconds.values())
    order = sorted(result.stage_seconds, key=lambda name: _ORDER.index(name.split(" ")[0]))
    stages = _rows({name: result.stage_seconds[name] for name in order}, every, result.built_inputs)
    codecs = _rows(result.codec_seconds, every, result.built_inputs)
    floor = sum(result.codec_seconds.values())
    return Profile(result.built_inputs, stages, codecs, every, floor)


def _rows(seconds: Mapping[str, float], every: float, inputs: int) -> tuple[ProfileRow, ...]:
    return tuple(
        ProfileRow(name, each, each / every if every else 0.0, 1000 * each / max(1, inputs))
        for name, each in seconds.items()
    )
