"""Colours of a legend: drawn for each sample, and far enough apart by construction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import AnnotationError
from sgt_data.prompts.colour_words import RGB, ColourForm, named_colours

Background = Literal["random", "black", "white"]

_FIXED: Mapping[str, RGB] = {"black": (0, 0, 0), "white": (255, 255, 255)}
_CANDIDATES = 24
"""Colours that are drawn for each that is wanted."""
_FARTHEST = 3 * 255**2


@dataclass(frozen=True, slots=True)
class DrawnColour:
    """A colour and how it is written.

    Attributes:
        rgb: its levels.
        form: of its text.
    """

    rgb: RGB
    form: ColourForm


def colours_at_most(distance: float) -> int:
    """How many colours are certainly found, each at least `distance` levels from all others."""
    return len(_levels(distance)) ** 3


def draw_legend_colours(
    forms: Sequence[ColourForm], background: Background, distance: float, rng: np.random.Generator
) -> list[DrawnColour]:
    """Colours that are at least `distance` apart, the background's first.

    Colours to be named are drawn among those of CSS; where no more of these are far enough, the
    colour is drawn from the cube and written in hexadecimal digits. All others are drawn from the
    cube.

    Args:
        forms: how each is to be written, the background's first; at most `colours_at_most` of them.
        background: the background's colour, or `random`.
        distance: least Euclidean distance, RGB levels, at most 255.
        rng: draws them.

    Raises:
        AnnotationError: two colours are nearer; this cannot be.
    """
    first = _FIXED.get(background)
    colours: list[RGB | None] = [first, *(None for _ in forms[1:])]
    named = [place for place, form in enumerate(forms) if form == "name"]
    _fill(colours, named, rng.permutation(_named()).tolist() if named else [], distance)
    candidates = rng.integers(256, size=(_CANDIDATES * len(forms), 3)).tolist()
    _fill(colours, range(len(forms)), candidates, distance)
    drawn = [colour for colour in colours if colour is not None]
    if len(drawn) < len(forms):  # those that are drawn leave no room between them
        drawn = _lattice_colours(len(forms), distance, first, rng)
    if len(drawn) > 1 and least_distance(drawn) < distance:
        raise AnnotationError(f"two drawn colours are nearer than {distance:g} levels")
    return [
        DrawnColour(colour, _written(colour, form))
        for colour, form in zip(drawn, forms, strict=True)
    ]


def least_distance(colours: Sequence[RGB]) -> float:
    """The least Euclidean distance between two of at least two colours, RGB levels."""
    points = np.asarray(colours, np.int64)
    gaps = ((points[:, None] - points[None]) ** 2).sum(2)
    np.fill_diagonal(gaps, _FARTHEST)
    return float(np.sqrt(gaps.min()))


def _written(rgb: RGB, form: ColourForm) -> ColourForm:
    return "hex" if form == "name" and rgb not in named_colours() else form


def _fill(
    colours: list[RGB | None],
    places: Iterable[int],
    candidates: Sequence[Sequence[int]],
    distance: float,
) -> None:
    """Give places without colour the first candidates that are far enough from all others.

    In plain numbers: for the few colours of a picture that takes less time than arrays do.
    """
    free = [place for place in places if colours[place] is None]
    taken = [colour for colour in colours if colour is not None]
    least = distance**2
    for red, green, blue in candidates:
        if not free:
            return
        if all((red - r) ** 2 + (green - g) ** 2 + (blue - b) ** 2 >= least for r, g, b in taken):
            taken.append((red, green, blue))
            colours[free.pop(0)] = (red, green, blue)


def _lattice_colours(
    count: int, distance: float, first: RGB | None, rng: np.random.Generator
) -> list[RGB]:
    """Colours of a lattice whose points are far enough apart; black and white are two corners."""
    levels = _levels(distance)
    points = [(red, green, blue) for red in levels for green in levels for blue in levels]
    others = [point for point in points if point != first]
    order = rng.permutation(len(others)).tolist()
    begun = [] if first is None else [first]
    return [*begun, *(others[place] for place in order)][:count]


def _levels(distance: float) -> list[int]:
    """Levels of a channel from 0 to 255, evenly spaced, at least `distance` apart."""
    steps = next(steps for steps in range(255, 0, -1) if 255 // steps >= distance)
    return [step * 255 // steps for step in range(steps + 1)]


@lru_cache(maxsize=1)
def _named() -> NDArray[np.int64]:
    return np.array(sorted(named_colours()), np.int64)
