"""How alike the pictures of a shard are: what taking whole shards does to randomness.

Pictures of one shard come from one run of the source (one tar, one stretch of ids) and are alike
where the source is sorted. A sample of whole shards then says less than its size: with an
intra-shard correlation `r` and shards of `m` pictures, a mean over it has the variance of a simple
random sample `1 + (m - 1) r` times smaller (the design effect of L. Kish, "Survey Sampling", 1965).
`r` is estimated from a one-way analysis of variance of shards within sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ShardLikeness:
    """How alike the pictures of a shard are in one respect.

    Attributes:
        of: what was looked at.
        correlation: intra-shard correlation over the whole corpus. Negative where shards are more
            mixed than chance would have them.
        design_effect: variance of a mean over whole shards, as a multiple of the variance over as
            many pictures that are drawn one by one.
    """

    of: str
    correlation: float
    design_effect: float


def shard_likeness(
    of: str,
    values: NDArray[np.integer[Any]],
    counts: NDArray[np.int64],
    source: NDArray[np.integer[Any]],
) -> ShardLikeness | None:
    """Measure how alike the pictures of a shard are.

    Args:
        of: what the values are, in words.
        values: `[pictures]`, a value of each picture, shard by shard.
        counts: `[shards]`, how many pictures each shard has.
        source: `[shards]`, number of each shard's source.

    Returns:
        None where it cannot be measured: all values are equal, or no source has several shards, or
        no shard has several pictures.
    """
    if not len(values):
        return None
    counts, source = counts[counts > 0], source[counts > 0]
    begins = np.cumsum(counts) - counts
    sizes = counts.astype(np.float64)
    means = np.add.reduceat(values, begins, dtype=np.float64) / sizes
    deviations = values - np.repeat(means, counts)
    within = float(np.square(deviations, out=deviations).sum())
    _, source_of = np.unique(source, return_inverse=True)
    of_source = np.bincount(source_of, sizes)
    source_means = np.bincount(source_of, sizes * means) / of_source
    between = float((sizes * (means - source_means[source_of]) ** 2).sum())
    free_within = len(values) - len(counts)
    free_between = len(counts) - len(of_source)
    if not free_within or not free_between or not within + between:
        return None
    # the usual size of a shard where sizes differ, as the expectation of the mean squares has it
    squares = float((np.bincount(source_of, sizes**2) / of_source).sum())
    usual = (len(values) - squares) / free_between
    mean_within, mean_between = within / free_within, between / free_between
    spread = mean_between + (usual - 1) * mean_within
    correlation = (mean_between - mean_within) / spread
    effect = 1 + (float((sizes**2).sum()) / len(values) - 1) * correlation
    return ShardLikeness(of, correlation, max(effect, 0.0))
