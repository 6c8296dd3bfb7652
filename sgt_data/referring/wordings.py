"""The wordings of phrases, from the forms of a noun."""

from __future__ import annotations

from sgt_data.referring.noun_forms import Noun

_SUPERLATIVES = {
    "leftmost": ("the leftmost {}", "the {} farthest to the left"),
    "rightmost": ("the rightmost {}", "the {} farthest to the right"),
    "topmost": ("the topmost {}", "the {} nearest the top of the picture"),
    "bottommost": ("the bottommost {}", "the {} nearest the bottom of the picture"),
    "largest": ("the largest {}", "the {} that takes up the most space"),
    "smallest": ("the smallest {}", "the {} that takes up the least space"),
}


def superlative_wordings(relation: str, singular: str) -> tuple[str, ...]:
    """Wordings for a thing that its place or size singles out.

    Args:
        relation: leftmost, rightmost, topmost, bottommost, largest or smallest.
        singular: noun of the thing.
    """
    return tuple(wording.format(singular) for wording in _SUPERLATIVES[relation])


def definite_wordings(noun: Noun) -> tuple[str, ...]:
    """Wordings for the only thing of a category; empty where the noun has no singular."""
    return () if noun.singular is None else (f"the {noun.singular}",)


def all_wordings(noun: Noun) -> tuple[str, ...]:
    """Wordings for all things of a category."""
    wordings = []
    if noun.plural is not None:
        wordings += [f"all {noun.plural}", f"all the {noun.plural}"]
    if noun.singular is not None:
        wordings.append(f"every {noun.singular}")
    return tuple(wordings)


def stuff_wordings(noun: Noun) -> tuple[str, ...]:
    """Wordings for all stuff of a category.

    "All the tables" is not used, since it says that there are several.
    """
    if noun.mass is not None:
        return f"the {noun.mass}", f"everything that is {noun.mass}", f"all the {noun.mass}"
    if noun.extent is not None:
        return f"the {noun.extent}", f"all of the {noun.extent}"
    wordings = [] if noun.plural is None else [f"all {noun.plural}"]
    if noun.singular is not None:
        article_noun = with_article(noun.singular)
        wordings += [f"every {noun.singular}", f"everything that is {article_noun}"]
    return tuple(wordings)


def with_article(singular: str) -> str:
    """A noun after "a" or "an", by its first letter."""
    return f"{'an' if singular[0] in 'aeiou' else 'a'} {singular}"
