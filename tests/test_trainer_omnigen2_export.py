"""OmniGen2's own data sets, as published and as SGT released it, on our export."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from trainer_code import checkout_of, python_of, run_script

from sgt_data import IN_PROCESS, build_corpus, open_corpus, write_questions
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.manifest.manifest import parse_manifest

pytestmark = pytest.mark.trainers

PROXIES = ("panoptic", "edge", "generate-panoptic")


@pytest.fixture(scope="module")
def exported(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `corpus`, `questions` and `omnigen2`, whose lists are relative to it."""
    root = tmp_path_factory.mktemp("lists")
    manifest = parse_manifest(
        {
            "name": "lists",
            "pictures": {"min_side": 256, "max_side": 512, "multiple_of": 16},
            "sources": [{"type": "coco", "root": str(sample_sources / "coco"),
                         "annotations": ["panoptic"]}],
            "proxies": [
                {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
                {"type": "edge"},
                {"type": "generate", "of": "panoptic"},
            ],
        }
    )  # fmt: skip
    assert build_corpus(manifest, str(root / "corpus"), cluster=IN_PROCESS).succeeded
    write_questions(str(root / "corpus"), str(root / "questions"))
    options = ExportOptions(questions=str(root / "questions"), relative_to=str(root))
    export_corpus(str(root / "corpus"), str(root / "omnigen2"), "omnigen2", options=options)
    return root


def digest(picture: Image.Image) -> str:
    return hashlib.sha256(np.ascontiguousarray(np.asarray(picture)).tobytes()).hexdigest()


def stored(root: Path, *proxies: str) -> list[tuple[str, str, str]]:
    """Digests of both pictures, and the instruction, of every sample of a corpus."""
    return sorted(
        (digest(sample.input_image), digest(sample.target_image), sample.instruction)
        for proxy in proxies
        for sample in open_corpus(str(root / "corpus")).samples(proxy)
    )


def read(root: Path, checkout: Path, config: str) -> list[dict[str, Any]]:
    """The items that OmniGen2's code reads, started in `root` as the list's comment says."""
    before = os.getcwd()
    os.chdir(root)
    try:
        items: list[dict[str, Any]] = run_script(
            python_of("omnigen2"), "read_omnigen2_export.py", f"omnigen2/{config}",
            PYTHONPATH=str(checkout), OMNIGEN2_COCO_ROOT=".", OMNIGEN2_SFT_IMAGE_ROOT="questions",
        )  # fmt: skip
    finally:
        os.chdir(before)
    return items


def test_omnigen2_as_published_reads_every_sample(exported: Path) -> None:
    items = read(exported, checkout_of("OmniGen2"), "omnigen2.yml")
    given = sorted((item["input"][0], item["output"], item["instruction"]) for item in items)
    assert given == stored(exported, *PROXIES)


def test_sgts_omnigen2_reads_the_proxies_that_it_asks_for_and_the_questions(
    exported: Path,
) -> None:
    items = read(exported, checkout_of("SGT") / "OmniGen2", "omnigen2_sgt.yml")
    drawings = [item for item in items if item["task"] != "sft"]
    given = sorted((item["input"][0], item["output"]) for item in drawings)
    assert given == [sample[:2] for sample in stored(exported, "panoptic")]
    assert all(item["of_bank"] for item in drawings)
    lines = (exported / "questions/train.jsonl").read_text().splitlines()
    answers = sorted(json.loads(line)["conversations"][1]["value"] for line in lines)
    asked = [item for item in items if item["task"] == "sft"]
    assert sorted(item["answer"] for item in asked) == answers
    assert all(len(item["input"]) == 1 and item["output"] is None for item in asked)
