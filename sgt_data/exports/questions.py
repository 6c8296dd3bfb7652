"""The export of a folder of questions: lists and entries for trainers of visual question answering.

OUTPUT/
  train|val|test.jsonl     the questions in LLaVA's form, with places of pictures that hold anywhere
  dataset_info.json        the entries that LLaMA-Factory needs
  llava.yaml               the list of data that LLaVA-OneVision's training takes

One list serves all three: LLaMA-Factory and ms-swift read LLaVA's form too. Pictures stay where
`sgt-data questions` wrote them.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Any

import orjson
import yaml

from sgt_data.bounded_json import loads_bounded
from sgt_data.corpus import identity
from sgt_data.errors import CorpusError, FileMissing, RequestError
from sgt_data.exports.export_options import ExportOptions
from sgt_data.exports.export_report import ExportReport
from sgt_data.exports.exported_files import ExportedFiles
from sgt_data.exports.listed_paths import check_listed, listed_path
from sgt_data.files.claim import Claim, claim
from sgt_data.files.output_place import EXPORT_MARKER, QUESTIONS_MARKER, check_output
from sgt_data.files.reading import exists, list_files, read_bytes
from sgt_data.files.unfinished import sweep_unfinished
from sgt_data.files.urls import absolute, below, is_local, join
from sgt_data.foreign_errors import in_words
from sgt_data.progress import OnProgress, Progress
from sgt_data.value_text import counted, cut

FORM = "questions"
"""As `--format` takes it."""

TAKES = frozenset({"relative_to"})
SPLITS = ("train", "val", "test")
PICTURE = "<image>"
"""What stands for the picture in a question; trainers refuse a row that has not one per picture."""

LINE_BYTES_MAX = 1 << 20
"""Most bytes of a question; a longer line is none."""
_PROGRESS_EVERY = 10_000


def export_questions(
    questions: str, output: str, options: ExportOptions, on_progress: OnProgress
) -> ExportReport:
    """Write lists and entries for LLaMA-Factory, ms-swift and LLaVA-OneVision.

    Args:
        questions: a local folder that `sgt-data questions` wrote.
        output: a local folder.
        options: `relative_to`.
        on_progress: is told how many questions are written.

    Raises:
        RequestError: one of the folders is not local, or `questions` is no folder of questions, or
            not whole.
        CorpusError: a question is damaged, or its picture is missing.
        StorageError: the output cannot be written.
    """
    options.check(FORM, TAKES)
    source = absolute(questions)
    root = check_output(output, [source], marker=EXPORT_MARKER)
    for name, place in (("questions", source), ("output", root)):
        if not is_local(place):
            raise RequestError(f"{name} is {place}; the trainers read local folders only")
        check_listed(name, place)
    listed_path(root, options)
    claim(root, _claim_of(source), remedy="export to another folder")
    sweep_unfinished(root)
    report = ExportReport(root, FORM)
    with closing(ExportedFiles(root, report)) as files:
        for split in SPLITS:
            if exists(join(source, f"{split}.jsonl")):
                report.samples[split] = _write_list(files, source, split, options, on_progress)
        held = [split for split, count in report.samples.items() if count]
        if not held:
            raise RequestError(f"{source} has no questions")
        report.configs.append(files.write("dataset_info.json", _llama_factory(root, held, options)))
        report.configs.append(files.write("llava.yaml", _llava(root, held, options)))
    report.complete = True
    return report


def _claim_of(source: str) -> Claim:
    place = join(source, QUESTIONS_MARKER)
    try:
        data = read_bytes(place)
        stated = loads_bounded(data)
    except FileMissing as why:
        raise RequestError(
            f"{source} has no {QUESTIONS_MARKER}; `sgt-data questions CORPUS --output DIR` makes a "
            "folder of questions"
        ) from why
    except orjson.JSONDecodeError as why:
        raise CorpusError(
            f"{place} is not JSON: {in_words(why)}; write the questions again"
        ) from why
    if not isinstance(stated, dict) or stated.get("format") != "sgt_data questions":
        raise CorpusError(f"{place} is not what `sgt-data questions` writes there")
    digest = hashlib.sha256(data).hexdigest()
    fields = {"version": 1, "format": FORM, "questions": digest}
    return Claim(EXPORT_MARKER, fields, "an export", describe=identity.in_words)


def _write_list(
    files: ExportedFiles, source: str, split: str, options: ExportOptions, on_progress: OnProgress
) -> int:
    """Write the list of a split; how many questions it has."""
    place = join(source, f"{split}.jsonl")
    pictures = _Pictures(source)
    count = 0
    with files.open(f"{split}.jsonl") as out:
        for line in _lines(place):
            count += 1
            row = _row(line, f"{place}, line {count}", pictures)
            row["image"] = listed_path(row["image"], options)
            out.write(orjson.dumps(row) + b"\n")
            if count % _PROGRESS_EVERY == 0:
                on_progress(Progress(count, phase=f"writing {split}"))
    on_progress(Progress(count, phase=f"writing {split}"))
    return count


def _lines(place: str) -> Iterator[bytes]:
    with open(place, "rb") as file:
        while line := file.readline(LINE_BYTES_MAX):
            yield line


def _row(line: bytes, where: str, pictures: _Pictures) -> dict[str, Any]:
    """A question whose picture is there, with the absolute path of it.

    Raises:
        CorpusError: it is none, or trainers would refuse it.
    """
    try:
        row = loads_bounded(line)
        turns = [(turn["from"], turn["value"]) for turn in row["conversations"]]
        image = row["image"]
        marks = sum(value.count(PICTURE) for _, value in turns)
    except (orjson.JSONDecodeError, LookupError, TypeError, AttributeError) as why:
        raise CorpusError(f"{where}: not a question in LLaVA's form: {cut(line)}") from why
    if not isinstance(image, str) or not pictures.has(image):
        raise CorpusError(
            f"{where}: the picture {cut(image)} is not there; write the questions again"
        )
    if marks != 1:
        raise CorpusError(
            f"{where}: {counted(marks, 'mark')} {PICTURE} for one picture; trainers take one"
        )
    return {**row, "image": below(pictures.root, image)}


class _Pictures:
    """Which pictures there are; a folder is listed once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self._names: dict[str, Mapping[str, int]] = {}

    def has(self, path: str) -> bool:
        """Whether a picture is there.

        Raises:
            LeavesRoot: its path leads out of the folder.
        """
        folder, name = os.path.split(path)
        if folder not in self._names:
            self._names[folder] = list_files(below(self.root, folder) if folder else self.root)
        return name in self._names[folder]


def _llama_factory(root: str, splits: list[str], options: ExportOptions) -> bytes:
    """`dataset_info.json`: `sgt_train` and so on. With absolute paths the entries hold in another
    folder's file as well."""
    entries = {
        f"sgt_{split}": {
            # LLaMA-Factory looks for it in its `dataset_dir`
            "file_name": f"{split}.jsonl" if options.relative_to else f"{root}/{split}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "image"},
        }
        for split in splits
    }
    return orjson.dumps(entries, option=orjson.OPT_INDENT_2) + b"\n"


def _llava(root: str, splits: list[str], options: ExportOptions) -> bytes:
    """The list of data for LLaVA's `--data_path`: what is trained on."""
    trained = ["train"] if "train" in splits else splits
    data = [
        {"json_path": listed_path(f"{root}/{split}.jsonl", options), "sampling_strategy": "all"}
        for split in trained
    ]
    return yaml.safe_dump({"datasets": data}, sort_keys=False, allow_unicode=True).encode()
