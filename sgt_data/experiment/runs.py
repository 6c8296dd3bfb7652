"""The runs of an experiment: trained side by side, measured on validation, then once on test."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sgt_data.corpus.reader import open_corpus
from sgt_data.experiment.arms import Arm, Material
from sgt_data.experiment.batches import answers_of
from sgt_data.experiment.config import TrainConfig
from sgt_data.experiment.evaluate import measure
from sgt_data.experiment.held_out import read_held_out
from sgt_data.experiment.results import encode_result
from sgt_data.experiment.train import make_model, train
from sgt_data.storage import write_atomic

Split = Literal["validation", "test"]

_FILES = {"validation": "val", "test": "test"}


@dataclass(frozen=True, slots=True)
class Job:
    """One run on one split.

    Attributes:
        name: of the run; its folder's.
        arm, config: see `Arm.run`.
        folder: of all runs.
        corpus: that has the targets of the split's pictures.
        proxies: whose drawn targets are measured.
        things: a segmentation proxy that tells individuals apart, for probes.
        split: to measure on.
    """

    name: str
    arm: Arm
    config: TrainConfig
    folder: Path
    corpus: str
    proxies: tuple[str, ...]
    things: str | None
    split: Split

    @property
    def result(self) -> Path:
        return self.folder / self.name / f"{self.split}.json"


def jobs_of(
    arms: Sequence[Arm], seeds: Sequence[int], material: Material, corpus: str, folder: Path,
    split: Split,
) -> list[Job]:  # fmt: skip
    """Every arm with every seed. The longest arms come last in `arms`, so all seeds of one are
    started together."""
    things = individuals(corpus)
    found = []
    for arm in arms:
        for seed in seeds:
            name, config = arm.run(seed)
            proxies = tuple(config.data.proxies)
            found.append(Job(name, arm, config, folder, corpus, proxies, things, split))
    return found


def individuals(corpus: str) -> str | None:
    """The first proxy of a corpus that shows individual things: instance, or else panoptic."""
    proxies = open_corpus(corpus).header.manifest["proxies"]
    for variant in ("instance", "panoptic"):
        for proxy in proxies:
            if proxy["type"] == "segmentation" and proxy.get("variant") == variant:
                name: str = proxy["name"]
                return name
    return None


def do_all(jobs: Sequence[Job], processes: int, on_done: Callable[[Job], None]) -> None:
    """Do the jobs that have no result yet, `processes` at a time."""
    waiting = [job for job in jobs if not job.result.exists()]
    for job in jobs:
        if job.result.exists():
            on_done(job)
    if processes <= 1:
        for job in waiting:
            do(job)
            on_done(job)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        running = {pool.submit(do, job): job for job in waiting}
        try:
            for future in as_completed(running):
                future.result()
                on_done(running[future])
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def do(job: Job) -> None:
    """Train the run if it is not trained, measure it, and keep the result."""
    config, place = job.config, job.folder / job.name
    if job.arm.trained:
        trained = train(config, place)
        model, answers, curve = trained.model, trained.answers, trained.curve
    else:
        answers, curve = answers_of(config), []
        model = make_model(config, answers)
    held = read_held_out(
        job.corpus, config.data.questions, _FILES[job.split], config.model.picture, job.proxies,
        job.things, config.data.blind,
    )  # fmt: skip
    result = measure(
        job.arm.name, job.arm.x, config, model, answers, curve, job.arm.pictures, held, job.split
    )
    write_atomic(str(job.result), encode_result(result))
