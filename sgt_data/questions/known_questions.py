"""Of questions about other pictures, those whose words and answers a model has met in training.

A scene of another kind may show things that training never named, or more of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set

from sgt_data.questions.question_tasks import Candidate

Known = Mapping[str, Set[str]]
"""The answers of each text."""

UNKNOWN = "training has no question with these words and this answer"
"""Why other candidates are not asked."""


def only_known(
    candidates: Sequence[Candidate], known: Known
) -> tuple[list[Candidate], dict[tuple[str, str], int]]:
    """The candidates whose text has their answer in training.

    Args:
        candidates: all that could be asked.
        known: answers by text, of the questions of training.

    Returns:
        Those that are known, and how many others there are, by task and reason.
    """
    kept = []
    left_out: dict[tuple[str, str], int] = {}
    for candidate in candidates:
        if candidate.answer in known.get(candidate.text, ()):
            kept.append(candidate)
        else:
            reason = candidate.task, UNKNOWN
            left_out[reason] = left_out.get(reason, 0) + 1
    return kept, left_out
