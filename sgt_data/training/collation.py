"""The samples of one step as a batch: uint8 until they are on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sgt_data.stream.batch import Batch
from sgt_data.training.learner import Drawings, Questions, TrainingBatch, in_unit_range
from sgt_data.training.letterbox import GREY
from sgt_data.training.to_model import CAPTIONS, QUESTIONS
from sgt_data.training.wrong_targets import with_wrong_targets

DRAWINGS = "drawings"


@dataclass(frozen=True, slots=True)
class Collator:
    """Makes a batch of the samples that `ToModel` gave.

    Its pictures are uint8, 0 to 255; `TrainingBatch.to` makes floats of them.

    Attributes:
        wrong_targets: whether drawings get the targets of other pictures, see `wrong_targets`.
        pinned: whether the pictures lie in pinned memory, from which a GPU fetches them while the
            process goes on.
    """

    wrong_targets: bool = False
    pinned: bool = False

    def __call__(self, batch: Batch) -> TrainingBatch:
        """The questions, the drawings and the captions of a batch, apart.

        Raises:
            CorpusError: wrong targets are asked for, and most drawings are of one picture.
        """
        parts: dict[str, list[Mapping[str, Any]]] = {}
        for sample in batch["samples"]:
            parts.setdefault(sample["part"], []).append(sample)
        questions, drawings, captions = (
            parts.get(name) for name in (QUESTIONS, DRAWINGS, CAPTIONS)
        )
        if drawings and self.wrong_targets:
            drawings = [*with_wrong_targets(drawings)]
        return TrainingBatch(
            self._questions(questions) if questions else None,
            self._drawings(drawings) if drawings else None,
            self._captions(captions) if captions else None,
        )

    def _questions(self, samples: Sequence[Mapping[str, Any]]) -> Questions:
        answers = [sample["answer"] for sample in samples]
        pictures, candidates = self._pictures(samples, "picture"), sorted(set(answers))
        return Questions(pictures, _texts(samples), answers, candidates)

    def _drawings(self, samples: Sequence[Mapping[str, Any]]) -> Drawings:
        classes = self._stacked(samples, "classes") if "classes" in samples[0] else None
        pictures, targets = (self._pictures(samples, name) for name in ("picture", "target"))
        return Drawings(pictures, _texts(samples), targets, classes)

    def _captions(self, samples: Sequence[Mapping[str, Any]]) -> Drawings:
        targets = self._pictures(samples, "target")
        grey = torch.tensor(GREY, dtype=torch.uint8).reshape(1, 3, 1, 1).expand(targets.shape)
        return Drawings(grey, _texts(samples), targets)

    def _pictures(self, samples: Sequence[Mapping[str, Any]], name: str) -> Tensor:
        """Pictures [n, 3, S, S] uint8; a pixel's channels stay adjacent in memory."""
        return self._stacked(samples, name).permute(0, 3, 1, 2)

    def _stacked(self, samples: Sequence[Mapping[str, Any]], name: str) -> Tensor:
        arrays = [sample[name] for sample in samples]
        shape, kind = (len(arrays), *arrays[0].shape), torch.from_numpy(arrays[0][:0]).dtype
        stacked = torch.empty(shape, dtype=kind, pin_memory=self.pinned)
        np.stack(arrays, out=stacked.numpy())
        return stacked


def as_pictures(pixels: Sequence[np.ndarray]) -> Tensor:
    """n pictures [S, S, 3] uint8 as one tensor [n, 3, S, S], float in -1 to 1."""
    return in_unit_range(torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2))


def _texts(samples: Sequence[Mapping[str, Any]]) -> list[str]:
    return [sample["text"] for sample in samples]
