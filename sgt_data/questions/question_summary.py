"""How many questions were asked by split and task, what chance is, and what was not asked."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.questions.balance import Question
from sgt_data.questions.blind_reader import BlindReader
from sgt_data.questions.question_tasks import TASKS, Candidate

QuestionsBySplit = Mapping[str, Sequence[Question]]


def summarise_splits(chosen: QuestionsBySplit) -> dict[str, dict[str, dict[str, Any]]]:
    """Counts by split and task, for tasks that have questions in the split.

    Returns:
        Of each: `questions`, `texts` and `pictures`, the numbers of them; `answers`, how often each
        answer occurs; `chance`, the share that a guess among the answers of each text gets right;
        `blind`, the share that the best reader without the picture, which learned on train, gets
        right.
    """
    reader = BlindReader(chosen.get("train", ()))
    table: dict[str, dict[str, dict[str, Any]]] = {}
    for split, questions in chosen.items():
        table[split] = {}
        for task in TASKS:
            of_task = [question for question in questions if question.candidate.task == task]
            if of_task:
                table[split][task] = _row(of_task, reader)
    return table


def _row(questions: Sequence[Question], reader: BlindReader) -> dict[str, Any]:
    texts = Counter(question.candidate.text for question in questions)
    answers = Counter(question.candidate.answer for question in questions)
    choices = {question.candidate.text: len(question.choices) for question in questions}
    # no remainder: each text has the same number of each of its answers
    guessed = sum(count // choices[text] for text, count in texts.items())
    return {
        "questions": len(questions),
        "texts": len(texts),
        "pictures": len({question.candidate.key for question in questions}),
        "answers": {
            answer: answers[answer]
            for answer in sorted(answers, key=lambda answer: (len(answer), answer))
        },
        "chance": guessed / len(questions),
        "blind": reader.count_right(questions) / len(questions),
    }


def count_left_out(
    refused: Mapping[tuple[str, str], int],
    candidates: Sequence[Candidate],
    splits: Mapping[str, Sequence[Candidate]],
    chosen: QuestionsBySplit,
) -> dict[str, dict[str, int]]:
    """How many questions were not asked, by task and reason.

    Args:
        refused: by task and reason, how many questions were no candidates.
        candidates: all candidates.
        splits: candidates by split, without those whose picture is in no split.
        chosen: questions that are asked, by split.
    """
    left_out: dict[str, dict[str, int]] = defaultdict(dict)
    for (task, reason), count in sorted(refused.items()):
        left_out[task][reason] = count
    everywhere = Counter(candidate.task for candidate in candidates)
    in_splits = Counter(candidate.task for of_split in splits.values() for candidate in of_split)
    asked = Counter(
        question.candidate.task for of_split in chosen.values() for question in of_split
    )
    for task in everywhere:
        if outside := everywhere[task] - in_splits[task]:
            left_out[task]["the picture is in no split"] = outside
        if surplus := in_splits[task] - asked[task]:
            left_out[task]["to balance the answers, or beyond the limit per picture"] = surplus
    return dict(left_out)
