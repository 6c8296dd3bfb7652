"""Which noun names a category, and which categories a noun might mean.

A category name that is not in COCO's tables is used as it is: a thing is counted, with a regular
plural; stuff is a mass.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from sgt_data.referring.coco_nouns import NARROWER, NEIGHBOURS, NOUNS
from sgt_data.referring.noun_forms import Noun, counted

RESERVED = frozenset(
    {
        "a", "all", "an", "and", "any", "bottommost", "every", "everything", "farthest", "is",
        "largest", "least", "leftmost", "most", "nearest", "of", "or", "rightmost", "smallest",
        "that", "the", "to", "topmost",
    }
)  # fmt: skip
"""Words of the phrases themselves: a noun that has one of them could make a phrase ambiguous."""

_WORD = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\d+")
_LENGTH_MAX = 40


def noun_of(name: str, isthing: bool) -> Noun | None:
    """The noun of a category; None where its name cannot be used in a phrase.

    Args:
        name: of the category.
        isthing: whether the category is of things, which can be counted.
    """
    known = NOUNS.get(name.casefold())
    if known is not None:
        return known
    text = " ".join(name.replace("_", " ").split())
    words = text.split(" ")
    usable = len(text) <= _LENGTH_MAX and all(_WORD.fullmatch(word) for word in words)
    if not usable or words_of(text) & RESERVED:
        return None
    return counted(text) if isthing else Noun(mass=text)


def might_mean(noun: str, name: str, isthing: bool) -> bool:
    """Whether a person who uses a noun might mean a category.

    That is so if the category's name, or one form of its noun, has all words of the noun ("bear"
    might mean a teddy bear), or if the noun is a wider or a neighbouring word for the category.

    Args:
        noun: in any of its forms.
        name: of the category.
        isthing: whether the category is of things, which can be counted.
    """
    words = words_of(noun)
    return any(words <= meaning for meaning in _words_that_mean(name, isthing))


def is_ambiguous(noun: Noun, others: Iterable[tuple[str, bool]]) -> bool:
    """Whether a form of a noun might mean one of some categories.

    Args:
        noun: of another category.
        others: name of each category, and whether it is of things.
    """
    return any(might_mean(form, *category) for category in others for form in noun.forms)


@lru_cache(maxsize=4096)
def words_of(text: str) -> frozenset[str]:
    """The words of a noun or a name in lower case, without the s of regular plurals."""
    return frozenset(_stem(word) for word in re.split(r"[\s\-_]+", text.casefold()) if word)


@lru_cache(maxsize=4096)
def _words_that_mean(name: str, isthing: bool) -> tuple[frozenset[str], ...]:
    noun = noun_of(name, isthing)
    forms = noun.forms if noun else ()
    wider = [word for form in forms for word in _WIDER.get(form, ())]
    return tuple(words_of(text) for text in (name, *forms, *wider))


def _stem(word: str) -> str:
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word


def _wider_nouns() -> dict[str, frozenset[str]]:
    """For each noun the nouns that might mean the same things."""
    wider: dict[str, set[str]] = {}
    for group in NEIGHBOURS:
        for noun in group:
            wider.setdefault(noun, set()).update(group)
    for noun, narrower_nouns in NARROWER.items():
        for narrower in narrower_nouns:
            wider.setdefault(narrower, set()).add(noun)
    return {noun: frozenset(words) for noun, words in wider.items()}


_WIDER = _wider_nouns()
