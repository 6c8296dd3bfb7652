"""The exports `bagel-edit` and `lmms-engine` in the code of their trainers: every picture and text
equals the corpus', and BAGEL packs its first sequence from what the export says alone."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from corpora import both_sources_document
from trainer_code import checkout_of, python_of, run_script

from sgt_data import IN_PROCESS, build_corpus, open_corpus, write_questions
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.manifest.manifest import parse_manifest

pytestmark = pytest.mark.trainers

RANKS, WORKERS = 2, 2


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Pictures of sizes that BAGEL keeps, and a proxy that reverses another."""
    root = tmp_path_factory.mktemp("editing") / "corpus"
    document = both_sources_document(sample_sources, shard_samples=5)
    document["pictures"] = {"min_side": 512, "max_side": 1024, "multiple_of": 16}
    document["inputs"] = "shared"
    document["sources"] = document["sources"][1:]
    document["proxies"] = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
        {"type": "generate", "name": "draw", "of": "panoptic"},
    ]
    assert build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS).succeeded
    return str(root)


@pytest.fixture(scope="module")
def editing(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("exported") / "editing"
    questions = str(output.parent / "questions")
    write_questions(corpus, questions)
    options = ExportOptions(ranks=RANKS, workers=WORKERS, questions=questions)
    report = export_corpus(corpus, str(output), "bagel-edit", options=options)
    known = ("absolute paths", "vlm_sft: with 2 ranks")
    assert [note for note in report.notes if not any(words in note for words in known)] == []
    return output


def expected(corpus: str) -> list[tuple[str, ...]]:
    """Digests of input and target, and the instruction, of every sample."""
    return [(*map(digest, sample.pixels()), sample.instruction) for sample in open_corpus(corpus)]


def digest(pixels: Any) -> str:
    height, width = pixels.shape[:2]
    return hashlib.sha256(f"{width}x{height}".encode() + pixels.tobytes()).hexdigest()


def check_read(read: dict[str, Any], corpus: str) -> None:
    """Whether every sample went to one worker, and the first packed sequence is made of them."""
    samples = expected(corpus)
    assert Counter(tuple(sample) for _, _, *sample in read["dealt"]) == Counter(samples)
    workers = Counter((rank, worker) for rank, worker, *_ in read["dealt"])
    assert len(workers) == RANKS * WORKERS
    assert len(set(workers.values())) == 1
    pairs = {sample[:2] for sample in samples}
    assert len(read["packed"]) > 1
    assert all(tuple(pair) in pairs for pair in read["packed"])
    assert read["tokens"] > 10_000
    assert read["answered"] > 0  # without answers BAGEL's own training stops


def test_bagel_reads_every_sample_and_packs_the_first_sequence(
    corpus: str, editing: Path, tmp_path: Path
) -> None:
    """The checkout's data code with the one line that the export asks for."""
    shutil.copytree(checkout_of("Bagel") / "data", tmp_path / "data")
    (line,) = (
        text.removeprefix("#").strip()
        for text in (editing / "bagel-edit.yaml").read_text().splitlines()
        if "DATASET_INFO" in text
    )
    with (tmp_path / "data/dataset_info.py").open("a") as file:
        file.write(f"\n{line}\n")
    read = run_script(
        Path(sys.executable), "read_bagel_edit.py", "bagel", editing, str(RANKS), str(WORKERS),
        PYTHONPATH=str(tmp_path),
    )  # fmt: skip
    check_read(read, corpus)


def test_nemo_automodel_reads_every_sample_and_packs_the_first_sequence(
    corpus: str, editing: Path
) -> None:
    read = run_script(
        python_of("automodel"), "read_bagel_edit.py", "automodel", editing, str(RANKS), str(WORKERS)
    )
    check_read(read, corpus)


def test_lmms_engine_reads_every_sample(corpus: str, tmp_path: Path) -> None:
    export_corpus(corpus, str(tmp_path / "out"), "lmms-engine")
    (tmp_path / "tokenizer").mkdir()
    read = run_script(
        python_of("lmms-engine"), "read_lmms_engine.py", tmp_path / "out", tmp_path / "tokenizer"
    )
    assert Counter(map(tuple, read)) == Counter(expected(corpus))
