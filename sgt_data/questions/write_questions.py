"""Write questions about a corpus' pictures in LLaVA's form.

OUTPUT/
  questions.json             which questions these are, how many, what chance is, what was left out
  images/<key>.jpg           the pictures that are asked about, as the corpus holds them
  train|val|test.jsonl       a line per question, by key

The lists are written last: where there is a list, its pictures are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from sgt_data import checks
from sgt_data.corpus.identity import in_words
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.files.claim import Claim, claim
from sgt_data.files.output_place import QUESTIONS_MARKER, check_output
from sgt_data.files.reading import list_files
from sgt_data.files.urls import Location, join, plain
from sgt_data.files.writing import write_atomic
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.questions.answerable import AnswerableTasks, answerable_tasks
from sgt_data.questions.balance import Question, choose_questions
from sgt_data.questions.known_questions import Known, only_known
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.questions.question_summary import count_left_out, summarise_splits
from sgt_data.questions.question_tasks import Candidate, Rules
from sgt_data.questions.read_candidates import read_candidates
from sgt_data.questions.read_known import digest_of_known, read_known
from sgt_data.questions.splits import exact_shares, split_of
from sgt_data.redaction import without_secrets
from sgt_data.result import Result
from sgt_data.subsets.open_corpus import open_corpus

IMAGES = "images"

_RESULTS = ("pictures", "splits", "left_out", "unanswered")
_SORTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


@dataclass(slots=True, kw_only=True, repr=False)
class QuestionsReport(Result):
    """What came of asking about a corpus.

    Attributes:
        output: URL of the folder.
        pictures: pictures that were read.
        images: picture files that were written now.
        nbytes: bytes of these files.
        splits: counts by split and task, see `summary.summarise_splits`.
        left_out: how many questions were not asked, by task and reason.
        unanswered: by task, why nothing is asked.
    """

    output: str
    pictures: int
    images: int
    nbytes: int
    splits: Mapping[str, Mapping[str, Mapping[str, Any]]]
    left_out: Mapping[str, Mapping[str, int]]
    unanswered: Mapping[str, str]


def write_questions(
    corpus: Location,
    output: Location,
    plan: QuestionPlan | None = None,
    *,
    proxy: str | None = None,
    known: Location | None = None,
    progress: ProgressTo = False,
) -> QuestionsReport:
    """Write questions about a finished corpus, or go on where this was interrupted.

    Args:
        corpus: fsspec URL.
        output: fsspec URL of a folder.
        plan: what to ask; by default all tasks about all pictures.
        proxy: the segmentation proxy whose segments are asked about; by default the first of
            variant instance, or else panoptic, or else semantic.
        known: a folder of questions about other pictures; what its train split does not ask with
            the same words, or does not answer so, is not asked here. None asks everything.
        progress: True shows a bar; a function is called after every picture that was read.

    Raises:
        RequestError: the corpus is not complete or cannot answer.
        CorpusMismatch: output holds something else.
        CorpusError: a sample is damaged.
        StorageError: output cannot be written.
    """
    plan = QuestionPlan() if plan is None else checks.instance_of("plan", plan, QuestionPlan)
    with shown(progress, "pictures") as on_progress:
        answers = None if known is None else read_known(known)
        return _write(plain(corpus), plain(output), plan, proxy, answers, on_progress)


def _write(
    corpus: str,
    output: str,
    plan: QuestionPlan,
    proxy: str | None,
    known: Known | None,
    on_progress: OnProgress,
) -> QuestionsReport:
    on_progress(Progress(0, phase="opening the corpus"))
    opened = open_corpus(corpus)
    opened.finished()
    root = check_output(output, [opened.url], marker=QUESTIONS_MARKER)
    tasks = None if plan.tasks is None else checks.texts("tasks", plan.tasks)
    answerable = answerable_tasks(opened.header.manifest["proxies"], proxy, tasks)
    rules = Rules()
    identity = _identity(opened, answerable, plan, rules)
    if known is not None:
        identity["known"] = digest_of_known(known)
    claim(
        root,
        Claim(QUESTIONS_MARKER, identity, "questions", _RESULTS, in_words),
        remedy="choose another folder",
    )
    read = read_candidates(opened, answerable, plan.seed, rules, on_progress)
    candidates, refused = read.candidates, dict(read.left_out)
    if known is not None:
        candidates, unknown = only_known(candidates, known)
        refused |= unknown
    on_progress(Progress(read.pictures, read.pictures, phase="choosing questions"))
    shares = exact_shares(plan.shares)
    splits: dict[str, list[Candidate]] = {name: [] for name in shares}
    for candidate in candidates:
        if (split := split_of(candidate.key, shares, plan.seed)) is not None:
            splits[split].append(candidate)
    chosen = choose_questions(splits, plan.per_picture, plan.per_task)
    results: dict[str, Any] = {
        "pictures": read.pictures,
        "splits": summarise_splits(chosen),
        "left_out": count_left_out(refused, candidates, splits, chosen),
        "unanswered": dict(answerable.unanswered),
    }
    write_atomic(
        join(root, QUESTIONS_MARKER), orjson.dumps({**identity, **results}, option=_SORTED) + b"\n"
    )
    keys = {question.candidate.key for questions in chosen.values() for question in questions}
    on_progress(Progress(read.pictures, read.pictures, phase="writing pictures"))
    images, nbytes = _write_images(opened, answerable.proxy, keys, join(root, IMAGES))
    for name, questions in chosen.items():
        write_atomic(join(root, f"{name}.jsonl"), b"".join(_lines(questions)))
    return QuestionsReport(
        complete=True,
        notes=_notes(answerable, chosen),
        output=root,
        images=images,
        nbytes=nbytes,
        **results,
    )


def _identity(
    corpus: Corpus, answerable: AnswerableTasks, plan: QuestionPlan, rules: Rules
) -> dict[str, Any]:
    """All that decides which questions are written."""
    depth = [] if answerable.depth is None else [answerable.depth]
    return {
        "format": "sgt_data questions",
        "version": 1,
        "corpus": {
            "url": without_secrets(corpus.url),
            "name": corpus.header.name,
            "proxy": answerable.proxy,
            "depth": answerable.depth,
            "fingerprints": {
                name: corpus.header.fingerprints[name] for name in (answerable.proxy, *depth)
            },
            "subset": corpus.header.identity.get("subset"),
        },
        "seed": plan.seed,
        "tasks": list(answerable.tasks),
        "per_picture": plan.per_picture,
        "per_task": plan.per_task,
        "shares": {name: float(share) for name, share in exact_shares(plan.shares).items()},
        "rules": asdict(rules),
    }


def _notes(answerable: AnswerableTasks, chosen: Mapping[str, Sequence[Question]]) -> list[str]:
    """What a person must know besides the counts."""
    tasks = [f"no questions of {task}: {why}" for task, why in answerable.unanswered.items()]
    return tasks + [f"{split} has no questions" for split, asked in chosen.items() if not asked]


def _write_images(
    corpus: Corpus, proxy: str, keys: Collection[str], folder: str
) -> tuple[int, int]:
    """Write the pictures of these keys that the folder lacks; returns their number and bytes."""
    sizes = list_files(folder)
    written = nbytes = 0
    for shard in corpus.shards(proxy):
        for key in corpus.index(proxy, shard)["key"].to_pylist():
            if key not in keys:
                continue
            picture = corpus.sample(proxy, shard, key).input
            name = f"{key}.jpg"
            if sizes.get(name) != len(picture):
                write_atomic(join(folder, name), picture)
                written += 1
                nbytes += len(picture)
    return written, nbytes


def _lines(questions: Sequence[Question]) -> Iterator[bytes]:
    """Questions as LLaVA's lines. The number in an id counts questions of a picture and task."""
    numbers: Counter[tuple[str, str]] = Counter()
    for question in questions:
        candidate = question.candidate
        numbers[candidate.key, candidate.task] += 1
        number = numbers[candidate.key, candidate.task]
        line = {
            "id": f"{candidate.key}-{candidate.task}-{number}",
            "image": f"{IMAGES}/{candidate.key}.jpg",
            "conversations": [
                {"from": "human", "value": f"<image>\n{candidate.text}"},
                {"from": "gpt", "value": candidate.answer},
            ],
            "key": candidate.key,
            "task": candidate.task,
            "choices": list(question.choices),
        }
        yield orjson.dumps(line) + b"\n"
