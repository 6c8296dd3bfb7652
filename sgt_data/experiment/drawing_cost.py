"""What a drawing costs in training, in arithmetic operations, as a multiple of a question.

Operations are counted and not timed (torch's `FlopCounterMode`: matrix products, convolutions and
attention, forwards and backwards), so the number is the same on every machine.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from sgt_data.errors import RequestError
from sgt_data.experiment.measure.held_out import read_questions
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.training.batches import questions_file
from sgt_data.training.config import TrainConfig
from sgt_data.training.learner import Drawings, Questions, TrainingBatch
from sgt_data.training.own_models import make_model

_SAMPLES = 16
"""Samples of each batch; texts are those of the first ones, as their lengths count."""


def drawing_cost(config: TrainConfig) -> float:
    """Operations of a training step on drawings divided by those on as many questions.

    Args:
        config: of an arm that draws.

    Raises:
        RequestError: operations of the model cannot be counted.
    """
    side = config.model.picture
    asked = read_questions(questions_file(config.data.questions), config, most=_SAMPLES)
    pictures = torch.zeros(len(asked), 3, side, side)
    questions = TrainingBatch(
        Questions(pictures, [each.text for each in asked], [each.asked.answer for each in asked])
    )
    texts = _instructions(config)
    pictures = torch.zeros(len(texts), 3, side, side)
    drawings = TrainingBatch(drawings=Drawings(pictures, texts, pictures))
    model = make_model(config)
    per_question = _operations(model, questions) / len(asked)
    per_drawing = _operations(model, drawings) / len(texts)
    if not per_question:
        raise RequestError(
            f"the operations of {config.model.make} cannot be counted, so no number of questions "
            "has equal compute; take `questions alone, equal compute` out of the controls"
        )
    return per_drawing / per_question


def _operations(model: nn.Module, batch: TrainingBatch) -> int:
    model.train()
    with FlopCounterMode(display=False) as counter:
        losses = model(batch)
        loss = torch.stack([loss for loss in losses.values() if loss.requires_grad]).sum()
        loss.backward()  # type: ignore[no-untyped-call]
    model.zero_grad(set_to_none=True)
    total: int = counter.get_total_flops()
    return total


def _instructions(config: TrainConfig) -> Sequence[str]:
    """Instructions of the first pictures, an equal number of each proxy."""
    corpus = open_corpus(config.data.corpus)
    texts = []
    for proxy in config.data.proxies:
        samples = corpus[proxy][: max(1, _SAMPLES // len(config.data.proxies))]
        texts += [sample.instruction for sample in samples]
    return texts
