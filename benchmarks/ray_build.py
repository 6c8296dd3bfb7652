"""A build on Ray compared with a build on one core: rate, efficiency, peak memory by size.

SA-1B pictures are copied under new names into several tars; every build has a fresh process.

python benchmarks/ray_build.py [--pictures N] [--per-tar N] [--memory-pictures N 4N] [--json FILE]
"""

from __future__ import annotations

import argparse
import io
import math
import multiprocessing
import tarfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
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

GOAL = 0.85
ONE_CORE = "one core"

_WARM_UP_PICTURES = 4
_START_LIMIT = 300.0  # seconds
_SAMPLE_EVERY = 0.5  # seconds
_FIRST_ID = 1_000_000
_MIB = 1 << 20

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
    """

    tars: tuple[str, ...]
    cluster: Cluster
    shard_samples: int
    scratch: str
    warm_up: str

    def manifest(self) -> Manifest:
        return _manifest(self.tars, self.shard_samples)


@dataclass(frozen=True, slots=True)
class Built:
    """What a build took.

    Attributes:
        samples: written.
        start_seconds: until work could begin.
        work_seconds: from then on.
        first_shard_seconds: of these, until the first shard was done.
        steady_rate: samples per second from when every worker had done a shard to the end; None
            where there are too few shards to tell.
    """

    samples: int
    start_seconds: float
    work_seconds: float
    first_shard_seconds: float
    steady_rate: float | None

    @property
    def rate(self) -> float:
        return self.samples / self.work_seconds


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
    if build.cluster.in_process:
        with TemporaryDirectory(dir=build.scratch) as corpus:
            build_corpus(
                _manifest((build.warm_up,), build.shard_samples), corpus, cluster=IN_PROCESS
            )
    barrier.wait(_START_LIMIT)
    finished: list[tuple[float, int]] = []
    began = time.monotonic()
    with TemporaryDirectory(dir=build.scratch) as corpus:
        done = build_corpus(
            build.manifest(),
            corpus,
            cluster=build.cluster,
            progress=lambda now: finished.append((time.monotonic(), now.done)),
        )
    if not done.succeeded:
        raise SystemExit(f"the build failed: {done}")
    (totals,) = done.totals.values()
    results.send(
        Built(
            totals["samples"],
            done.start_seconds,
            done.work_seconds,
            finished[0][0] - began - done.start_seconds,
            _steady_rate(finished, max(1, build.cluster.workers or 0)),
        )
    )


def _steady_rate(finished: Sequence[tuple[float, int]], workers: int) -> float | None:
    """From times and inputs after each shard."""
    if len(finished) < 3 * workers:
        return None
    (since, before), (until, inputs) = finished[workers - 1], finished[-1]
    return (inputs - before) / (until - since)


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


@dataclass(frozen=True, slots=True)
class Measured:
    """Medians over rounds of one way to build, its processes added up."""

    samples: int
    start_seconds: float
    work_seconds: float
    first_shard_seconds: float
    rate: float
    steady_rate: float | None

    @classmethod
    def of(cls, rounds: Sequence[Sequence[Built]]) -> Measured:
        steady = [built.steady_rate for turn in rounds for built in turn if built.steady_rate]
        return cls(
            sum(built.samples for built in rounds[0]),
            median(max(built.start_seconds for built in turn) for turn in rounds),
            median(max(built.work_seconds for built in turn) for turn in rounds),
            median(max(built.first_shard_seconds for built in turn) for turn in rounds),
            median(sum(built.rate for built in turn) for turn in rounds),
            median(steady) * len(rounds[0]) if steady else None,
        )

    def row(self, way: str, one_core: float) -> dict[str, Cell]:
        return {
            "build": way,
            "samples": self.samples,
            "start_s": self.start_seconds,
            "work_s": self.work_seconds,
            "first_shard_s": self.first_shard_seconds,
            "per_second": self.rate,
            "steady": self.steady_rate,
            "of_one_core": self.rate / one_core,
        }


def measure_rates(
    build: Callable[[tuple[str, ...], Cluster], Build],
    tars: tuple[str, ...],
    workers: int,
    rounds: int,
) -> dict[str, Measured]:
    """The three ways to build, in turns: a quarter of the tars on one core, all of them on Ray,
    and all of them shared out among processes that know nothing of each other."""
    quarter = tars[: max(1, len(tars) // 4)]
    parts = [tars[part::workers] for part in range(workers)]
    ways = {
        ONE_CORE: [build(quarter, IN_PROCESS)],
        f"Ray, {workers} workers": [build(tars, Cluster(workers=workers))],
        f"{workers} processes, no Ray": [build(part, IN_PROCESS) for part in parts],
    }
    taken: dict[str, list[list[Built]]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, builds in ways.items():
            taken[way].append(run_together(builds))
    return {way: Measured.of(all_of) for way, all_of in taken.items()}


def measure_memory(
    build: Callable[[tuple[str, ...], Cluster], Build],
    tars: tuple[str, ...],
    counts: Sequence[int],
    workers: int,
) -> list[dict[str, Cell]]:
    """A row per size of a Ray build: its peak memory."""
    rows: list[dict[str, Cell]] = []
    for count in counts:
        built, peak = peak_footprint(build(tars[:count], Cluster(workers=workers)))
        rows.append(
            {
                "samples": built.samples,
                "processes_mib": peak.processes / _MIB,
                "object_store_mib": peak.shared / _MIB,
                "total_mib": peak.total / _MIB,
            }
        )
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=2000, help="of the Ray builds")
    parser.add_argument("--per-tar", type=int, default=500, help="pictures in a tar")
    parser.add_argument("--shard-samples", type=int, default=256, help="pictures in a shard")
    parser.add_argument("--workers", type=int, default=2, help="CPUs given to Ray")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (medians are shown)")
    parser.add_argument(
        "--memory-pictures", type=int, nargs="*", default=[1000, 4000], metavar="N",
        help="sizes whose peak memory is compared (none: leave it out)",
    )  # fmt: skip
    parser.add_argument("--scratch", type=Path, help="folder for several GB; default: the system's")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    arguments = parser.parse_args()
    workers = arguments.workers
    tars_of = {
        count: math.ceil(count / arguments.per_tar)
        for count in (arguments.pictures, *arguments.memory_pictures)
    }
    if tars_of[arguments.pictures] < workers:
        parser.error("--pictures must fill a tar for every worker")
    with (
        pictures() as samples,
        TemporaryDirectory(prefix="sgt-bench-", dir=arguments.scratch) as scratch,
    ):
        (Path(scratch) / "warm-up").mkdir()
        (warm_up,) = write_tars(samples.inputs, Path(scratch) / "warm-up", 1, _WARM_UP_PICTURES)
        tars = write_tars(samples.inputs, Path(scratch), max(tars_of.values()), arguments.per_tar)

        def build(some_tars: tuple[str, ...], cluster: Cluster) -> Build:
            return Build(some_tars, cluster, arguments.shard_samples, scratch, warm_up)

        rates = measure_rates(build, tars[: tars_of[arguments.pictures]], workers, arguments.rounds)
        one_core, ray, _ = rates.values()
        rows = [measured.row(way, one_core.rate) for way, measured in rates.items()]
        tables = {"Build rate": rows}
        if arguments.memory_pictures:
            counts = [tars_of[count] for count in arguments.memory_pictures]
            tables["Peak memory of a Ray build"] = measure_memory(build, tars, counts, workers)
    notes = [
        f"{samples.origin}, copied under new names; {arguments.shard_samples} in a shard",
        verdict(f"Ray / ({workers} x one core)", ray.rate / workers / one_core.rate, GOAL),
    ]
    if ray.steady_rate:
        share = ray.steady_rate / workers / one_core.rate
        notes.append(
            f"Ray / ({workers} x one core), once every worker has done a shard: {share:.3g}"
        )
    settings = {
        "input": samples.origin,
        "per_tar": arguments.per_tar,
        "shard_samples": arguments.shard_samples,
        "workers": workers,
        "rounds": arguments.rounds,
    }
    report(tables, settings, notes, arguments.json)


if __name__ == "__main__":
    main()
