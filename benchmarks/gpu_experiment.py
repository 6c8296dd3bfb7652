"""The experiment at 128 px on one GPU: what a step takes, stage 0, and three arms side by side.

First a step is timed: where it takes more than `--most-ms`, the program says so and ends with 3.
Then a short stage 0 is trained, and from it three arms at once, each in a process of its own:
questions alone, and with targets of `entity` or `semantic` drawn. All have one seed and no tuned
pace, so their accuracies support no claim. `--tiny` does all of this in small, in one process, also
on a CPU; nothing but this form was run so far, as no GPU was available.

python benchmarks/gpu_experiment.py --json FILE [--tiny] [--most-ms MS]

`benchmarks/gpu/experiment.sh` runs it on a machine that reaches no network.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, replace
from functools import partial
from itertools import pairwise
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import torch
from gpu_experiment_arms import ARMS, TINY, Size, arm, stage_0
from gpu_experiment_data import Data, make_data
from measuring import machine, versions
from step_times import StepTimes, share_barrier, time_steps

from sgt_data.experiment.measure.answers import ValidationPart, mean_chance
from sgt_data.experiment.measure.held_out import read_questions
from sgt_data.experiment.pretraining_gate import LEAST_VALIDATION
from sgt_data.training.batches import questions_file
from sgt_data.training.config import TrainConfig
from sgt_data.training.train import Row, Trained, train

TOO_SLOW = 3
"""Exit code where a step takes too long."""

_ASKED = 1500
"""Most questions of validation that are read."""


def run(config: TrainConfig, folder: Path) -> dict[str, Any]:
    """Train one run, with answers on validation meanwhile; what came out."""
    questions = read_questions(questions_file(config.data.questions, "val"), config, most=_ASKED)
    part = ValidationPart(questions)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trained = train(config, folder, validate=part)
    return {
        "steps": config.steps,
        "seconds": round(trained.seconds, 1),
        "step_ms": _step_ms(trained),
        "memory_mib": _peak_mib(),
        "first": _means(trained.curve[0]),
        "last": _means(trained.curve[-1]),
        "validation": {
            "accuracy": trained.curve[-1]["validation"],
            "chance": mean_chance(part.questions),
            "questions": len(part.questions),
            "seeds": 1,
        },
        "checkpoint": str(trained.checkpoint),
    }


def arms_at_once(size: Size, data: Data, init: Path, folder: Path) -> dict[str, Any]:
    """Time all arms side by side, then train them so; in turns where one process is to work."""
    timed = [arm(name, data, size, size.timed * 2, init) for name in ARMS]
    if size.processes == 1:
        times = [time_steps(config, size.timed) for config in timed]
        steps = _steps(max(each.step_ms for each in times), size.seconds[1], size.most_steps)
        runs = [run(arm(name, data, size, steps, init), folder / name) for name in ARMS]
    else:
        context = get_context("spawn")
        barrier = context.Barrier(len(ARMS))
        with ProcessPoolExecutor(len(ARMS), context, share_barrier, (barrier,)) as pool:
            times = list(pool.map(partial(time_steps, steps=size.timed), timed))
            steps = _steps(max(each.step_ms for each in times), size.seconds[1], size.most_steps)
            configs = [arm(name, data, size, steps, init) for name in ARMS]
            runs = list(pool.map(run, configs, [folder / name for name in ARMS]))
    side_by_side = dict(zip(ARMS, map(asdict, times), strict=True))
    return {"at_a_time": size.processes or len(ARMS), "timed": side_by_side} | {
        "runs": dict(zip(ARMS, runs, strict=True))
    }


class Outcome:
    """What is known so far; every part is printed, and written to the file, once it is known."""

    def __init__(self, file: Path | None, settings: Mapping[str, Any]) -> None:
        gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else None
        software = {**versions(), "torch": torch.__version__, "cuda": torch.version.cuda}
        self._file = file
        self._began = time.perf_counter()
        self._seconds: dict[str, float] = {}
        self._known = {"gpu": gpu, "machine": machine(), "versions": software, **settings}

    def add(self, name: str, value: Any) -> None:
        seconds = round(time.perf_counter() - self._began, 1)
        value = _rounded(value)
        self._seconds[name] = seconds
        self._known |= {name: value, "done_after_seconds": self._seconds}
        print(f"[{seconds:6.1f} s] {name}: {json.dumps(value)}", flush=True)
        if self._file is not None:
            self._file.write_text(json.dumps(self._known, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures here as JSON")
    parser.add_argument("--most-ms", type=float, default=60.0, help="a slower step ends it with 3")
    parser.add_argument("--pictures", type=int, help="of stage 0, and as many others of the arms")
    parser.add_argument("--workers", type=int, help="processes that load the data of one run")
    parser.add_argument("--tiny", action="store_true", help="in small, in one process")
    arguments = parser.parse_args()
    size = TINY if arguments.tiny else Size()
    for name, least in (("pictures", 1), ("workers", 0)):
        given = getattr(arguments, name)
        if given is not None and given < least:
            parser.error(f"--{name} is {given}; allowed: from {least} on")
        size = size if given is None else replace(size, **{name: given})
    outcome = Outcome(arguments.json, {"size": asdict(size), "most_ms": arguments.most_ms})
    with TemporaryDirectory(prefix="sgt-bench-") as folder:
        _measure(size, arguments.most_ms, Path(folder), outcome)
    outcome.add("note", "one seed, no tuned pace: these accuracies support no claim")


def _measure(size: Size, most_ms: float, folder: Path, outcome: Outcome) -> None:
    """All parts in turn; the data of stage 0 is made after a step was fast enough."""
    data = _data(folder, size, outcome, "arms")
    alone = time_steps(arm("semantic", data, size, 2 * size.timed, None), size.timed)
    outcome.add("alone", asdict(alone))
    if alone.step_ms > most_ms:
        _stop(outcome, alone, most_ms)
    steps = _steps(alone.step_ms, size.seconds[0], size.most_steps)
    first = stage_0(_data(folder, size, outcome, "stage 0"), size, steps)
    init = folder / "run of stage 0"
    outcome.add("stage_0", {**run(first, init), "gate": LEAST_VALIDATION})
    outcome.add("arms", arms_at_once(size, data, init, folder))


def _data(folder: Path, size: Size, outcome: Outcome, name: str) -> Data:
    """The data of stage 0, or of the arms: scenes of other seeds."""
    seed = {"stage 0": 1, "arms": 2}[name]
    data = make_data(folder / name, size.pictures, size.side, seed, size.processes)
    outcome.add(f"data of {name}", {"pictures": size.pictures, "side": size.side, "seed": seed})
    return data


def _stop(outcome: Outcome, alone: StepTimes, most_ms: float) -> None:
    reason = f"a step takes {alone.step_ms:.1f} ms, more than {most_ms:g} ms (--most-ms)"
    outcome.add("stopped", reason)
    raise SystemExit(TOO_SLOW)


def _steps(step_ms: float, seconds: float, most: int) -> int:
    return max(2, min(most, int(1000 * seconds / step_ms)))


def _step_ms(trained: Trained) -> float:
    """Median over the rows of the curve: rows with validation or a checkpoint take longer."""
    rows = [{"step": 0.0, "seconds": 0.0}, *trained.curve]
    taken = [
        (row["seconds"] - before["seconds"]) / (row["step"] - before["step"])
        for before, row in pairwise(rows)
    ]
    return 1000 * median(taken)


def _peak_mib() -> float | None:
    return torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else None


def _rounded(value: Any) -> Any:
    """The value with four digits after the point."""
    if isinstance(value, Mapping):
        return {name: _rounded(each) for name, each in value.items()}
    return round(value, 4) if isinstance(value, float) else value


def _means(row: Row) -> Row:
    return {name: row[name] for name in row if name not in ("seconds", "validation")}


if __name__ == "__main__":
    main()
