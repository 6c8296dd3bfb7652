"""Which class of a picture an `each` sample names: one that it shows, or one that is absent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sgt_data.errors import FilteredOut
from sgt_data.records import Category
from sgt_data.referring.nouns import is_ambiguous, noun_of
from sgt_data.referring.wordings import with_article

Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ClassLimits:
    """What makes a class of a picture one that can be drawn.

    Attributes:
        min_instances: fewest visible individuals.
        max_instances: most; None for any number.
        min_area: least visible pixels of each individual.
    """

    min_instances: int
    max_instances: int | None
    min_area: float


@dataclass(frozen=True, slots=True)
class NamedClass:
    """A class, and the forms of the noun that instructions name it by.

    Attributes:
        category: the class.
        words: its noun by placeholder, for example "dog", "a dog" and "dogs".
        count: individuals that the picture shows.
    """

    category: Category
    words: Mapping[str, str]
    count: int


def class_words(name: str) -> dict[str, str] | None:
    """The noun of a class of things by placeholder; None where it has no singular or plural."""
    noun = noun_of(name, isthing=True)
    if noun is None or noun.singular is None or noun.plural is None:
        return None
    return {
        "thing": noun.singular,
        "a_thing": with_article(noun.singular),
        "things": noun.plural,
    }


def could_mean(name: str, others: Iterable[tuple[str, bool]]) -> bool:
    """Whether the noun of a class of things might mean one of some categories.

    Args:
        name: of the class.
        others: name of each category, and whether it is of things.
    """
    noun = noun_of(name, isthing=True)
    return noun is not None and is_ambiguous(noun, others)


def drawable_classes(
    visible: Sequence[Facts],
    hidden: Sequence[Facts],
    vocabulary: Mapping[int, Category],
    limits: ClassLimits,
) -> list[NamedClass]:
    """The classes of a picture that can be drawn, by rising id; never empty.

    Raises:
        FilteredOut: there is none; says what is against each class of things.
    """
    everything = [*visible, *hidden]
    present = {vocabulary[fact["category_id"]] for fact in everything}
    crowded = {fact["category_id"] for fact in everything if fact["iscrowd"]}
    drawable, reasons = [], Counter[str]()
    for category in sorted(present, key=lambda category: category.id):
        if not category.isthing:
            continue
        areas = [fact["visible_area"] for fact in visible if fact["category_id"] == category.id]
        others = {(other.name, other.isthing) for other in present - {category}}
        words = class_words(category.name)
        if category.id in crowded:
            reasons["a crowd region"] += 1
        elif words is None:
            reasons["a name that no sentence can use"] += 1
        elif could_mean(category.name, others):
            reasons["a noun that could mean another class of the picture"] += 1
        elif problem := _against(areas, limits):
            reasons[problem] += 1
        else:
            drawable.append(NamedClass(category, words, len(areas)))
    if not drawable:
        raise FilteredOut(_nothing_to_draw(reasons))
    return drawable


def absent_classes(
    everything: Sequence[Facts], vocabulary: Mapping[int, Category]
) -> list[NamedClass]:
    """The classes of things of which nothing is annotated in a picture, by rising id.

    Classes whose noun could mean something that is annotated are not among them.
    """
    present = {
        (category.name, category.isthing)
        for category in {vocabulary[fact["category_id"]] for fact in everything}
    }
    absent = []
    for number in sorted(vocabulary):
        category = vocabulary[number]
        words = class_words(category.name)
        if not category.isthing or words is None or (category.name, True) in present:
            continue
        if not could_mean(category.name, present):
            absent.append(NamedClass(category, words, 0))
    return absent


def chosen_class(
    classes: Sequence[NamedClass], power: float, rng: np.random.Generator
) -> NamedClass:
    """One of some classes; the chance of each is proportional to its count to this power."""
    weights = np.cumsum([float(max(named.count, 1)) ** power for named in classes])
    place = int(np.searchsorted(weights, rng.random() * weights[-1], side="right"))
    return classes[min(place, len(classes) - 1)]


def _against(areas: Sequence[int], limits: ClassLimits) -> str | None:
    """Why a class of which these areas are visible is not drawn."""
    if len(areas) < limits.min_instances:
        return "fewer visible individuals than min_instances"
    if limits.max_instances is not None and len(areas) > limits.max_instances:
        return "more individuals than max_instances"
    if min(areas, default=0) < limits.min_area:
        return "an individual smaller than min_area"
    return None


def _nothing_to_draw(reasons: Counter[str]) -> str:
    if not reasons:
        return "no thing of any class is annotated"
    listed = ", ".join(f"{reason} ({count})" for reason, count in sorted(reasons.items()))
    return f"no class of its things can be drawn, because of {listed}"
