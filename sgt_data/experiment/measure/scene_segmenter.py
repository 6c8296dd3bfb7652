"""A small network that finds the things of pictures, to score pictures that models draw.

It is a U-Net (Ronneberger et al. 2015) that adds features of several sizes, and learns from true
pictures and their class maps alone. It never sees what a model drew, so it favours no arm.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from sgt_data.scoring.class_layout import class_counts, class_scores
from sgt_data.scoring.overlap import shared_pixels
from sgt_data.training.collation import as_pictures

WIDTHS = (16, 32, 64)
"""Channels at the whole, the half and the quarter of the picture's sides."""

STEPS = 600
BATCH = 16
RATE = 1e-2
"""Steps, pictures of a step and largest learning rate: under a minute on one core at 48 pixels."""

_DECAY = 1e-4
_SEED = 0

SETTINGS = (WIDTHS, STEPS, BATCH, RATE, _DECAY, _SEED)
"""All that decides what the network learns from the same data."""

Pixels = NDArray[np.uint8]
LabelMaps = NDArray[np.int32]


class SceneSegmenter(nn.Module):
    """Scores of the background and of each category for every pixel."""

    def __init__(self, categories: int) -> None:
        """
        Args:
            categories: number of categories, without the background.
        """
        super().__init__()
        fine, middle, coarse = WIDTHS
        self.fine = _layer(3, fine)
        self.middle = nn.Sequential(_layer(fine, middle, 2), _layer(middle, middle))
        self.coarse = nn.Sequential(
            _layer(middle, coarse, 2), _layer(coarse, coarse), _layer(coarse, coarse)
        )
        self.coarse_to_middle = nn.Conv2d(coarse, middle, 1)
        self.middle_again = _layer(middle, middle)
        self.middle_to_fine = nn.Conv2d(middle, fine, 1)
        self.fine_again = _layer(fine, fine)
        self.scores = nn.Conv2d(fine, 1 + categories, 1)

    def forward(self, pictures: Tensor) -> Tensor:
        """Scores [n, 1 + categories, S, S] for pictures [n, 3, S, S] in -1 to 1."""
        fine = self.fine(pictures)
        middle = self.middle(fine)
        below = self.coarse_to_middle(self.coarse(middle))
        middle = self.middle_again(middle + _enlarged(below, middle))
        fine = self.fine_again(fine + _enlarged(self.middle_to_fine(middle), fine))
        scores: Tensor = self.scores(fine)
        return scores


def train_segmenter(pictures: Pixels, labels: LabelMaps, categories: int) -> SceneSegmenter:
    """A network trained on true pictures, on one core; the same data give the same network.

    Args:
        pictures: [n, S, S, 3] RGB.
        labels: [n, S, S], 0 to `categories`; 0 is the background.
        categories: number of categories.
    """
    with _alone_on_one_core():
        network = SceneSegmenter(categories)
        optimiser = torch.optim.AdamW(network.parameters(), lr=RATE, weight_decay=_DECAY)
        pace = torch.optim.lr_scheduler.OneCycleLR(optimiser, RATE, total_steps=STEPS)
        for step in range(STEPS):
            chosen = torch.randint(len(pictures), (BATCH,)).numpy()
            shown = as_pictures(list(pictures[chosen]))
            wanted = torch.from_numpy(labels[chosen]).long()
            if step % 2:  # things look as well mirrored
                shown, wanted = shown.flip(3), wanted.flip(2)
            scores = network(shown.contiguous(memory_format=torch.channels_last))
            optimiser.zero_grad()
            F.cross_entropy(scores, wanted).backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            pace.step()
    network.eval()
    return network


@torch.inference_mode()
def segmented(network: SceneSegmenter, pictures: Pixels) -> LabelMaps:
    """Label maps [n, S, S] of pictures [n, S, S, 3] RGB; 0 is the background."""
    maps = []
    for start in range(0, len(pictures), BATCH):
        batch = as_pictures(list(pictures[start : start + BATCH]))
        scores = network(batch.contiguous(memory_format=torch.channels_last))
        maps.append(scores.argmax(1).int().numpy())
    return np.concatenate(maps) if maps else np.zeros(pictures.shape[:3], np.int32)


def category_ious(
    network: SceneSegmenter, pictures: Pixels, labels: LabelMaps, categories: Sequence[str]
) -> dict[str, float]:
    """IoU of each category that occurs, intersections and unions summed over pictures.

    Args:
        network: trained on other pictures.
        pictures: [n, S, S, 3] RGB.
        labels: [n, S, S], true ones.
        categories: their names, from label 1 on.
    """
    size = len(categories) + 1
    counts = np.stack([
        class_counts(shared_pixels(true, drawn, size, size))
        for true, drawn in zip(labels, segmented(network, pictures), strict=True)
    ])  # fmt: skip
    occur = np.flatnonzero(counts[:, 1:].sum(axis=(0, 1))).tolist()
    scores = class_scores([categories[place] for place in occur], counts[:, :, occur])
    return {name: score.iou for name, score in scores.items()}


def _layer(channels: int, more: int, stride: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(channels, more, 3, stride, 1, bias=False), nn.BatchNorm2d(more), nn.ReLU(True)
    )


def _enlarged(features: Tensor, like: Tensor) -> Tensor:
    """Features at the size of others."""
    return F.interpolate(features, size=like.shape[2:], mode="nearest")


@contextmanager
def _alone_on_one_core() -> Iterator[None]:
    """A seed and one thread for what happens inside, without a trace afterwards."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(_SEED)
            yield
    finally:
        torch.set_num_threads(threads)
