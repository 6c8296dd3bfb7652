"""A reader that answers questions without looking at the picture."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from sgt_data.questions.balance import Question


class BlindReader:
    """Answers each question text with the answer that was most frequent in training.

    No reader that looks at the text alone does better. A text that was not in training gets the
    first of its possible answers.
    """

    def __init__(self, training: Iterable[Question]) -> None:
        """Learn the most frequent answer of each text.

        Args:
            training: questions to learn from.
        """
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for question in training:
            counts[question.candidate.text][question.candidate.answer] += 1
        self._best = {
            text: min(answers, key=lambda answer: (-answers[answer], answer))
            for text, answers in counts.items()
        }

    def count_right(self, questions: Iterable[Question]) -> int:
        """How many of these questions the reader answers correctly."""
        return sum(
            self._best.get(question.candidate.text, question.choices[0])
            == question.candidate.answer
            for question in questions
        )
