"""Outputs of a model for a held-out split: batches of questions, features, generated targets."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from sgt_data.experiment.measure.fidelity import GeneratedTarget
from sgt_data.experiment.measure.held_out import HeldOut, HeldOutQuestion, HeldOutSample
from sgt_data.experiment.measure.probe_examples import PooledPicture, pool_picture
from sgt_data.training.collation import as_pictures
from sgt_data.training.letterbox import content_box

_BATCH = 128

Features = dict[str, NDArray[np.float32]]
"""By key of a picture, its feature grid [rows, columns, D]."""


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
        features |= dict(zip(batch, grids.float().cpu().numpy(), strict=True))
    return features


@torch.inference_mode()
def generate_targets(model: nn.Module, samples: Sequence[HeldOutSample]) -> list[GeneratedTarget]:
    """The targets that a model draws for samples, each with the stored target, without padding."""
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
            with Image.open(io.BytesIO(sample.stored.target)) as stored:
                box = content_box(*stored.size, target.shape[-1])
            generated.append(
                GeneratedTarget(
                    box.crop(picture), box.crop(target), sample.stored.target, sample.stored.facts
                )
            )
    return generated


def _on_device_of(model: nn.Module, pixels: Sequence[NDArray[np.uint8]]) -> Tensor:
    """Pictures [n, 3, S, S] in -1 to 1 on the model's device."""
    return as_pictures(pixels).to(next(model.parameters()).device)
