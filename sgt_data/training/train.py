"""Training: one process or many (`torchrun`), exact again after a kill.

A run is a folder: `config.json`, `curve.jsonl` (a row for every few steps), `checkpoints/`,
`tensorboard/`. Started again over such a folder it goes on from the newest checkpoint, and on a CPU
its losses are those of a run that was never stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson
import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sgt_data.errors import RequestError
from sgt_data.files.writing import write_atomic
from sgt_data.stream.stream import Stream
from sgt_data.training.batches import (
    Collation,
    answers_of,
    open_stream,
    parts_of,
)
from sgt_data.training.checkpoint import (
    Checkpoint,
    checkpoint_place,
    newest_checkpoint,
    write_checkpoint,
)
from sgt_data.training.config import TrainConfig, document_of
from sgt_data.training.distributed import Processes
from sgt_data.training.learner import Learner, TrainingBatch
from sgt_data.training.optimisers import Optimisers

Row = dict[str, float]
"""One row of a run's curve: `step` (the number done), `seconds` since the start (those before a
restart too), and means since the last row: `answers`, `drawings`, `accuracy`."""


@dataclass(frozen=True, slots=True)
class Trained:
    """A run that came to its end.

    Attributes:
        model: a `Learner`.
        answers: that it chooses from.
        curve: see `Row`.
        checkpoint: its last one.
    """

    model: nn.Module
    answers: tuple[str, ...]
    curve: list[Row]
    checkpoint: Path

    @property
    def seconds(self) -> float:
        return self.curve[-1]["seconds"]


def make_model(config: TrainConfig, answers: tuple[str, ...]) -> nn.Module:
    """The model of a configuration, its weights drawn by the seed.

    Raises:
        RequestError: `model.make` names nothing that makes a `Learner`.
    """
    module, _, name = config.model.make.partition(":")
    try:
        make: Callable[..., Any] = getattr(import_module(module), name)
    except (ImportError, AttributeError, ValueError) as why:
        raise RequestError(f"model.make: found {config.model.make!r}: {why}") from why
    torch.manual_seed(config.seed)
    model = make(answers, {"picture": config.model.picture, **config.model.settings})
    if not isinstance(model, nn.Module) or not isinstance(model, Learner):
        raise RequestError(
            f"model.make: {config.model.make} makes a {type(model).__name__}, which is no module "
            "with the methods of sgt_data.training.learner.Learner"
        )
    return model


def train(
    config: TrainConfig,
    output: str | Path,
    on_row: Callable[[Row], None] = lambda row: None,
) -> Trained:
    """Train, or go on training, in the folder `output`.

    Args:
        on_row: told every row of the curve, on the first process.

    Raises:
        RequestError: the configuration does not fit, or the folder is another run's.
        CorpusError: a sample is damaged.
    """
    with Processes.joined() as processes:
        return _Run(config, Path(output), processes, on_row).finish()


class _Run:
    """What a run holds while it goes on."""

    def __init__(
        self,
        config: TrainConfig,
        folder: Path,
        processes: Processes,
        on_row: Callable[[Row], None],
    ) -> None:
        self.config, self.folder, self.on_row = config, folder, on_row
        self.processes = processes
        self.answers = answers_of(config) if config.questions else ()
        self.model = make_model(config, self.answers).to(processes.device)
        self.optimisers = Optimisers(self.model, config)
        self.stream = open_stream(config, processes.rank, processes.world)
        self.step, self.curve = 0, list[Row]()
        torch.set_num_threads(config.threads)
        torch.manual_seed(config.seed * 1_000_003 + processes.rank)
        self.checkpoints = folder / "checkpoints"
        found = newest_checkpoint(self.checkpoints)
        if found is not None:
            self._restore(found)
        self.began = time.perf_counter() - (self.curve[-1]["seconds"] if self.curve else 0.0)
        self.wrapped: nn.Module = self.model
        if processes.world > 1:
            self.wrapped = DistributedDataParallel(self.model, find_unused_parameters=True)

    def finish(self) -> Trained:
        config = self.config
        if self.processes.first:
            self._write_folder()
        board = self.processes.board(self.folder / "tensorboard", self.step)
        sums: dict[str, Tensor] = {}
        self.wrapped.train()
        batches = self._batches()
        while self.step < config.steps:
            for name, value in self._one_step(next(batches)).items():
                sums[name] = sums.get(name, torch.zeros((), device=value.device)) + value
            self.step += 1
            if self.step % config.log_every == 0 or self.step == config.steps:
                self._log(sums, board)
                sums = {}
            if self.step % config.checkpoint_every == 0 or self.step == config.steps:
                self._save()
        board.close()
        return Trained(
            self.model, self.answers, self.curve, checkpoint_place(self.checkpoints, self.step)
        )

    def _one_step(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """One optimiser step; its losses, of this rank."""
        config, device = self.config, self.processes.device
        totals: dict[str, Tensor] = {}
        for number, (part, shares) in enumerate(parts_of(batch.to(device), config.accumulate)):
            with self._together(number == config.accumulate - 1), self._precision():
                losses = self.wrapped(part)
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

    def _together(self, last: bool) -> AbstractContextManager[Any]:
        """Gradients are exchanged between processes in a batch's last part alone."""
        if last or not isinstance(self.wrapped, DistributedDataParallel):
            return nullcontext()
        context: AbstractContextManager[Any] = self.wrapped.no_sync()
        return context

    def _precision(self) -> AbstractContextManager[Any]:
        if self.config.precision == "bf16" and self.processes.device.type == "cuda":
            return torch.autocast("cuda", torch.bfloat16)
        return nullcontext()

    def _batches(self) -> Iterator[TrainingBatch]:
        """Batches from the step on where the run stands, without an end."""
        collated = Collation(self.answers)
        while True:
            epoch = self.stream.epoch
            for batch in loaded(self.stream, self.config.workers):
                yield collated(batch)
            self.stream.set_epoch(epoch + 1)

    def _log(self, sums: Mapping[str, Tensor], board: Any) -> None:
        count = self.step - (int(self.curve[-1]["step"]) if self.curve else 0)
        means = {name: self.processes.mean(total / count) for name, total in sorted(sums.items())}
        row = {"step": self.step, "seconds": time.perf_counter() - self.began, **means}
        self.curve.append(row)
        for name, value in means.items():
            board.add_scalar(f"train/{name}", value, self.step)
        if self.processes.first:
            with (self.folder / "curve.jsonl").open("ab") as file:
                file.write(orjson.dumps(row) + b"\n")
            self.on_row(row)

    def _save(self) -> None:
        chance = self.processes.gathered(torch.get_rng_state())
        if not self.processes.first:
            return
        state = {**self.stream.state_dict(), "step": self.step}
        state.pop("of_worker", None)
        write_checkpoint(
            self.checkpoints,
            Checkpoint(
                self.step, document_of(self.config), self.answers, self.model.state_dict(),
                self.optimisers.state_dict(), state, chance, self.curve,
            ),
        )  # fmt: skip

    def _restore(self, found: Checkpoint) -> None:
        differing = _difference(found.config, document_of(self.config))
        if differing:
            raise RequestError(f"{self.folder} is another run's: {differing}")
        self.model.load_state_dict(found.model)
        self.optimisers.load_state_dict(found.optimisers)
        self.stream.load_state_dict(dict(found.stream))
        self.step, self.curve = found.step, [dict(row) for row in found.curve]
        if len(found.chance) == self.processes.world:
            torch.set_rng_state(found.chance[self.processes.rank])

    def _write_folder(self) -> None:
        """The configuration, and the curve as far as the checkpoint knows it."""
        data = orjson.dumps(document_of(self.config), option=orjson.OPT_INDENT_2)
        write_atomic(str(self.folder / "config.json"), data + b"\n")
        rows = b"".join(orjson.dumps(row) + b"\n" for row in self.curve)
        write_atomic(str(self.folder / "curve.jsonl"), rows)


def loaded(stream: Stream, workers: int) -> Iterator[Any]:
    """Batches of an epoch, by workers if there are any."""
    if workers == 0:
        return iter(stream)
    loader: torch.utils.data.DataLoader[Any] = torch.utils.data.DataLoader(
        stream,  # type: ignore[arg-type]
        batch_size=None,
        num_workers=workers,
    )
    return iter(loader)


def _difference(there: Any, here: Any, path: str = "") -> str:
    """The first field in which two configurations differ, in words; empty where they do not."""
    if isinstance(there, Mapping) and isinstance(here, Mapping):
        for name in sorted({*there, *here}):
            found = _difference(there.get(name), here.get(name), f"{path}.{name}".lstrip("."))
            if found:
                return found
        return ""
    return "" if there == here else f"{path} is {there!r} there, {here!r} here"
