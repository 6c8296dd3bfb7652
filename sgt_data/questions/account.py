"""What became of all candidates: counts by split and task, and what was not asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.questions.balance import Question
from sgt_data.questions.blind import BlindReader
from sgt_data.questions.tasks import TASKS, Candidate

Chosen = Mapping[str, Sequence[Question]]


def splits_account(chosen: Chosen) -> dict[str, dict[str, dict[str, Any]]]:
    """By split and task, for those that have questions: `questions`, `texts`, `pictures`, `answers`
    (how often each occurs), `chance` (the share that guessing among each text's answers gets right)
    and `blind` (the share that the best reader without the picture does, who learned on train)."""
    reader = BlindReader(chosen.get("train", ()))
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for split, questions in chosen.items():
        table[split] = {}
        for task in TASKS:
            of_task = [question for question in questions if question.asked.task == task]
            if of_task:
                table[split][task] = _row(of_task, reader)
    return table


def _row(questions: Sequence[Question], reader: BlindReader) -> dict[str, Any]:
    texts = Counter(question.asked.text for question in questions)
    answers = Counter(question.asked.answer for question in questions)
    choices = {question.asked.text: len(question.choices) for question in questions}
    guessed = sum(count // choices[text] for text, count in texts.items())  # exact: they balance
    return {
        "questions": len(questions),
        "texts": len(texts),
        "pictures": len({question.asked.key for question in questions}),
        "answers": {one: answers[one] for one in sorted(answers, key=lambda one: (len(one), one))},
        "chance": guessed / len(questions),
        "blind": reader.right(questions) / len(questions),
    }


def left_out_account(
    refused: Mapping[tuple[str, str], int],
    candidates: Sequence[Candidate],
    splits: Mapping[str, Sequence[Candidate]],
    chosen: Chosen,
) -> dict[str, dict[str, int]]:
    """By task and reason, how many questions were not asked.

    Args:
        refused: those that were no candidates, by task and reason.
        candidates: all of them.
        splits, chosen: those that are in a split, and those of them that are asked.
    """
    account: dict[str, dict[str, int]] = defaultdict(dict)
    for (task, reason), count in sorted(refused.items()):
        account[task][reason] = count
    everywhere = Counter(one.task for one in candidates)
    in_splits = Counter(one.task for some in splits.values() for one in some)
    asked = Counter(question.asked.task for some in chosen.values() for question in some)
    for task in everywhere:
        if outside := everywhere[task] - in_splits[task]:
            account[task]["the picture is in no split"] = outside
        if surplus := in_splits[task] - asked[task]:
            account[task]["to balance the answers, or beyond the limit per picture"] = surplus
    return dict(account)
