"""Subsets copied into corpora of their own, by byte ranges; `sgt-data scale`."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from corpora import file_digests
from hypothesis import given, settings
from hypothesis import strategies as st
from scaling import PROXIES, build_scaling, keys_by_proxy, keys_of, request, write_sources
from test_object_store import bucket  # noqa: F401  (a fixture)

from sgt_data import (
    IN_PROCESS,
    Cluster,
    Corpus,
    SubsetRule,
    open_corpus,
    subset,
    verify_corpus,
)
from sgt_data.cli.app import main
from sgt_data.corpus.shard import append_member, end_tar, file_digest
from sgt_data.corpus.tar_inspector import Member, TarInspector
from sgt_data.errors import CorpusError, CorpusMismatch, RequestError
from sgt_data.files.reading import exists, read_bytes
from sgt_data.files.writing import open_atomic
from sgt_data.subsets import byte_ranges
from sgt_data.subsets.byte_ranges import (
    Run,
    grouped,
    pieces_of,
    runs_of,
)
from sgt_data.subsets.copy_subset import copy_subset


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sources(tmp_path_factory.mktemp("scaling") / "sources")


@pytest.fixture(scope="module")
def corpus(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_scaling(sources, tmp_path_factory.mktemp("scaling") / "corpus")


@pytest.fixture(scope="module")
def shared(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_scaling(sources, tmp_path_factory.mktemp("scaling") / "shared", inputs="shared")


def assert_same_samples(copy: Corpus, original: Corpus) -> None:
    """Every sample of the copy, member by member."""
    for proxy in copy.proxies:
        stored = {sample.key: sample for sample in original.samples(proxy)}
        copied = list(copy.samples(proxy))
        assert len(copied) == copy.header.totals[proxy]["samples"]
        for sample in copied:
            assert sample == stored[sample.key]


@pytest.mark.parametrize("form", ["corpus", "shared"])
@pytest.mark.parametrize("fraction", [0.03, 0.4, 1])
def test_a_copy_is_a_sound_corpus_with_the_same_samples(
    form: str, fraction: float, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    original = request.getfixturevalue(form)
    report = subset(original, fraction, output=f"{tmp_path}/copy")
    assert report.complete
    verdict = verify_corpus(report.place, deep=True)
    assert verdict.sound, verdict.findings
    copy = open_corpus(report.place)
    assert_same_samples(copy, open_corpus(original))
    file = subset(original, fraction, file=f"{tmp_path}/some.subset.parquet").place
    assert copy.header == open_corpus(file).header  # what the file promised, to the byte


def test_a_copy_of_everything_has_the_very_files(corpus: str, tmp_path: Path) -> None:
    """But for the receipts, which say that it is another corpus; and for inputs of no proxy."""
    subset(corpus, 1, output=f"{tmp_path}/copy")
    ours, theirs = file_digests(tmp_path / "copy"), file_digests(Path(corpus))
    assert ours.keys() == theirs.keys()
    differing = {path for path in ours if ours[path] != theirs[path]}
    assert all(path.startswith("receipts/") for path in differing)


def test_inputs_of_a_copy_are_its_keys_all_accounted_for(corpus: str, tmp_path: Path) -> None:
    copy = open_corpus(subset(corpus, 0.4, output=f"{tmp_path}/copy").place)
    everything = set.union(*keys_by_proxy(copy).values())
    for proxy in copy.proxies:
        ledger = {}
        for shard in copy.shards(proxy):
            lines = (tmp_path / "copy/quarantine" / proxy / f"{shard}.jsonl").read_text()
            rows = [json.loads(line) for line in lines.splitlines()]
            receipt = copy.receipt(proxy, shard)
            assert receipt["inputs"] == receipt["samples"] + len(rows)
            ledger |= {row["key"]: row["reason"] for row in rows}
        held = set(keys_of(copy, proxy))
        assert not held & ledger.keys()
        if proxy != "panoptic":  # it does not take every source
            assert held | ledger.keys() == everything
        if proxy == "entity":
            assert "min_segments" in next(iter(ledger.values()))


def test_a_copy_knows_its_parent(corpus: str, tmp_path: Path) -> None:
    copy = open_corpus(subset(corpus, 0.4, output=f"{tmp_path}/copy").place)
    original = open_corpus(corpus)
    assert copy.header.parent is not None
    assert copy.header.parent["url"] == corpus
    assert copy.header.parent["fingerprints"] == original.header.fingerprints
    assert copy.header.identity["subset"]["samples"] == 18
    assert copy.header.fingerprints != original.header.fingerprints


def test_subsets_of_a_copy_are_those_of_its_parent(corpus: str, tmp_path: Path) -> None:
    subset(corpus, 0.5, output=f"{tmp_path}/half")
    quarters = [
        keys_by_proxy(open_corpus(subset(url, samples=12, output=f"{tmp_path}/{name}").place))
        for name, url in (("one", corpus), ("two", f"{tmp_path}/half"))
    ]
    assert quarters[0] == quarters[1]
    assert verify_corpus(f"{tmp_path}/two", deep=True).sound
    file = subset(f"{tmp_path}/two", 0.5, file=f"{tmp_path}/x.subset.parquet").place
    assert keys_by_proxy(open_corpus(file))["entity"] < quarters[0]["entity"]


def test_a_subset_file_can_be_copied_later(corpus: str, tmp_path: Path) -> None:
    file = subset(corpus, 0.4, file=f"{tmp_path}/some.subset.parquet").place
    subset(file, output=f"{tmp_path}/one")
    subset(corpus, 0.4, output=f"{tmp_path}/two")
    assert file_digests(tmp_path / "one") == file_digests(tmp_path / "two")


def test_webdataset_reads_a_copy(corpus: str, tmp_path: Path) -> None:
    import webdataset

    copy = open_corpus(subset(corpus, 0.4, output=f"{tmp_path}/copy").place)
    stored = {sample.key: sample for sample in open_corpus(corpus).samples("panoptic")}
    tars = sorted(map(str, (tmp_path / "copy" / "panoptic").glob("*.tar")))
    samples = webdataset.WebDataset(tars, shardshuffle=False)
    seen = {sample["__key__"]: sample for sample in samples}
    assert seen.keys() == set(keys_of(copy, "panoptic"))
    for key, sample in seen.items():
        assert sample["input.jpg"] == stored[key].input
        assert sample["target.png"] == stored[key].target
        assert sample["txt"].decode() == stored[key].instruction
        assert json.loads(sample["json"]) == stored[key].facts


def test_a_second_run_does_nothing_and_a_lost_shard_is_copied_again(
    corpus: str, tmp_path: Path
) -> None:
    first = subset(corpus, 0.4, output=f"{tmp_path}/copy")
    digests = file_digests(tmp_path / "copy")
    times = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tar")}
    again = subset(corpus, 0.4, output=f"{tmp_path}/copy")
    assert (again.built_shards, again.found_shards) == (0, first.built_shards)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.tar")} == times
    next((tmp_path / "copy/receipts/entity").glob("*.json")).unlink()
    assert subset(corpus, 0.4, output=f"{tmp_path}/copy").built_shards == 1
    assert file_digests(tmp_path / "copy") == digests


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"fraction": 0.5}, "subset.samples: in the corpus 18, now 23"),
        ({"fraction": 0.4, "seed": 5}, "subset.seed: in the corpus 11, now 5"),
        ({"fraction": 0.4, "strata": "segments"}, "subset.strata: in the corpus 'source', now"),
        ({"fraction": 0.4, "where": "segments > 0"}, "subset.where: in the corpus None, now"),
        ({"fraction": 0.4, "whole_shards": True}, "subset.whole: in the corpus False, now True"),
    ],
)
def test_another_request_does_not_go_on_there_and_the_field_is_named(
    corpus: str, tmp_path: Path, terms: dict[str, Any], message: str
) -> None:
    subset(corpus, 0.4, output=f"{tmp_path}/copy")
    with pytest.raises(CorpusMismatch, match=message):
        subset(corpus, **request(**terms), output=f"{tmp_path}/copy")


def test_a_corpus_is_not_overwritten(corpus: str, sources: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="the corpus itself"):
        subset(corpus, 0.4, output=corpus)
    other = build_scaling(sources, tmp_path / "other", proxies=list(PROXIES[:1]))
    with pytest.raises(CorpusMismatch, match="subset: not in the corpus"):
        subset(corpus, 0.4, output=other)


def test_a_proxy_added_later_is_copied_alone(sources: Path, tmp_path: Path) -> None:
    url = build_scaling(sources, tmp_path / "corpus", proxies=list(PROXIES[:2]))
    subset(url, 0.4, output=f"{tmp_path}/copy", rule=SubsetRule(where="segments > 0"))
    before = file_digests(tmp_path / "copy")
    added = {**PROXIES[0], "name": "again"}
    build_scaling(sources, tmp_path / "corpus", proxies=[*PROXIES[:2], added])
    report = subset(url, 0.4, output=f"{tmp_path}/copy", rule=SubsetRule(where="segments > 0"))
    after = file_digests(tmp_path / "copy")
    assert {path: after[path] for path in before} == before
    assert report.totals["again"]["samples"] == report.totals["entity"]["samples"]
    assert verify_corpus(f"{tmp_path}/copy", deep=True).sound


@pytest.mark.parametrize(
    ("part", "damage", "message"),
    [
        ("denoise/{}.tar", lambda data: data[:700] + bytes([data[700] ^ 1]) + data[701:], "CRC-32"),
        ("denoise/{}.tar", lambda data: b"x" + data[1:], "not where the index says"),
        ("denoise/{}.tar", lambda data: data[:140] + b"7" + data[141:], "damaged tar header"),
        ("denoise/{}.tar", lambda data: data[: len(data) // 2], "ends before byte"),
        ("denoise/{}.tar", None, "is missing"),
        ("index/denoise/{}.parquet", lambda data: data[:-1], "what its receipt says"),
        ("quarantine/entity/{}.jsonl", lambda data: b"", "what its receipt says"),
        ("receipts/denoise/{}.json", lambda data: b"{", "is not JSON"),
    ],
)
def test_damage_is_named_and_not_passed_on(
    corpus: str, tmp_path: Path, part: str, damage: Any, message: str
) -> None:
    """The other shards are copied; mended, the damaged one is."""
    file = subset(corpus, 1, file=f"{tmp_path}/some.subset.parquet").place
    view = open_corpus(file)
    shard = next(
        name for name in view.shards("entity")
        if view.receipt("entity", name)["filtered"] and view.receipt("denoise", name)["samples"]
    )  # fmt: skip
    broken = tmp_path / "broken"
    shutil.copytree(corpus, broken)
    path = broken / part.format(shard)
    data = path.read_bytes()
    path.unlink()
    if damage is not None:
        path.write_bytes(damage(data))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(view, "url", str(broken))
        report = copy_subset(view, f"{tmp_path}/copy")
        (failure,) = report.failures
        assert failure.part == shard
        assert message in failure.message
        assert not report.complete
        assert not open_corpus(f"{tmp_path}/copy").header.complete
        copied = {path.parent.name for path in tmp_path.glob(f"copy/receipts/*/{shard}.json")}
        lost = [
            proxy for proxy in view.proxies if shard in view.shards(proxy) and proxy not in copied
        ]
        assert lost
        for proxy in lost:
            assert not Path(f"{tmp_path}/copy/{proxy}/{shard}.tar").exists()
        path.write_bytes(data)
        assert copy_subset(view, f"{tmp_path}/copy").complete
    assert verify_corpus(f"{tmp_path}/copy", deep=True).sound


def test_whole_shards_are_copied_as_they_are(corpus: str, tmp_path: Path) -> None:
    report = subset(corpus, 0.5, rule=SubsetRule(whole_shards=True), output=f"{tmp_path}/copy")
    copy, original = open_corpus(report.place), open_corpus(corpus)
    assert (report.rule["shards"], report.rule["from"]) == (7, 13)
    ours, theirs = file_digests(tmp_path / "copy"), file_digests(Path(corpus))
    assert all(theirs[path] == ours[path] for path in ours if not path.startswith("receipts/"))
    for proxy in copy.proxies:
        assert set(copy.shards(proxy)) < set(original.shards(proxy))
    assert verify_corpus(report.place, deep=True).sound
    rule = SubsetRule(whole_shards=True)
    file = subset(corpus, 0.5, rule=rule, file=f"{tmp_path}/x.subset.parquet").place
    assert open_corpus(file).header == copy.header
    smaller = subset(file, 0.5, rule=rule, file=f"{tmp_path}/y.subset.parquet").place
    assert set(open_corpus(smaller).shards("denoise")) < set(copy.shards("denoise"))


def test_whole_shards_say_what_they_do_to_randomness(corpus: str, tmp_path: Path) -> None:
    rule = SubsetRule(whole_shards=True)
    report = subset(corpus, 0.5, rule=rule, file=f"{tmp_path}/x.subset.parquet")
    assert [effect.of for effect in report.likeness] == ["segments of entity", "bytes of entity"]
    assert all(-1 <= effect.correlation <= 1 for effect in report.likeness)


def test_a_subset_of_a_subset_is_named_after_it(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a half is no half of the corpus, whose file has the plain name."""
    monkeypatch.chdir(tmp_path)
    half = subset(corpus, 0.5).place
    quarter = subset(half, 0.5).place
    assert quarter == half.replace("-0.5.", "-0.5-0.5.")
    copy = subset(corpus, 0.5, output="some", cluster=IN_PROCESS).place
    assert Path(subset(copy, 0.5).place).name == "some-0.5.subset.parquet"
    with pytest.raises(CorpusMismatch, match=r"is another subset: \d+ of \d+ samples; this one is"):
        subset(corpus, 0.3, file=half)


@pytest.mark.slow
def test_ray_copies_the_same_bytes(corpus: str, tmp_path: Path) -> None:
    subset(corpus, 0.4, output=f"{tmp_path}/inline", cluster=IN_PROCESS)
    report = subset(corpus, 0.4, output=f"{tmp_path}/ray", cluster=Cluster(workers=2))
    assert report.complete
    assert file_digests(tmp_path / "ray") == file_digests(tmp_path / "inline")


def test_from_and_to_memory(corpus: str, tmp_path: Path) -> None:
    memory = fsspec.filesystem("memory")
    memory.put(f"{corpus}/", "/scaling/corpus/", recursive=True)
    subset("memory://scaling/corpus", 0.4, output="memory://scaling/copy")
    assert verify_corpus("memory://scaling/copy", deep=True).sound
    file = subset("memory://scaling/corpus", 0.4, file="memory://scaling/a.subset.parquet").place
    assert open_corpus(file).header == open_corpus("memory://scaling/copy").header
    memory.get("/scaling/copy/", f"{tmp_path}/fetched/", recursive=True)
    subset(corpus, 0.4, output=f"{tmp_path}/local")
    assert file_digests(tmp_path / "fetched") == file_digests(tmp_path / "local")
    with pytest.raises(RequestError, match="workers=0"):
        subset(
            "memory://scaling/corpus", 0.4, output="memory://scaling/x", cluster=Cluster(workers=1)
        )


def test_from_and_to_an_object_store(
    bucket: str,  # noqa: F811
    shared: str,
    tmp_path: Path,
) -> None:
    """Bucket to bucket, bucket to disk: the same bytes; a file in the bucket finds its corpus."""
    filesystem = fsspec.filesystem("s3")
    filesystem.put(f"{shared}/", f"{bucket}/corpus/", recursive=True)
    subset(f"{bucket}/corpus", 0.1, output=f"{bucket}/copy")
    subset(f"{bucket}/corpus", 0.1, output=f"{tmp_path}/down")
    subset(shared, 0.1, output=f"{tmp_path}/local")
    filesystem.get(f"{bucket}/copy/", f"{tmp_path}/fetched/", recursive=True)
    for name in ("down", "fetched"):
        assert file_digests(tmp_path / name) == file_digests(tmp_path / "local")
    file = subset(f"{bucket}/corpus", 0.1, file=f"{bucket}/some.subset.parquet").place
    opened = open_corpus(file)
    assert opened.url == f"{bucket}/corpus"
    local = open_corpus(f"{tmp_path}/local")
    assert [sample.key for sample in opened.samples("panoptic")] == keys_of(local, "panoptic")


SLOWLY = """
import sys, time
from sgt_data.subsets import shard_copy
commit = shard_copy.commit
def slowly(*given):
    time.sleep(0.1)
    return commit(*given)
shard_copy.commit = slowly
from sgt_data import IN_PROCESS, subset
subset(sys.argv[1], 0.8, output=sys.argv[2], cluster=IN_PROCESS)
"""


def test_a_killed_copy_goes_on_and_does_nothing_twice(corpus: str, tmp_path: Path) -> None:
    command = [sys.executable, "-c", SLOWLY, corpus, f"{tmp_path}/copy"]
    killed = subprocess.Popen(command)
    deadline = time.monotonic() + 60
    while len(list(tmp_path.rglob("receipts/*/*.json"))) < 5:
        assert time.monotonic() < deadline
        assert killed.poll() is None
        time.sleep(0.02)
    os.kill(killed.pid, signal.SIGKILL)
    killed.wait()
    receipts = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("receipts/*/*.json")}
    header = json.loads((tmp_path / "copy/corpus.json").read_text())
    assert not header["complete"]
    partial = open_corpus(f"{tmp_path}/copy")
    assert sum(len(partial.shards(proxy)) for proxy in partial.proxies) == len(receipts)
    report = subset(corpus, 0.8, output=f"{tmp_path}/copy")
    assert report.found_shards == len(receipts)
    assert {path: path.stat().st_mtime_ns for path in receipts} == receipts
    subset(corpus, 0.8, output=f"{tmp_path}/reference")
    assert file_digests(tmp_path / "copy") == file_digests(tmp_path / "reference")
    assert verify_corpus(f"{tmp_path}/copy", deep=True).sound


def test_a_shard_is_not_there_until_all_its_files_are(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sgt_data.corpus import receipt

    def dying(url: str, data: bytes) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(receipt, "write_atomic", dying)  # index, ledger, receipt
    with pytest.raises(KeyboardInterrupt):
        subset(corpus, 0.4, output=f"{tmp_path}/copy")
    assert list((tmp_path / "copy").rglob("*.tar"))
    copy = open_corpus(f"{tmp_path}/copy")
    assert all(not copy.shards(proxy) for proxy in ("entity", "denoise"))


@settings(deadline=None, max_examples=60)
@given(
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=40),
    data=st.data(),
    gap=st.integers(0, 2000),
    most=st.integers(100, 5000),
)
def test_runs_hold_what_is_kept_and_nothing_else(
    tmp_path_factory: pytest.TempPathFactory,
    sizes: list[int],
    data: st.DataObject,
    gap: int,
    most: int,
) -> None:
    """Read from a disk and by ranges: the same bytes, in the fewest runs."""
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(sizes), max_size=len(sizes))))
    ends = 512 * np.cumsum(sizes)
    content = bytes(number % 251 for number in range(int(ends[-1])))
    starts = [0, *ends[:-1].tolist()]
    expected = b"".join(
        content[start:end]
        for start, end, keep in zip(starts, ends.tolist(), kept, strict=True)
        if keep
    )
    runs = runs_of(ends, kept)
    assert sum(run.length for run in runs) == len(expected)
    for earlier, later in pairwise(runs):
        assert earlier.start + earlier.length < later.start
    place = tmp_path_factory.mktemp("runs") / "file"
    place.write_bytes(content)
    fsspec.filesystem("memory").pipe_file("/runs/file", content)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(byte_ranges, "REMOTE_GAP", gap)
        patched.setattr(byte_ranges, "REMOTE_BYTES", most)
        patched.setattr(byte_ranges, "PIECE_BYTES", 512 * (1 + most % 7))
        for url in (str(place), "memory://runs/file"):
            assert b"".join(map(bytes, pieces_of(url, runs))) == expected
    for group in grouped(runs, gap, most):
        assert group[-1].end - group[0].start <= most


def test_a_file_that_ends_too_early_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(1000))
    fsspec.filesystem("memory").pipe_file("/runs/short", bytes(1000))
    for url in (f"{tmp_path}/file", "memory://runs/short"):
        with pytest.raises(CorpusError, match="ends before byte 1024"):
            list(pieces_of(url, [Run(0, 1024)]))


@settings(deadline=None, max_examples=40)
@given(
    sizes=st.lists(st.integers(0, 1500), min_size=1, max_size=12),
    piece=st.integers(1, 6),
    flipped=st.integers(0, 10**6),
)
def test_an_inspector_sees_every_member_however_the_tar_is_cut(
    sizes: list[int], piece: int, flipped: int
) -> None:
    """Whole it passes; with any byte of a member changed that member is named."""
    out, members = io.BytesIO(), []
    for number, size in enumerate([*sizes, 7]):
        content = bytes((number + place) % 256 for place in range(size))
        offset = append_member(out, f"key-{number}", content)
        members.append(
            Member(f"key-{number}", "target", f"key-{number}".encode(), offset, size,
                   zlib.crc32(content))
        )  # fmt: skip
    tar = bytearray(end_tar(out))

    def inspected() -> dict[str, Any]:
        seen = TarInspector(members, "it")
        for start in range(0, len(tar), 512 * piece):
            seen.look(memoryview(tar)[start : start + 512 * piece])
        return seen.digest()

    assert inspected() == file_digest(tar)
    places = [
        place for member in members for place in range(member.offset, member.offset + member.size)
    ]
    place = places[flipped % len(places)]
    tar[place] ^= 1
    hit = next(member for member in members if member.offset <= place < member.offset + member.size)
    with pytest.raises(CorpusError, match=f"it: target of sample {hit.key} has another CRC-32"):
        inspected()
    tar[place] ^= 1
    tar[hit.offset - 512] ^= 1
    with pytest.raises(CorpusError, match=f"{hit.key} is not where the index says"):
        inspected()
    tar[hit.offset - 512] ^= 1
    tar[hit.offset - 512 + 100 + flipped % 400] ^= 1
    with pytest.raises(CorpusError, match=f"{hit.key} has a damaged tar header"):
        inspected()


@pytest.mark.parametrize("piece", [1 << 20, 30 << 20])
def test_a_file_written_in_pieces_is_whole_or_not_there(tmp_path: Path, piece: int) -> None:
    content = np.random.default_rng(0).bytes(30 << 20)
    for url in (f"{tmp_path}/file", f"memory://written-{piece}/file"):
        with open_atomic(url) as out:
            for start in range(0, len(content), piece):
                out.write(content[start : start + piece])
            assert not exists(url)
        assert read_bytes(url) == content
        with pytest.raises(CorpusError), open_atomic(f"{url}-2") as out:
            out.write(content)
            raise CorpusError("found while it was written")
        assert not exists(f"{url}-2")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["scale", *arguments])
    printed = capsys.readouterr()
    return int(ended.value.code or 0), printed.out, printed.err


def test_the_command_takes_fractions_samples_and_ladders(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = run(corpus, "--fraction", "0.25", "--json", capsys=capsys)
    (report,) = json.loads(out)["subsets"]
    assert code == 0
    assert report["place"] == f"{tmp_path}/scaling-0.25.subset.parquet"
    assert report["totals"]["entity"]["samples"] == 12
    code, out, _ = run(corpus, "--samples", "20", "--json", capsys=capsys)
    assert json.loads(out)["subsets"][0]["place"] == f"{tmp_path}/scaling-20.subset.parquet"
    code, out, _ = run(corpus, "--fractions", "0.05", "0.25", "1", capsys=capsys)
    assert code == 0
    assert "46 of 46 samples" in out
    assert sorted(path.name for path in tmp_path.glob("*.parquet")) == [
        "scaling-0.05.subset.parquet", "scaling-0.25.subset.parquet",
        "scaling-1.subset.parquet", "scaling-20.subset.parquet",
    ]  # fmt: skip


def test_the_command_copies_ladders(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    places = f"{tmp_path}/copy-{{}}"
    code, _, _ = run(corpus, "--fractions", "0.1", "0.5", "--output", places, capsys=capsys)
    assert code == 0
    small, large = (
        keys_by_proxy(open_corpus(f"{tmp_path}/copy-{fraction}")) for fraction in ("0.1", "0.5")
    )
    assert all(small[proxy] <= large[proxy] for proxy in small)


def test_the_command_says_what_whole_shards_do_to_randomness(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = f"{tmp_path}/x.subset.parquet"
    code, out, err = run(corpus, "--fraction", "0.5", "--shards", "--file", file, capsys=capsys)
    assert code == 0
    assert "7 of 13 shards" in out
    assert "segments of entity: pictures of one shard correlate with" in err
    assert "not a random draw" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["0.3"], "is --fractions missing?"),
        (["--fractions", "0.1", "0.2", "--fraction", "0.5"], "give one of"),
        (["--fractions", "0.1", "0.2", "--file", "x.subset.parquet"], "needs a {}"),
        (["--where", "random() < 1"], "columns: key (text)"),
    ],
)
def test_the_command_refuses_wrong_requests(
    corpus: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = run(corpus, *arguments, capsys=capsys)
    assert code == 2
    assert message in err


def test_info_says_that_it_is_a_subset(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = subset(corpus, 0.4, file=f"{tmp_path}/some.subset.parquet").place
    with pytest.raises(SystemExit):
        main(["info", file, "--json"])
    shown = json.loads(capsys.readouterr().out)
    assert shown["subset"]["samples"] == 18
    assert shown["parent"]["url"] == corpus
    assert shown["totals"]["entity"]["samples"] == 18


def test_preview_export_verify_and_scale_take_a_subset_file(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = subset(corpus, 0.4, file=f"{tmp_path}/some.subset.parquet").place
    for arguments in (
        ["preview", file, "--output", f"{tmp_path}/sheet.png"],
        ["export", file, "--output", f"{tmp_path}/bagel"],
        ["verify", file],
        ["scale", file, "--fraction", "0.5", "--output", f"{tmp_path}/half"],
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        printed = capsys.readouterr()
        assert not ended.value.code, printed.err
        if arguments[0] == "verify":
            assert f"the indexes of {corpus}" in printed.out
            assert "--deep" not in printed.out
    kept = keys_by_proxy(open_corpus(file))
    assert {path.stem for path in tmp_path.glob("bagel/**/*.jpg")} <= set.union(*kept.values())
    assert keys_by_proxy(open_corpus(f"{tmp_path}/half"))["entity"] < kept["entity"]
    assert (tmp_path / "sheet.png").stat().st_size > 1000
