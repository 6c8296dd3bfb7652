"""A build on Ray compared with processes that know nothing of each other: start, rate, memory.

SA-1B pictures are copied under new names into several tars; every build has a fresh process. Rounds
and sizes that would not fit into the time are left out, and the report says so.

python benchmarks/ray_build.py [--pictures N] [--per-tar N] [--seconds S] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import os
import tarfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import cycle, islice
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import psutil
from footprints import Footprint, with_descendants
from measuring import Cell, pictures, report, verdict

from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS, Cluster
from sgt_data.manifest.manifest import Manifest, parse_manifest
from sgt_data.records import RawInput

GOAL, START_GOAL = 0.95, 6.0
SECONDS = 200.0
"""For all builds; with the tars that are written first, the whole takes less than four minutes."""

_WARM_UP_PICTURES = 4
_START_LIMIT = 300.0  # seconds
_SAMPLE_EVERY = 0.5  # seconds
_FIRST_ID = 1_000_000
_END_SECONDS = 5.0  # that a build takes to end
_MIB = 1 << 20

RAY, PLAIN = "Ray", "processes of one core each, no Ray"

_SPAWN = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Build:
    """One build to measure.

    Attributes:
        tars: paths of its inputs.
        cluster: where it runs.
        shard_samples: pictures in a shard.
        scratch: folder for the corpus.
        warm_up: path of a tar that is built first, where the build runs in one process.
        core: number of the only core that it may use; None for all.
    """

    tars: tuple[str, ...]
    cluster: Cluster
    shard_samples: int
    scratch: str
    warm_up: str
    core: int | None = None

    def manifest(self) -> Manifest:
        return _manifest(self.tars, self.shard_samples)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build took.

    Attributes:
        samples: written.
        start_seconds: from the start of its process until the first shard was begun.
        work_seconds: from then on.
    """

    samples: int
    start_seconds: float
    work_seconds: float


def write_tars(
    inputs: Sequence[RawInput], folder: Path, tars: int, per_tar: int
) -> tuple[str, ...]:
    """Write tars of the inputs over and over, each time under a new name; paths of the tars."""
    endless = cycle(inputs)
    paths = []
    for number in range(tars):
        path = folder / f"sa_{number:06d}.tar"
        with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
            for image_id, raw in enumerate(islice(endless, per_tar), _FIRST_ID + number * per_tar):
                for extension, body in (("jpg", raw.picture), ("json", raw.extras["annotation"])):
                    member = tarfile.TarInfo(f"./sa_{image_id}.{extension}")
                    member.size = len(body)
                    tar.addfile(member, io.BytesIO(body))
        paths.append(str(path))
    return tuple(paths)


def run_together(
    builds: Sequence[Build], watch: Callable[[list[psutil.Process]], None] | None = None
) -> list[Built]:
    """Run builds at the same time, each in a fresh process; `watch` is called while they run.

    Raises:
        SystemExit: a build failed.
    """
    barrier = _SPAWN.Barrier(len(builds))
    pipes = [_SPAWN.Pipe(duplex=False) for _ in builds]
    children = [
        _SPAWN.Process(target=_build, args=(build, barrier, sender))
        for build, (_, sender) in zip(builds, pipes, strict=True)
    ]
    for child in children:
        child.start()
    watched = [psutil.Process(child.pid) for child in children]
    while any(child.is_alive() for child in children):
        if watch:
            watch(watched)
        time.sleep(_SAMPLE_EVERY)
    if any(child.exitcode for child in children):
        raise SystemExit("a build failed; see above")
    return [receiver.recv() for receiver, _ in pipes]


def _build(build: Build, barrier: Barrier, results: Connection) -> None:
    if build.core is not None:
        os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[build.core]})
    if build.cluster.in_process:
        with TemporaryDirectory(dir=build.scratch) as corpus:
            build_corpus(
                _manifest((build.warm_up,), build.shard_samples), corpus, cluster=IN_PROCESS
            )
    barrier.wait(_START_LIMIT)
    before = time.time() - psutil.Process().create_time()  # its imports
    with TemporaryDirectory(dir=build.scratch) as corpus:
        done = build_corpus(build.manifest(), corpus, cluster=build.cluster)
    if not done.succeeded:
        raise SystemExit(f"the build failed: {done}")
    (totals,) = done.totals.values()
    results.send(Built(totals["samples"], before + done.start_seconds, done.work_seconds))


def _manifest(tars: Sequence[str], shard_samples: int) -> Manifest:
    return parse_manifest(
        {
            "name": "benchmark",
            "shard_samples": shard_samples,
            "sources": [{"type": "sa1b", "tars": list(tars)}],
            "proxies": [{"type": "segmentation", "variant": "entity"}],
        }
    )


def peak_footprint(build: Build) -> tuple[Built, Footprint]:
    """Run a build; the largest footprint seen of it and its descendants (Ray's among them)."""
    footprints = [Footprint(0, 0)]

    def watch(roots: list[psutil.Process]) -> None:
        footprints.append(Footprint.of(with_descendants(roots)))

    (built,) = run_together([build], watch)
    return built, max(footprints, key=lambda footprint: footprint.total)


@dataclass(slots=True)
class Clock:
    """The time that is left for builds.

    Attributes:
        ends: by `time.monotonic`.
    """

    ends: float

    def has(self, seconds: float) -> bool:
        return time.monotonic() + seconds < self.ends


def measure_rates(ways: Mapping[str, Sequence[Build]], clock: Clock) -> dict[str, list[Built]]:
    """Build in each way in turn, again while there is time; by way, what each round took.

    Builds of a way that run together count as one, which ends with the last of them.
    """
    taken: dict[str, list[Built]] = {way: [] for way in ways}
    round_seconds = 0.0
    while not round_seconds or clock.has(1.5 * round_seconds):  # half a round is for memory
        began = time.monotonic()
        for way, builds in ways.items():
            together = run_together(builds)
            taken[way].append(
                Built(
                    sum(built.samples for built in together),
                    max(built.start_seconds for built in together),
                    max(built.work_seconds for built in together),
                )
            )
        round_seconds = time.monotonic() - began
    return taken


def rate_rows(taken: Mapping[str, Sequence[Built]]) -> list[dict[str, Cell]]:
    """A row per way, of medians."""
    return [
        {
            "build": way,
            "rounds": len(rounds),
            "samples": rounds[0].samples,
            "start_s": median(built.start_seconds for built in rounds),
            "work_s": median(built.work_seconds for built in rounds),
            "per_second": median(built.samples / built.work_seconds for built in rounds),
        }
        for way, rounds in taken.items()
    ]


def memory_row(build: Build) -> dict[str, Cell]:
    """The peak memory of a Ray build."""
    built, peak = peak_footprint(build)
    return {
        "samples": built.samples,
        "processes_mib": peak.processes / _MIB,
        "object_store_mib": peak.shared / _MIB,
        "total_mib": peak.total / _MIB,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2048, help="of the compared builds")
    parser.add_argument("--per-tar", type=int, default=256, help="pictures in a tar")
    parser.add_argument("--shard-samples", type=int, default=128, help="pictures in a shard")
    parser.add_argument("--workers", type=int, default=2, help="CPUs given to Ray")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="for all builds")
    parser.add_argument("--scratch", type=Path, help="folder for several GB; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    workers, tar_count = arguments.workers, math.ceil(arguments.pictures / arguments.per_tar)
    if tar_count < workers:
        parser.error("--pictures must fill a tar for every worker")
    with (
        pictures() as samples,
        TemporaryDirectory(prefix="sgt-bench-", dir=arguments.scratch) as scratch,
    ):
        (Path(scratch) / "warm-up").mkdir()
        (warm_up,) = write_tars(samples.inputs, Path(scratch) / "warm-up", 1, _WARM_UP_PICTURES)
        tars = write_tars(samples.inputs, Path(scratch), tar_count, arguments.per_tar)

        def build(some_tars: tuple[str, ...], cluster: Cluster) -> Build:
            return Build(some_tars, cluster, arguments.shard_samples, scratch, warm_up)

        parts = [tars[part::workers] for part in range(workers)]
        ray_build = build(tars, Cluster(workers=workers))
        clock = Clock(time.monotonic() + arguments.seconds)
        memory = [memory_row(replace(ray_build, tars=tars[: max(1, tar_count // 4)]))]
        taken = measure_rates(
            {
                PLAIN: [
                    replace(build(part, IN_PROCESS), core=core) for core, part in enumerate(parts)
                ],
                RAY: [ray_build],
            },
            clock,
        )
        longest = max(built.start_seconds + built.work_seconds for built in taken[RAY])
        if clock.has(longest + _END_SECONDS):
            memory.append(memory_row(ray_build))
    plain, ray = taken[PLAIN], taken[RAY]
    shares = [
        plain_round.work_seconds / ray_round.work_seconds
        for plain_round, ray_round in zip(plain, ray, strict=True)
    ]
    start = median(built.start_seconds for built in ray)
    notes = [
        f"{samples.origin}, copied under new names; {arguments.shard_samples} in a shard",
        verdict(f"Ray / {workers} processes of one core each", median(shares), GOAL),
        verdict("seconds from the start of Ray's process to its first shard", start, START_GOAL,
                at_most=True),
    ]  # fmt: skip
    if len(memory) == 1:
        notes.append("peak memory of all pictures: left out, for there was no time")
    settings = {
        "input": samples.origin,
        "per_tar": arguments.per_tar,
        "shard_samples": arguments.shard_samples,
        "workers": workers,
        "rounds": len(shares),
    }
    tables = {"Build rate": rate_rows(taken), "Peak memory of a Ray build": memory}
    report(tables, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
