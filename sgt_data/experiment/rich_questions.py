"""Questions about more varied scenes, a further test set of an experiment."""

from __future__ import annotations

from pathlib import Path

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.learnt_pictures import picture_digests
from sgt_data.experiment.plan.experiment_plan import Plan
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.questions.write_questions import write_questions
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.value_text import counted

_SHARES = {"val": 0.5, "test": 0.5}
"""Shares of the pictures: they are asked about in validation and test alone."""

RICH_NOTE = (
    "Of the questions about rich scenes those are asked whose words and answers occur in training: "
    "other pictures, and no other names or numbers."
)


def write_rich_questions(plan: Plan, corpus: Corpus, rich: str, output: Path, known: str) -> str:
    """Write questions about rich scenes, and return their folder.

    Args:
        plan: the plan.
        corpus: the corpus of the experiment.
        rich: URL of a corpus of rich scenes.
        output: folder to write.
        known: folder of the experiment's questions.

    Raises:
        RequestError: both corpora show one picture, or training answers none of the questions.
    """
    opened = open_corpus(rich)
    shared = set(picture_digests(opened).values()) & set(picture_digests(corpus).values())
    if shared:
        raise RequestError(
            f"--rich: {rich} shows {counted(len(shared), 'picture')} of {corpus.url}; it is a "
            "further test set, so its pictures must be others"
        )
    report = write_questions(
        rich,
        str(output),
        QuestionPlan(
            seed=plan.split_seed,
            tasks=tuple(plan.tasks) or None,
            per_picture=plan.per_picture,
            per_task=plan.per_task,
            shares=_SHARES,
        ),
        known=known,
    )
    for split in _SHARES:
        if not any(counts["questions"] for counts in report.splits.get(split, {}).values()):
            raise RequestError(
                f"--rich: {rich} has no question for {split} whose words and answer occur in "
                f"training; it has {counted(report.pictures, 'picture')}, take more"
            )
    return str(output)
