"""The step from which a run answers better than by guessing, from its training curve."""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 0.1
"""Training accuracy above guessing from which a run counts as lifted off."""

WINDOW = 3
"""Number of logged values in a moving average."""


def smoothed(accuracies: Sequence[float], window: int = WINDOW) -> list[float]:
    """Moving average of each value and those before it, over `window` values or fewer at the start.

    Written out because scipy's filters look ahead or fill the start with made-up values.
    """
    return [
        sum(accuracies[max(0, place + 1 - window) : place + 1]) / min(window, place + 1)
        for place in range(len(accuracies))
    ]


def lift_off(
    logged: Sequence[tuple[int, float]],
    chance: float,
    margin: float = MARGIN,
    window: int = WINDOW,
) -> int | None:
    """The first logged step from which smoothed training accuracy stays above `chance + margin`.

    Args:
        logged: step and training accuracy (0 to 1) of each row; steps rise.
        chance: accuracy of guessing, 0 to 1.
        margin: accuracy above guessing that is needed.
        window: number of logged values that are averaged, as in `smoothed`.

    Returns:
        The step; None where accuracy does not stay above to the end.
    """
    values = smoothed([accuracy for _, accuracy in logged], window)
    first_step = None
    for (step, _), value in zip(reversed(logged), reversed(values), strict=True):
        if value <= chance + margin:
            break
        first_step = step
    return first_step
