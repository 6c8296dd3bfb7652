"""Training, in one process or in many (`torchrun`), that goes on exactly after a kill.

A run is a folder: `config.json`, `curve.jsonl` (a row for every few steps), `checkpoints/` and
`tensorboard/`. Started again on this folder, a run goes on from the newest checkpoint, and on a CPU
its losses are those of a run that was never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sgt_data.errors import RequestError
from sgt_data.files.claim import differences
from sgt_data.files.output_place import check_output
from sgt_data.files.writing import write_atomic
from sgt_data.progress import OnProgress, Progress, ignore
from sgt_data.result import Result
from sgt_data.training.batches import (
    Collator,
    answers_of,
    epoch_batches,
    open_stream,
    split_batch,
)
from sgt_data.training.checkpoint import (
    Checkpoint,
    checkpoint_path,
    newest_checkpoint,
    write_checkpoint,
)
from sgt_data.training.config import TrainConfig, document_of
from sgt_data.training.distributed import ProcessGroup
from sgt_data.training.learner import TrainingBatch
from sgt_data.training.optimisers import Optimisers
from sgt_data.training.own_models import losses_of, make_model

Row = dict[str, float]
"""A row of a run's curve.

`step` is the number of steps that are done; `seconds` is the time since the start, with the time
before restarts; `answers`, `drawings` and `accuracy` are means over the steps since the last row.
"""


@dataclass(slots=True, kw_only=True, repr=False)
class Trained(Result):
    """The result of a run that reached its last step.

    Attributes:
        model: the trained model, a `Learner`.
        answers: the answers that the model chooses from, in order.
        curve: all rows of the curve.
        checkpoint: path of the last checkpoint.
    """

    model: nn.Module
    answers: tuple[str, ...]
    curve: list[Row]
    checkpoint: Path

    @property
    def seconds(self) -> float:
        """How long the run trained, with the time before restarts."""
        return self.curve[-1]["seconds"]


def train(config: TrainConfig, output: str | Path, *, on_progress: OnProgress = ignore) -> Trained:
    """Train a model, or go on with a run that was stopped.

    Args:
        config: what is trained.
        output: folder of the run.
        on_progress: called after every row of the curve, on the first process, with the steps done
            and the losses as the note.

    Raises:
        RequestError: the configuration does not fit, or the folder is another run's.
        CorpusError: a sample is damaged.
    """
    data = config.data
    check_output(str(output), [data.corpus, data.questions, *data.more_questions])
    with ProcessGroup.join() as processes:
        return _Run(config, Path(output), processes, on_progress).finish()


class _Run:
    """The state of a run while it goes on."""

    def __init__(
        self, config: TrainConfig, folder: Path, processes: ProcessGroup, on_progress: OnProgress
    ) -> None:
        self.config, self.folder, self.on_progress = config, folder, on_progress
        self.processes = processes
        self.answers = answers_of(config) if config.questions else ()
        self.model = make_model(config, self.answers).to(processes.device)
        self.optimisers = Optimisers(self.model, config)
        self.stream = open_stream(config, processes.rank, processes.world)
        self.step, self.curve = 0, list[Row]()
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed * 1_000_003 + processes.rank)
        self.checkpoints = folder / "checkpoints"
        checkpoint = newest_checkpoint(self.checkpoints)
        if checkpoint is not None:
            self._restore(checkpoint)
        self.started = time.perf_counter() - (self.curve[-1]["seconds"] if self.curve else 0.0)
        self.parallel_model: nn.Module = self.model
        if processes.world > 1:
            self.parallel_model = DistributedDataParallel(self.model, find_unused_parameters=True)

    def finish(self) -> Trained:
        config = self.config
        if self.processes.is_first:
            self._write_folder()
        writer = self.processes.summary_writer(self.folder / "tensorboard", self.step)
        sums: dict[str, Tensor] = {}
        self.parallel_model.train()
        batches = self._batches()
        while self.step < config.steps:
            for name, value in self._one_step(next(batches)).items():
                sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value
            self.step += 1
            if self.step % config.log_every == 0 or self.step == config.steps:
                self._log(sums, writer)
                sums = {}
            if self.step % config.checkpoint_every == 0 or self.step == config.steps:
                self._save()
        writer.close()
        return Trained(
            complete=True,
            model=self.model,
            answers=self.answers,
            curve=self.curve,
            checkpoint=checkpoint_path(self.checkpoints, self.step),
        )

    def _one_step(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Take one optimiser step; returns the losses of this rank."""
        config, device = self.config, self.processes.device
        totals: dict[str, Tensor] = {}
        for number, (part, shares) in enumerate(split_batch(batch.to(device), config.accumulate)):
            with self._gradient_exchange(number == config.accumulate - 1), self._precision():
                losses = losses_of(self.parallel_model, part, config.model.make)
                weights = {"answers": 1.0, "drawings": config.drawing_weight}
                loss = sum(
                    weights[name] * shares[name] * losses[name]
                    for name in weights
                    if name in losses
                )
            loss.backward()
            for name, value in losses.items():
                totals[name] = totals.get(name, 0.0) + shares[name] * value.detach()
        self.optimisers.step(self.step)
        return totals

    def _gradient_exchange(self, is_last: bool) -> AbstractContextManager[Any]:
        """Exchange gradients between processes in the last part of a batch alone."""
        if is_last or not isinstance(self.parallel_model, DistributedDataParallel):
            return nullcontext()
        context: AbstractContextManager[Any] = self.parallel_model.no_sync()
        return context

    def _precision(self) -> AbstractContextManager[Any]:
        if self.config.precision == "bf16" and self.processes.device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def _batches(self) -> Iterator[TrainingBatch]:
        """Batches from the current step on, over epochs without an end."""
        collate = Collator(self.answers)
        while True:
            epoch = self.stream.epoch
            for batch in epoch_batches(self.stream, self.config.workers):
                yield collate(batch)
            self.stream.set_epoch(epoch + 1)

    def _log(self, sums: Mapping[str, Tensor], writer: Any) -> None:
        count = self.step - (int(self.curve[-1]["step"]) if self.curve else 0)
        means = {name: self.processes.mean(total / count) for name, total in sorted(sums.items())}
        row = {"step": self.step, "seconds": time.perf_counter() - self.started, **means}
        self.curve.append(row)
        for name, value in means.items():
            writer.add_scalar(f"train/{name}", value, self.step)
        if self.processes.is_first:
            with (self.folder / "curve.jsonl").open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")
            note = ", ".join(f"{name} {value:.3f}" for name, value in means.items())
            self.on_progress(Progress(self.step, self.config.steps, note=note))

    def _save(self) -> None:
        chance = self.processes.gather(torch.get_rng_state())
        if not self.processes.is_first:
            return
        stream = {**self.stream.state_dict(), "step": self.step}
        stream.pop("of_worker", None)
        write_checkpoint(
            self.checkpoints,
            Checkpoint(
                step=self.step,
                config=document_of(self.config),
                answers=self.answers,
                model=self.model.state_dict(),
                optimisers=self.optimisers.state_dict(),
                stream=stream,
                chance=chance,
                curve=self.curve,
            ),
        )

    def _restore(self, checkpoint: Checkpoint) -> None:
        differing = differences(checkpoint.config, document_of(self.config))
        if differing:
            raise RequestError(f"{self.folder} is another run's: {'; '.join(map(str, differing))}")
        self.model.load_state_dict(checkpoint.model)
        self.optimisers.load_state_dict(checkpoint.optimisers)
        self.stream.load_state_dict(dict(checkpoint.stream))
        self.step, self.curve = checkpoint.step, [dict(row) for row in checkpoint.curve]
        if len(checkpoint.chance) == self.processes.world:
            torch.set_rng_state(checkpoint.chance[self.processes.rank])

    def _write_folder(self) -> None:
        """Write the configuration, and the curve up to the checkpoint."""
        data = orjson.dumps(document_of(self.config), option=orjson.OPT_INDENT_2)
        write_atomic(str(self.folder / "config.json"), data + b"\n")
        rows = b"".join(orjson.dumps(row) + b"\n" for row in self.curve)
        write_atomic(str(self.folder / "curve.jsonl"), rows)
