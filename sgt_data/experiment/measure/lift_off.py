"""The step from which a run answers better than the model that its training began from."""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 0.02
"""Validation accuracy above the base's from which a run counts as lifted off."""

WINDOW = 3
"""Number of measured values in a moving average."""


def smoothed(accuracies: Sequence[float], window: int = WINDOW) -> list[float]:
    """Moving average of each value and those before it, over `window` values or fewer at the start.

    Written out because scipy's filters look ahead or fill the start with made-up values.
    """
    return [
        sum(accuracies[max(0, place + 1 - window) : place + 1]) / min(window, place + 1)
        for place in range(len(accuracies))
    ]


def lift_off(
    validation_curve: Sequence[tuple[int, float]],
    base: float,
    margin: float = MARGIN,
    window: int = WINDOW,
) -> int | None:
    """The first step from which smoothed validation accuracy stays above `base + margin`.

    Args:
        validation_curve: step and validation accuracy (0 to 1) of each measurement; steps rise.
        base: accuracy of the model that training began from, on the same questions, 0 to 1.
        margin: accuracy above the base's that is needed.
        window: number of measurements that are averaged, as in `smoothed`.

    Returns:
        The step; None where accuracy does not stay above to the end.
    """
    values = smoothed([accuracy for _, accuracy in validation_curve], window)
    first_step = None
    for (step, _), value in zip(reversed(validation_curve), reversed(values), strict=True):
        if value <= base + margin:
            break
        first_step = step
    return first_step
