"""The tasks, after those of CV-Bench (S. Tong et al., "Cambrian-1", 2024): count, presence,
position in the picture, relation of two, and which of two is nearer.

A question is a candidate only where its answer is certain: nothing of the category was left out,
is hidden, is a crowd or is too small to be noticed, and no other category that is there could be
meant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, get_args

from sgt_data.questions.objects import Kind, SeenPicture, Thing
from sgt_data.questions.wording import (
    HALVES,
    SIDES,
    confusable,
    count_question,
    nearer_question,
    noun,
    position_question,
    presence_question,
    relation_question,
)
from sgt_data.seeds import derive_seed

Task = Literal["count", "presence", "position", "relation", "nearer"]
TASKS: tuple[Task, ...] = get_args(Task)

_ABSENCES = 4
"""How many questions with the answer no are offered for each with the answer yes: enough to choose
from in every split, and not a hundred a picture."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What makes an answer certain.

    Attributes:
        min_area: least visible share of the picture of what is asked about.
        count_max: the largest number that is asked for.
        centre_margin: least distance of two centres, or of one and the picture's middle line, as a
            share of the picture's side.
        nearness_margin: least difference of two medians of inverse depth, as a share of the range
            that the depth map tells.
        unlabelled_max: the largest share of a picture without label in which stuff may be said to
            be absent.
    """

    min_area: float = 0.005
    count_max: int = 10
    centre_margin: float = 0.1
    nearness_margin: float = 0.15
    unlabelled_max: float = 0.05


@dataclass(frozen=True, slots=True)
class Candidate:
    """A question that could be asked.

    Attributes:
        key: of the picture.
        task, text, answer: of the question.
        rank: seeded and keyed by picture and text, never by the answer; of several questions those
            of the lowest rank are taken.
    """

    key: str
    task: Task
    text: str
    answer: str
    rank: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Something that is not asked, and why."""

    task: Task
    reason: str


Found = Candidate | LeftOut


@dataclass(frozen=True, slots=True)
class Questioner:
    """Finds what could be asked of a picture.

    Attributes:
        shown: by source, the categories that its pictures show, each with the share of pictures.
        seed: of all choices.
        rules: see there.
    """

    shown: Mapping[str, Mapping[Kind, float]]
    seed: int
    rules: Rules = Rules()

    def counts(self, picture: SeenPicture) -> Iterator[Found]:
        """How many there are of each category of things."""
        for kind, group in picture.things.items():
            if not kind[1]:
                continue
            spoken = noun(kind)
            text = None if spoken is None else count_question(spoken)
            if text is None:
                yield LeftOut("count", "no noun for it")
            elif reason := self._uncertain(picture, kind):
                yield LeftOut("count", reason)
            elif len(group) > self.rules.count_max:
                yield LeftOut("count", "too many")
            else:
                yield self._candidate(picture, "count", text, str(len(group)))

    def presences(self, picture: SeenPicture) -> Iterator[Found]:
        """Whether there is any of the categories that the source's pictures show somewhere."""
        shown = self.shown.get(picture.source, {})
        for kind in sorted(picture.things.keys() | shown.keys()):
            spoken = noun(kind)
            there = picture.things.get(kind)
            if there is None and not self._is_offered(picture.key, kind, shown[kind]):
                continue
            if spoken is None:
                yield LeftOut("presence", "no noun for it")
            elif there is None and (reason := self._maybe_there(picture, kind)):
                yield LeftOut("presence", reason)
            elif there is not None and max(one.area for one in there) < self.rules.min_area:
                yield LeftOut("presence", "too small")
            else:
                answer = "no" if there is None else "yes"
                yield self._candidate(picture, "presence", presence_question(spoken), answer)

    def positions(self, picture: SeenPicture) -> Iterator[Found]:
        """In which half of the picture a category is that occurs once."""
        for thing in self._single_things(picture):
            for axis, answers in enumerate(HALVES):
                if not _in_one_half(thing, axis, self.rules.centre_margin):
                    yield LeftOut("position", "about the middle")
                    continue
                text = position_question(axis, _singular(thing))
                answer = answers[thing.centre(axis) > 0.5]
                yield self._candidate(picture, "position", text, answer)

    def relations(self, picture: SeenPicture) -> Iterator[Found]:
        """Left or right, above or below, of two categories that occur once each; asked in both
        orders, so that to prefer what is named first helps nobody."""
        for first, second in combinations(self._single_things(picture), 2):
            names = _singular(first), _singular(second)
            for axis, answers in enumerate(SIDES):
                if not _apart(first, second, axis, self.rules.centre_margin):
                    yield LeftOut("relation", "not clearly apart")
                    continue
                after = first.centre(axis) > second.centre(axis)
                for ordered, answer in (
                    (names, answers[after]), (names[::-1], answers[not after]),
                ):  # fmt: skip
                    text = relation_question(axis, *ordered)
                    yield self._candidate(picture, "relation", text, answer)

    def nearers(
        self, picture: SeenPicture, nearness_of: Callable[[Thing], float]
    ) -> Iterator[Found]:
        """Which of two categories that occur once each is nearer, asked in both orders.

        Args:
            picture: to ask about.
            nearness_of: 0 to 1, see `objects.nearness`.
        """
        for first, second in combinations(self._single_things(picture), 2):
            lead = nearness_of(first) - nearness_of(second)
            if abs(lead) < self.rules.nearness_margin:
                yield LeftOut("nearer", "about as near as each other")
                continue
            names = _singular(first), _singular(second)
            answer = names[0] if lead > 0 else names[1]
            for ordered in (names, names[::-1]):
                yield self._candidate(picture, "nearer", nearer_question(*ordered), answer)

    def _single_things(self, picture: SeenPicture) -> list[Thing]:
        """Those that "the dog" means without doubt."""
        return [
            group[0]
            for kind, group in picture.things.items()
            if kind[1]
            and len(group) == 1
            and (spoken := noun(kind)) is not None
            and spoken.singular is not None
            and not self._uncertain(picture, kind)
        ]

    def _uncertain(self, picture: SeenPicture, kind: Kind) -> str | None:
        """Why it may not be certain how many there are of a visible category."""
        group = picture.things[kind]
        if picture.incomplete:
            return "filters left something out"
        if kind in picture.hidden:
            return "one of them is hidden"
        if any(one.iscrowd for one in group):
            return "a crowd"
        if min(one.area for one in group) < self.rules.min_area:
            return "too small"
        if confusable(kind, picture.present):
            return "could mean another category"
        return None

    def _maybe_there(self, picture: SeenPicture, kind: Kind) -> str | None:
        """Why it may not be certain that an invisible category is absent."""
        if picture.incomplete:
            return "filters left something out"
        if kind in picture.hidden:
            return "it is hidden"
        if confusable(kind, picture.present):
            return "could mean another category"
        if not kind[1] and picture.unlabelled > self.rules.unlabelled_max:
            return "much of the picture has no label"
        return None

    def _is_offered(self, key: str, kind: Kind, share: float) -> bool:
        """Whether to ask for something absent, which is so of nearly everything: by the share of
        pictures that show it."""
        chance = _ABSENCES * share * 2**64
        return derive_seed(self.seed, "absent", key, kind[0], str(kind[1])) < chance

    def _candidate(self, picture: SeenPicture, task: Task, text: str, answer: str) -> Candidate:
        rank = derive_seed(self.seed, "question", task, picture.key, text)
        return Candidate(picture.key, task, text, answer, rank)


def _singular(thing: Thing) -> str:
    spoken = noun(thing.kind)
    assert spoken is not None and spoken.singular is not None
    return spoken.singular


def _apart(one: Thing, other: Thing, axis: int, margin: float) -> bool:
    """Whether centres lie apart, and neither reaches beyond the other on both sides."""
    distance = other.centre(axis) - one.centre(axis)
    low, high = (other.box[side] - one.box[side] for side in (axis, axis + 2))
    return abs(distance) >= margin and low * distance > 0 and high * distance > 0


def _in_one_half(thing: Thing, axis: int, margin: float) -> bool:
    """Whether its centre is clear of the middle line, with at least three quarters of its box on
    the same side."""
    low, high = thing.box[axis], thing.box[axis + 2]
    beyond = min(0.5 - low, high - 0.5)
    return abs(thing.centre(axis) - 0.5) >= margin and beyond <= (high - low) / 4
