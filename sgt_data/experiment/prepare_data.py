"""Prepare the data of an experiment: what is asked, drawn and replayed, and what is measured on.

FOLDER/
  questions/ labels-N/        questions; all labels of N drawn pictures as questions
  captions-picture/ captions-class-map/   captions, of what is drawn of them
  arithmetic/ rich-questions/ questions without a picture; questions about more varied scenes,
                              of those whose words and answers training has
  training*.subset.parquet    the pictures that may be drawn

No picture that validation or test asks about is ever drawn, captioned or asked about in training:
its target would tell the answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.arithmetic_share import write_arithmetic_share
from sgt_data.experiment.materials import Materials
from sgt_data.experiment.measure.further_sets import FurtherSets
from sgt_data.experiment.measure.make_scorer import ScorerData
from sgt_data.experiment.plan.arms import LABELS, TrainingData
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.plan.ladders import rungs
from sgt_data.experiment.rich_questions import RICH_NOTE, write_rich_questions
from sgt_data.files.urls import plain
from sgt_data.progress import OnProgress, Progress
from sgt_data.questions.caption_plan import CaptionPlan
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.questions.splits import exact_shares, split_of
from sgt_data.questions.write_captions import write_captions
from sgt_data.questions.write_questions import write_questions
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.population import read_population
from sgt_data.subsets.subset import subset
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys
from sgt_data.value_text import counted

QUESTIONS_FOLDER = "questions"
_DRAWABLE_PICTURES = "training.subset.parquet"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The data of an experiment.

    Attributes:
        training: what the runs learn from.
        further: what they are measured on besides the split.
        held_out: keys of the pictures that validation and test may ask about.
        notes: what is not measured, and why; how further questions were chosen.
    """

    training: TrainingData
    further: FurtherSets
    held_out: frozenset[str]
    notes: tuple[str, ...]


def prepare(
    kind: ExperimentKind,
    plan: Plan,
    corpus: str,
    materials: Materials,
    folder: Path,
    on_progress: OnProgress,
) -> Prepared:
    """Write the questions, captions and subset files of an experiment, or reuse those written.

    Args:
        kind: what differs between the arms.
        plan: the plan.
        corpus: fsspec URL of the corpus.
        materials: what is read besides.
        folder: folder of the experiment.
        on_progress: called with what is being done.

    Raises:
        RequestError: the corpus cannot answer questions, or is too small for the plan's shares; or
            the rich scenes show pictures of the corpus.
    """
    opened = open_corpus(corpus)
    on_progress(Progress(0, phase="asking questions"))
    questions = _write_questions(plan, corpus, folder)
    keys = read_population(opened, opened.folders).keys.to_pylist()
    held_out = frozenset(key for key in keys if _split(plan, key) in ("val", "test"))
    drawable = [key for key in keys if key not in held_out]
    on_progress(Progress(0, phase=f"choosing from {counted(len(drawable), 'picture')} to draw"))
    drawn = str(folder / _DRAWABLE_PICTURES)
    write_subset_file(subset_of_keys(opened, drawable), drawn)
    on_progress(Progress(0, phase="writing captions and further questions"))
    captions = _write_captions(plan, corpus, materials, folder)
    arithmetic = write_arithmetic_share(
        folder / "arithmetic", f"{questions}/train.jsonl", plan.arithmetic_share, plan.split_seed
    )
    further = {} if arithmetic is None else {"arithmetic": str(folder / "arithmetic")}
    if materials.rich is not None:
        further["rich scenes"] = write_rich_questions(
            plan, opened, plain(materials.rich), folder / "rich-questions", questions
        )
    training = TrainingData(
        drawn,
        len(drawable),
        questions,
        _write_labels(kind, plan, folder, len(drawable)),
        captions=[f"{each}/train.jsonl" for each in captions],
        arithmetic=[] if arithmetic is None else [arithmetic],
    )
    generation = _generation_data(plan, opened, drawn, captions)
    return Prepared(
        training,
        FurtherSets(tuple(further.items()), generation),
        held_out,
        _notes(plan, materials, generation),
    )


def shares_of(plan: Plan) -> dict[str, float]:
    """Shares of the corpus' pictures by split."""
    held_out = plan.held_out_share
    return {"train": plan.question_share, "val": held_out, "test": held_out}


def class_map_proxy(corpus: Corpus) -> str | None:
    """The first proxy of a corpus whose colours mean categories; None where it has none."""
    for proxy in corpus.header.manifest["proxies"]:
        if proxy["type"] == "segmentation" and proxy.get("variant") == "semantic":
            name: str = proxy["name"]
            return name
    return None


def _split(plan: Plan, key: str) -> str | None:
    return split_of(key, exact_shares(shares_of(plan)), plan.split_seed)


def _write_questions(plan: Plan, corpus: str, folder: Path) -> str:
    questions = str(folder / QUESTIONS_FOLDER)
    shares = shares_of(plan)
    question_plan = QuestionPlan(
        seed=plan.split_seed,
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
    return questions


def _write_captions(plan: Plan, corpus: str, materials: Materials, folder: Path) -> tuple[str, ...]:
    """Folders of captions, of pictures and of class maps; none where there are no captions.

    All pictures that are not held out may be captioned in training, not only those that are asked
    about.
    """
    if materials.captions is None:
        return ()
    shares = shares_of(plan)
    shares["train"] = float(1 - 2 * Fraction(str(plan.held_out_share)))
    class_maps = class_map_proxy(open_corpus(corpus))
    draws = {"captions-picture": None} | (
        {"captions-class-map": class_maps} if class_maps is not None else {}
    )
    for name, drawn in draws.items():
        caption_plan = CaptionPlan(draw=drawn, seed=plan.split_seed, shares=shares)
        write_captions(corpus, materials.captions, str(folder / name), caption_plan)
    return tuple(str(folder / name) for name in draws)


def _write_labels(kind: ExperimentKind, plan: Plan, folder: Path, pictures: int) -> dict[int, str]:
    """By number of drawn pictures, the file of their labels as questions, where an arm needs it."""
    if LABELS not in plan.controls:
        return {}
    count = rungs(plan, pictures)[-1] if kind == "scale" else pictures
    drawn = folder / _DRAWABLE_PICTURES
    if count < pictures:
        drawn = folder / f"training-{count}.subset.parquet"
        subset(str(folder / _DRAWABLE_PICTURES), samples=count, file=str(drawn))
    output = folder / f"labels-{count}"
    question_plan = QuestionPlan(
        seed=plan.split_seed,
        tasks=tuple(plan.tasks) or None,
        per_picture=plan.per_picture,
        shares={"train": 1.0},
    )
    write_questions(str(drawn), str(output), question_plan)
    return {count: str(output / "train.jsonl")}


def _generation_data(
    plan: Plan, corpus: Corpus, drawable: str, captions: tuple[str, ...]
) -> ScorerData | None:
    proxy = class_map_proxy(corpus)
    if not captions or proxy is None:
        return None
    picture = (plan.train.get("model") or {}).get("picture", 48)
    return ScorerData(corpus.url, drawable, captions, proxy, int(picture))


def _notes(plan: Plan, materials: Materials, generation: ScorerData | None) -> tuple[str, ...]:
    """What is not measured, and how further questions were chosen."""
    notes = []
    if generation is None:
        lacking = "no captions" if materials.captions is None else "no semantic segmentation"
        notes.append(f"generation is not measured: there are {lacking}")
    if materials.rich is None:
        notes.append("answers about rich scenes are not measured: no --rich CORPUS is given")
    else:
        notes.append(RICH_NOTE)
    if plan.arithmetic_share <= 0:
        notes.append("arithmetic, the negative control, is not measured: arithmetic_share is 0")
    return tuple(notes)
