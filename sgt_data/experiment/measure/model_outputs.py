"""Outputs of a model for a held-out split: answers, pooled features, and generated targets."""

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

Features = dict[str, PooledPicture]
"""By key of a picture, what probes read of its feature grid."""


class NoNumbers(ValueError):
    """What a model gives is NaN."""


@torch.inference_mode()
def answers_given(model: nn.Module, questions: Sequence[HeldOutQuestion]) -> list[str]:
    """For each question, the one of its choices that has the highest score.

    Raises:
        ValueError: the scores are not as many as the choices.
        NoNumbers: a score is NaN.
    """
    given: list[str] = []
    for start, (pictures, texts) in enumerate(question_batches(model, questions)):
        batch = questions[start * _BATCH : start * _BATCH + len(texts)]
        choices = [question.asked.choices for question in batch]
        scores: Tensor = model.answer(pictures, texts, choices)  # type: ignore[operator]
        most = max(map(len, choices))
        if scores.shape != (len(batch), most):
            raise ValueError(
                f"scores of {len(batch)} questions with up to {most} choices are "
                f"{tuple(scores.shape)}"
            )
        if scores.isnan().any():
            raise NoNumbers("scores of answers are NaN; the model's training has diverged")
        given += [
            each[int(row[: len(each)].argmax())]
            for each, row in zip(choices, scores.cpu(), strict=True)
        ]
    return given


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
    """What probes read of every asked picture whose things are known.

    A batch of feature grids is pooled at once and let go: of 4,000 grids of 16 x 16 x 384 numbers,
    1.6 GB, what is kept takes about 40 MB.
    """
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
        for key, grid in zip(batch, grids.float().cpu().numpy(), strict=True):
            features[key] = pool_picture(grid, held_out.segmentations[key])
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
