"""What an experiment needs before its runs: questions, and the pictures that may be drawn.

No picture that validation or test asks about is ever drawn: its target would tell the answers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sgt_data.corpus.reader import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.arms import Kind, Material, Plan
from sgt_data.questions.plan import QuestionPlan
from sgt_data.questions.splits import exact_shares, split_of
from sgt_data.questions.write import write_questions
from sgt_data.subsets.listed_keys import listed_keys
from sgt_data.subsets.opening import open_corpus
from sgt_data.subsets.population import read_population
from sgt_data.subsets.subset import subset, write_subset_file

SEED = 0
"""Of the splits and the questions: the same for all runs of all experiments on a corpus."""


def prepare(
    kind: Kind, plan: Plan, corpus: str, folder: Path, on_note: Callable[[str], None]
) -> Material:
    """Make the questions and subset files of an experiment, or find them made.

    Args:
        corpus: fsspec URL.
        folder: of the experiment.
        on_note: told what is being done.

    Raises:
        RequestError: the corpus cannot answer questions, or is too small for the plan's shares.
    """
    shares = {
        "train": plan.question_share, "val": plan.held_out_share, "test": plan.held_out_share,
    }  # fmt: skip
    questions = folder / "questions"
    on_note("asking questions")
    tasks = tuple(plan.tasks) or None
    asked = QuestionPlan(
        seed=SEED,
        tasks=tasks,
        per_picture=plan.per_picture,
        per_task=plan.per_task,
        shares=shares,
    )
    report = write_questions(corpus, str(questions), asked)
    for split in ("train", "val", "test"):
        if not any(one["questions"] for one in report.splits.get(split, {}).values()):
            raise RequestError(
                f"{corpus}: no question for {split}; the corpus has {report.pictures} pictures, "
                "take more, or larger shares"
            )
    training = folder / "training.subset.parquet"
    opened = open_corpus(corpus)
    keys = _training_keys(opened, shares)
    on_note(f"{len(keys)} pictures to draw")
    write_subset_file(listed_keys(opened, keys), str(training))
    labels = {}
    sizes = [count for count in plan.ladder if count < len(keys)]
    if kind == "scale" and plan.ladder:
        count = len(keys) if len(sizes) < len(plan.ladder) else max(sizes)
        labels[count] = _labels(plan, training, count, len(keys), folder, tasks)
    return Material(str(training), len(keys), str(questions), labels)


def _training_keys(corpus: Corpus, shares: dict[str, float]) -> list[str]:
    """Keys that neither validation nor test asks about."""
    exact = exact_shares(shares)
    keys = read_population(corpus, corpus.folders).keys.to_pylist()
    return [key for key in keys if split_of(key, exact, SEED) not in ("val", "test")]


def _labels(
    plan: Plan, training: Path, count: int, whole: int, folder: Path, tasks: tuple[str, ...] | None
) -> str:
    """All questions about the very pictures that are drawn: the same labels, as words."""
    pictures = training
    if count < whole:
        pictures = folder / f"training-{count}.subset.parquet"
        subset(str(training), samples=count, file=str(pictures))
    place = folder / f"labels-{count}"
    asked = QuestionPlan(
        seed=SEED, tasks=tasks, per_picture=plan.per_picture, shares={"train": 1.0}
    )
    write_questions(str(pictures), str(place), asked)
    return str(place / "train.jsonl")
