"""Colours of a legend: drawn for each sample, and far enough apart by construction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from sgt_data.errors import AnnotationError
from sgt_data.prompts.colour_words import RGB, ColourForm, named_colours
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.drawn_colours import drawn_colours

Background = Literal["random", "black", "white"]

_FIXED = {"black": (0, 0, 0), "white": (255, 255, 255)}


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
    count = len(forms)
    colours = np.full((count, 3), -1, np.int64)
    if background != "random":
        colours[0] = _FIXED[background]
    _draw_named(colours, forms, distance, rng)
    unset = np.flatnonzero(colours[:, 0] < 0)
    taken = colours[colours[:, 0] >= 0].astype(np.uint8)
    try:
        colours[unset] = drawn_colours(len(unset), rng, distance, taken)
    except AnnotationError:  # those before lie so that no more fit between them
        first = None if background == "random" else _FIXED[background]
        colours = _lattice_colours(count, distance, first, rng)
    if count > 1 and least_distance(colours) < distance:
        raise AnnotationError(f"two drawn colours are nearer than {distance:g} levels")
    return [
        DrawnColour((red, green, blue), _written((red, green, blue), form))
        for (red, green, blue), form in zip(colours.tolist(), forms, strict=True)
    ]


def least_distance(colours: Colours | Sequence[Sequence[int]]) -> float:
    """The least Euclidean distance between two of at least two colours, RGB levels."""
    points = np.asarray(colours, np.int64)
    gaps = ((points[:, None] - points[None]) ** 2).sum(2)
    return float(np.sqrt(gaps[np.triu_indices(len(points), 1)].min()))


def _written(rgb: RGB, form: ColourForm) -> ColourForm:
    return "hex" if form == "name" and rgb not in named_colours() else form


def _draw_named(
    colours: np.ndarray, forms: Sequence[ColourForm], distance: float, rng: np.random.Generator
) -> None:
    """Give colours of CSS to those that are to be named, as many as keep their distance."""
    wanting = [
        place for place, form in enumerate(forms) if form == "name" and colours[place, 0] < 0
    ]
    candidates = rng.permutation(_named()) if wanting else _named()[:0]
    for colour in candidates:
        if not wanting:
            return
        taken = colours[colours[:, 0] >= 0]
        if (((taken - colour) ** 2).sum(1) >= distance**2).all():
            colours[wanting.pop(0)] = colour


def _lattice_colours(
    count: int, distance: float, first: RGB | None, rng: np.random.Generator
) -> np.ndarray:
    """Colours [count, 3] of a lattice whose points are far enough apart; black and white are two
    of its corners."""
    levels = _levels(distance)
    points = np.stack(np.meshgrid(levels, levels, levels, indexing="ij"), -1).reshape(-1, 3)
    if first is None:
        return rng.permutation(points)[:count]
    others = points[(points != np.array(first)).any(1)]
    return np.concatenate(([first], rng.permutation(others)[: count - 1]))


def _levels(distance: float) -> np.ndarray:
    """Levels of a channel from 0 to 255, evenly spaced, at least `distance` apart."""
    steps = next(steps for steps in range(255, 0, -1) if 255 // steps >= distance)
    return np.arange(steps + 1) * 255 // steps


@lru_cache(maxsize=1)
def _named() -> np.ndarray:
    return np.array(sorted(named_colours()), np.int64)
