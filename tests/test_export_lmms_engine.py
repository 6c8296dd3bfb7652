"""The export of conversations for lmms-engine: files of pictures, named by rows of Parquet."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from corpora import both_sources_document

from sgt_data import IN_PROCESS, build_corpus, open_corpus
from sgt_data.exports.export import export_corpus
from sgt_data.exports.export_options import ExportOptions
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import Progress

PROXIES = ("panoptic", "edge", "draw")


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Shared inputs, and a proxy that reverses another."""
    root = tmp_path_factory.mktemp("corpora") / "corpus"
    document = both_sources_document(sample_sources, shard_samples=5)
    document["inputs"] = "shared"
    document["proxies"] = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic", "sources": ["coco"]},
        {"type": "edge"},
        {"type": "generate", "name": "draw", "of": "panoptic"},
    ]
    assert build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS).succeeded
    return str(root)


def conversations(output: Path, proxy: str) -> list[dict[str, Any]]:
    """As its `bagel_iterable` reads the data set of this proxy, by way of the YAML file."""
    datasets = yaml.safe_load((output / "lmms-engine.yaml").read_text())["datasets"]
    (dataset,) = (data for data in datasets if Path(data["path"]).stem == proxy)
    assert dataset["data_type"] == "parquet"
    rows = []
    for row in pq.read_table(dataset["path"]).to_pylist():
        user, assistant = json.loads(row["messages"])
        assert (user["role"], assistant["role"]) == ("user", "assistant")
        assert [part["type"] for part in user["content"]] == ["image_url", "text"]
        urls = [user["content"][0]["image_url"]["url"], assistant["content"][0]["image_url"]["url"]]
        pictures = [Path(dataset["data_folder"], url).read_bytes() for url in urls]
        rows.append({**row, "pictures": pictures, "text": user["content"][1]["text"]})
    return rows


def test_a_conversation_shows_the_input_and_draws_the_target(corpus: str, tmp_path: Path) -> None:
    report = export_corpus(corpus, tmp_path / "out", "lmms-engine")
    assert report.samples == {"panoptic": 12, "edge": 24, "draw": 12}
    for proxy in PROXIES:
        rows = conversations(tmp_path / "out", proxy)
        samples = list(open_corpus(corpus).samples(proxy))
        for row, sample in zip(rows, samples, strict=True):
            assert row["pictures"] == [sample.input, sample.target]
            assert (row["key"], row["text"]) == (sample.key, sample.instruction)
            assert json.loads(row["facts"]) == sample.facts


def test_pictures_that_proxies_share_are_links(corpus: str, tmp_path: Path) -> None:
    report = export_corpus(corpus, tmp_path / "out", "lmms-engine")
    assert (report.written, report.linked) == (24 + 36, 12 + 24)
    inodes = {path.stat().st_ino for path in (tmp_path / "out").rglob("*/*/*")}
    assert len(inodes) == report.written


def test_a_stopped_export_goes_on_to_the_same_bytes(corpus: str, tmp_path: Path) -> None:
    def files(output: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(output)): path.read_bytes()
            for path in output.rglob("*")
            if path.is_file() and path.suffix not in (".yaml", ".json")
        }

    def stop(progress: Progress) -> None:
        if progress.done > 20:
            raise KeyboardInterrupt

    export_corpus(corpus, tmp_path / "a", "lmms-engine")
    with pytest.raises(KeyboardInterrupt):
        export_corpus(corpus, tmp_path / "b", "lmms-engine", progress=stop)
    assert not (tmp_path / "b/edge.parquet").exists()
    report = export_corpus(corpus, tmp_path / "b", "lmms-engine")
    assert report.kept > 0
    assert files(tmp_path / "b") == files(tmp_path / "a")


def test_paths_are_relative_to_a_folder_on_demand(corpus: str, tmp_path: Path) -> None:
    options = ExportOptions(relative_to=str(tmp_path))
    export_corpus(corpus, tmp_path / "out", "lmms-engine", ["edge"], options=options)
    (dataset,) = yaml.safe_load((tmp_path / "out/lmms-engine.yaml").read_text())["datasets"]
    assert dataset == {"path": "out/edge.parquet", "data_folder": "out", "data_type": "parquet"}
