"""One step of training: losses of a batch, weighted so that any division teaches the same."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from sgt_data.training.batch_parts import LOSSES, counts_of, loss_shares, split_batch
from sgt_data.training.config import TrainConfig
from sgt_data.training.distributed import ProcessGroup
from sgt_data.training.learner import TrainingBatch
from sgt_data.training.own_models import losses_of


class GradientStep:
    """Computes the gradients of a global batch, of which each process has a part.

    A loss is a mean over all samples of the global batch. So each process, and each part of an
    accumulated batch, weighs as many samples as it has of it.

    Attributes:
        model: the model, or what runs it on several processes.
    """

    def __init__(self, model: nn.Module, config: TrainConfig, processes: ProcessGroup) -> None:
        self.model = model
        if processes.world > 1:
            self.model = DistributedDataParallel(model, find_unused_parameters=True)
        self._config, self._processes = config, processes
        self._weights = {
            "answers": 1.0,
            "drawings": config.drawing_weight,
            "captions": config.caption_weight,
        }

    def __call__(self, batch: TrainingBatch) -> dict[str, Tensor]:
        """Add the gradients of this process' part, and exchange them.

        Returns:
            By name, what this part adds to each mean of the global batch.
        """
        config, processes = self._config, self._processes
        batch, whole = self._shared(batch)
        parts = list(split_batch(batch.to(processes.device), config.accumulate))
        means: dict[str, Tensor] = {}
        for number, part in enumerate(parts):
            shares = loss_shares(part, whole)
            with self._gradient_exchange(number == len(parts) - 1), self._precision():
                losses = losses_of(self.model, part, config.model.make)
                loss = sum(
                    self._weights[name] * shares[name] * losses[name]
                    for name in LOSSES
                    if name in losses
                )
                # the exchange divides the sum of all gradients by the number of processes
                (loss * processes.world if processes.world > 1 else loss).backward()
            for name, value in losses.items():
                means[name] = means.get(name, 0.0) + shares[name] * value.detach()
        return means

    def _shared(self, batch: TrainingBatch) -> tuple[TrainingBatch, dict[str, int]]:
        """The batch with the answers of all processes, and by loss the samples of all of them."""
        questions, counts = batch.questions, counts_of(batch)
        if self._processes.world == 1:
            return batch, counts
        answers = list(questions.candidates) if questions is not None else []
        gathered = self._processes.gather_values({"counts": counts, "answers": answers})
        if questions is not None:
            answers = sorted({answer for each in gathered for answer in each["answers"]})
            batch = replace(batch, questions=replace(questions, candidates=answers))
        return batch, {name: sum(each["counts"][name] for each in gathered) for name in LOSSES}

    def _gradient_exchange(self, is_last: bool) -> AbstractContextManager[Any]:
        """Exchange gradients between processes in the last part of a batch alone."""
        if is_last or not isinstance(self.model, DistributedDataParallel):
            return nullcontext()
        context: AbstractContextManager[Any] = self.model.no_sync()
        return context

    def _precision(self) -> AbstractContextManager[Any]:
        if self._config.precision == "bf16":
            return torch.autocast(self._processes.device.type, torch.bfloat16)
        return nullcontext()
