"""The best reader that never looks at the picture."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from sgt_data.questions.balance import Question


class BlindReader:
    """Gives each question text the answer that it had most often where it learned; to a text that
    it has not met, the first of its choices."""

    def __init__(self, met: Iterable[Question]) -> None:
        """
        Args:
            met: what it learns from.
        """
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for question in met:
            counts[question.asked.text][question.asked.answer] += 1
        self._best = {
            text: min(answers, key=lambda one: (-answers[one], one))
            for text, answers in counts.items()
        }

    def right(self, asked: Iterable[Question]) -> int:
        """How many of these questions it answers rightly."""
        return sum(
            self._best.get(question.asked.text, question.choices[0]) == question.asked.answer
            for question in asked
        )
