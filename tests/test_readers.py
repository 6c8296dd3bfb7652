"""The tars are plain WebDataset: other people's readers open them with no code of ours."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from corpora import both_sources
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, open_corpus

PROXY = "semantic"


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("read") / "corpus"
    build_corpus(both_sources(sample_sources, shard_samples=5), str(output), cluster=IN_PROCESS)
    return output


@pytest.fixture(scope="module")
def stored(corpus: Path) -> dict[str, Any]:
    return {sample.key: sample for sample in open_corpus(str(corpus)).samples(PROXY)}


def _tars(corpus: Path) -> list[str]:
    return sorted(map(str, (corpus / PROXY).glob("*.tar")))


def test_webdataset_reads_the_tars(corpus: Path, stored: dict[str, Any]) -> None:
    import webdataset

    dataset = webdataset.WebDataset(_tars(corpus), shardshuffle=False)
    seen = {sample["__key__"]: sample for sample in dataset}
    assert seen.keys() == stored.keys()
    for key, sample in seen.items():
        assert sample["input.jpg"] == stored[key].input
        assert sample["target.png"] == stored[key].target
        assert sample["txt"].decode() == stored[key].instruction
        assert json.loads(sample["json"]) == stored[key].facts


def test_hugging_face_datasets_reads_the_tars(
    corpus: Path, stored: dict[str, Any], tmp_path: Path
) -> None:
    import datasets

    rows = datasets.load_dataset(
        "webdataset", data_files=_tars(corpus), split="train", cache_dir=str(tmp_path)
    )
    assert {row["__key__"] for row in rows} == stored.keys()
    for row in rows:
        sample = stored[row["__key__"]]
        expected = np.asarray(Image.open(io.BytesIO(sample.target)).convert("RGB"))
        assert np.array_equal(np.asarray(row["target.png"].convert("RGB")), expected)
        assert row["txt"] == sample.instruction
        assert row["json"]["key"] == sample.key


def test_ray_data_reads_the_tars(corpus: Path, stored: dict[str, Any]) -> None:
    import ray

    ray.init(address="local", num_cpus=1, include_dashboard=False, logging_level="error")
    try:
        rows = ray.data.read_webdataset(_tars(corpus), decoder=None).take_all()
    finally:
        ray.shutdown()
    assert {row["__key__"] for row in rows} == stored.keys()
    for row in rows:
        assert row["target.png"] == stored[row["__key__"]].target
        assert json.loads(row["json"]) == stored[row["__key__"]].facts


def test_members_lie_where_the_index_says(corpus: Path) -> None:
    opened = open_corpus(str(corpus))
    for shard in opened.shards(PROXY):
        data = (corpus / PROXY / f"{shard}.tar").read_bytes()
        for row in opened.index(PROXY, shard).to_pylist():
            facts = data[row["facts_offset"] :][: row["facts_size"]]
            assert json.loads(facts)["key"] == row["key"]
            picture = data[row["input_offset"] :][: row["input_size"]]
            with Image.open(io.BytesIO(picture)) as image:
                assert image.size == (row["width"], row["height"])
