"""Balanced accuracy: the mean over classes of the share of their examples that are told right.

Where one class is frequent, always naming it has a high accuracy; its balanced accuracy is that of
guessing, 1 / classes (Brodersen et al. 2010).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.scoring.intervals import Estimate, Floats, as_share, bootstrap, divide_or_nan


def balanced_accuracy(
    right: NDArray[np.bool_], labels: Sequence[str], keys: Sequence[str], seed: int
) -> Estimate:
    """Mean recall over the classes of `labels`, 0 to 1, with its interval over pictures.

    A resample that has lost a class gives the mean of the others.

    Args:
        right: which of the m examples are told right.
        labels: class of each example.
        keys: key of each example's picture.
        seed: seed of the bootstrap.

    Raises:
        ValueError: there are no examples.
    """
    names, classes = np.unique(np.array(labels), return_inverse=True)
    pictures, places = np.unique(np.array(keys), return_inverse=True)
    cell, shape = places * len(names) + classes, (len(pictures), len(names))
    count = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape).astype(np.float64)
    hits = np.bincount(cell, weights=right, minlength=count.size).reshape(shape)

    def mean_recall(weights: Floats) -> Floats:
        recalls = divide_or_nan(weights @ hits, weights @ count)
        return np.asarray(np.nanmean(recalls, axis=1))

    return as_share(bootstrap(mean_recall, len(pictures), seed))
