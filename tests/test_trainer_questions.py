"""LLaMA-Factory, ms-swift and LLaVA-NeXT read the export of questions with their own data code."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import both_sources_document
from PIL import Image
from trainer_code import checkout_of, python_of, run_script

from sgt_data import IN_PROCESS, build_corpus, export_corpus, open_corpus, write_questions
from sgt_data.manifest.manifest import parse_manifest

pytestmark = pytest.mark.trainers


@pytest.fixture(scope="module")
def export(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of a folder of questions, which lies beside it."""
    root = tmp_path_factory.mktemp("questions")
    document = both_sources_document(sample_sources, shard_samples=5) | {"inputs": "shared"}
    document["proxies"] = [proxy for proxy in document["proxies"] if proxy["name"] == "instance"]
    assert build_corpus(
        parse_manifest(document), str(root / "corpus"), cluster=IN_PROCESS
    ).succeeded
    write_questions(str(root / "corpus"), str(root / "questions"))
    report = export_corpus(str(root / "questions"), str(root / "out"), "questions")
    assert report.complete and sum(report.samples.values())
    return root / "out"


def asked(export: Path, split: str) -> list[dict[str, Any]]:
    """Oracle: text, answer and digest of the pixels of each question, the pixels those of the
    corpus."""
    corpus = open_corpus(str(export.parent / "corpus"))
    pixels = {sample.key: sample.input_image for sample in corpus.samples("instance")}
    lines = (export.parent / "questions" / f"{split}.jsonl").read_text().splitlines()
    return [
        {
            "id": row["id"],
            "text": row["conversations"][0]["value"].removeprefix("<image>"),
            "answer": row["conversations"][1]["value"],
            "pictures": [digest(pixels[row["key"]])],
        }
        for row in map(json.loads, lines)
    ]


def digest(picture: Image.Image) -> str:
    pixels = np.asarray(picture)
    return hashlib.sha256(repr(pixels.shape).encode() + pixels.tobytes()).hexdigest()


def held(export: Path) -> list[str]:
    return [split for split in ("train", "val", "test") if asked(export, split)]


def test_llama_factory_reads_it(export: Path, tmp_path: Path) -> None:
    python = python_of("llamafactory")
    seen = run_script(python, "read_llamafactory.py", export, tmp_path, *held(export))
    for split in held(export):
        for row, question in zip(seen[split], asked(export, split), strict=True):
            assert row["marks"]
            assert row["prompt"].endswith(f"USER: {question['text']} ASSISTANT:")
            assert row["answer"] == question["answer"]
            assert row["pictures"] == question["pictures"]


def test_ms_swift_reads_it(export: Path, tmp_path: Path) -> None:
    seen = run_script(python_of("ms-swift"), "read_ms_swift.py", export, tmp_path, *held(export))
    for split in held(export):
        for row, question in zip(seen[split], asked(export, split), strict=True):
            assert row["roles"] == ["user", "assistant"]
            assert row["prompt"] == f"<image>{question['text']}"
            assert row["answer"] == question["answer"]
            assert row["pictures"] == question["pictures"]


def test_llava_reads_it(export: Path) -> None:
    checkout = checkout_of("LLaVA-NeXT")
    seen = run_script(Path(sys.executable), "read_llava.py", export, PYTHONPATH=str(checkout))
    for row, question in zip(seen, asked(export, "train"), strict=True):
        assert row["id"] == question["id"] and row["marks"] == 1
        assert row["prompt"].endswith(f"USER: {question['text']} ASSISTANT:")
        assert row["answer"] == f" {question['answer']}</s>"
        assert row["pictures"] == question["pictures"]
