"""A build that goes on reads little: rolled receipts spare it, and are never trusted unproven."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import fsspec
import pytest
from fsspec.implementations.local import LocalFileSystem
from making import SMALL, files_in, manifest_of, sa1b_members, sa1b_pair, tar_of
from s3_server import new_bucket, s3_in_use

from sgt_data import IN_PROCESS, build_corpus, open_corpus, verify_corpus
from sgt_data.corpus import rolled_receipts
from sgt_data.corpus.committed_shards import committed_shards, list_receipts
from sgt_data.corpus.paths import receipt_path
from sgt_data.engine import receipt_roller
from sgt_data.engine.build_report import BuildReport
from sgt_data.files.listed_files import stated_md5
from sgt_data.files.local_listing import list_local
from sgt_data.progress import Progress

PROXIES = [{"type": "edge"}, {"type": "segmentation", "name": "entity", "variant": "entity"}]
SHARDS = 10


@pytest.fixture(autouse=True)
def soon_rolled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Corpora of a few shards have rolled receipts, four shards to a file, written at once."""
    monkeypatch.setattr(rolled_receipts, "SHARDS_MAX", 4)
    monkeypatch.setattr(receipt_roller, "FEWEST", 2)
    monkeypatch.setattr(receipt_roller, "EVERY_SHARDS", 1)


def write_tars(folder: Path) -> None:
    """Two tars of five pictures each; one picture of the second is in the first already."""
    folder.mkdir(parents=True)
    first = sa1b_members(5)
    second = [member for number in (6, 3, 7, 8, 9) for member in sa1b_pair(number)]
    (folder / "sa_000000.tar").write_bytes(tar_of(first))
    (folder / "sa_000001.tar").write_bytes(tar_of(second))


def build(tars: Path, output: object, **more: Any) -> BuildReport:
    source = {"type": "sa1b", "tars": f"{tars}/*.tar"}
    manifest = manifest_of(source, PROXIES, pictures=SMALL, shard_samples=1)
    return build_corpus(manifest, str(output), cluster=IN_PROCESS, **more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`tars`, and `corpus`: what one build makes of them, with its rolled receipts."""
    root = tmp_path_factory.mktemp("resume")
    write_tars(root / "tars")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rolled_receipts, "SHARDS_MAX", 4)
        patch.setattr(receipt_roller, "FEWEST", 2)
        assert build(root / "tars", root / "corpus").succeeded
    return root


@pytest.fixture
def corpus(world: Path, tmp_path: Path) -> Path:
    """A corpus of one's own to spoil."""
    shutil.copytree(world / "corpus", tmp_path / "corpus")
    return tmp_path / "corpus"


def rolled(corpus: Path, folder: str = "edge") -> list[Path]:
    return sorted((corpus / ".receipts" / folder).iterdir())


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()[1:]]


def test_rolled_receipts_hold_every_receipt_in_corpus_order(world: Path) -> None:
    opened = open_corpus(str(world / "corpus"))
    for folder in opened.folders:
        lines = [line for path in rolled(world / "corpus", folder) for line in lines_of(path)]
        assert [line["receipt"]["shard"] for line in lines] == list(opened.shards(folder))
        for line in lines:
            place = world / "corpus" / receipt_path(folder, line["receipt"]["shard"])
            assert line["receipt"] == json.loads(place.read_text())
    assert verify_corpus(str(world / "corpus"), deep=True).sound


@pytest.mark.parametrize("lost", [(0,), (3, 4, 9), tuple(range(SHARDS)), (8, 9)])
def test_a_build_that_went_on_is_the_undisturbed_one(
    lost: tuple[int, ...], world: Path, corpus: Path
) -> None:
    """The shard of the repeated picture is among them: it is built with it, revoked, built anew."""
    before = files_in(corpus)
    for folder in ("edge", "entity"):
        receipts = sorted((corpus / "receipts" / folder).iterdir())
        for number in lost:
            receipts[number].unlink()
    report = build(world / "tars", corpus)
    assert report.succeeded
    assert report.notes == []
    assert report.found_shards == 2 * (SHARDS - len(lost))
    assert files_in(corpus) == before


def test_a_build_that_is_stopped_anywhere_leaves_what_its_next_run_needs(
    world: Path, tmp_path: Path
) -> None:
    """The stopped build knows of some shards; others may be committed while it ends."""

    class Stopped(Exception):
        pass

    known = 0

    def stop_after_two_shards(progress: Progress) -> None:
        nonlocal known
        known = progress.shards // 2
        if known >= 2:
            raise Stopped

    output = tmp_path / "corpus"
    for _ in range(3):
        found = len(list_receipts(str(output)).get("edge", {}))
        with suppress(Stopped):
            build(world / "tars", output, progress=stop_after_two_shards)
        listed = list_receipts(str(output))
        committed = committed_shards(str(output), ["edge", "entity"], listed)
        assert committed.notes == []
        for folder, by_shard in committed.receipts.items():
            files = committed.rolled[folder].values()
            assert len(files) <= -(-len(by_shard) // 4)
            assert sum(len(file.shards) for file in files) >= found + known
            hashed = [
                shard for shard in by_shard if committed.hashes.get(folder, shard) is not None
            ]
            assert len(hashed) >= known
    assert build(world / "tars", output).succeeded
    assert files_in(output) == files_in(world / "corpus")


def test_a_complete_corpus_has_no_file_of_another_build_beside_its_own(
    world: Path, corpus: Path
) -> None:
    before = files_in(corpus)
    for name in ("00003.jsonl", "00017.jsonl", "notes.txt"):
        shutil.copy(rolled(corpus)[0], rolled(corpus)[0].with_name(name))
    assert build(world / "tars", corpus).succeeded
    assert files_in(corpus) == before


def test_a_linked_folder_of_rolled_receipts_is_not_written_through(
    world: Path, corpus: Path
) -> None:
    outside = corpus.parent / "outside"
    (corpus / ".receipts" / "edge").rename(outside)
    rolled_file = sorted(outside.iterdir())[0]
    rolled_file.write_bytes(b"mine")
    (corpus / ".receipts" / "edge").symlink_to(outside)
    report = build(world / "tars", corpus)
    assert report.succeeded
    assert any("leads to" in note for note in report.notes)
    assert rolled_file.read_bytes() == b"mine"


def test_small_corpora_have_none(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipt_roller, "FEWEST", SHARDS + 1)
    build(world / "tars", tmp_path / "corpus")
    assert not (tmp_path / "corpus" / ".receipts").exists()
    everything = files_in(world / "corpus").items()
    seen = {path: data for path, data in everything if not path.startswith(".receipts/")}
    assert files_in(tmp_path / "corpus") == seen


def test_a_receipt_that_was_changed_is_believed_and_not_its_line(world: Path, corpus: Path) -> None:
    place = sorted((corpus / "receipts" / "edge").iterdir())[1]
    receipt = json.loads(place.read_text())
    place.write_text(place.read_text().replace('"segments": 0', '"segments": 7'))
    report = build(world / "tars", corpus)
    assert report.totals["edge"]["segments"] == receipt["segments"] + 7
    lines = {
        line["receipt"]["shard"]: line["receipt"]
        for path in rolled(corpus)
        for line in lines_of(path)
    }
    assert lines[place.stem]["segments"] == 7


def hostile(change: Callable[[list[dict[str, Any]]], None]) -> Callable[[Path], None]:
    """Spoil the lines of a file."""

    def spoil(path: Path) -> None:
        first = path.read_text().splitlines()[0]
        lines = lines_of(path)
        change(lines)
        path.write_text("\n".join([first, *map(json.dumps, lines)]) + "\n")

    return spoil


def of_field(name: str, value: object) -> Callable[[Path], None]:
    return hostile(lambda lines: lines[0]["receipt"].update({name: value}))


def huge(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(1 << 40)


def linked(path: Path) -> None:
    outside = path.parents[3] / "outside.jsonl"
    path.rename(outside)
    path.symlink_to(outside)


SPOILED: dict[str, Callable[[Path], None]] = {
    "cut": lambda path: path.write_bytes(path.read_bytes()[:-40]),
    "empty": lambda path: path.write_bytes(b""),
    "no text": lambda path: path.write_bytes(os.urandom(1000)),
    "of another folder": lambda path: shutil.copy(
        path.parents[1] / "entity" / path.name, path
    ),
    "of a later version": lambda path: path.write_text(
        path.read_text().replace('"rolled_receipts":1', '"rolled_receipts":2')
    ),
    "larger than memory": huge,
    "a link out of the corpus": linked,
    "too many lines": hostile(lambda lines: lines.extend(lines[:1])),
    "deep JSON": lambda path: path.write_text(
        path.read_text().splitlines()[0] + "\n" + "[" * 100_000 + "]" * 100_000 + "\n"
    ),
    "a path": of_field("shard", "../../../x"),
    "a receipt of another proxy": of_field("proxy", "entity"),
    "no number": of_field("samples", "1"),
    "a field too many": hostile(lambda lines: lines[0].update(more=1)),
    "hashes of more keys": hostile(lambda lines: lines[0].update(keys="A" * 32)),
    "no base64": hostile(lambda lines: lines[0].update(keys="\u00e9" * 12)),
    "no receipt": hostile(lambda lines: lines[0].pop("receipt")),
}  # fmt: skip


@pytest.mark.parametrize("kind", SPOILED)
def test_a_spoiled_file_is_left_aside_with_a_note_and_written_anew(
    kind: str, world: Path, corpus: Path
) -> None:
    before = files_in(corpus)
    path = rolled(corpus)[0]
    SPOILED[kind](path)
    verdict = verify_corpus(str(corpus))
    assert not verdict.sound
    assert all(".receipts" in str(finding) for finding in verdict.findings)
    report = build(world / "tars", corpus)
    assert report.succeeded
    (note,) = report.notes
    assert str(path) in note
    assert "receipts are read instead" in note
    assert files_in(corpus) == before
    assert not path.is_symlink()


def test_lines_of_other_receipts_prove_nothing(world: Path, corpus: Path) -> None:
    """Lines in the form of ours, but of other content: build and verify see the receipts."""
    before = files_in(corpus)
    path = rolled(corpus)[0]
    of_field("segments", 5)(path)
    (finding,) = verify_corpus(str(corpus)).findings
    assert "is not the receipt of that shard" in finding.problem
    report = build(world / "tars", corpus)
    assert report.notes == []
    assert report.totals["edge"]["segments"] == 0
    assert files_in(corpus) == before


def test_verify_compares_the_hashes_of_keys_with_the_indexes(corpus: Path) -> None:
    hostile(lambda lines: lines[0].update(keys=lines[1]["keys"]))(rolled(corpus)[0])
    assert verify_corpus(str(corpus)).sound
    (finding,) = verify_corpus(str(corpus), deep=True).findings
    assert "hashes of the keys" in finding.problem


@pytest.fixture
def stored(world: Path) -> Iterator[tuple[str, Counter[str]]]:
    """URL of the corpus in a bucket, and the requests that its server is asked from then on, by
    method and folder."""
    counts: Counter[str] = Counter()
    with s3_in_use() as server:
        output = f"{new_bucket()}/corpus"
        fsspec.filesystem("s3").put(f"{world}/corpus/", f"{output}/", recursive=True)
        serve = server.app

        def counted(environ: Any, respond: Any) -> Any:
            folder = environ["PATH_INFO"].strip("/").split("/")[2:3]
            counts[f"{environ['REQUEST_METHOD']} {''.join(folder)}"] += 1
            return serve(environ, respond)

        server.app = counted
        yield output, counts


def test_a_resume_in_a_bucket_reads_rolled_receipts_alone(
    stored: tuple[str, Counter[str]], world: Path
) -> None:
    output, counts = stored
    filesystem = fsspec.filesystem("s3")
    shards = open_corpus(output).shards("edge")
    filesystem.rm(f"{output}/receipts/edge/{shards[4]}.json")
    counts.clear()
    report = build(world / "tars", output)
    assert report.built_shards == 1
    assert counts["GET receipts"] == 0
    assert counts["GET .receipts"] == 6  # three files of each of two proxies
    # at the end README.md tells of the first samples, whatever the number of shards
    of_readme = {f"{method} {part}" for method in ("GET", "HEAD") for part in ("index", "edge",
                 "entity", "quarantine")}  # fmt: skip
    assert sum(count for place, count in counts.items() if place not in of_readme) <= 40
    filesystem.invalidate_cache()
    for path, data in files_in(world / "corpus").items():
        assert filesystem.cat_file(f"{output}/{path}") == data


def test_a_receipt_that_was_changed_in_a_bucket_is_believed_and_not_its_line(
    stored: tuple[str, Counter[str]], world: Path
) -> None:
    output, counts = stored
    filesystem = fsspec.filesystem("s3")
    shard = open_corpus(output).shards("edge")[1]
    place = f"{output}/receipts/edge/{shard}.json"
    changed = filesystem.cat_file(place).replace(b'"segments": 0', b'"segments": 7')
    filesystem.pipe_file(place, changed)
    counts.clear()
    report = build(world / "tars", output)
    assert report.totals["edge"]["segments"] == 7
    assert counts["GET receipts"] == 1


def test_stores_state_digests_in_three_ways() -> None:
    digest = "d41d8cd98f00b204e9800998ecf8427e"
    assert stated_md5({"ETag": f'"{digest}"'}) == digest
    assert stated_md5({"ETag": f'"{digest}-2"'}) is None  # of several parts
    assert stated_md5({"md5Hash": "1B2M2Y8AsgTpgAmY7PhCfg==", "etag": "CJ"}) == digest
    assert stated_md5({"content_settings": {"content_md5": bytearray.fromhex(digest)}}) == digest
    assert stated_md5({"md5Hash": "?"}) is None
    assert stated_md5({"etag": "0x8D", "content_settings": {"content_md5": None}}) is None


def test_a_local_listing_is_that_of_fsspec(tmp_path: Path) -> None:
    (tmp_path / "a" / "b" / "c").mkdir(parents=True)
    (tmp_path / "a" / "one").write_bytes(b"1")
    (tmp_path / "a" / "b" / "two\udcff").write_bytes(b"22")
    (tmp_path / "a" / "to-file").symlink_to(tmp_path / "a" / "one")
    (tmp_path / "a" / "to-folder").symlink_to(tmp_path / "a" / "b")
    (tmp_path / "a" / "to-nothing").symlink_to(tmp_path / "nothing")
    found = LocalFileSystem().find(str(tmp_path), detail=True)
    expected = {name.removeprefix(f"{tmp_path}/"): info["size"] for name, info in found.items()}
    assert list_local(str(tmp_path)) == expected
    assert list_local(str(tmp_path / "none")) == {}
