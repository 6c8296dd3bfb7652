"""Choose questions so that their words do not tell the answers.

Within each split every exact question text has the same number of each of its answers. It has at
least two answers, the same in all splits. A reader of the words alone is therefore right in one of
as many cases as the text has answers: exactly at chance.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from sgt_data.questions.question_tasks import Candidate

_ANSWERS_MAX = 10


@dataclass(frozen=True, slots=True)
class Question:
    """A chosen candidate.

    Attributes:
        candidate: the question and its answer.
        choices: the answers that its text has, all equally often.
    """

    candidate: Candidate
    choices: tuple[str, ...]


Splits = Mapping[str, Sequence[Candidate]]
"""Candidates by the name of their split."""


def choose_questions(
    splits: Splits, per_picture: int, per_task: int | None = None
) -> dict[str, list[Question]]:
    """Choose a balanced set of questions for each split.

    The choice depends on what the candidates are, not on their order.

    Args:
        splits: candidates by the name of their split; no two have the same key and text.
        per_picture: most questions of each task about one picture.
        per_task: most questions of each task in a split; None for no limit.
    """
    within_limit = {
        split: limit_per_picture([question.candidate for question in questions], per_picture)
        for split, questions in balance_answers(splits).items()
    }
    chosen = balance_answers(within_limit)
    if per_task is None:
        return chosen
    return {split: limit_per_task(questions, per_task) for split, questions in chosen.items()}


def balance_answers(splits: Splits) -> dict[str, list[Question]]:
    """Keep the same number of each answer of a text, those of the lowest ranks.

    The answers of a text are those that keep most of its candidates, over all splits.

    Returns:
        Questions by split, sorted by key, then rank.
    """
    counts = {
        split: Counter((candidate.text, candidate.answer) for candidate in candidates)
        for split, candidates in splits.items()
    }
    choices = _choices(counts.values())
    kept: dict[str, list[Question]] = {}
    for split, candidates in splits.items():
        remaining = {
            (text, answer): min(counts[split][text, other] for other in answers)
            for text, answers in choices.items()
            for answer in answers
        }
        kept[split] = []
        for candidate in sorted(candidates, key=_by_rank):
            if remaining.get((candidate.text, candidate.answer), 0):
                remaining[candidate.text, candidate.answer] -= 1
                kept[split].append(Question(candidate, choices[candidate.text]))
        kept[split].sort(key=_by_key)
    return kept


def limit_per_picture(candidates: Iterable[Candidate], per_picture: int) -> list[Candidate]:
    """Keep at most so many candidates of each picture and task, those of the lowest ranks."""
    counts: Counter[tuple[str, str]] = Counter()
    kept = []
    for candidate in sorted(candidates, key=_by_rank):
        counts[candidate.key, candidate.task] += 1
        if counts[candidate.key, candidate.task] <= per_picture:
            kept.append(candidate)
    return kept


def limit_per_task(questions: Sequence[Question], per_task: int) -> list[Question]:
    """Keep at most so many questions of each task: the same share of each text, still balanced."""
    tasks: Counter[str] = Counter(question.candidate.task for question in questions)
    remaining = {
        stratum: count * per_task // max(per_task, tasks[stratum[0]])
        for stratum, count in Counter(map(_stratum, questions)).items()
    }
    kept = []
    for question in sorted(questions, key=lambda question: _by_rank(question.candidate)):
        remaining[_stratum(question)] -= 1
        if remaining[_stratum(question)] >= 0:
            kept.append(question)
    return sorted(kept, key=_by_key)


def _stratum(question: Question) -> tuple[str, str, str]:
    candidate = question.candidate
    return candidate.task, candidate.text, candidate.answer


def _by_rank(candidate: Candidate) -> tuple[int, str, str]:
    return candidate.rank, candidate.key, candidate.text


def _by_key(question: Question) -> tuple[str, tuple[int, str, str]]:
    return question.candidate.key, _by_rank(question.candidate)


def _choices(counts: Iterable[Counter[tuple[str, str]]]) -> dict[str, tuple[str, ...]]:
    """The answers of each text that can be balanced."""
    tables: dict[str, list[dict[str, int]]] = defaultdict(list)
    for count in counts:
        of_split: dict[str, dict[str, int]] = defaultdict(dict)
        for (text, answer), number in count.items():
            of_split[text][answer] = number
        for text, table in of_split.items():
            tables[text].append(table)
    best = {text: _best_answers(of_text) for text, of_text in tables.items()}
    return {text: answers for text, answers in best.items() if answers}


def _best_answers(tables: Sequence[Mapping[str, int]]) -> tuple[str, ...]:
    """The set of two answers or more that keeps most questions; of equal sets the largest.

    Empty where no set keeps any question.

    Args:
        tables: how often each answer occurs, by split.
    """
    totals = sum((Counter(table) for table in tables), Counter[str]())
    frequent = sorted(totals, key=lambda answer: (-totals[answer], answer))[:_ANSWERS_MAX]
    answers = sorted(frequent, key=lambda answer: (len(answer), answer))
    best: tuple[int, int, tuple[str, ...]] = (0, 0, ())
    for size in range(len(answers), 1, -1):
        for chosen in combinations(answers, size):
            kept = sum(size * min(table.get(answer, 0) for answer in chosen) for table in tables)
            if (kept, size) > best[:2]:
                best = (kept, size, chosen)
    return best[2]
