"""What a validation curve tells: where accuracy stood at the end, and whether it still rose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import nan

from sgt_data.experiment.measure.run_result import PLATEAU_RISE, Plateau

POINTS = 8
"""Fewest points of a validation curve from which a plateau is read: two of each quarter."""

ValidationCurve = tuple[tuple[int, float], ...]
"""Step and mean accuracy, 0 to 1, of each point."""


def validation_curve(rows: Sequence[Mapping[str, float]]) -> ValidationCurve:
    """The points of a run's curve at which validation was measured."""
    return tuple(
        (int(row["step"]), _accuracy(row["validation"])) for row in rows if "validation" in row
    )


def _accuracy(stated: float | None) -> float:
    """The accuracy at a point; NaN, which JSON keeps as null, where training diverged."""
    return nan if stated is None else stated


def plateau_of(curve: Sequence[tuple[int, float]]) -> Plateau | None:
    """Where accuracy stood over the last quarter of a curve; None under `POINTS` points."""
    if len(curve) < POINTS:
        return None
    values = [accuracy for _, accuracy in curve]
    quarter = len(values) // 4
    last, before = values[-quarter:], values[-2 * quarter : -quarter]
    accuracy = sum(last) / quarter
    rise = accuracy - sum(before) / quarter
    return Plateau(accuracy, rise, rise < PLATEAU_RISE)
