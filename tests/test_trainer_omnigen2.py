"""OmniGen2's own collators and data sets, as published and as SGT released it, on our feeder."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from corpora import both_sources_document
from making import jpeg
from tiny_models import tiny_qwen_processor
from trainer_code import ROOT, checkout_of, python_of, run_script

from sgt_data import IN_PROCESS, build_corpus, export_corpus, open_corpus
from sgt_data.manifest.manifest import parse_manifest

pytestmark = pytest.mark.trainers

QUESTIONS = 5
"""Of which the fourth has earlier turns, and the last no picture."""


@pytest.fixture(scope="module")
def world(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus, its export, questions, and the files of a processor."""
    root = tmp_path_factory.mktemp("omnigen2")
    document = both_sources_document(sample_sources, shard_samples=5)
    document["pictures"] = {"min_side": 64, "max_side": 128, "multiple_of": 16}
    document["proxies"] = [p for p in document["proxies"] if p["name"] == "panoptic"]
    corpus = str(root / "corpus")
    assert build_corpus(parse_manifest(document), corpus, cluster=IN_PROCESS).succeeded
    assert export_corpus(corpus, str(root / "export"), "omnigen2").complete
    tiny_qwen_processor(root / "qwen")
    write_questions(root / "questions")
    return root


def write_questions(folder: Path) -> None:
    folder.mkdir()
    lines = []
    for number in range(QUESTIONS):
        turns = ["<image>\nHow many?", str(number)]
        if number == 3:
            turns = ["<image>\nHello.", "Hi.", "How many?", "three"]
        line: dict[str, Any] = {"id": f"q{number}", "image": f"{number}.jpg"}
        if number == QUESTIONS - 1:
            line["image"], turns[0] = None, "How many?"
        line["conversations"] = [
            {"from": ("human", "gpt")[place % 2], "value": text} for place, text in enumerate(turns)
        ]
        (folder / f"{number}.jpg").write_bytes(jpeg(96, 64, number))
        lines.append(json.dumps(line))
    (folder / "train.jsonl").write_text("\n".join(lines))


def read(world: Path, version: str, checkout: Path, config: Path) -> Any:
    return run_script(
        python_of("omnigen2"), "read_omnigen2.py", version, world / "corpus",
        world / "questions/train.jsonl", world / "qwen", config, PYTHONPATH=f"{checkout}:{ROOT}",
    )  # fmt: skip


def rgb(picture: Any) -> str:
    return hashlib.sha256(np.asarray(picture).tobytes()).hexdigest()


def check_drawings(world: Path, ours: dict[str, Any]) -> None:
    """Every picture is the corpus' own, and every text holds its instruction."""
    for sample in open_corpus(str(world / "corpus")).samples("panoptic"):
        picture, target = sample.pictures()
        fields = ours[sample.key]
        assert (fields["input"], fields["target"]) == (rgb(picture), rgb(target))
        assert fields["text"].count(sample.instruction) == 1


def test_the_published_collator_makes_of_ours_what_it_makes_of_its_own(world: Path) -> None:
    config = world / "export/omnigen2.yml"
    read_back = read(world, "published", checkout_of("OmniGen2"), config)
    assert len(read_back["ours"]) == 12
    check_drawings(world, read_back["ours"])
    assert read_back["ours"] == read_back["own"]


def test_sgts_collator_makes_of_ours_what_it_makes_of_its_own(world: Path) -> None:
    """Its own data set draws instructions from its bank, and knows the last turns alone."""
    config = world / "sft.yml"
    data = yaml.safe_load((world / "export/omnigen2_sgt.yml").read_text())
    questions = {"path": str(world / "questions/train.jsonl"), "type": "sft", "ratio": 1.0}
    config.write_text(yaml.safe_dump({"data": [*data["data"], questions]}))
    read_back = read(world, "sgt", checkout_of("SGT") / "OmniGen2", config)
    ours, own = read_back["ours"], read_back["own"]
    check_drawings(world, {key: ours[key] for key in ours if key.startswith("coco")})
    assert set(ours) == set(own) >= {f"q{number}" for number in range(QUESTIONS)}
    for key, fields in ours.items():
        if key.startswith("coco"):
            for name in ("input", "target", "pixel_values", "grid"):
                assert fields[name] == own[key][name]
        elif key == "q3":
            assert "Hello.<|im_end|>" in fields["text"] and "Hello." not in own[key]["text"]
            assert fields["labels"] == own[key]["labels"]
        else:
            assert fields == own[key]
