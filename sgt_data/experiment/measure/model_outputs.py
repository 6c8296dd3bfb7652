"""Outputs of a model for a held-out split: answers, features, and generated targets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from sgt_data.experiment.measure.fidelity import GeneratedTarget
from sgt_data.experiment.measure.held_out import HeldOut, HeldOutQuestion, HeldOutSample
from sgt_data.training.collation import as_pictures

_BATCH = 128

Features = dict[str, NDArray[np.float64]]
"""By key of a picture, its feature grid [rows, columns, D]."""


@torch.inference_mode()
def answer_numbers(model: nn.Module, questions: Sequence[HeldOutQuestion]) -> list[int]:
    """For each question, the number of the answer with the highest score."""
    numbers: list[int] = []
    for pictures, texts in question_batches(model, questions):
        scores: Tensor = model.answer(pictures, texts)  # type: ignore[operator]
        numbers += scores.argmax(1).tolist()
    return numbers


def question_batches(
    model: nn.Module, questions: Sequence[HeldOutQuestion]
) -> Iterator[tuple[Tensor, Sequence[str]]]:
    """Batches of pictures [n, 3, S, S], on the model's device, and their questions."""
    for start in range(0, len(questions), _BATCH):
        batch = questions[start : start + _BATCH]
        pictures = _on_device_of(model, [question.picture for question in batch])
        yield pictures, [question.text for question in batch]


@torch.inference_mode()
def picture_features(model: nn.Module, held_out: HeldOut) -> Features:
    """Features of every asked picture whose things are known."""
    pictures = {
        question.asked.key: question.picture
        for question in held_out.questions
        if question.asked.key in held_out.segmentations
    }
    keys = sorted(pictures)
    features: Features = {}
    for start in range(0, len(keys), _BATCH):
        batch = keys[start : start + _BATCH]
        grids: Tensor = model.features(  # type: ignore[operator]
            _on_device_of(model, [pictures[key] for key in batch])
        )
        features |= dict(zip(batch, grids.double().cpu().numpy(), strict=True))
    return features


@torch.inference_mode()
def generate_targets(model: nn.Module, samples: Sequence[HeldOutSample]) -> list[GeneratedTarget]:
    """The targets that a model draws for samples, each with the stored target."""
    torch.manual_seed(0)  # decides the noise from which a flow model starts
    generated = []
    for start in range(0, len(samples), _BATCH):
        batch = samples[start : start + _BATCH]
        drawn: Tensor = model.draw(  # type: ignore[operator]
            _on_device_of(model, [sample.picture for sample in batch]),
            [sample.text for sample in batch],
        )
        targets = as_pictures([sample.target for sample in batch]).numpy()
        for picture, target, sample in zip(
            drawn.float().cpu().numpy(), targets, batch, strict=True
        ):
            generated.append(
                GeneratedTarget(picture, target, sample.stored.target, sample.stored.facts)
            )
    return generated


def _on_device_of(model: nn.Module, pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures [n, 3, S, S] in -1 to 1 on the model's device."""
    return as_pictures(pixels).to(next(model.parameters()).device)
