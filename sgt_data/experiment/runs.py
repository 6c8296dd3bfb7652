"""The runs of an experiment: each is trained once, and measured on each split once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
from torch import nn

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure.drawn_examples import (
    EXAMPLE_COUNT,
    DrawnExamples,
    to_pixels,
    write_drawn_examples,
)
from sgt_data.experiment.measure.held_out import HeldOutSample, read_held_out
from sgt_data.experiment.measure.measure_run import FinishedRun, measure_run
from sgt_data.experiment.measure.model_outputs import generate_targets
from sgt_data.experiment.measure.run_result import Split, encode_result
from sgt_data.experiment.plan.arms import Arm
from sgt_data.files.writing import write_atomic
from sgt_data.foreign_errors import in_words
from sgt_data.result import Failure
from sgt_data.training.batches import answers_of
from sgt_data.training.config import TrainConfig, digest_of, document_of
from sgt_data.training.own_models import make_model
from sgt_data.training.train import train

Stage = Split | Literal["training"]
"""How far a job goes: it trains only, or it trains and measures on a split."""


@dataclass(frozen=True, slots=True)
class RunFailure(Failure):
    """A run without a result.

    Attributes:
        part: name of the run.
        message: why it failed.
        arm: arm of the run.
    """

    arm: str

    def __str__(self) -> str:
        return f"{self.part} ({self.arm}): {self.message}"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of an arm, up to one stage.

    Attributes:
        name: name of the run and of its folder. It ends with digits of the run's configuration, so
            a changed plan finds the runs that it did not change and makes only the others.
        arm: arm of the run.
        config: configuration of the run, with its seed.
        folder: folder of all runs.
        corpus: URL of the corpus that has the targets of the split's pictures.
        instance_proxy: a segmentation proxy that tells individuals apart, for probes; None for no
            probes.
        categories: the two categories of the probe `pair`; None for those that this run confuses
            most.
        stage: how far the job goes.
        keep_drawn: whether all generated targets are kept as PNG files.
    """

    name: str
    arm: Arm
    config: TrainConfig
    folder: Path
    corpus: str
    instance_proxy: str | None
    categories: tuple[str, str] | None
    stage: Stage
    keep_drawn: bool = False

    @property
    def result(self) -> Path:
        """File that exists as soon as the job is done."""
        return self.folder / self.name / f"{self.stage}.json"

    def result_bytes(self) -> bytes:
        """Bytes of the result's file.

        Raises:
            CorpusError: the file cannot be read.
        """
        try:
            return self.result.read_bytes()
        except OSError as why:
            raise CorpusError(
                f"the result of run {self.name} cannot be read: {in_words(why)}"
            ) from why

    def examples_file(self, proxy: str) -> Path:
        """File of a few targets of a proxy that the run generated."""
        return self.folder / self.name / f"{self.stage}-{proxy}.png"

    @property
    def drawn_folder(self) -> Path:
        """Folder of all targets that the run generated, `PROXY/KEY.png`, where they are kept."""
        return self.folder / self.name / f"{self.stage}-drawn"

    @property
    def training_samples(self) -> int:
        """Number of samples in the run's training, to which its duration is nearly proportional."""
        batch = self.config.questions + self.config.drawings
        return self.config.steps * batch if self.arm.trained else 0

    @property
    def trained_share(self) -> float:
        """Share of the training that is logged as done, 0 to 1."""
        if not self.arm.trained:
            return 0.0
        try:
            lines = (self.folder / self.name / "curve.jsonl").read_bytes().splitlines()
            return float(orjson.loads(lines[-1])["step"]) / self.config.steps
        except (OSError, IndexError, orjson.JSONDecodeError):  # not begun, or just being written
            return 0.0


def jobs_of(
    arms: Sequence[Arm],
    corpus: Corpus,
    folder: Path,
    stage: Stage,
    categories: tuple[str, str] | None = None,
    keep_drawn: bool = False,
) -> list[Job]:
    """One job for every arm and each of its seeds.

    Args:
        arms: all arms.
        corpus: the corpus of the experiment.
        folder: folder of all runs.
        stage: how far the jobs go.
        categories: the two categories of the probe `pair`.
        keep_drawn: whether all generated targets are kept.

    Raises:
        RequestError: two runs would be the same.
    """
    instance_proxy = find_instance_proxy(corpus)
    jobs: dict[str, Job] = {}
    for arm in arms:
        for seed in arm.seeds:
            name, config = arm.run(seed)
            name = f"{name}-{_config_digits(config, folder.parent)}"
            if name in jobs:
                raise RequestError(f"the plan has run {name} twice; seeds and arms must differ")
            jobs[name] = Job(
                name, arm, config, folder, corpus.url, instance_proxy, categories, stage,
                keep_drawn,
            )  # fmt: skip
    return list(jobs.values())


def find_instance_proxy(corpus: Corpus) -> str | None:
    """The first proxy of a corpus that tells individuals apart: instance, else panoptic."""
    proxies = corpus.header.manifest["proxies"]
    for variant in ("instance", "panoptic"):
        for proxy in proxies:
            if proxy["type"] == "segmentation" and proxy.get("variant") == variant:
                name: str = proxy["name"]
                return name
    return None


def run_job(job: Job) -> None:
    """Train the run if it is not trained, measure it if its stage is a split, and write the result.

    Nothing is done where the result exists.
    """
    if job.result.exists():
        return
    config = job.config
    if job.arm.trained:
        trained = train(config, job.folder / job.name)
        run = FinishedRun(job.arm, config, trained.model, trained.answers, trained.curve)
    else:
        answers = answers_of(config)
        run = FinishedRun(job.arm, config, make_model(config, answers), answers, [])
    if job.stage == "training":
        write_atomic(str(job.result), orjson.dumps(run.curve[-1:]))
        return
    held_out = read_held_out(
        job.corpus,
        job.stage,
        config,
        proxies=config.data.proxies,
        instance_proxy=job.instance_proxy,
    )
    result = measure_run(
        run, held_out, job.categories, job.drawn_folder if job.keep_drawn else None
    )
    for proxy, samples in held_out.samples.items():
        if samples:
            examples = _draw_examples(run.model, samples[:EXAMPLE_COUNT])
            write_drawn_examples(job.examples_file(proxy), examples)
    write_atomic(str(job.result), encode_result(result))


def _config_digits(config: TrainConfig, home: Path) -> str:
    """Digits of a configuration that stay the same when the experiment's folder is moved."""

    def relative(value: Any) -> Any:
        if isinstance(value, list):
            return [relative(item) for item in value]
        if isinstance(value, str) and Path(value).is_relative_to(home):
            return str(Path(value).relative_to(home))
        return value

    document = document_of(config)
    data = {name: relative(value) for name, value in document["data"].items()}
    return digest_of({**document, "data": data})[:8]


def _draw_examples(model: nn.Module, samples: Sequence[HeldOutSample]) -> DrawnExamples:
    targets = generate_targets(model, samples)
    return DrawnExamples(
        np.concatenate([sample.picture for sample in samples], axis=1),
        np.concatenate([sample.target for sample in samples], axis=1),
        np.concatenate([to_pixels(target.generated) for target in targets], axis=1),
        tuple(sample.text for sample in samples),
    )
