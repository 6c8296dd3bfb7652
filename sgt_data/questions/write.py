"""Write questions about a corpus' pictures in LLaVA's form.

OUTPUT/
  questions.json             what they are of, how many, what chance is, what was left out
  images/<key>.jpg           the pictures that are asked about, as the corpus holds them
  train|val|test.jsonl       a line per question, by key

The lists are written last, so where there is a list, its pictures are there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from sgt_data.corpus.reader import Corpus
from sgt_data.errors import FileMissing, RequestError
from sgt_data.files.reading import list_files, read_bytes
from sgt_data.files.urls import absolute, join
from sgt_data.files.writing import write_atomic
from sgt_data.questions.account import left_out_account, splits_account
from sgt_data.questions.answering import Answering, answering
from sgt_data.questions.balance import Question, choose_questions
from sgt_data.questions.reading import gather
from sgt_data.questions.splits import SHARES, exact_shares, split_of
from sgt_data.questions.tasks import Candidate, Rules
from sgt_data.subsets.opening import open_corpus

MARKER = "questions.json"
IMAGES = "images"

Progress = Callable[[int, int], None]
"""Called with the pictures read, and all."""

_SORTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


@dataclass(frozen=True, slots=True)
class QuestionsReport:
    """What was written.

    Attributes:
        output: where.
        pictures: that were read.
        images, nbytes: picture files written now, and their bytes.
        splits: counts by split and task, see `account.splits_account`.
        left_out: by task and reason, how many questions were not asked.
        unanswered: tasks of which nothing is asked, and why.
    """

    output: str
    pictures: int
    images: int
    nbytes: int
    splits: Mapping[str, Mapping[str, Mapping[str, Any]]]
    left_out: Mapping[str, Mapping[str, int]]
    unanswered: Mapping[str, str]


def write_questions(
    corpus: str,
    output: str,
    *,
    proxy: str | None = None,
    seed: int = 0,
    tasks: Collection[str] | None = None,
    per_picture: int = 4,
    per_task: int | None = None,
    shares: Mapping[str, float] = SHARES,
    on_picture: Progress | None = None,
) -> QuestionsReport:
    """Ask about a finished corpus, or go on where that was interrupted.

    Args:
        corpus: fsspec URL.
        output: fsspec URL of a folder.
        proxy: whose segments are asked about; by default the first of variant instance, or else
            panoptic, or else semantic.
        seed: of every choice.
        tasks: count, presence, position, relation, nearer; by default all that can be answered.
        per_picture: at most so many questions of each task about one picture.
        per_task: at most so many of each task in each split; None for no bound.
        shares: of the pictures, by split; what they leave out is not asked about.
        on_picture: told of progress.

    Raises:
        RequestError: the corpus is not complete, or cannot answer; an argument is out of range;
            output holds something else.
        CorpusError: a sample is damaged.
        StorageError: output cannot be written.
    """
    exact = exact_shares(shares)
    for name, limit in (("per_picture", per_picture), ("per_task", per_task)):
        if limit is not None and limit < 1:
            raise RequestError(f"{name}: found {limit}, must be 1 or more")
    opened = open_corpus(corpus)
    opened.finished()
    asked = answering(opened.header.manifest["proxies"], proxy, tasks)
    root, rules = absolute(output), Rules()
    stated = {
        "format": "sgt_data questions",
        "version": 1,
        "corpus": _corpus_facts(opened, asked),
        "seed": seed,
        "tasks": list(asked.tasks),
        "per_picture": per_picture,
        "per_task": per_task,
        "shares": {name: float(share) for name, share in exact.items()},
        "rules": asdict(rules),
    }
    _check_output(root, stated)
    gathered = gather(opened, asked, seed, rules, on_picture)
    splits: dict[str, list[Candidate]] = {name: [] for name in exact}
    for one in gathered.candidates:
        if (split := split_of(one.key, exact, seed)) is not None:
            splits[split].append(one)
    chosen = choose_questions(splits, per_picture, per_task)
    counts = splits_account(chosen)
    left_out = left_out_account(gathered.left_out, gathered.candidates, splits, chosen)
    found = {
        "pictures": gathered.pictures,
        "splits": counts,
        "left_out": left_out,
        "unanswered": dict(asked.unanswered),
    }
    write_atomic(join(root, MARKER), orjson.dumps({**stated, **found}, option=_SORTED) + b"\n")
    keys = {one.asked.key for questions in chosen.values() for one in questions}
    images, nbytes = _write_images(opened, asked.proxy, keys, join(root, IMAGES))
    for name, questions in chosen.items():
        write_atomic(join(root, f"{name}.jsonl"), b"".join(_lines(questions)))
    return QuestionsReport(
        root, gathered.pictures, images, nbytes, counts, left_out, asked.unanswered
    )


def _corpus_facts(corpus: Corpus, asked: Answering) -> dict[str, Any]:
    proxies = [asked.proxy] if asked.depth is None else [asked.proxy, asked.depth]
    return {
        "url": corpus.url,
        "name": corpus.header.name,
        "proxy": asked.proxy,
        "depth": asked.depth,
        "fingerprints": {name: corpus.header.fingerprints[name] for name in proxies},
        "subset": corpus.header.identity.get("subset"),
    }


def _check_output(root: str, stated: Mapping[str, Any]) -> None:
    """Refuse a folder that holds anything else than these very questions."""
    place = join(root, MARKER)
    try:
        there = orjson.loads(read_bytes(place))
    except FileMissing:
        if found := next(iter(list_files(root)), None):
            raise RequestError(f"{root} holds {found} and no questions; choose another") from None
        return
    except orjson.JSONDecodeError as why:
        raise RequestError(f"{place} cannot be read: {why}") from why
    for name, value in orjson.loads(orjson.dumps(stated)).items():
        other = there.get(name) if isinstance(there, dict) else None
        if other != value:
            raise RequestError(
                f"{place}: {name} is {other!r:.200} there, {value!r:.200} here; choose another "
                "folder"
            )


def _write_images(
    corpus: Corpus, proxy: str, keys: Collection[str], folder: str
) -> tuple[int, int]:
    """Write the pictures of these keys that are not there yet; how many, and their bytes."""
    there = list_files(folder)
    written = nbytes = 0
    for shard in corpus.shards(proxy):
        for key in corpus.index(proxy, shard)["key"].to_pylist():
            if key not in keys:
                continue
            picture = corpus.sample(proxy, shard, key).input
            name = f"{key}.jpg"
            if there.get(name) != len(picture):
                write_atomic(join(folder, name), picture)
                written += 1
                nbytes += len(picture)
    return written, nbytes


def _lines(questions: Sequence[Question]) -> Iterator[bytes]:
    """LLaVA's lines. The number in an id counts the picture's questions of one task."""
    numbers: Counter[tuple[str, str]] = Counter()
    for question in questions:
        asked = question.asked
        numbers[asked.key, asked.task] += 1
        line = {
            "id": f"{asked.key}-{asked.task}-{numbers[asked.key, asked.task]}",
            "image": f"{IMAGES}/{asked.key}.jpg",
            "conversations": [
                {"from": "human", "value": f"<image>\n{asked.text}"},
                {"from": "gpt", "value": asked.answer},
            ],
            "key": asked.key,
            "task": asked.task,
            "choices": list(question.choices),
        }
        yield orjson.dumps(line) + b"\n"
