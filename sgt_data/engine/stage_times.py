"""Where the time of a shard went: seconds by stage, and those of the codecs within the stages.

Times travel beside results and are stored nowhere: they change no byte of a corpus.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import perf_counter

from sgt_data.pictures.codec_clock import codec_seconds

READ, FETCH, DECODE, INPUT, ENCODE, COMMIT = (
    "read", "fetch", "decode", "input", "encode", "commit",
)  # fmt: skip
"""Stages: the source is read; files of an input are fetched; its picture is decoded and resized;
the picture that is stored is made, with the sample's facts; tar and index are made; all is written.
Between `decode` and `encode` each proxy has a stage of its own (`draw NAME`), and before them each
annotator (`annotate NAME`)."""


def draw_stage(proxy: str) -> str:
    """The stage in which a proxy draws."""
    return f"draw {proxy}"


def annotate_stage(annotator: str) -> str:
    """The stage in which an annotator works."""
    return f"annotate {annotator}"


@dataclass(frozen=True, slots=True)
class StageTimes:
    """Seconds of one shard, or of several.

    Attributes:
        stages: by stage.
        codecs: by codec, which worked within the stages (see `pictures.codec_clock`).
    """

    stages: Mapping[str, float] = field(default_factory=dict)
    codecs: Mapping[str, float] = field(default_factory=dict)

    def __add__(self, other: StageTimes) -> StageTimes:
        return StageTimes(added(self.stages, other.stages), added(self.codecs, other.codecs))


def added(seconds: Mapping[str, float], more: Mapping[str, float]) -> dict[str, float]:
    """The sums of two mappings, name by name."""
    return {name: seconds.get(name, 0.0) + more.get(name, 0.0) for name in [*seconds, *more]}


def slowest_stage(seconds: Mapping[str, float]) -> str:
    """The stage with most seconds and its share, in words; empty where nothing was counted."""
    if not (every := sum(seconds.values())):
        return ""
    name = max(seconds, key=lambda stage: seconds[stage])
    return f"{name} ({seconds[name] / every:.0%})"


class Stopwatch:
    """Counts the seconds of one thread, stage after stage, from its making on."""

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._codecs: Mapping[str, float] = codec_seconds()
        self._began = perf_counter()

    def go_on(self) -> None:
        """Count from here on: what was since the last lap belongs to no stage."""
        self._began = perf_counter()

    def lap(self, stage: str) -> None:
        """What was since the last lap belongs to this stage."""
        now = perf_counter()
        self._seconds[stage] = self._seconds.get(stage, 0.0) + now - self._began
        self._began = now

    def taken(self) -> StageTimes:
        """What was counted, in this thread since the making or the last call."""
        codecs = codec_seconds()
        new = {name: codecs[name] - self._codecs.get(name, 0.0) for name in codecs}
        times = StageTimes(self._seconds, {name: each for name, each in new.items() if each > 0})
        self._seconds, self._codecs = {}, codecs
        return times
