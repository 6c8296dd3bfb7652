"""Where validation accuracy stood at the end of training, and whether it still rose."""

from __future__ import annotations

from collections.abc import Sequence

from sgt_data.experiment.measure.run_result import PLATEAU_RISE, Plateau

_QUARTERS = 4


def plateau_of(validation_curve: Sequence[tuple[int, float]]) -> Plateau | None:
    """The plateau of a validation curve; None where its last quarters hold no measurement.

    Args:
        validation_curve: step and validation accuracy (0 to 1) of each measurement; steps rise.
    """
    if not validation_curve:
        return None
    quarter = validation_curve[-1][0] / _QUARTERS
    last, before = (
        [
            accuracy
            for step, accuracy in validation_curve
            if place * quarter < step <= (place + 1) * quarter
        ]
        for place in (_QUARTERS - 1, _QUARTERS - 2)
    )
    if not before:
        return None
    accuracy = sum(last) / len(last)
    rise = accuracy - sum(before) / len(before)
    return Plateau(accuracy, rise, rise < PLATEAU_RISE)
