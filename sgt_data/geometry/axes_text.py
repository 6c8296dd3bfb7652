"""The directions of the colours of a normal map in words, and the words read again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

import numpy as np

from sgt_data.pictures.normal_colours import Directions

_COLOURS: Final = ("red", "green", "blue")
_DIRECTION = "right|left|up|down|towards the viewer|away from the viewer"

_FORMS: Final[tuple[tuple[str, str], ...]] = (
    ("{direction} is {colour}", ", "),
    ("{colour} means {direction}", ", "),
    ("{colour} = {direction}", ", "),
    ("{colour} for {direction}", ", "),
    ("{direction} -> {colour}", "; "),
    ("{direction} gives {colour}", ", "),
)
"""How one direction is stated, and what stands between two."""

_READ = tuple(
    re.compile(
        form.replace("{direction}", rf"\b(?P<direction>{_DIRECTION})\b").replace(
            "{colour}", rf"\b(?P<colour>{'|'.join(_COLOURS)})\b"
        )
    )
    for form, _ in _FORMS
)


def axes_text(directions: Directions, rng: np.random.Generator) -> str:
    """The directions of red, green and blue in one of several forms.

    Args:
        directions: where large values of red, green and blue point.
        rng: chooses the form.
    """
    form, between = _FORMS[int(rng.integers(len(_FORMS)))]
    parts = (
        form.format(direction=direction, colour=colour)
        for direction, colour in zip(directions, _COLOURS, strict=True)
    )
    return between.join(parts)


def stated_directions(text: str) -> Sequence[str] | None:
    """The directions of red, green and blue that a text of `axes_text` states; None where it is no
    such text."""
    for (_, between), pattern in zip(_FORMS, _READ, strict=True):
        parts = [pattern.fullmatch(part) for part in text.split(between)]
        stated = {part["colour"]: part["direction"] for part in parts if part}
        if len(parts) == len(stated) == len(_COLOURS) and None not in parts:
            return tuple(stated[colour] for colour in _COLOURS)
    return None
