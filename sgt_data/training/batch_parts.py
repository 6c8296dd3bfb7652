"""Parts of a batch, for gradients that are accumulated, and what each part weighs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from sgt_data.training.learner import Drawings, Questions, TrainingBatch

LOSSES = ("answers", "drawings", "captions")
"""Names of the losses."""

MEANS = ("accuracy", "answers", "captions", "drawings")
"""Names of all that a model reports of a batch, in the order of a row of the curve."""


def counts_of(batch: TrainingBatch) -> dict[str, int]:
    """By loss, over how many samples of a batch it is a mean."""
    parts = (batch.questions, batch.drawings, batch.captions)
    return {
        name: 0 if part is None else len(part.texts)
        for name, part in zip(LOSSES, parts, strict=True)
    }


def split_batch(batch: TrainingBatch, count: int) -> Iterator[TrainingBatch]:
    """Cut a batch into at most `count` parts, none of them empty.

    A part holds every `count`-th question, drawing and caption, and lacks what there are too few
    of.
    """
    for number in range(min(count, max(counts_of(batch).values()))):
        every = slice(number, None, count)
        yield TrainingBatch(
            _questions(batch.questions, every),
            _drawings(batch.drawings, every),
            _drawings(batch.captions, every),
        )


def loss_shares(part: TrainingBatch, whole: Mapping[str, int]) -> dict[str, float]:
    """By name of a mean, the share that a part has in the mean of the whole batch.

    Args:
        part: of the batch.
        whole: by loss, the number of samples in the batch of all processes.
    """
    shares = {name: count / whole[name] for name, count in counts_of(part).items() if count}
    return shares | {"accuracy": shares["answers"]} if "answers" in shares else shares


def _questions(whole: Questions | None, every: slice) -> Questions | None:
    if whole is None or not whole.texts[every]:
        return None
    return replace(
        whole,
        pictures=whole.pictures[every],
        texts=whole.texts[every],
        answers=whole.answers[every],
    )


def _drawings(whole: Drawings | None, every: slice) -> Drawings | None:
    if whole is None or not whole.texts[every]:
        return None
    return Drawings(
        whole.pictures[every],
        whole.texts[every],
        whole.targets[every],
        None if whole.classes is None else whole.classes[every],
    )
