"""Sources on, and corpora in, an object store: the same bytes as on a disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from corpora import both_sources, both_sources_document, file_digests
from making import built, check_accounts, jpeg, ledger_in
from s3_server import new_bucket, s3_in_use

from sgt_data import (
    IN_PROCESS,
    build_corpus,
    open_corpus,
    verify_corpus,
)
from sgt_data.corpus.index import ends_of
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.view.answers import Answers
from sgt_data.view.collection import Place
from sgt_data.view.open_collection import open_collection
from sgt_data.view.query import Query


@pytest.fixture
def bucket() -> Iterator[str]:
    """URL of an empty bucket on a local S3 server."""
    with s3_in_use():
        yield new_bucket()


def test_a_corpus_in_a_bucket_is_that_on_a_disk(
    bucket: str, sample_sources: Path, tmp_path: Path
) -> None:
    filesystem = fsspec.filesystem("s3")
    filesystem.put(f"{sample_sources}/", f"{bucket}/sources/", recursive=True)
    document = both_sources_document(sample_sources, shard_samples=5)
    document["sources"][0]["tars"] = f"{bucket}/sources/sa1b/sa_*.tar"
    document["sources"][1]["root"] = f"{bucket}/sources/coco"
    report = build_corpus(parse_manifest(document), f"{bucket}/corpus", cluster=IN_PROCESS)
    assert report.succeeded
    assert verify_corpus(f"{bucket}/corpus", deep=True).sound
    filesystem.get(f"{bucket}/corpus/", f"{tmp_path}/fetched/", recursive=True)
    build_corpus(
        both_sources(sample_sources, shard_samples=5), f"{tmp_path}/local", cluster=IN_PROCESS
    )
    assert file_digests(tmp_path / "fetched") == file_digests(tmp_path / "local")


def test_an_interrupted_build_in_a_bucket_goes_on(bucket: str, sample_sources: Path) -> None:
    manifest = both_sources(sample_sources, shard_samples=5)
    build_corpus(manifest, f"{bucket}/corpus", cluster=IN_PROCESS)
    shard = open_corpus(f"{bucket}/corpus").shards("panoptic")[1]
    fsspec.filesystem("s3").rm(f"{bucket}/corpus/receipts/panoptic/{shard}.json")
    again = build_corpus(manifest, f"{bucket}/corpus", cluster=IN_PROCESS)
    assert again.built_shards == 1
    assert verify_corpus(f"{bucket}/corpus", deep=True).sound


def test_a_corpus_in_a_bucket_is_looked_at_sample_by_sample(
    bucket: str, sample_sources: Path
) -> None:
    """A tar is damaged after its first sample: that one is shown all the same, the next is not."""
    manifest = both_sources(sample_sources, shard_samples=5)
    build_corpus(manifest, f"{bucket}/corpus", cluster=IN_PROCESS)
    opened = open_corpus(f"{bucket}/corpus")
    shard = opened.shards("panoptic")[0]
    samples = list(opened.samples("panoptic", [shard]))
    filesystem, tar = fsspec.filesystem("s3"), f"{bucket}/corpus/panoptic/{shard}.tar"
    end = int(ends_of(opened.index("panoptic", shard))[0])
    data = filesystem.cat_file(tar)
    filesystem.pipe_file(tar, data[:end] + bytes(len(data) - end))
    answers = Answers(open_collection(f"{bucket}/corpus"))
    items = answers.samples("panoptic", Query(), 0)["items"]
    assert items[0]["instruction"] == samples[0].instruction
    place = Place("panoptic", shard, samples[0].key)
    assert answers.picture(place, "target") == samples[0].target
    assert "CRC-32" in items[1]["problem"]


def test_an_empty_file_in_a_bucket_costs_itself(bucket: str, tmp_path: Path) -> None:
    """A store answers a request for a part of it with an error."""
    filesystem = fsspec.filesystem("s3")
    for number in range(3):
        body = jpeg(64, 48, number) if number else b""
        filesystem.pipe_file(f"{bucket}/pictures/{number}.jpg", body)
    source = {"type": "folder", "pictures": f"{bucket}/pictures"}
    report = built(tmp_path / "out", source, [{"type": "mae"}])
    check_accounts(tmp_path / "out", report)
    assert [row["member"] for row in ledger_in(tmp_path / "out", "mae")] == ["0.jpg"]
