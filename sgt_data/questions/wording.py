"""The words of questions and answers: which categories can be asked about, and how."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sgt_data.questions.objects import Kind
from sgt_data.referring.nouns import Noun, might_mean, noun_of

_TWINS = (frozenset(("cottage", "house")),)
"""Categories that one may take for each other, beside those that `might_mean` knows."""


@lru_cache(maxsize=4096)
def noun(kind: Kind) -> Noun | None:
    """How to speak of a category; None where one cannot."""
    found = noun_of(*kind)
    return found if found is not None and found.forms else None


def confusable(kind: Kind, others: Iterable[Kind]) -> bool:
    """Whether someone who is asked about a category might think of one of the others."""
    return any(_might_mean(kind, other) for other in others if other != kind)


@lru_cache(maxsize=65536)
def _might_mean(kind: Kind, other: Kind) -> bool:
    spoken = noun(kind)
    twins = any({kind[0], other[0]} == pair for pair in _TWINS)
    return spoken is not None and (twins or any(might_mean(form, *other) for form in spoken.forms))


def presence_question(spoken: Noun) -> str:
    if spoken.singular is not None:
        article = "an" if spoken.singular[0] in "aeiou" else "a"
        return f"Is there {article} {spoken.singular} in the picture?"
    if spoken.plural is not None:
        return f"Are there any {spoken.plural} in the picture?"
    if spoken.mass is not None:
        return f"Is there any {spoken.mass} in the picture?"
    return f"Does the picture show any {spoken.extent}?"


def count_question(spoken: Noun) -> str | None:
    """None where one would not know what to count: single skis, or pairs of them."""
    if spoken.singular is None or spoken.plural is None or spoken.singular.startswith("pair of "):
        return None
    return f"How many {spoken.plural} are there in the picture?"


HALVES = (("left", "right"), ("upper", "lower"))
"""Answers by axis: the half of lesser coordinates, and the half of greater ones."""


def position_question(axis: int, singular: str) -> str:
    """Args:
    axis: 0 is x, 1 is y.
    singular: what is asked about.
    """
    one, other = HALVES[axis]
    return f"Is the {singular} in the {one} or in the {other} half of the picture?"


SIDES = (("left", "right"), ("above", "below"))
"""Answers by axis: where the first one has the lesser coordinate, and where the greater."""


def relation_question(axis: int, first: str, second: str) -> str:
    """Args:
    axis: 0 is x, 1 is y.
    first, second: what is asked about, in the singular.
    """
    if axis == 0:
        return f"Is the {first} to the left or to the right of the {second}?"
    return f"In the picture, is the {first} above or below the {second}?"


def nearer_question(first: str, second: str) -> str:
    return f"Which is nearer to the camera, the {first} or the {second}?"
