"""The runs of an experiment: a run is trained, then measured on a split, and leaves a result.

FOLDER/RUN/
  config.json curve.jsonl checkpoints/ tensorboard/   the run, as `train` writes it
  tuning.json training.json                           its curve, of a run that is trained alone
  validation.json test.json                           its result on a split
  SPLIT-PROXY.png SPLIT-drawn/PROXY/KEY.png           some, or all, of what it drew for the split
  SPLIT-captions.png                                  some of what it drew of captions
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import orjson

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure.further_sets import FurtherSets
from sgt_data.experiment.measure.run_result import Split
from sgt_data.experiment.plan.arms import Arm
from sgt_data.foreign_errors import in_words
from sgt_data.result import Failure
from sgt_data.training.config import TrainConfig, digest_of, document_of

Stage = Split | Literal["training", "tuning"]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """What is measured of every run.

    Attributes:
        categories: the two categories of the probe `pair`; None for those that a run confuses most.
        further: further sets that runs are measured on.
        keep_drawn: whether all generated targets are kept as PNG files.
    """

    categories: tuple[str, str] | None = None
    further: FurtherSets = field(default_factory=FurtherSets)
    keep_drawn: bool = False


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
        stage: how far the job goes.
        measurement: what is measured.
    """

    name: str
    arm: Arm
    config: TrainConfig
    folder: Path
    corpus: str
    instance_proxy: str | None
    stage: Stage
    measurement: Measurement

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
    def captions_sheet(self) -> Path:
        """File of some drawings of captions, where captions are drawn."""
        return self.folder / self.name / f"{self.stage}-captions.png"

    @property
    def drawn_folder(self) -> Path | None:
        """Folder of all targets that the run generated, `PROXY/KEY.png`, where they are kept."""
        if not self.measurement.keep_drawn:
            return None
        return self.folder / self.name / f"{self.stage}-drawn"

    @property
    def training_samples(self) -> int:
        """Number of samples in the run's training, to which its duration is nearly proportional."""
        config = self.config
        return config.steps * config.samples if self.arm.trained else 0

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
    measurement: Measurement | None = None,
) -> list[Job]:
    """One job for every arm and each of its seeds.

    Args:
        arms: all arms.
        corpus: the corpus of the experiment.
        folder: folder of all runs.
        stage: how far the jobs go.
        measurement: what is measured; None for the split alone.

    Raises:
        RequestError: two runs would be the same.
    """
    measurement = measurement or Measurement()
    instance_proxy = find_instance_proxy(corpus)
    prefix = "tuning-" if stage == "tuning" else ""
    jobs: dict[str, Job] = {}
    for arm in arms:
        for seed in arm.seeds:
            name, config = arm.run(seed)
            name = f"{prefix}{name}-{_config_digits(config, folder.parent)}"
            if name in jobs:
                raise RequestError(f"the plan has run {name} twice; seeds and arms must differ")
            jobs[name] = Job(
                name, arm, config, folder, corpus.url, instance_proxy, stage, measurement
            )
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


def _config_digits(config: TrainConfig, home: Path) -> str:
    """Digits of a configuration that stay the same when the experiment's folder is moved.

    The checkpoint that a run begins with counts by its content.
    """

    def relative(value: Any) -> Any:
        if isinstance(value, list):
            return [relative(item) for item in value]
        if isinstance(value, str) and Path(value).is_relative_to(home):
            return str(Path(value).relative_to(home))
        return value

    document: Mapping[str, Any] = document_of(config)
    data = {name: relative(value) for name, value in document["data"].items()}
    model = dict(document["model"])
    if model["init_digest"] is not None:
        del model["init"]
    return digest_of({**document, "data": data, "model": model})[:8]
