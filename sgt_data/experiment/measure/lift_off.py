"""The step at which a run starts to answer better than by guessing."""

from __future__ import annotations

from collections.abc import Sequence

MARGIN = 0.1
WINDOW = 3


def smoothed(accuracies: Sequence[float], window: int = WINDOW) -> list[float]:
    """Mean of each value and those before it, `window` in all (fewer at the start)."""
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
    """The first logged step from which smoothed training accuracy exceeds `chance + margin` and
    does so to the end; None where there is none.

    Args:
        logged: step and training accuracy (0 to 1), steps rising.
        chance: accuracy of guessing.
        margin: above it.
        window: logged values that are averaged, this one and those before it.
    """
    values = smoothed([accuracy for _, accuracy in logged], window)
    found = None
    for (step, _), value in zip(reversed(logged), reversed(values), strict=True):
        if value <= chance + margin:
            break
        found = step
    return found
