"""A limited build makes the first shards of each source, which are those of the whole build."""

from __future__ import annotations

import filecmp
import json
import shutil
from pathlib import Path

import pytest
from corpora import both_sources, file_digests
from making import jpeg, sa1b_members, tar_of

import sgt_data
from sgt_data.cli.app import main
from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS, Cluster
from sgt_data.errors import RequestError
from sgt_data.manifest.manifest import Manifest, parse_manifest
from sgt_data.verify.check_corpus import verify_corpus

SHARD_SAMPLES, LIMIT = 2, 3
TAR_PICTURES = 6  # of each of the two tars of `sample_sources`


@pytest.fixture(scope="module")
def manifest(sample_sources: Path) -> Manifest:
    return both_sources(sample_sources, SHARD_SAMPLES)


@pytest.fixture(scope="module")
def whole(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("whole") / "corpus"
    assert build_corpus(manifest, place, cluster=IN_PROCESS).complete
    return place


def shards_of(corpus: Path, source: str) -> list[str]:
    return sorted(path.stem for path in (corpus / "receipts" / "entity").glob(f"{source}-*.json"))


def tar_digests(corpus: Path) -> dict[str, str]:
    """Receipts also say by which form of its tar a build was begun."""
    return {path: text for path, text in file_digests(corpus).items() if path.endswith(".tar")}


def test_a_limit_makes_the_first_shards_of_each_source_in_their_own_bytes(
    manifest: Manifest, whole: Path, tmp_path: Path
) -> None:
    report = build_corpus(manifest, tmp_path / "c", cluster=IN_PROCESS, limit=LIMIT)
    assert (report.limit, report.complete, report.succeeded) == (LIMIT, False, True)
    assert shards_of(tmp_path / "c", "sa1b") == [f"sa1b-sa_000000-{n:05d}" for n in (0, 1)]
    assert shards_of(tmp_path / "c", "coco") == [f"coco-train2017-{n:05d}" for n in (0, 1)]
    made, every = file_digests(tmp_path / "c"), file_digests(whole)
    assert made and made.items() <= every.items()


def test_a_limited_corpus_is_continued_to_the_whole_one(
    manifest: Manifest, whole: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "c"
    build_corpus(manifest, corpus, cluster=IN_PROCESS, limit=1)
    larger = TAR_PICTURES + 1  # which goes on into the second tar
    assert build_corpus(manifest, corpus, cluster=IN_PROCESS, limit=larger).limit == larger
    assert shards_of(corpus, "sa1b")[-1] == "sa1b-sa_000001-00000"
    smaller = build_corpus(manifest, corpus, cluster=IN_PROCESS, limit=1)
    assert (smaller.limit, smaller.built_shards) == (larger, 0)
    report = build_corpus(manifest, corpus, cluster=IN_PROCESS)
    assert (report.limit, report.complete) == (None, True)
    assert file_digests(corpus) == file_digests(whole)
    assert filecmp.cmp(corpus / "corpus.json", whole / "corpus.json", shallow=False)


def test_a_limit_leaves_a_complete_corpus_complete(
    manifest: Manifest, whole: Path, tmp_path: Path
) -> None:
    shutil.copytree(whole, tmp_path / "c")
    report = build_corpus(manifest, tmp_path / "c", cluster=IN_PROCESS, limit=1)
    assert (report.limit, report.complete, report.built_shards) == (None, True, 0)
    assert filecmp.cmp(tmp_path / "c" / "corpus.json", whole / "corpus.json", shallow=False)


def test_a_limited_build_by_ray_makes_the_same_bytes(manifest: Manifest, tmp_path: Path) -> None:
    for name, cluster in (("here", IN_PROCESS), ("ray", Cluster(workers=2))):
        assert build_corpus(manifest, tmp_path / name, cluster=cluster, limit=LIMIT).succeeded
    assert file_digests(tmp_path / "here") == file_digests(tmp_path / "ray")


def test_what_lies_in_a_tar_behind_the_limit_is_not_read(tmp_path: Path) -> None:
    members = sa1b_members(8)
    tar = tmp_path / "sa_000000.tar"
    tar.write_bytes(tar_of(members[:8]).rstrip(b"\0"))  # which ends early: a whole build fails
    manifest = parse_manifest(
        {
            "name": "m",
            "shard_samples": 2,
            "sources": [{"type": "sa1b", "tars": str(tar)}],
            "proxies": [{"type": "edge"}],
        }
    )
    limited = build_corpus(manifest, tmp_path / "c", cluster=IN_PROCESS, limit=2)
    assert (limited.failures, limited.limit, limited.totals["edge"]["samples"]) == ([], 2, 2)
    assert build_corpus(manifest, tmp_path / "c", cluster=IN_PROCESS).failures
    tar.write_bytes(tar_of(members))
    assert build_corpus(manifest, tmp_path / "c", cluster=IN_PROCESS).complete
    assert build_corpus(manifest, tmp_path / "d", cluster=IN_PROCESS).complete
    assert tar_digests(tmp_path / "c") == tar_digests(tmp_path / "d")


def test_a_damaged_input_of_a_limited_build_is_in_its_ledger(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    for number in range(5):
        (tmp_path / "p" / f"{number}.jpg").write_bytes(jpeg(64, 48, number))
    (tmp_path / "p" / "1.jpg").write_bytes(b"\xff\xd8 no picture")
    manifest = parse_manifest(
        {
            "name": "m",
            "shard_samples": 2,
            "max_quarantined": 0.5,
            "sources": [{"type": "folder", "pictures": str(tmp_path / "p")}],
            "proxies": [{"type": "edge"}],
        }
    )
    report = build_corpus(manifest, tmp_path / "c", cluster=IN_PROCESS, limit=2)
    assert report.succeeded
    assert [report.totals["edge"][name] for name in ("inputs", "damaged")] == [2, 1]


def test_every_verb_says_that_a_corpus_is_limited(
    manifest: Manifest, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "c"
    build_corpus(manifest, corpus, cluster=IN_PROCESS, limit=LIMIT)
    words = f"limited to the first {LIMIT} pictures of each source"
    assert words in repr(sgt_data.open_corpus(corpus))
    verdict = verify_corpus(corpus, deep=True)
    assert (verdict.sound, verdict.limit) == (True, LIMIT)
    for command in ("verify", "info"):
        with pytest.raises(SystemExit) as end:
            main([command, str(corpus)])
        assert end.value.code in (0, None)
        assert words in " ".join(capsys.readouterr().out.split())
    with pytest.raises(RequestError, match=words):
        sgt_data.Stream({str(corpus): ["entity"]}, batch_size=1)
    with pytest.raises(RequestError, match="retry_damaged"):
        build_corpus(manifest, corpus, limit=LIMIT, retry_damaged=True)
    next(corpus.glob("receipts/entity/*.json")).unlink()
    assert not verify_corpus(corpus).sound


def test_a_dry_run_says_what_a_limited_build_makes(
    sample_sources: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (
        "name: m\nshard_samples: 2\n"
        f"sources: [{{type: sa1b, tars: '{sample_sources}/sa1b/*.tar'}}]\n"
        "proxies: [{type: edge}]\n"
    )
    (tmp_path / "m.yaml").write_text(text)
    output = ["--output", str(tmp_path / "c")]
    with pytest.raises(SystemExit) as end:
        main(["build", str(tmp_path / "m.yaml"), *output, "--limit", "7", "--dry-run", "--json"])
    assert end.value.code in (0, None)
    (row,) = json.loads(capsys.readouterr().out)["plan"]
    assert (row["slices"], row["shards"], row["pictures"]) == (2, 4, 8)
    report = build_corpus(tmp_path / "m.yaml", tmp_path / "c", cluster=IN_PROCESS, limit=7)
    assert (report.built_shards, report.totals["edge"]["inputs"]) == (4, 8)
