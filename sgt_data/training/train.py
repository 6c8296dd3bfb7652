"""Training, in one process or in many (`torchrun`), that goes on exactly after a kill.

A run is a folder: `config.json`, `curve.jsonl` (a row for every few steps), `checkpoints/` and
`tensorboard/`. Started again on this folder, a run goes on from the newest checkpoint, and on a CPU
its losses are those of a run that was never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor, nn

from sgt_data.errors import RequestError
from sgt_data.files.claim import differences
from sgt_data.files.output_place import check_output
from sgt_data.files.writing import write_atomic
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.result import Result
from sgt_data.training.batch_parts import MEANS
from sgt_data.training.batches import epoch_batches, open_stream
from sgt_data.training.chance import device_chance, evaluating
from sgt_data.training.checkpoint import (
    CHECKPOINTS,
    Checkpoint,
    checkpoint_path,
    newest_checkpoint,
    write_checkpoint,
)
from sgt_data.training.collation import Collator
from sgt_data.training.config import TrainConfig, document_of
from sgt_data.training.denormals import denormals_as_zero
from sgt_data.training.distributed import ProcessGroup
from sgt_data.training.gradient_step import GradientStep
from sgt_data.training.initial_weights import with_init_digest
from sgt_data.training.learner import TrainingBatch
from sgt_data.training.optimisers import Optimisers
from sgt_data.training.own_models import make_model

Row = dict[str, float]
"""A row of a run's curve.

`step` is the number of steps that are done; `seconds` is the time since the start, with the time
before restarts; `answers`, `drawings`, `captions` and `accuracy` are means over the steps since the
last row, over the samples of all processes. `validation` is what `validate` gave, in rows of steps
that have a checkpoint.
"""

Validate = Callable[[nn.Module], float]
"""Measures a model while it is trained."""


@dataclass(slots=True, kw_only=True, repr=False)
class Trained(Result):
    """The result of a run that reached its last step.

    Attributes:
        model: the trained model, a `Learner`.
        curve: all rows of the curve.
        checkpoint: path of the last checkpoint.
    """

    model: nn.Module
    curve: list[Row]
    checkpoint: Path

    @property
    def seconds(self) -> float:
        """How long the run trained, with the time before restarts."""
        return self.curve[-1]["seconds"]


def train(
    config: TrainConfig,
    output: str | Path,
    *,
    validate: Validate | None = None,
    progress: ProgressTo = False,
) -> Trained:
    """Train a model, or go on with a run that was stopped.

    Args:
        config: what is trained.
        output: folder of the run.
        validate: called by the first process whenever a checkpoint is written, with the model in
            evaluation and without gradients; training goes on as if it had not been called.
        progress: True shows a bar; a function is called on the first process, with the steps done
            and the losses as the note.

    Raises:
        RequestError: the configuration does not fit, or the folder is another run's.
        CorpusError: a sample is damaged.
    """
    init = [] if config.model.init is None else [config.model.init]
    check_output(str(output), [*config.data.places, *init])
    config = with_init_digest(config)
    with (
        ProcessGroup.join() as processes,
        shown(progress if processes.is_first else False, "steps") as on_progress,
        # gradients of answers that are known are tiny: a step took four times as long
        denormals_as_zero(),
    ):
        on_progress(Progress(0, config.steps, phase="opening the corpus, making the model"))
        return _Run(config, Path(output), processes, on_progress).finish(validate)


class _Run:
    """The state of a run while it goes on."""

    def __init__(
        self, config: TrainConfig, folder: Path, processes: ProcessGroup, on_progress: OnProgress
    ) -> None:
        self.config, self.folder, self.on_progress = config, folder, on_progress
        self.processes = processes
        self.model = make_model(config).to(processes.device)
        self.optimisers = Optimisers(self.model, config)
        self.stream = open_stream(config, processes.rank, processes.world)
        self.step, self.curve = 0, list[Row]()
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed * 1_000_003 + processes.rank)
        self.checkpoints = folder / CHECKPOINTS
        checkpoint = newest_checkpoint(self.checkpoints)
        if checkpoint is not None:
            self._restore(checkpoint)
        self.kept, self.note = self.step, ""
        self.started = time.perf_counter() - (self.curve[-1]["seconds"] if self.curve else 0.0)
        self.gradients = GradientStep(self.model, config, processes)

    def finish(self, validate: Validate | None) -> Trained:
        config = self.config
        if self.processes.is_first:
            self._write_folder()
        writer = self.processes.summary_writer(self.folder / "tensorboard", self.step)
        sums: dict[str, Tensor] = {}
        self.gradients.model.train()
        batches = self._batches()
        while self.step < config.steps:
            for name, value in self.gradients(next(batches)).items():
                sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value
            self.optimisers.step(self.step)
            self.step += 1
            is_kept = self.step % config.checkpoint_every == 0 or self.step == config.steps
            if self.step % config.log_every == 0 or self.step == config.steps:
                self._log(sums, writer, validate if is_kept else None)
                sums = {}
            self._tell()
            if is_kept:
                self._save()
        writer.close()
        return Trained(
            complete=True,
            model=self.model,
            curve=self.curve,
            checkpoint=checkpoint_path(self.checkpoints, self.step),
        )

    def _batches(self) -> Iterator[TrainingBatch]:
        """Batches from the current step on, over epochs without an end."""
        is_gpu = self.processes.device.type == "cuda"
        collate = Collator(self.config.data.wrong_targets, pinned=is_gpu)
        while True:
            epoch = self.stream.epoch
            for batch in epoch_batches(self.stream, self.config.workers):
                yield collate(batch)
            self.stream.set_epoch(epoch + 1)

    def _log(self, sums: Mapping[str, Tensor], writer: Any, validate: Validate | None) -> None:
        means = self._means(sums)
        if validate is not None and self.processes.is_first:
            with evaluating(self.model, self.processes.device):
                means["validation"] = float(validate(self.model))
        row = {"step": self.step, "seconds": time.perf_counter() - self.started, **means}
        self.curve.append(row)
        for name, value in means.items():
            writer.add_scalar(f"train/{name}", value, self.step)
        if self.processes.is_first:
            with (self.folder / "curve.jsonl").open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")
            self.note = ", ".join(f"{name} {value:.3f}" for name, value in means.items())

    def _means(self, sums: Mapping[str, Tensor]) -> Row:
        """Means over the steps since the last row, of what all processes added to each step's."""
        steps = self.step - (int(self.curve[-1]["step"]) if self.curve else 0)
        sent = [(sums[name] / steps, 1) if name in sums else (0, 0) for name in MEANS]
        totals = self.processes.sum(torch.tensor(sent, dtype=torch.float32)).tolist()
        named = zip(MEANS, totals, strict=True)
        return {name: mean for name, (mean, is_given) in named if is_given}

    def _tell(self) -> None:
        total, kept = self.config.steps, self.kept
        self.on_progress(Progress(self.step, total, note=self.note, phase="training", kept=kept))

    def _save(self) -> None:
        chance = self.processes.gather(torch.get_rng_state())
        of_device = device_chance(self.processes.device)
        on_devices = [] if of_device is None else self.processes.gather(of_device)
        if not self.processes.is_first:
            return
        stream = {**self.stream.state_dict(), "step": self.step}
        stream.pop("of_worker", None)
        write_checkpoint(
            self.checkpoints,
            Checkpoint(
                step=self.step,
                config=document_of(self.config),
                model=self.model.state_dict(),
                optimisers=self.optimisers.state_dict(),
                stream=stream,
                chance=chance,
                device_chance=on_devices,
                curve=self.curve,
            ),
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        differing = differences(*map(_identity, (checkpoint.config, document_of(self.config))))
        if differing:
            raise RequestError(f"{self.folder} is another run's: {'; '.join(map(str, differing))}")
        self.model.load_state_dict(checkpoint.model)
        self.optimisers.load_state_dict(checkpoint.optimisers)
        self.stream.load_state_dict(dict(checkpoint.stream))
        self.step, self.curve = checkpoint.step, [dict(row) for row in checkpoint.curve]
        if len(checkpoint.chance) == self.processes.world:
            torch.set_rng_state(checkpoint.chance[self.processes.rank])
        if len(checkpoint.device_chance) == self.processes.world and torch.cuda.is_available():
            state = checkpoint.device_chance[self.processes.rank]
            torch.cuda.set_rng_state(state, self.processes.device)

    def _write_folder(self) -> None:
        """Write the configuration, and the curve up to the checkpoint."""
        data = orjson.dumps(document_of(self.config), option=orjson.OPT_INDENT_2)
        write_atomic(str(self.folder / "config.json"), data + b"\n")
        rows = b"".join(orjson.dumps(row) + b"\n" for row in self.curve)
        write_atomic(str(self.folder / "curve.jsonl"), rows)


def _identity(document: Mapping[str, Any]) -> dict[str, Any]:
    """What makes a run itself: the checkpoint that it begins with counts by its digest alone."""
    model = {name: value for name, value in document["model"].items() if name != "init"}
    return {**document, "model": model}
