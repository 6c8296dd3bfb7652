"""The words of questions and answers: which categories can be asked about, and how."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from sgt_data.referring.noun_forms import Noun
from sgt_data.referring.nouns import might_mean, noun_of
from sgt_data.referring.segment_facts import NamedCategory

_CONFUSED = (frozenset(("cottage", "house")),)
"""Categories that people confuse, besides those that `might_mean` knows."""


@lru_cache(maxsize=4096)
def question_noun(category: NamedCategory) -> Noun | None:
    """The noun that names a category in questions; None where it cannot be named."""
    noun = noun_of(*category)
    return noun if noun is not None and noun.forms else None


def is_confusable(category: NamedCategory, others: Iterable[NamedCategory]) -> bool:
    """Whether a person who is asked about a category might think of one of the others."""
    return any(_might_mean(category, other) for other in others if other != category)


@lru_cache(maxsize=65536)
def _might_mean(category: NamedCategory, other: NamedCategory) -> bool:
    noun = question_noun(category)
    if noun is None:
        return False
    confused = any({category.name, other.name} == names for names in _CONFUSED)
    return confused or any(might_mean(form, *other) for form in noun.forms)


def presence_question(noun: Noun) -> str:
    """Whether the picture shows a category; `noun` has at least one form."""
    if noun.singular is not None:
        article = "an" if noun.singular[0] in "aeiou" else "a"
        return f"Is there {article} {noun.singular} in the picture?"
    if noun.plural is not None:
        return f"Are there any {noun.plural} in the picture?"
    if noun.mass is not None:
        return f"Is there any {noun.mass} in the picture?"
    return f"Does the picture show any {noun.extent}?"


def count_question(noun: Noun) -> str | None:
    """How many of a category the picture shows.

    None where it is unclear what to count, for example single skis or pairs of skis.
    """
    if noun.singular is None or noun.plural is None or noun.singular.startswith("pair of "):
        return None
    return f"How many {noun.plural} are there in the picture?"


HALVES = (("left", "right"), ("upper", "lower"))
"""Answers by axis: the half with the smaller coordinates, and the half with the greater ones."""


def position_question(axis: int, singular: str) -> str:
    """In which half of the picture something is.

    Args:
        axis: 0 for the left and right half, 1 for the upper and lower half.
        singular: noun of what is asked about.
    """
    smaller, greater = HALVES[axis]
    return f"Is the {singular} in the {smaller} or in the {greater} half of the picture?"


SIDES = (("left", "right"), ("above", "below"))
"""Answers by axis: where the first has the smaller coordinate, and where it has the greater one."""


def relation_question(axis: int, first: str, second: str) -> str:
    """On which side of the second thing the first is.

    Args:
        axis: 0 for left and right, 1 for above and below.
        first: noun, in the singular.
        second: noun, in the singular.
    """
    if axis == 0:
        return f"Is the {first} to the left or to the right of the {second}?"
    return f"In the picture, is the {first} above or below the {second}?"


def nearer_question(first: str, second: str) -> str:
    """Which of two things is nearer to the camera; both nouns are in the singular."""
    return f"Which is nearer to the camera, the {first} or the {second}?"
