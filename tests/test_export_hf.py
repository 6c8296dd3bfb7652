"""The export for Hugging Face: its rows are the samples of the corpus, byte for byte, in files that
`datasets` reads as it reads its own."""

from __future__ import annotations

import hashlib
import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import making
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hub_server import Hub
from hypothesis import given
from hypothesis import strategies as st
from s3_server import new_bucket, s3_in_use

from sgt_data import IN_PROCESS, build_corpus, decode, export_corpus, open_corpus, subset
from sgt_data.errors import RequestError
from sgt_data.exports import hf
from sgt_data.exports.hf_plan import ROW_BYTES, plan_files
from sgt_data.exports.parquet_files import row_groups_in
from sgt_data.exports.stored_sizes import sizes_of_proxy
from sgt_data.manifest.manifest import parse_manifest

SMALL_FILES = {"ROW_GROUP_BYTES": 40_000, "FILE_BYTES": 100_000}
"""Bounds by which a small corpus becomes many files."""


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No other Hub is asked, and nothing is kept for other tests."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture(scope="module")
def corpora(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Palettes, RGB, 16 bits, JPEG targets and a reversed proxy; pictures embedded and shared."""
    root = tmp_path_factory.mktemp("hf")
    document = {
        "name": "both",
        "shard_samples": 5,
        "pictures": making.SMALL,
        "sources": [
            {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_*.tar"},
            {
                "type": "coco", "root": f"{sample_sources}/coco",
                "annotations": ["instances", "panoptic"], "depth": f"{sample_sources}/depth",
            },
        ],
        "proxies": [
            {"type": "segmentation", "name": "entity", "variant": "entity"},
            {"type": "segmentation", "name": "panoptic", "variant": "panoptic",
             "sources": ["coco"]},
            {"type": "depth", "name": "depth16", "bits": 16, "sources": ["coco"]},
            {"type": "denoise"},
            {"type": "generate", "of": "panoptic"},
        ],
    }  # fmt: skip
    for inputs in ("embedded", "shared"):
        manifest = parse_manifest(document | {"inputs": inputs})
        assert build_corpus(manifest, str(root / inputs), cluster=IN_PROCESS).succeeded
    return {inputs: root / inputs for inputs in ("embedded", "shared")}


@pytest.fixture
def small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, nbytes in SMALL_FILES.items():
        monkeypatch.setattr(hf, name, nbytes)


def rows(output: Path, proxy: str, streaming: bool) -> Any:
    import datasets

    return datasets.load_dataset(str(output), proxy, split="train", streaming=streaming)


def parquet_files(output: Path) -> dict[str, str]:
    """SHA-256 of every file but the claim, by path."""
    return {
        str(path.relative_to(output)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(output.rglob("*"))
        if path.is_file() and path.name != "export.json"
    }


@pytest.mark.parametrize("inputs", ["embedded", "shared"])
def test_datasets_gives_the_samples_of_the_corpus(
    corpora: dict[str, Path], tmp_path: Path, small_files: None, inputs: str
) -> None:
    import datasets

    output = tmp_path / "out"
    report = export_corpus(str(corpora[inputs]), str(output), "hf")
    corpus = open_corpus(str(corpora[inputs]))
    assert datasets.get_dataset_config_names(str(output)) == list(corpus.proxies)
    assert datasets.get_dataset_default_config_name(str(output)) == "entity"
    assert report.samples == {p: sum(corpus.samples_per_shard(p)) for p in corpus.proxies}
    for proxy, streaming in itertools.product(corpus.proxies, (True, False)):
        for row, sample in zip(rows(output, proxy, streaming), corpus.samples(proxy), strict=True):
            assert (row["key"], row["instruction"]) == (sample.key, sample.instruction)
            assert json.loads(row["facts"]) == sample.facts
            assert row["source"] == sample.facts["source"]["name"]
            assert row["licence"] == sample.facts["source"]["licence"]
            if proxy == "depth16":
                assert row["target"].mode == "I;16"
                continue
            for picture, pixels in zip((row["input"], row["target"]), sample.pixels(), strict=True):
                assert picture.mode == "RGB"
                assert np.array_equal(np.asarray(picture), pixels)


def test_the_bytes_of_pictures_and_json_are_those_of_the_corpus(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    output = tmp_path / "out"
    export_corpus(str(corpora["embedded"]), str(output), "hf")
    for proxy in ("panoptic", "depth16", "denoise"):
        stored = making.samples_in(corpora["embedded"], proxy)
        read = pq.read_table(output / proxy).to_pylist()
        assert len(read) == len(stored)
        for row in read:
            parts = stored[row["key"]]
            for name in ("input", "target"):
                path = row[name]["path"].removeprefix(f"{row['key']}.")
                assert row[name]["bytes"] == parts[path]
            assert row["facts"].encode() == parts["json"]
            assert decode(row["target"]["bytes"], row["facts"]) is not None


def test_shared_pictures_and_embedded_ones_give_the_same_files(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    for inputs, corpus in corpora.items():
        export_corpus(str(corpus), str(tmp_path / inputs), "hf")
    embedded, shared = (parquet_files(tmp_path / inputs) for inputs in ("embedded", "shared"))
    assert embedded == shared and len(embedded) > 10


def test_the_schema_is_that_of_datasets_own_push(
    corpora: dict[str, Path], tmp_path: Path, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Types, features in the metadata, names of files, bounds of row groups and pages."""
    import datasets

    monkeypatch.setattr(datasets.config, "HF_ENDPOINT", hub.endpoint)
    output = tmp_path / "out"
    export_corpus(str(corpora["shared"]), str(output), "hf", ["panoptic", "depth16"])
    for proxy in ("panoptic", "depth16"):
        ours = rows(output, proxy, streaming=False)
        ours.push_to_hub("somebody/pushed", proxy, token="hf_writer")
        (path,) = (path for path in hub.files("somebody/pushed") if path.startswith(proxy))
        assert path == f"{proxy}/train-00000-of-00001.parquet"
        (tmp_path / "theirs.parquet").write_bytes(hub.files("somebody/pushed")[path])
        theirs = pq.ParquetFile(tmp_path / "theirs.parquet")
        written = pq.ParquetFile(output / path)
        assert written.schema_arrow == theirs.schema_arrow
        features = [
            json.loads(file.schema_arrow.metadata[b"huggingface"])["info"]["features"]
            for file in (written, theirs)
        ]
        assert features[0] == features[1]
        group, other = (file.metadata.row_group(0) for file in (written, theirs))
        assert group.num_rows == other.num_rows
        for number in range(group.num_columns):
            column, of_theirs = group.column(number), other.column(number)
            assert column.path_in_schema == of_theirs.path_in_schema
            assert column.has_offset_index == of_theirs.has_offset_index
            if column.path_in_schema.endswith(".bytes"):
                assert column.compression == of_theirs.compression == "UNCOMPRESSED"
                assert column.encodings == of_theirs.encodings
                assert column.statistics is None or not column.statistics.has_min_max
    theirs_card = yaml.safe_load(hub.files("somebody/pushed")["README.md"].split(b"---\n")[1])
    assert "&id" not in (output / "README.md").read_text()
    card = yaml.safe_load((output / "README.md").read_text().split("---\n")[1])
    stated, of_datasets = (
        {info["config_name"]: info for info in each["dataset_info"]} for each in (card, theirs_card)
    )
    assert stated.keys() == of_datasets.keys()
    for proxy, info in stated.items():
        of_theirs = of_datasets[proxy]
        assert info["features"] == of_theirs["features"]
        assert info["splits"][0]["num_examples"] == of_theirs["splits"][0]["num_examples"]


def test_a_file_alone_tells_its_features(corpora: dict[str, Path], tmp_path: Path) -> None:
    import datasets

    output = tmp_path / "out"
    export_corpus(str(corpora["shared"]), str(output), "hf", ["denoise", "depth16"])
    for proxy, mode in (("denoise", "RGB"), ("depth16", None)):
        (path,) = map(str, (output / proxy).glob("*.parquet"))
        read = datasets.load_dataset("parquet", data_files=path, split="train")
        assert read.features["target"] == datasets.Image(mode=mode)
        assert read.features["input"] == datasets.Image(mode=mode)


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(300, 4000), st.integers(300, 9000))
def test_files_and_row_groups_keep_to_their_bounds(
    sizes: list[int], row_group: int, file: int
) -> None:
    files = plan_files(sizes, row_group, file)
    assert sum(map(sum, files)) == len(sizes)
    start, before = 0, None
    for groups in files:
        nbytes = []
        for count in groups:
            nbytes.append(sum(sizes[start : start + count]) + count * ROW_BYTES)
            assert count == 1 or nbytes[-1] <= min(row_group, file)
            start += count
        assert len(groups) == 1 or sum(nbytes) <= file
        if before is not None:
            assert before + nbytes[0] > file, "no file is smaller than need be"
        before = sum(nbytes)


@pytest.mark.parametrize("inputs", ["embedded", "shared"])
def test_sizes_are_known_before_a_sample_is_read(corpora: dict[str, Path], inputs: str) -> None:
    corpus = open_corpus(str(corpora[inputs]))
    for proxy in corpus.proxies:
        planned = sizes_of_proxy(corpus, proxy)
        stored = [
            sum(map(len, corpus.reader.members(proxy, shard, row, hf_members()).values()))
            for shard in corpus.shards(proxy)
            for row in range(corpus.reader.count(proxy, shard))
        ]
        assert planned.tolist() == stored


def hf_members() -> tuple[str, ...]:
    return ("input", "target", "instruction", "facts")


KILLED = """
import os, signal, sys
from sgt_data import export_corpus
from sgt_data.exports import hf
hf.ROW_GROUP_BYTES, hf.FILE_BYTES = int(sys.argv[4]), int(sys.argv[5])
def die(progress):
    if progress.done >= int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
export_corpus(sys.argv[1], sys.argv[2], "hf", progress=die)
"""


def test_a_killed_export_goes_on_to_the_same_bytes(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    samples = sum(export_corpus(str(corpora["shared"]), str(whole), "hf").samples.values())
    for done in (3, samples // 2):
        ended = subprocess.run(
            [sys.executable, "-c", KILLED, str(corpora["shared"]), str(killed), str(done),
             *map(str, SMALL_FILES.values())],
            check=False,
        )  # fmt: skip
        assert ended.returncode == -signal.SIGKILL
        left = {path: digest for path, digest in parquet_files(killed).items() if path in
                parquet_files(whole)}  # fmt: skip
        assert left.items() <= parquet_files(whole).items()
    kept = {path: path.stat().st_mtime_ns for path in killed.rglob("*.parquet")}
    (cut := sorted(kept)[0]).write_bytes(cut.read_bytes()[:-9])
    report = export_corpus(str(corpora["shared"]), str(killed), "hf")
    assert report.kept == len(kept) - 1 > 0 and report.written > 0
    assert parquet_files(killed) == parquet_files(whole)
    assert {path: path.stat().st_mtime_ns for path in kept if path != cut} == {
        path: time for path, time in kept.items() if path != cut
    }
    again = export_corpus(str(corpora["shared"]), str(killed), "hf")
    assert (again.written, again.nbytes) == (0, 0)


def test_it_is_written_from_a_store_to_a_store(
    corpora: dict[str, Path], tmp_path: Path, small_files: None
) -> None:
    export_corpus(str(corpora["shared"]), str(tmp_path / "out"), "hf", ["denoise"])
    with s3_in_use():
        store, bucket = fsspec.filesystem("s3"), new_bucket()
        store.put(str(corpora["shared"]), f"{bucket}/corpus", recursive=True)
        for _ in range(2):
            report = export_corpus(f"{bucket}/corpus", f"{bucket}/out", "hf", "denoise")
        assert report.written == 0 and report.kept > 1
        store.get(f"{bucket}/out", str(tmp_path / "fetched"), recursive=True)
    assert parquet_files(tmp_path / "fetched") == parquet_files(tmp_path / "out")


def test_a_subset_has_its_samples_alone(corpora: dict[str, Path], tmp_path: Path) -> None:
    half = subset(str(corpora["shared"]), 0.5, file=str(tmp_path / "half.subset.parquet"))
    report = export_corpus(half.place, str(tmp_path / "out"), "hf")
    corpus = open_corpus(half.place)
    for proxy in corpus.proxies:
        keys = [sample.key for sample in corpus.samples(proxy)]
        assert rows(tmp_path / "out", proxy, False)["key"] == keys
        assert report.samples[proxy] == len(keys) > 0


def test_the_card_counts_licences_and_names_push(corpora: dict[str, Path], tmp_path: Path) -> None:
    report = export_corpus(str(corpora["shared"]), str(tmp_path / "out"), "hf", ["entity"])
    text = (tmp_path / "out" / "README.md").read_text()
    licences = [
        s.facts["source"]["licence"] for s in open_corpus(str(corpora["shared"])).samples("entity")
    ]
    for licence in set(licences):
        assert f"| {licence or 'not stated'} | {licences.count(licence)} |" in text
    assert "sgt-data push" in text and any("sgt-data push" in note for note in report.notes)


def test_files_of_other_bounds_are_not_mixed(
    corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_corpus(str(corpora["shared"]), str(tmp_path / "out"), "hf", ["entity"])
    monkeypatch.setattr(hf, "FILE_BYTES", 1000)
    with pytest.raises(RequestError, match="file_bytes is 500000000 there, 1000 here"):
        export_corpus(str(corpora["shared"]), str(tmp_path / "out"), "hf", ["entity"])


def test_what_is_no_whole_parquet_file_has_no_rows(tmp_path: Path) -> None:
    assert row_groups_in(str(tmp_path / "none.parquet")) is None
    file = tmp_path / "file.parquet"
    file.write_bytes(b"PAR1 and no more")
    assert row_groups_in(str(file)) is None
    pq.write_table(pa.table({"x": range(10), **{f"{n:0300}": range(10) for n in range(200)}}), file,
                   row_group_size=4)  # fmt: skip
    whole = file.read_bytes()
    assert int.from_bytes(whole[-8:-4], "little") > 64 << 10  # its end is longer than most
    assert row_groups_in(str(file)) == [4, 4, 2]
    for cut in (1, 8, 9, 500, len(whole) - 4, len(whole)):
        file.write_bytes(whole[:-cut])
        assert row_groups_in(str(file)) is None
    for at in (5, 9, 200):
        file.write_bytes(whole[:-at] + b"\xff" * min(at, 100) + whole[-at:][100:])
        assert row_groups_in(str(file)) is None
