"""Share of the answer's attention that goes to visual tokens, layer by layer.

The share depends on how many tokens are visual. So it compares arms of one model with each other,
not one model with another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.intervals import Estimate, mean_by_key

if TYPE_CHECKING:
    from torch import Tensor

    from sgt_data.training.learner import Learner


def attention_shares(
    learner: Learner, batches: Iterable[tuple[Tensor, Sequence[str]]]
) -> NDArray[np.float64]:
    """Attention shares [layers, n] of all questions, in order.

    Args:
        learner: a model in evaluation mode.
        batches: pictures [n, 3, S, S] and their questions.
    """
    import torch

    with torch.inference_mode():
        shares = [learner.visual_attention(*batch).double().cpu().numpy() for batch in batches]
    return np.concatenate(shares, axis=1)


def attention_per_layer(
    shares: NDArray[np.float64], keys: Sequence[str], seed: int
) -> tuple[Estimate, ...]:
    """Mean attention share of each layer with its interval over pictures.

    Args:
        shares: attention shares [layers, n], each 0 to 1.
        keys: for each of the n questions, the key of its picture.
        seed: seed of the bootstrap.

    Raises:
        ValueError: keys and shares differ in number, or a share is not within 0 to 1.
    """
    if shares.ndim != 2 or shares.shape[1] != len(keys):
        raise ValueError(f"shares of attention are {shares.shape}; there are {len(keys)} questions")
    if not ((shares >= 0) & (shares <= 1 + 1e-6)).all():
        raise ValueError("a share of attention is not within 0 to 1")
    return tuple(mean_by_key(layer, keys, seed) for layer in shares)
