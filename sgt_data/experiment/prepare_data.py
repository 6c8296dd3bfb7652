"""Prepare the data of an experiment: questions, and the pictures that may be drawn.

No picture that validation or test asks about is ever drawn: its target would tell the answers.
"""

from __future__ import annotations

from pathlib import Path

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.plan.arms import TrainingData
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.progress import OnProgress, Progress
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.questions.splits import exact_shares, split_of
from sgt_data.questions.write_questions import write_questions
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.population import read_population
from sgt_data.subsets.subset import subset
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys
from sgt_data.value_text import counted

SEED = 0
"""Seed of the splits and of the questions, for all runs of all experiments on a corpus."""

QUESTIONS_FOLDER = "questions"
_DRAWABLE_PICTURES = "training.subset.parquet"


def prepare(
    kind: ExperimentKind,
    plan: Plan,
    corpus: str,
    folder: Path,
    on_progress: OnProgress,
) -> TrainingData:
    """Write the questions and subset files of an experiment, or reuse those that are written.

    Args:
        kind: what differs between the arms.
        plan: the plan.
        corpus: fsspec URL of the corpus.
        folder: folder of the experiment.
        on_progress: called with what is being done.

    Raises:
        RequestError: the corpus cannot answer questions, or is too small for the plan's shares.
    """
    shares = {
        "train": plan.question_share, "val": plan.held_out_share, "test": plan.held_out_share,
    }  # fmt: skip
    on_progress(Progress(0, phase="asking questions"))
    questions = str(folder / QUESTIONS_FOLDER)
    question_plan = QuestionPlan(
        seed=SEED,
        tasks=tuple(plan.tasks) or None,
        per_picture=plan.per_picture,
        per_task=plan.per_task,
        shares=shares,
    )
    report = write_questions(corpus, questions, question_plan)
    for split in shares:
        if not any(counts["questions"] for counts in report.splits.get(split, {}).values()):
            raise RequestError(
                f"{corpus}: no question for {split}; the corpus has "
                f"{counted(report.pictures, 'picture')}, take more, or larger shares"
            )
    opened = open_corpus(corpus)
    keys = _keys_to_draw(opened, shares)
    on_progress(Progress(0, phase=f"choosing from {counted(len(keys), 'picture')} to draw"))
    drawable = str(folder / _DRAWABLE_PICTURES)
    write_subset_file(subset_of_keys(opened, keys), drawable)
    labels = {}
    if kind == "scale" and plan.ladder:
        counts = [count for count in plan.ladder if count < len(keys)]
        largest = len(keys) if len(counts) < len(plan.ladder) else max(counts)
        labels[largest] = _write_label_questions(plan, folder, largest, len(keys))
    return TrainingData(drawable, len(keys), questions, labels)


def _keys_to_draw(corpus: Corpus, shares: dict[str, float]) -> list[str]:
    """Keys of the pictures that neither validation nor test asks about."""
    exact = exact_shares(shares)
    keys = read_population(corpus, corpus.folders).keys.to_pylist()
    return [key for key in keys if split_of(key, exact, SEED) not in ("val", "test")]


def _write_label_questions(plan: Plan, folder: Path, count: int, total: int) -> str:
    """Write all questions about the drawn pictures, so that they state the same labels in words.

    Args:
        plan: the plan.
        folder: folder of the experiment.
        count: number of the drawn pictures.
        total: number of all pictures that may be drawn.

    Returns:
        The file of the questions.
    """
    drawn = folder / _DRAWABLE_PICTURES
    if count < total:
        drawn = folder / f"training-{count}.subset.parquet"
        subset(str(folder / _DRAWABLE_PICTURES), samples=count, file=str(drawn))
    output = folder / f"labels-{count}"
    question_plan = QuestionPlan(
        seed=SEED,
        tasks=tuple(plan.tasks) or None,
        per_picture=plan.per_picture,
        shares={"train": 1.0},
    )
    write_questions(str(drawn), str(output), question_plan)
    return str(output / "train.jsonl")
