"""The runs of an experiment: each trained once, and measured on the splits that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
from torch import nn

from sgt_data.corpus.reader import Corpus
from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.arms import Arm
from sgt_data.experiment.measure.evaluate import generated, measure
from sgt_data.experiment.measure.held_out import Shown, read_held_out
from sgt_data.experiment.measure.results import encode_result
from sgt_data.experiment.report.drawn_examples import (
    COUNT,
    Examples,
    as_pixels,
    write_examples,
)
from sgt_data.files.writing import write_atomic
from sgt_data.training.batches import answers_of
from sgt_data.training.config import TrainConfig, digest_of, document_of
from sgt_data.training.train import make_model, train

Split = Literal["validation", "test"]
Stage = Split | Literal["training"]
"""What a job does last: it measures on a split, or it has trained."""

FILES = {"validation": "val", "test": "test"}
"""What a split's file of questions is called."""


@dataclass(frozen=True, slots=True)
class Job:
    """One run on one split.

    Attributes:
        name: of the run; its folder's. It ends with digits of the run's configuration, so that a
            changed plan finds the runs that it did not change and makes the others anew.
        arm, config: see `Arm.run`.
        folder: of all runs.
        corpus: that has the targets of the split's pictures.
        proxies: whose drawn targets are measured.
        things: a segmentation proxy that tells individuals apart, for probes.
        pair: of categories that the fine-grained probe tells apart.
        stage: see there.
    """

    name: str
    arm: Arm
    config: TrainConfig
    folder: Path
    corpus: str
    proxies: tuple[str, ...]
    things: str | None
    pair: tuple[str, str] | None
    stage: Stage

    @property
    def result(self) -> Path:
        return self.folder / self.name / f"{self.stage}.json"

    def result_bytes(self) -> bytes:
        """What the result's file holds.

        Raises:
            CorpusError: it is not there.
        """
        try:
            return self.result.read_bytes()
        except OSError as why:
            raise CorpusError(f"the result of run {self.name} cannot be read: {why}") from why

    def examples(self, proxy: str) -> Path:
        """Where a few targets lie that the run generated."""
        return self.folder / self.name / f"{self.stage}-{proxy}.png"

    @property
    def cost(self) -> float:
        """Samples that training sees, what a run's time is nearly proportional to."""
        batch = self.config.questions + self.config.drawings
        return float(self.config.steps * batch) if self.arm.trained else 0.0

    @property
    def trained(self) -> float:
        """Share of the training that is logged as done, 0 to 1."""
        if not self.arm.trained:
            return 0.0
        try:
            lines = (self.folder / self.name / "curve.jsonl").read_bytes().splitlines()
            return float(orjson.loads(lines[-1])["step"]) / self.config.steps
        except (OSError, IndexError, orjson.JSONDecodeError):  # not begun, or just being written
            return 0.0


def jobs_of(
    arms: Sequence[Arm], corpus: Corpus, folder: Path, stage: Stage,
    pair: tuple[str, str] | None = None,
) -> list[Job]:  # fmt: skip
    """Every arm with each of its seeds.

    Raises:
        RequestError: two runs would be the same.
    """
    things = individuals(corpus)
    found: dict[str, Job] = {}
    for arm in arms:
        for seed in arm.seeds:
            name, config = arm.run(seed)
            name = f"{name}-{_digits(config, folder.parent)}"
            if name in found:
                raise RequestError(f"the plan has run {name} twice; seeds and arms must differ")
            proxies = tuple(config.data.proxies)
            found[name] = Job(
                name, arm, config, folder, corpus.url, proxies, things, pair, stage
            )  # fmt: skip
    return list(found.values())


def _digits(config: TrainConfig, home: Path) -> str:
    """What stands for a configuration in a run's name, wherever the experiment's folder lies."""

    def placed(value: Any) -> Any:
        if isinstance(value, list):
            return [placed(one) for one in value]
        inside = isinstance(value, str) and Path(value).is_relative_to(home)
        return str(Path(value).relative_to(home)) if inside else value

    document = document_of(config)
    data = {name: placed(value) for name, value in document["data"].items()}
    return digest_of({**document, "data": data})[:8]


def individuals(corpus: Corpus) -> str | None:
    """The first proxy of a corpus that shows individual things: instance, or else panoptic."""
    proxies = corpus.header.manifest["proxies"]
    for variant in ("instance", "panoptic"):
        for proxy in proxies:
            if proxy["type"] == "segmentation" and proxy.get("variant") == variant:
                name: str = proxy["name"]
                return name
    return None


def do(job: Job) -> None:
    """Train the run if it is not trained, measure it if that is wanted, and keep the result. One
    that is there is not made again."""
    if job.result.exists():
        return
    config, place = job.config, job.folder / job.name
    if job.arm.trained:
        trained = train(config, place)
        model, answers, curve = trained.model, trained.answers, trained.curve
    else:
        answers, curve = answers_of(config), []
        model = make_model(config, answers)
    if job.stage == "training":
        write_atomic(str(job.result), orjson.dumps(curve[-1:]))
        return
    held = read_held_out(
        job.corpus, config.data.questions, FILES[job.stage], config.model.picture, job.proxies,
        job.things, config.data.blind,
    )  # fmt: skip
    result = measure(
        job.arm.name, job.arm.x, config, model, answers, curve, job.arm.pictures, held, job.stage,
        job.pair,
    )  # fmt: skip
    for proxy, shown in held.drawn.items():
        if shown:
            write_examples(job.examples(proxy), _examples(model, shown[:COUNT]))
    write_atomic(str(job.result), encode_result(result))


def _examples(model: nn.Module, shown: Sequence[Shown]) -> Examples:
    found = generated(model, shown)
    return Examples(
        np.concatenate([one.picture for one in shown], axis=1),
        np.concatenate([one.target for one in shown], axis=1),
        np.concatenate([as_pixels(one.picture) for one in found], axis=1),
        tuple(one.text for one in shown),
    )
