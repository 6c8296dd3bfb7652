"""Holm's adjustment of p-values for the number of tests."""

from __future__ import annotations

from collections.abc import Sequence


def holm_adjusted(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted by Holm's step-down method, in the given order.

    A test whose adjusted value is below 0.05 is significant where the chance of any false claim in
    the whole family is at most 0.05 (Holm, A simple sequentially rejective multiple test procedure,
    1979). Written out: scipy 1.17 adjusts for the rate of false discoveries only
    (`scipy.stats.false_discovery_control`).
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted
