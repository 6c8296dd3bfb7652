"""The laws of a build, with Ray where they are about Ray."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from corpora import both_sources, file_digests

from sgt_data import (
    IN_PROCESS,
    Cluster,
    build_corpus,
    open_corpus,
    verify_corpus,
)
from sgt_data.corpus import receipt
from sgt_data.engine import build as builder
from sgt_data.errors import StorageError
from sgt_data.manifest.manifest import Manifest, parse_manifest


@pytest.fixture(scope="module")
def manifest(sample_sources: Path) -> Manifest:
    return both_sources(sample_sources, shard_samples=3)


@pytest.fixture(scope="module")
def reference(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Digests of all files of the corpus, built in one process."""
    output = tmp_path_factory.mktemp("reference")
    assert build_corpus(manifest, str(output), cluster=IN_PROCESS).succeeded
    return file_digests(output)


def test_shards_are_identical_for_any_worker_count(
    manifest: Manifest, reference: dict[str, str], tmp_path: Path
) -> None:
    """Four workers, and in the reference none; kills and tests of single proxies have two."""
    report = build_corpus(manifest, str(tmp_path), cluster=Cluster(workers=4))
    assert report.succeeded
    assert file_digests(tmp_path) == reference


def test_shards_are_identical_for_any_task_order(
    manifest: Manifest,
    reference: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    in_order = builder.pending_tasks

    def shuffled(*arguments: Any) -> Any:
        tasks = in_order(*arguments)
        random.Random(1).shuffle(tasks)
        return tasks

    monkeypatch.setattr(builder, "pending_tasks", shuffled)
    assert build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS).succeeded
    assert file_digests(tmp_path) == reference


def test_every_input_is_accounted_for(manifest: Manifest, tmp_path: Path) -> None:
    build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    corpus = open_corpus(str(tmp_path))
    for proxy in corpus.proxies:
        totals = corpus.header.totals[proxy]
        assert totals["inputs"] == totals["samples"] + totals["damaged"] + totals["filtered"]
        assert totals["inputs"] == 12 * len(corpus.header.source_totals[proxy])
        for shard in corpus.shards(proxy):
            ledger = (tmp_path / "quarantine" / proxy / f"{shard}.jsonl").read_text().splitlines()
            receipt = corpus.receipt(proxy, shard)
            assert receipt["inputs"] == receipt["samples"] + len(ledger)


def test_a_second_run_does_nothing(manifest: Manifest, tmp_path: Path) -> None:
    first = build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tar")}
    again = build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    assert (again.built_shards, again.found_shards) == (0, first.built_shards)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tar")} == times


def test_a_lost_shard_is_built_again_and_nothing_else(
    manifest: Manifest, reference: dict[str, str], tmp_path: Path
) -> None:
    build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    lost = sorted((tmp_path / "receipts" / "entity").glob("sa1b-*.json"))[1]
    lost.unlink()
    assert build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS).built_shards == 1
    assert file_digests(tmp_path) == reference


def test_a_reader_sees_only_what_has_a_receipt(manifest: Manifest, tmp_path: Path) -> None:
    build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    header = json.loads((tmp_path / "corpus.json").read_text())
    header["complete"] = False
    (tmp_path / "corpus.json").write_text(json.dumps(header))
    before = open_corpus(str(tmp_path)).shards("entity")
    (tmp_path / "receipts" / "entity" / f"{before[0]}.json").unlink()
    assert open_corpus(str(tmp_path)).shards("entity") == before[1:]


def test_proxies_line_up(manifest: Manifest, tmp_path: Path) -> None:
    build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    corpus = open_corpus(str(tmp_path))
    accounted: dict[str, dict[str, list[str]]] = {}
    for proxy in corpus.proxies:
        for shard in corpus.shards(proxy):
            keys = corpus.index(proxy, shard)["key"].to_pylist()
            assert keys == sorted(keys)
            ledger = (tmp_path / "quarantine" / proxy / f"{shard}.jsonl").read_text().splitlines()
            keys += [json.loads(line)["key"] for line in ledger]
            accounted.setdefault(shard, {})[proxy] = sorted(keys)
    for shard, by_proxy in accounted.items():
        assert len({tuple(keys) for keys in by_proxy.values()}) == 1, shard


def test_a_proxy_added_later_rewrites_nothing(
    sample_sources: Path, reference: dict[str, str], tmp_path: Path
) -> None:
    full = both_sources(sample_sources, shard_samples=3)
    first = full.model_copy(update={"proxies": full.proxies[:1]})
    build_corpus(first, str(tmp_path), cluster=IN_PROCESS)
    before = file_digests(tmp_path)
    build_corpus(full, str(tmp_path), cluster=IN_PROCESS)
    after = file_digests(tmp_path)
    assert {path: after[path] for path in before} == before
    assert after == reference


def test_places_shape_no_byte(sample_sources: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    moved.symlink_to(sample_sources)
    for name, sources in (("here", sample_sources), ("there", moved)):
        build_corpus(
            both_sources(sources, shard_samples=5), str(tmp_path / name), cluster=IN_PROCESS
        )
    assert file_digests(tmp_path / "here") == file_digests(tmp_path / "there")
    text = (tmp_path / "here" / "receipts").rglob("*.json")
    assert not any(str(sample_sources) in path.read_text() for path in text)


def test_output_and_sources_may_lie_in_memory(sample_sources: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    tar = next((sample_sources / "sa1b").glob("*.tar")).read_bytes()
    memory.pipe_file("/in/sa_000000.tar", tar)
    manifest = parse_manifest(
        {
            "name": "memory",
            "sources": [{"type": "sa1b", "tars": "memory://in/*.tar"}],
            "proxies": [{"type": "segmentation", "variant": "entity"}],
        }
    )
    assert build_corpus(manifest, "memory://out", cluster=IN_PROCESS).succeeded
    assert verify_corpus("memory://out", deep=True).sound


@pytest.mark.parametrize("workers", [0, 1])
def test_an_output_that_cannot_be_written_stops_the_build_and_says_so(
    workers: int, manifest: Manifest, tmp_path: Path
) -> None:
    for part in ("receipts/panoptic", "index", "quarantine"):
        (tmp_path / part).mkdir(parents=True)
    (tmp_path / "panoptic").write_text("a file where a folder must be")
    with pytest.raises(StorageError, match=r"cannot write .*panoptic"):
        build_corpus(manifest, str(tmp_path), cluster=Cluster(workers=workers))


@pytest.mark.parametrize("writes", range(4))
def test_a_shard_is_not_there_until_all_its_files_are(
    writes: int, manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The build dies after so many files of its first shard; the receipt must be the last."""
    left = iter(range(writes))
    write = receipt.write_atomic

    def dying(url: str, data: bytes) -> None:
        if next(left, None) is None:
            raise KeyboardInterrupt
        write(url, data)

    monkeypatch.setattr(receipt, "write_atomic", dying)
    with pytest.raises(KeyboardInterrupt):
        build_corpus(manifest, str(tmp_path), cluster=IN_PROCESS)
    assert len([path for path in tmp_path.rglob("*") if path.is_file()]) == 1 + writes
    assert open_corpus(str(tmp_path)).shards("entity") == ()
