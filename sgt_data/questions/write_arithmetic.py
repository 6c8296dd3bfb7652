"""Write arithmetic questions as text alone, in LLaVA's form.

FOLDER/
  questions.json             which questions these are, how many, and what chance is
  train|val|test.jsonl       a line per question; no line names a picture
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from sgt_data import checks
from sgt_data.files.claim import Claim, claim
from sgt_data.files.output_place import QUESTIONS_MARKER, check_output
from sgt_data.files.urls import Location, join
from sgt_data.files.writing import write_atomic
from sgt_data.questions.arithmetic import ARITHMETIC_TASKS, TextQuestion, choose_arithmetic

_SORTED = orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS


def write_arithmetic(folder: Location, counts: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
    """Write arithmetic questions; the same counts and seed give the same bytes.

    Args:
        folder: fsspec URL of the folder.
        counts: numbers of questions by split, such as {"train": 1200, "val": 240}; each is rounded
            down to a multiple of 12.
        seed: seed of every choice.

    Returns:
        By split and task, the number of questions, of texts, of problems, how often each answer
        occurs, and chance.

    Raises:
        RequestError: a split is unknown, or a number is below 12 or above what there is.
        CorpusMismatch: the folder holds something else.
        StorageError: the folder cannot be written.
    """
    checks.whole_number("seed", seed, 0, 2**63 - 1)
    chosen = choose_arithmetic(counts, seed)
    root = check_output(folder, marker=QUESTIONS_MARKER)
    identity = {
        "format": "sgt_data arithmetic", "version": 1, "seed": seed, "counts": dict(counts),
    }  # fmt: skip
    claim(
        root,
        Claim(QUESTIONS_MARKER, identity, "questions", ("splits",)),
        remedy="choose another folder",
    )
    splits = {split: _summary(questions) for split, questions in chosen.items()}
    marker = orjson.dumps({**identity, "splits": splits}, option=_SORTED) + b"\n"
    write_atomic(join(root, QUESTIONS_MARKER), marker)
    for split, questions in chosen.items():
        write_atomic(join(root, f"{split}.jsonl"), b"".join(_lines(questions)))
    return splits


def _summary(questions: Sequence[TextQuestion]) -> dict[str, dict[str, Any]]:
    table = {}
    for task in ARITHMETIC_TASKS:
        of_task = [question for question in questions if question.task == task]
        answers = Counter(question.answer for question in of_task)
        table[task] = {
            "questions": len(of_task),
            "problems": len({question.key for question in of_task}),
            "answers": {answer: answers[answer] for answer in sorted(answers, key=int)},
            "chance": sum(1 / len(question.choices) for question in of_task) / len(of_task),
        }
    return table


def _lines(questions: Sequence[TextQuestion]) -> Iterator[bytes]:
    numbers: Counter[str] = Counter()
    for question in questions:
        numbers[question.key] += 1
        line = {
            "id": f"{question.key}-{numbers[question.key]}",
            "conversations": [
                {"from": "human", "value": question.text},
                {"from": "gpt", "value": question.answer},
            ],
            "key": question.key,
            "task": question.task,
            "choices": list(question.choices),
        }
        yield orjson.dumps(line) + b"\n"
