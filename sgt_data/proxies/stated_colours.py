"""Colours that an instruction states: those of a manifest, or drawn for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import AfterValidator

from sgt_data.foreign_errors import in_words
from sgt_data.prompts.colour_words import (
    RGB,
    ColourForm,
    colour_names,
    colour_text,
    levels_of,
    named_colours,
    parse_colour,
)
from sgt_data.segmentation.colours import Colours
from sgt_data.segmentation.drawn_colours import drawn_colours
from sgt_data.suggestions import did_you_mean
from sgt_data.value_text import cut

RANDOM = "random"

FORMS: tuple[ColourForm, ...] = ("hex", "levels", "name")

DISTANCE_MAX = 200.0
"""Largest distance that a manifest may ask for: every colour has some this far from it."""


def _checked(text: str) -> str:
    if text != RANDOM:
        try:
            parse_colour(text)
        except ValueError as why:
            near = did_you_mean(text.lower(), [RANDOM, *sorted(colour_names())])
            raise ValueError(
                f"{in_words(why)}; right is {RANDOM}, or a colour such as white, '#ff8000' or "
                f"'(255, 128, 0)'{near}"
            ) from why
    return text


ColourChoice = Annotated[str, AfterValidator(_checked)]
"""`random`, or a colour as `sgt_data.prompts.colour_words` reads it."""


@dataclass(frozen=True, slots=True)
class WrittenColour:
    """A colour, and how an instruction writes it.

    Attributes:
        levels: red, green and blue, 0 to 255.
        text: for example `#ff8000`.
    """

    levels: RGB
    text: str

    @property
    def as_row(self) -> Colours:
        """The colour as an array [1, 3]."""
        return np.array([self.levels], np.uint8)


def written_colours(
    choices: Sequence[str],
    forms: Sequence[ColourForm],
    distance: float,
    rng: np.random.Generator,
) -> list[WrittenColour]:
    """A colour for each choice, all written in one form, which is drawn as well.

    Colours that are drawn to be named are drawn among those that have a name. A colour of the
    manifest that has none is written in hexadecimal digits.

    Args:
        choices: of the manifest, each `random` or a colour.
        forms: the forms that may be drawn.
        distance: least Euclidean distance of a drawn colour to all others, RGB levels.
        rng: draws forms and colours.
    """
    form = forms[int(rng.integers(len(forms)))]
    among = np.array(list(named_colours()), np.uint8) if form == "name" else None
    fixed = [parse_colour(choice) for choice in choices if choice != RANDOM]
    taken = np.array(fixed, np.uint8).reshape(-1, 3)
    drawn = iter(drawn_colours(len(choices) - len(fixed), rng, distance, taken, among).tolist())
    colours = [
        levels_of(next(drawn)) if choice == RANDOM else parse_colour(choice) for choice in choices
    ]
    return [WrittenColour(colour, colour_text(colour, form)) for colour in colours]


def colour_distance(first: Sequence[int], second: Sequence[int]) -> float:
    """Euclidean distance of two colours, RGB levels."""
    return float(np.linalg.norm(np.subtract(first, second)))


def too_near(first: str, second: str, distance: float) -> str | None:
    """Why two colours of a manifest cannot stand in one target; None where they can."""
    if RANDOM in (first, second):
        return None
    apart = colour_distance(parse_colour(first), parse_colour(second))
    if apart >= distance:
        return None
    return f"{first} and {second} lie {apart:.0f} levels apart; min_distance is {distance:g}"


def misread(words: object, colour: Sequence[int], what: str) -> str | None:
    """Why the words of an instruction do not write a colour; None where they do.

    Args:
        words: as the instruction has them.
        colour: of the facts.
        what: the name of what has this colour.
    """
    try:
        written: object = parse_colour(str(words))
    except ValueError:
        written = "no colour"
    if written == tuple(colour):
        return None
    return (
        f"the instruction writes the {what} as {cut(words, 60)}, which is {written}, "
        f"not {tuple(colour)}"
    )
