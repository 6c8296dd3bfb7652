"""What a legend calls categories, and which categories that a picture lacks it may name as well."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

import numpy as np

from sgt_data.errors import AnnotationError
from sgt_data.legends.text import Scope, name_problem
from sgt_data.records import Category
from sgt_data.referring.noun_forms import Noun
from sgt_data.referring.nouns import might_mean, noun_of, words_of
from sgt_data.value_text import cut


def class_names(categories: Collection[Category]) -> dict[int, str]:
    """Names of the categories of one legend by their ids: nouns where there are some.

    A noun that two of them share is not used; both have the names of the source then. Stuff whose
    name is part of another one's is what remains: "remaining wall" beside "tiled wall".

    Raises:
        AnnotationError: a name cannot be written, or two categories have the same one.
    """
    names = {category.id: readable_name(category) for category in categories}
    counts = Counter(name.casefold() for name in names.values())
    for category in categories:
        if counts[names[category.id].casefold()] > 1:
            names[category.id] = _plain(category.name)
        if problem := name_problem(names[category.id]):
            raise AnnotationError(
                f"a legend cannot name category {category.id}, {cut(category.name)}: {problem}; "
                "rename it in the source's categories"
            )
    words = {number: words_of(name) for number, name in names.items()}
    for category in categories:
        if not category.isthing and any(words[category.id] < other for other in words.values()):
            names[category.id] = f"remaining {names[category.id]}"
    folded = [name.casefold() for name in names.values()]
    if len(set(folded)) < len(folded):
        twice = next(name for name in names.values() if folded.count(name.casefold()) > 1)
        raise AnnotationError(
            f"two categories of this picture are called {cut(twice)}; a legend cannot tell them "
            "apart: rename one in the source's categories"
        )
    return names


def readable_name(category: Category) -> str:
    """The noun of a category in the form that a legend has; its own name where it has no noun."""
    noun = _noun(category.name, category.isthing)
    form = noun and (noun.singular or noun.mass or noun.extent or noun.plural)
    return form or _plain(category.name)


def scope_of(category: Category) -> Scope:
    """How a sentence speaks of all that a category means."""
    noun = _noun(category.name, category.isthing)
    if noun is None or not noun.forms:
        return "every" if category.isthing else "all"
    if noun.singular:
        return "every"
    return "all of the" if noun.extent and not noun.mass else "all"


def absent_categories(
    vocabulary: Mapping[int, Category],
    present: Collection[Category],
    kinds: Collection[bool],
    rng: np.random.Generator,
) -> Iterator[Category]:
    """Categories that a picture lacks, in random order.

    Left out is a category whose name might mean one that the picture shows, or the other way round
    ("table" beside a dining table), and one whose name cannot be written.

    Args:
        vocabulary: the source's categories by id.
        present: the categories of the whole annotation.
        kinds: whether things, stuff or both may be named: values of `isthing`.
        rng: draws the order.
    """
    ids = {category.id for category in present}
    used = {readable_name(category).casefold() for category in present}
    order = rng.permutation(np.array(sorted(vocabulary.keys() - ids), np.int64))
    for number in order.tolist():
        category = vocabulary[number]
        name = readable_name(category)
        if category.isthing not in kinds or name_problem(name) or name.casefold() in used:
            continue
        if any(might_be_called(category, other) for other in present):
            continue
        if any(might_be_called(other, category) for other in present):
            continue
        used.add(name.casefold())
        yield category


def might_be_called(category: Category, other: Category) -> bool:
    """Whether a person might call a category by the name of another one."""
    return might_mean(readable_name(other), category.name, category.isthing)


@lru_cache(maxsize=8192)
def _noun(name: str, isthing: bool) -> Noun | None:
    return noun_of(name, isthing)


def _plain(name: str) -> str:
    return " ".join(name.replace("_", " ").split())
