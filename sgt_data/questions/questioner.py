"""Which questions can be asked about a picture.

A question is a candidate only where its answer is certain: nothing of the category was left out, is
hidden, is a crowd or is too small to notice, and no other category in the picture could be meant.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from sgt_data.questions.picture_facts import PictureFacts, VisibleSegment
from sgt_data.questions.question_tasks import (
    Candidate,
    LeftOut,
    Outcome,
    Rules,
    Task,
)
from sgt_data.questions.wording import (
    HALVES,
    SIDES,
    count_question,
    is_confusable,
    nearer_question,
    position_question,
    presence_question,
    question_noun,
    relation_question,
)
from sgt_data.referring.segment_facts import NamedCategory
from sgt_data.seeds import derive_seed

_ABSENCES = 4
"""How many questions with the answer no are offered for each with the answer yes: enough to choose
from in every split, and not a hundred for each picture."""


@dataclass(frozen=True, slots=True)
class Questioner:
    """Finds the questions that can be asked about a picture.

    Attributes:
        shown: by source, the categories that its pictures show, each with the share of the pictures
            that show it, 0 to 1.
        seed: seed of every choice.
        rules: the bounds within which an answer is certain.
    """

    shown: Mapping[str, Mapping[NamedCategory, float]]
    seed: int
    rules: Rules = field(default_factory=Rules)

    def counts(self, picture: PictureFacts) -> Iterator[Outcome]:
        """Questions how many things of a category the picture shows."""
        for category, group in picture.segments.items():
            if not category.isthing:
                continue
            noun = question_noun(category)
            text = None if noun is None else count_question(noun)
            if text is None:
                yield LeftOut("count", "no noun for it")
            elif reason := self._count_doubt(picture, category):
                yield LeftOut("count", reason)
            elif len(group) > self.rules.count_max:
                yield LeftOut("count", "too many")
            else:
                yield self._candidate(picture, "count", text, str(len(group)))

    def presences(self, picture: PictureFacts) -> Iterator[Outcome]:
        """Questions whether the picture shows a category that pictures of its source show."""
        shown = self.shown.get(picture.source, {})
        for category in sorted(picture.segments.keys() | shown.keys()):
            noun = question_noun(category)
            group = picture.segments.get(category)
            if group is None and not self._is_offered(picture.key, category, shown[category]):
                continue
            if noun is None:
                yield LeftOut("presence", "no noun for it")
            elif group is None and (reason := self._absence_doubt(picture, category)):
                yield LeftOut("presence", reason)
            elif group is not None and max(segment.area for segment in group) < self.rules.min_area:
                yield LeftOut("presence", "too small")
            else:
                answer = "no" if group is None else "yes"
                yield self._candidate(picture, "presence", presence_question(noun), answer)

    def positions(self, picture: PictureFacts) -> Iterator[Outcome]:
        """Questions in which half of the picture the only thing of a category is."""
        for thing in self._single_things(picture):
            for axis, answers in enumerate(HALVES):
                if not _is_in_one_half(thing, axis, self.rules.centre_margin):
                    yield LeftOut("position", "about the middle")
                    continue
                text = position_question(axis, _singular(thing))
                answer = answers[thing.centre(axis) > 0.5]
                yield self._candidate(picture, "position", text, answer)

    def relations(self, picture: PictureFacts) -> Iterator[Outcome]:
        """Questions where one thing is relative to another: left or right, above or below.

        Both are the only things of their categories. They are asked about in both orders, so that
        a reader gains nothing by preferring the first name.
        """
        for first, second in combinations(self._single_things(picture), 2):
            names = _singular(first), _singular(second)
            for axis, answers in enumerate(SIDES):
                if not _are_apart(first, second, axis, self.rules.centre_margin):
                    yield LeftOut("relation", "not clearly apart")
                    continue
                after = first.centre(axis) > second.centre(axis)
                for ordered, answer in (
                    (names, answers[after]), (names[::-1], answers[not after]),
                ):  # fmt: skip
                    text = relation_question(axis, *ordered)
                    yield self._candidate(picture, "relation", text, answer)

    def nearers(
        self, picture: PictureFacts, nearness_of: Callable[[VisibleSegment], float]
    ) -> Iterator[Outcome]:
        """Questions which of two things is nearer to the camera, in both orders.

        Both are the only things of their categories.

        Args:
            picture: to ask about.
            nearness_of: nearness of a segment, 0 to 1, see `picture_facts.nearness`.
        """
        for first, second in combinations(self._single_things(picture), 2):
            lead = nearness_of(first) - nearness_of(second)
            if math.isnan(lead):
                yield LeftOut("nearer", "depth not measured")
                continue
            if abs(lead) < self.rules.nearness_margin:
                yield LeftOut("nearer", "about as near as each other")
                continue
            names = _singular(first), _singular(second)
            answer = names[0] if lead > 0 else names[1]
            for ordered in (names, names[::-1]):
                yield self._candidate(picture, "nearer", nearer_question(*ordered), answer)

    def _single_things(self, picture: PictureFacts) -> list[VisibleSegment]:
        """Things that "the dog" means without doubt."""
        return [
            group[0]
            for category, group in picture.segments.items()
            if category.isthing
            and len(group) == 1
            and (noun := question_noun(category)) is not None
            and noun.singular is not None
            and not self._count_doubt(picture, category)
        ]

    def _count_doubt(self, picture: PictureFacts, category: NamedCategory) -> str | None:
        """Why it is not certain how many there are of a visible category; None where it is."""
        group = picture.segments[category]
        if picture.is_filtered:
            return "filters left something out"
        if category in picture.hidden:
            return "one of them is hidden"
        if any(segment.iscrowd for segment in group):
            return "a crowd"
        if min(segment.area for segment in group) < self.rules.min_area:
            return "too small"
        if is_confusable(category, picture.present):
            return "could mean another category"
        return None

    def _absence_doubt(self, picture: PictureFacts, category: NamedCategory) -> str | None:
        """Why it is not certain that a category without visible segments is absent."""
        if picture.is_filtered:
            return "filters left something out"
        if category in picture.hidden:
            return "it is hidden"
        if is_confusable(category, picture.present):
            return "could mean another category"
        if not category.isthing and picture.unlabelled > self.rules.unlabelled_max:
            return "much of the picture has no label"
        return None

    def _is_offered(self, key: str, category: NamedCategory, share: float) -> bool:
        """Whether to ask about an absent category, in proportion to the pictures that show it.

        Nearly every category is absent from a picture, so that most are not asked about.
        """
        chance = _ABSENCES * share * 2**64
        name, isthing = category
        return derive_seed(self.seed, "absent", key, name, str(isthing)) < chance

    def _candidate(self, picture: PictureFacts, task: Task, text: str, answer: str) -> Candidate:
        rank = derive_seed(self.seed, "question", task, picture.key, text)
        return Candidate(picture.key, task, text, answer, rank)


def _singular(thing: VisibleSegment) -> str:
    noun = question_noun(thing.category)
    assert noun is not None and noun.singular is not None
    return noun.singular


def _are_apart(first: VisibleSegment, second: VisibleSegment, axis: int, margin: float) -> bool:
    """Whether centres lie apart, and neither box reaches beyond the other on both sides."""
    distance = second.centre(axis) - first.centre(axis)
    low, high = (second.box[side] - first.box[side] for side in (axis, axis + 2))
    return abs(distance) >= margin and low * distance > 0 and high * distance > 0


def _is_in_one_half(thing: VisibleSegment, axis: int, margin: float) -> bool:
    """Whether the centre is off the middle line, and three quarters of the box lie on its side."""
    low, high = thing.box[axis], thing.box[axis + 2]
    beyond = min(0.5 - low, high - 0.5)
    return abs(thing.centre(axis) - 0.5) >= margin and beyond <= (high - low) / 4
