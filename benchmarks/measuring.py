"""Shared parts of the benchmarks: pictures, timing in turns, the table and the JSON file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from sgt_data.corpus.identity import codec_versions, environment
from sgt_data.records import RawInput
from sgt_data.scenes.write_samples import write_samples
from sgt_data.sources.fetch_input import fetched
from sgt_data.sources.sa1b import Sa1bSource

REAL_DATA = "SGT_REAL_DATA"
"""Environment variable: a folder with `sa1b/*.tar` and `coco/`, in their own formats."""

_DRAWN_SCENES = 6
_ONE_THREAD = 1.1
_WHOLE_SOURCE = 100_000

Cell = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Pictures:
    """The data of a benchmark.

    Attributes:
        origin: where it is from, in words.
        tars: SA-1B tars, a glob pattern.
        inputs: the inputs of these tars.
        coco: root of a COCO folder; None where there is none.
    """

    origin: str
    tars: str
    inputs: tuple[RawInput, ...]
    coco: Path | None


@contextmanager
def pictures() -> Iterator[Pictures]:
    """The SA-1B tars and COCO below `SGT_REAL_DATA`, else drawn scenes of SA-1B's usual size."""
    if folder := os.environ.get(REAL_DATA):
        tars = _tars(Path(folder))
        inputs = sa1b_inputs(tars)
        coco = Path(folder) / "coco"
        has_coco = (coco / "annotations" / "panoptic_train2017.json").exists()
        origin = f"{len(inputs)} SA-1B pictures of {REAL_DATA}"
        yield Pictures(origin, tars, inputs, coco if has_coco else None)
        return
    with TemporaryDirectory(prefix="sgt-bench-") as drawn:
        write_samples(drawn, _DRAWN_SCENES, size=(2250, 1500))
        origin = f"{_DRAWN_SCENES} drawn scenes ({REAL_DATA} is not set)"
        tars = _tars(Path(drawn))
        yield Pictures(origin, tars, sa1b_inputs(tars), Path(drawn) / "coco")


def sa1b_inputs(tars: str) -> tuple[RawInput, ...]:
    """All inputs of the SA-1B tars that match a pattern."""
    source = Sa1bSource(tars=tars)
    return tuple(
        fetched(raw)
        for piece in source.inventory(_WHOLE_SOURCE).slices
        for shard in source.read(piece, _WHOLE_SOURCE, ())
        for raw in shard.inputs
    )


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds of one call: by the clock, and of CPU over all threads of this process."""

    wall: float
    cpu: float


def timed(work: Callable[[], object], calls: int = 1) -> Timing:
    """Mean timing of `calls` calls."""
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(calls):
        work()
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return Timing(1000 * wall / calls, 1000 * cpu / calls)


def timed_in_turns(
    works: Mapping[str, Callable[[], object]], rounds: int, calls: Mapping[str, int] | None = None
) -> dict[str, Timing]:
    """Median timings of works that take turns, so that a busy machine slows all of them alike.

    Args:
        works: functions by name.
        rounds: number of rounds; in each of them every work has a turn.
        calls: calls of a turn, by name, where a single call is too short to be timed; else 1.
    """
    timings: dict[str, list[Timing]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            timings[name].append(timed(work, (calls or {}).get(name, 1)))
    return {
        name: Timing(
            median(timing.wall for timing in of_work), median(timing.cpu for timing in of_work)
        )
        for name, of_work in timings.items()
    }


def in_fresh_process(script: str, *arguments: str) -> Any:
    """Run a script in a process of its own; the JSON of the last line that it prints.

    Raises:
        SystemExit: the script fails.
    """
    command = [sys.executable, script, *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def threads_used(timings: Sequence[Timing]) -> float:
    """CPU time divided by wall time.

    Raises:
        SystemExit: more than one thread worked, so that the timings do not hold for one core.
    """
    used = sum(timing.cpu for timing in timings) / sum(timing.wall for timing in timings)
    if used > _ONE_THREAD:
        raise SystemExit(f"{used:.2f} threads worked; these figures are for one")
    return used


def machine() -> dict[str, Cell]:
    """The machine, and its load at present."""
    return {
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "load_average": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Versions of Python and of the packages and codecs that the figures depend on."""
    return {"python": platform.python_version(), **environment(), **codec_versions()}


def report(
    tables: Mapping[str, Sequence[Mapping[str, Cell]]],
    settings: Mapping[str, object],
    notes: Sequence[str],
    file: Path | None,
) -> None:
    """Print tables (rows by title) with notes below; with `file`, write all of it as JSON too."""
    facts = machine()
    console = Console(highlight=False)
    for title, rows in tables.items():
        console.print(_table(title, rows))
    for note in (*notes, f"{facts['cpu']}, {facts['cores']} cores, load {facts['load_average']}"):
        console.print(note, markup=False)
    if file is not None:
        document = {
            "machine": facts,
            "versions": versions(),
            "settings": dict(settings),
            "rows": [{"table": title, **row} for title, rows in tables.items() for row in rows],
            "notes": list(notes),
        }
        file.write_text(json.dumps(document, indent=2) + "\n")


def _table(title: str, rows: Sequence[Mapping[str, Cell]]) -> Table:
    table = Table(title=title, title_justify="left")
    columns = list(dict.fromkeys(name for row in rows for name in row))
    for name in columns:
        numeric = all(not isinstance(row.get(name), str) for row in rows)
        table.add_column(name.replace("_", " "), justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_shown(row.get(name)) for name in columns))
    return table


def verdict(what: str, value: float, goal: float, *, at_most: bool = False) -> str:
    """A measured value with its goal, and whether the goal is met, as a sentence."""
    met = value <= goal if at_most else value >= goal
    side = "at most" if at_most else "at least"
    return f"{what}: {_shown(value)} (goal: {side} {goal:g}) {'met' if met else 'MISSED'}"


def _tars(folder: Path) -> str:
    return str(folder / "sa1b" / "*.tar")


def _shown(value: Cell) -> str:
    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.processor(),
    )
