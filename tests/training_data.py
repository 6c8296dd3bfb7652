"""What the trainer learns from, in tests: a corpus, questions about its pictures, and captions."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from corpora import both_sources_document

import sgt_data
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.training.config import TrainConfig, parse_config


def write_training_data(sources: Path, root: Path) -> dict[str, Any]:
    """Fields of `data` in a configuration: a corpus, questions and captions."""
    document = both_sources_document(sources, shard_samples=5)
    assert sgt_data.build_corpus(
        parse_manifest(document), str(root / "corpus"), cluster=sgt_data.IN_PROCESS
    ).succeeded
    (root / "questions/images").mkdir(parents=True)
    lines, captions = [], []
    for number, sample in enumerate(sgt_data.open_corpus(str(root / "corpus")).samples("semantic")):
        image = f"images/{sample.key}.jpg"
        (root / "questions" / image).write_bytes(sample.input)
        count = len(sample.facts["segments"])
        questions = [("How many classes are there?", str(min(count, 4))), ("Any?", "yes")]
        for question, answer in questions:
            lines.append(conversation(f"{number}", (f"<image>\n{question}", answer), image=image))
        text = f"Draw a picture of: {count} classes"
        captions.append(conversation(sample.key, (text, "<image>"), image=image, draws="picture"))
    write_lines(root / "questions/train.jsonl", lines)
    write_lines(root / "questions/captions.jsonl", captions)
    return {
        "corpus": str(root / "corpus"),
        "questions": str(root / "questions"),
        "captions": [str(root / "questions/captions.jsonl")],
    }


def conversation(key: str, *exchanges: tuple[str, str], **fields: Any) -> dict[str, Any]:
    """A conversation in LLaVA's form."""
    turns = []
    for question, answer in exchanges:
        turns += [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]
    return {"id": key, "conversations": turns, **fields}


def write_lines(file: Path, lines: Sequence[dict[str, Any]]) -> Path:
    """A file of conversations, one a line."""
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return file


def config_of(data: dict[str, Any], *overrides: str) -> TrainConfig:
    """A configuration of a few steps of a tiny model."""
    settings = {"width": 32, "layers": 2, "generation": "regression", "generator_layers": 0}
    document = {
        "data": {**data, "proxies": ["entity", "panoptic"]},
        "model": {"picture": 32, "settings": settings},
        "steps": 12, "questions": 5, "drawings": 7, "log_every": 2, "checkpoint_every": 4,
    }  # fmt: skip
    return parse_config(document, overrides)
