"""Which classes and individuals of a picture a legend names, and what the rest is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sgt_data.facts import NO_BOX
from sgt_data.legends.names import class_names, might_be_called, scope_of
from sgt_data.legends.text import Scope
from sgt_data.records import Category
from sgt_data.referring.phrases import Candidate, Margins, candidates
from sgt_data.referring.segment_facts import SegmentFacts
from sgt_data.segmentation.regions import PaintedSegments, Positions, Regions

Vocabulary = Mapping[int, Category]
"""Categories of a source by id."""

INDIVIDUALS_MAX = 6
"""Most things of a class that are named one by one: as many as places and sizes single out."""

MARGINS = Margins(centre=0.1, edge=0.05, size=2.0, area=0.002)
"""What makes the phrase of an individual unmistakable: as for the proxy `referring`."""


@dataclass(frozen=True, slots=True)
class Part:
    """What one entry of a legend names.

    Attributes:
        category: the category.
        positions: its segments.
        name: a class's name, or the phrase of an individual.
        scope: what the name means.
    """

    category: Category
    positions: Positions
    name: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Choice:
    """The classes of a picture.

    Attributes:
        listed: segments of each category that the legend names, the largest first.
        unlisted: segments of each other category of the picture.
    """

    listed: Mapping[int, Positions]
    unlisted: Mapping[int, Positions]


def choose_classes(
    regions: Regions,
    chosen: Positions,
    vocabulary: Mapping[int, Category],
    most: int,
    min_area: float,
) -> Choice:
    """Choose the classes that a legend names: the largest ones.

    A class of which a segment is not chosen is not listed, for then its name would promise more
    than is drawn. Nor is one whose name might mean an unlisted class as well.

    Args:
        regions: the segments of a picture.
        chosen: those that the manifest's filters keep.
        vocabulary: the source's categories by id.
        most: most classes that are listed.
        min_area: least share of the picture that a class covers, hidden pixels included.
    """
    categories = regions.category_ids
    positions = {int(each): np.flatnonzero(categories == each) for each in np.unique(categories)}
    kept = np.zeros(len(categories), np.bool_)
    kept[chosen] = True
    areas = {each: int(regions.areas[where].sum()) for each, where in positions.items()}
    least = min_area * regions.height * regions.width
    fitting = [each for each, where in positions.items() if kept[where].all()]
    large = [each for each in fitting if areas[each] >= least]
    listed = sorted(large, key=lambda each: (-areas[each], each))[:most]
    hazy = set(fitting) - set(listed)
    while vague := [
        each
        for each in listed
        if any(might_be_called(vocabulary[other], vocabulary[each]) for other in hazy)
    ]:
        listed = [each for each in listed if each not in vague]
        hazy |= set(vague)
    return Choice(
        {each: positions[each] for each in listed},
        {each: where for each, where in positions.items() if each not in listed},
    )


def parts_of(choice: Choice, vocabulary: Mapping[int, Category]) -> list[Part]:
    """A part for each listed class.

    Raises:
        AnnotationError: a class has no name that a legend can have, or two have the same.
    """
    names = class_names([vocabulary[each] for each in choice.listed])
    return [
        Part(vocabulary[each], where, names[each], scope_of(vocabulary[each]))
        for each, where in choice.listed.items()
    ]


def may_have_individuals(parts: Sequence[Part]) -> bool:
    """Whether phrases might single out the things of a class."""
    return any(_may_be_split(part) for part in parts)


def with_individuals(
    parts: Sequence[Part],
    ids: NDArray[np.int64],
    options: Sequence[Candidate],
    most: int,
    rng: np.random.Generator,
) -> list[Part]:
    """Parts in which things stand one by one, where a phrase singles out each of their class.

    Args:
        parts: a part for each listed class.
        ids: ids of the segments of the picture.
        options: phrases of the picture.
        most: most parts.
        rng: chooses between phrases.
    """
    split: list[Part] = []
    for number, part in enumerate(parts):
        singles = _individuals(part, ids, options, rng) if _may_be_split(part) else []
        room = most - len(split) - (len(parts) - number - 1)
        split += singles if 0 < len(singles) <= room else [part]
    return split


def phrases_of(
    regions: Regions, drawn: PaintedSegments, height: int, width: int, vocabulary: Vocabulary
) -> list[Candidate]:
    """Phrases that mean exactly some of a picture's segments.

    Args:
        regions: the segments of the picture.
        drawn: all of them, painted one by one.
        height, width: size of the output.
        vocabulary: the source's categories by id.
    """
    visible = [
        _facts_of(regions, position, vocabulary, area, box)
        for position, area, box in zip(
            drawn.visible.tolist(), drawn.areas.tolist(), drawn.boxes.tolist(), strict=True
        )
    ]
    hidden = [
        _facts_of(regions, position, vocabulary, 0, NO_BOX) for position in drawn.hidden.tolist()
    ]
    return candidates(visible, hidden, height, width, MARGINS)


def _facts_of(
    regions: Regions, position: int, vocabulary: Vocabulary, area: int, box: Sequence[int]
) -> SegmentFacts:
    segment = regions.segments[position]
    assert segment.category_id is not None
    category = vocabulary[segment.category_id]
    left, top, width, height = box
    return SegmentFacts(
        segment.id, category.name, category.isthing, segment.iscrowd, area,
        (left, top, width, height),
    )  # fmt: skip


def _may_be_split(part: Part) -> bool:
    return part.category.isthing and 2 <= len(part.positions) <= INDIVIDUALS_MAX


def _individuals(
    part: Part, ids: NDArray[np.int64], options: Sequence[Candidate], rng: np.random.Generator
) -> list[Part]:
    """A part for each thing of a class; none where a thing has no phrase of its own."""
    singles = []
    for position in part.positions.tolist():
        wordings = [
            wording
            for option in options
            if option.ids == {int(ids[position])} and option.kind in ("place", "size")
            for wording in option.wordings
        ]
        if not wordings:
            return []
        phrase = wordings[int(rng.integers(len(wordings)))]
        singles.append(Part(part.category, np.array([position]), phrase, "individual"))
    return singles
