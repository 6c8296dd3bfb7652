"""Share of the answer's attention that goes to visual tokens, layer by layer, with its baseline.

The share depends on how many tokens are visual, so it stands beside the share that even attention
would have. It compares arms of one model with each other, not one model with another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgt_data.experiment.measure.run_result import LayerAttention
from sgt_data.scoring.intervals import mean_by_key

if TYPE_CHECKING:
    from torch import Tensor

    from sgt_data.training.learner import Learner

Floats = NDArray[np.float64]

_ROUNDING = 1e-3
"""By so much a sum of shares may leave 0 to 1 where a model computes in bfloat16."""


def attention_shares(
    learner: Learner, batches: Iterable[tuple[Tensor, Sequence[str]]]
) -> tuple[Floats, Floats]:
    """Attention to visual tokens of all questions, in order.

    Args:
        learner: a model in evaluation mode.
        batches: pictures [n, 3, S, S] and their questions.

    Returns:
        The shares [layers, n], and the shares of even attention [n].
    """
    import torch

    shares, uniform = [], []
    with torch.inference_mode():
        for pictures, texts in batches:
            attention = learner.visual_attention(pictures, texts)
            shares.append(attention.shares.double().cpu().numpy())
            uniform.append(attention.uniform.double().cpu().numpy())
    return np.concatenate(shares, axis=1), np.concatenate(uniform)


def attention_per_layer(
    shares: Floats, uniform: Floats, keys: Sequence[str], seed: int
) -> tuple[LayerAttention, ...]:
    """Mean attention share of each layer with its interval over pictures, and the baseline.

    Args:
        shares: attention shares [layers, n], each 0 to 1.
        uniform: shares that even attention would have [n], above 0 and at most 1.
        keys: for each of the n questions, the key of its picture.
        seed: seed of the bootstrap.

    Raises:
        ValueError: keys, shares and baselines differ in number, or one of them is out of range.
    """
    if shares.ndim != 2 or shares.shape[1] != len(keys) or uniform.shape != (len(keys),):
        raise ValueError(
            f"shares of attention are {shares.shape}, their baselines {uniform.shape}; there are "
            f"{len(keys)} questions"
        )
    if not ((shares >= 0) & (shares <= 1 + _ROUNDING)).all():
        raise ValueError("a share of attention is not within 0 to 1")
    if len(shares) and not ((uniform > 0) & (uniform <= 1)).all():
        raise ValueError("the share of even attention is not above 0 and at most 1")
    return tuple(
        LayerAttention(mean_by_key(np.minimum(layer, 1), keys, seed), float(uniform.mean()))
        for layer in shares
    )
