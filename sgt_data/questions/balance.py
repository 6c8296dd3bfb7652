"""Choose questions so that their words do not tell the answers.

Within each split every exact question text has the same number of each of its answers, and it has
at least two, the same ones in all splits. Whatever a reader makes of the words alone, it is right
in one of as many cases as there are answers: at chance, exactly.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sgt_data.questions.tasks import Candidate

_ANSWERS_MAX = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A chosen candidate, and the answers that its text has equally often."""

    asked: Candidate
    choices: tuple[str, ...]


Splits = Mapping[str, Sequence[Candidate]]


def choose_questions(
    splits: Splits, per_picture: int, per_task: int | None = None
) -> dict[str, list[Question]]:
    """A balanced choice with at most so many questions of each task about a picture, and in a
    split.

    It depends on what the candidates are, not on their order.

    Args:
        splits: candidates by the name of their split; no two with the same key and text.
        per_picture, per_task: see above.
    """
    within_limit = {
        split: limited([one.asked for one in questions], per_picture)
        for split, questions in balanced(splits).items()
    }
    chosen = balanced(within_limit)
    if per_task is None:
        return chosen
    return {split: thinned(questions, per_task) for split, questions in chosen.items()}


def balanced(splits: Splits) -> dict[str, list[Question]]:
    """The candidates of the lowest ranks, as many of each answer of a text; by key, then rank.

    A text's answers are those that keep most of its candidates, over all splits.
    """
    counts = {
        split: Counter((one.text, one.answer) for one in candidates)
        for split, candidates in splits.items()
    }
    choices = _choices(counts.values())
    kept: dict[str, list[Question]] = {}
    for split, candidates in splits.items():
        room = {
            (text, answer): min(counts[split][text, one] for one in answers)
            for text, answers in choices.items()
            for answer in answers
        }
        kept[split] = []
        for one in sorted(candidates, key=_by_rank):
            if room.get((one.text, one.answer), 0):
                room[one.text, one.answer] -= 1
                kept[split].append(Question(one, choices[one.text]))
        kept[split].sort(key=lambda question: (question.asked.key, _by_rank(question.asked)))
    return kept


def limited(candidates: Iterable[Candidate], per_picture: int) -> list[Candidate]:
    """Of each picture and task the candidates of the lowest ranks."""
    taken: Counter[tuple[str, str]] = Counter()
    kept = []
    for one in sorted(candidates, key=_by_rank):
        taken[one.key, one.task] += 1
        if taken[one.key, one.task] <= per_picture:
            kept.append(one)
    return kept


def thinned(questions: Sequence[Question], per_task: int) -> list[Question]:
    """Of each task at most so many: the same share of every text's, as many of each answer."""
    tasks: Counter[str] = Counter(one.asked.task for one in questions)
    room = {
        pair: count * per_task // max(per_task, tasks[pair[0]])
        for pair, count in Counter(map(_pair, questions)).items()
    }
    kept = []
    for one in sorted(questions, key=lambda question: _by_rank(question.asked)):
        room[_pair(one)] -= 1
        if room[_pair(one)] >= 0:
            kept.append(one)
    return sorted(kept, key=lambda question: (question.asked.key, _by_rank(question.asked)))


def _pair(question: Question) -> tuple[str, str, str]:
    return question.asked.task, question.asked.text, question.asked.answer


def _by_rank(one: Candidate) -> tuple[int, str, str]:
    return one.rank, one.key, one.text


def _choices(counts: Iterable[Counter[tuple[str, str]]]) -> dict[str, tuple[str, ...]]:
    """The answers of each text that can be balanced."""
    tables: dict[str, list[dict[str, int]]] = defaultdict(list)
    for count in counts:
        of_split: dict[str, dict[str, int]] = defaultdict(dict)
        for (text, answer), number in count.items():
            of_split[text][answer] = number
        for text, table in of_split.items():
            tables[text].append(table)
    found = {text: _best_answers(of_text) for text, of_text in tables.items()}
    return {text: answers for text, answers in found.items() if answers}


def _best_answers(tables: Sequence[Mapping[str, int]]) -> tuple[str, ...]:
    """The set of two answers or more that keeps most questions; the larger of two that keep as
    many. Empty where none keeps any.

    Args:
        tables: how often each answer occurs, by split.
    """
    totals = sum((Counter(table) for table in tables), Counter[str]())
    frequent = sorted(totals, key=lambda one: (-totals[one], one))[:_ANSWERS_MAX]
    answers = sorted(frequent, key=lambda one: (len(one), one))
    best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    for size in range(len(answers), 1, -1):
        for some in combinations(answers, size):
            kept = sum(size * min(table.get(one, 0) for one in some) for table in tables)
            if (kept, size) > best[:2]:
                best = (kept, size, some)
    return best[2]
