"""Names of the colours of things, learnt from captions and true pictures, none set by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.experiment.measure.seen_things import Mask

LEAST_EXAMPLES = 10
"""Fewest examples of a colour from which it can be told."""

_NEIGHBOURS = 5


@dataclass(frozen=True, slots=True)
class ColourExamples:
    """Things whose colours captions name, as their pictures show them.

    Attributes:
        colours: [n, 3], the median RGB of each thing's pixels, 0 to 255.
        names: name of each thing's colour.
    """

    colours: NDArray[np.float64]
    names: tuple[str, ...]


class ColourNames:
    """Tells the name of a thing's colour by the most frequent name of the nearest examples."""

    def __init__(self, examples: ColourExamples) -> None:
        from sklearn.neighbors import KNeighborsClassifier  # type: ignore[import-untyped]

        self._nearest = KNeighborsClassifier(_NEIGHBOURS)
        self._nearest.fit(examples.colours, examples.names)

    def names(self, colours: Sequence[NDArray[np.float64]]) -> list[str]:
        """Names of the colours of things, each from the `median_colour` of a thing."""
        if not colours:
            return []
        return [str(name) for name in self._nearest.predict(np.stack(colours))]


def median_colour(picture: NDArray[np.uint8], mask: Mask) -> NDArray[np.float64]:
    """Median RGB [3] of the pixels of a thing; what is brown on a tree counts less than its top."""
    median: NDArray[np.float64] = np.median(picture[mask], axis=0)
    return median


def enough_examples(colours: Sequence[NDArray[np.float64]], names: Sequence[str]) -> ColourExamples:
    """The examples of those names that have enough of them."""
    kept = [place for place, name in enumerate(names) if names.count(name) >= LEAST_EXAMPLES]
    return ColourExamples(
        np.array([colours[place] for place in kept], float).reshape(-1, 3),
        tuple(names[place] for place in kept),
    )
