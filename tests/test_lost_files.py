"""Files of a corpus that were lost or cut after they were committed are noticed, and made again."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import pytest
from making import SMALL, files_in, manifest_of, sa1b_members, tar_of

import sgt_data
from sgt_data import IN_PROCESS, Stream, build_corpus, open_corpus
from sgt_data.cli.app import main
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.mask_tars import lost_tars
from sgt_data.errors import CorpusError, CorpusMismatch, ManifestError, RequestError
from sgt_data.exports.export import export_corpus
from sgt_data.manifest.manifest import load_manifest

PROXIES = [{"type": "edge"}, {"type": "segmentation", "name": "entity", "variant": "entity"}]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two tars of SA-1B, and a corpus of six shards of them; its pictures are shared."""
    root = tmp_path_factory.mktemp("lost")
    (root / "tars").mkdir()
    members = sa1b_members(6)
    (root / "tars" / "sa_000000.tar").write_bytes(tar_of(members[:8]))
    (root / "tars" / "sa_000001.tar").write_bytes(tar_of(members[8:]))
    assert build(root, root / "corpus").succeeded
    return root


def build(root: Path, output: object) -> BuildReport:
    source = {"type": "sa1b", "tars": f"{root}/tars/*.tar"}
    manifest = manifest_of(source, PROXIES, pictures=SMALL, shard_samples=2, inputs="shared")
    return build_corpus(manifest, str(output), cluster=IN_PROCESS)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-7])


LOSSES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a lost tar": ("edge/*1.tar", Path.unlink, "is missing"),
    "a cut tar": ("entity/*0.tar", cut, "has 10233 bytes, its receipt says 10240"),
    "a lost index": ("index/input/*1.parquet", Path.unlink, "is missing"),
    "a grown ledger": ("quarantine/edge/*0.jsonl", lambda path: path.write_text("x"),
                       "has 1 bytes, its receipt says 0"),
}  # fmt: skip


@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_lost_is_built_again_and_named(loss: str, world: Path, tmp_path: Path) -> None:
    pattern, spoil, problem = LOSSES[loss]
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    before = files_in(corpus)
    lost = sorted(corpus.glob(pattern))[0]
    kept = {path: path.stat().st_mtime_ns for path in corpus.glob("*/*.tar") if path != lost}
    spoil(lost)
    report = build(world, corpus)
    assert files_in(corpus) == before
    assert report.succeeded
    (note,) = report.notes
    assert note.startswith("1 committed shard is built again, of whose files: ")
    assert f"{lost.relative_to(corpus)} {problem}" in note
    assert report.built_shards == 1
    shard = lost.stem
    assert all(path.stat().st_mtime_ns == kept[path] for path in kept if path.stem != shard)
    assert build(world, corpus).notes == []


def test_a_folder_of_lost_tars_is_counted_and_the_first_are_named(
    world: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    before = files_in(corpus)
    for folder in ("edge", "entity", "index/edge", "index/entity"):
        shutil.rmtree(corpus / folder)
    (note,) = build(world, corpus).notes
    assert note.startswith("6 committed shards are built again, of whose files: ")
    assert note.endswith("; and 4 more")
    assert files_in(corpus) == before


def test_lost_files_of_an_object_store_are_noticed_too(world: Path) -> None:
    memory = fsspec.filesystem("memory")
    build(world, "memory://lost-files/corpus")
    tar = sorted(memory.glob("/lost-files/corpus/edge/*.tar"))[0]
    before = memory.cat(tar)
    memory.rm(tar)
    assert build(world, "memory://lost-files/corpus").built_shards == 1
    assert memory.cat(tar) == before
    memory.rm("/lost-files", recursive=True)


def test_a_copy_of_a_subset_that_lost_a_tar_is_mended(world: Path, tmp_path: Path) -> None:
    def copy() -> sgt_data.SubsetReport:
        output = f"{tmp_path}/half"
        return sgt_data.subset(f"{world}/corpus", 0.5, output=output, cluster=IN_PROCESS)

    assert copy().succeeded
    before = files_in(tmp_path)
    sorted(tmp_path.glob("half/edge/*.tar"))[0].unlink()
    report = copy()
    assert "is copied again, of whose files: edge/" in report.notes[0]
    assert files_in(tmp_path) == before


def test_verify_ends_with_the_command_that_mends(
    world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    before = files_in(corpus)
    sorted(corpus.glob("edge/*.tar"))[0].unlink()
    assert run("verify", str(corpus)) == 1
    command = capsys.readouterr().err.splitlines()[-1].removeprefix("next: sgt-data ")
    assert command == f"build {corpus}/corpus.json --output {corpus}"
    assert run(*command.split(), "--workers", "0") == 0
    assert files_in(corpus) == before
    assert run("verify", str(corpus)) == 0


@pytest.mark.parametrize(
    "rule",
    [{"fraction": 0.5}, {"samples": 3, "rule": sgt_data.SubsetRule(seed=4, strata="segments")},
     {"fraction": 0.6, "rule": sgt_data.SubsetRule(whole_shards=True)},
     {"rule": sgt_data.SubsetRule(where="key != 'sa1b_1'", described_by="entity")}],
)  # fmt: skip
def test_verify_ends_with_the_command_that_mends_a_copy_of_a_subset(
    rule: dict[str, Any], world: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy = tmp_path / "copy"
    sgt_data.subset(f"{world}/corpus", output=str(copy), cluster=IN_PROCESS, **rule)
    before = files_in(copy)
    sorted(copy.glob("edge/*.tar"))[0].unlink()
    assert run("verify", str(copy)) == 1
    command = capsys.readouterr().err.splitlines()[-1].removeprefix("next: sgt-data ")
    assert command.startswith(f"scale {world}/corpus ")
    assert run(*shlex.split(command)) == 0
    assert files_in(copy) == before


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main([*words])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_the_manifest_of_a_corpus_brings_no_code_and_no_subset(tmp_path: Path, world: Path) -> None:
    header = json.loads((world / "corpus" / "corpus.json").read_bytes())
    place = tmp_path / "corpus.json"
    for change, words in (
        ({"manifest": header["manifest"] | {"plugins": ["own.py"]}}, r"own code \(own\.py\)"),
        ({"parent": {"url": "x"}}, "sgt-data scale"),
        ({"format": "another"}, "is no header of a corpus"),
    ):
        place.write_text(json.dumps(header | change))
        with pytest.raises(ManifestError, match=words):
            load_manifest(str(place))


@pytest.mark.parametrize("where", ["index/edge/*.parquet", "edge/*.tar"])
def test_a_reader_says_what_is_lost_and_what_to_do(where: str, world: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    for file in corpus.glob(where):
        file.unlink()
    said = r"is missing, and its shard was committed\. Run the command that wrote the corpus again"
    with pytest.raises(CorpusError, match=said):
        next(open_corpus(corpus).samples("edge"))
    with pytest.raises(CorpusError, match=said):
        next(iter(Stream({str(corpus): ["edge"]}, batch_size=2)))


def test_a_reader_says_what_is_damaged_and_what_to_do(world: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    before = files_in(corpus)
    tar = sorted(corpus.glob("edge/*.tar"))[0]
    data = bytearray(tar.read_bytes())
    data[700] ^= 1
    tar.write_bytes(data)
    with pytest.raises(CorpusError, match=r"another CRC-32 .*\. Remove the file, then run"):
        list(open_corpus(corpus).samples("edge"))
    tar.unlink()
    build(world, corpus)
    assert files_in(corpus) == before


def test_shards_of_another_build_are_refused_in_words(world: Path, tmp_path: Path) -> None:
    """Where `corpus.json` is lost nobody knows the fields; nothing is written."""
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    (corpus / "corpus.json").unlink()
    before = files_in(corpus)
    source = {"type": "sa1b", "tars": f"{world}/tars/*.tar"}
    manifest = manifest_of(source, PROXIES, pictures=SMALL, shard_samples=2, seed=99)
    with pytest.raises(CorpusError) as refused:
        build_corpus(manifest, str(corpus), cluster=IN_PROCESS)
    assert re.search(r"6 of its 6 shards .* were committed by another build", str(refused.value))
    assert "Use another --output" in str(refused.value)
    assert not re.search(r"[0-9a-f]{12}", str(refused.value))
    assert files_in(corpus) == before


def test_what_differs_is_said_in_words_and_not_in_digests(world: Path, tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus", corpus)
    export_corpus(str(corpus), f"{tmp_path}/export", proxies=["edge"])
    header = json.loads((corpus / "corpus.json").read_bytes())
    header["identity"]["banks"]["edge"] = header["fingerprints"]["edge"] = "ab" * 32
    (corpus / "corpus.json").write_text(json.dumps(header))
    with pytest.raises(CorpusMismatch, match="the proxy edge is of another build there than here"):
        export_corpus(str(corpus), f"{tmp_path}/export", proxies=["edge"])
    with pytest.raises(CorpusMismatch) as refused:
        build(world, corpus)
    assert "banks.edge: its content is another now (SHA-256 abababab… there" in str(refused.value)
    assert not re.search(r"[0-9a-f]{12}", str(refused.value))


def test_lost_tars_with_drawn_masks_are_told_by_their_receipts(tmp_path: Path) -> None:
    for name in ("sa_000000", "sa_000001", "sa_000002"):
        (tmp_path / f"{name}.tar").write_bytes(b"tar")
        (tmp_path / "quarantine").mkdir(exist_ok=True)
        (tmp_path / "quarantine" / f"{name}.jsonl").touch()
    digests = {"tar": {"bytes": 3}, "quarantine": {"bytes": 0}}
    receipts = dict.fromkeys(("sa_000000", "sa_000001", "sa_000002"), digests)
    (tmp_path / "sa_000000.tar").unlink()
    (tmp_path / "sa_000001.tar").write_bytes(b"ta")
    assert lost_tars(str(tmp_path), receipts) == {
        "sa_000000": ["sa_000000.tar is missing"],
        "sa_000001": ["sa_000001.tar has 2 bytes, its receipt says 3"],
    }


def test_a_build_that_committed_nothing_is_begun_anew(world: Path, tmp_path: Path) -> None:
    """As after own code that failed at its first picture: only `corpus.json` lies there."""
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    header = json.loads((world / "corpus" / "corpus.json").read_bytes())
    header |= {"complete": False, "shards": {}, "samples": {}, "totals": {}, "source_totals": {}}
    header["identity"]["shard_samples"] = 9
    (corpus / "corpus.json").write_text(json.dumps(header))
    report = build(world, corpus)
    assert report.succeeded
    assert "another build began there and committed nothing" in report.notes[0]
    assert files_in(corpus) == files_in(world / "corpus")


@pytest.mark.parametrize("kept", ["receipts/edge", "edge"])
def test_a_build_of_which_anything_is_stored_is_never_begun_anew(
    kept: str, world: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(world / "corpus" / kept, corpus / kept)
    header = json.loads((world / "corpus" / "corpus.json").read_bytes())
    header |= {"complete": False, "shards": {}, "samples": {}, "totals": {}, "source_totals": {}}
    header["identity"]["shard_samples"] = 9
    (corpus / "corpus.json").write_text(json.dumps(header))
    before = files_in(corpus)
    with pytest.raises(CorpusMismatch, match="shard_samples: in the corpus 9"):
        build(world, corpus)
    assert files_in(corpus) == before


@pytest.mark.parametrize("wrote", ["build", "scale"])
def test_a_lost_or_cut_header_is_written_anew_by_the_command_that_wrote_it(
    wrote: str, world: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"

    def write() -> None:
        if wrote == "build":
            build(world, corpus)
        else:
            sgt_data.subset(f"{world}/corpus", 0.5, output=corpus, cluster=IN_PROCESS)

    write()
    before = files_in(corpus)
    (corpus / "corpus.json").write_bytes(before["corpus.json"][:500])
    for read in (write, lambda: open_corpus(corpus)):
        with pytest.raises(CorpusError, match=r"not JSON .*\. Remove it, and run the command that"):
            read()
    (corpus / "corpus.json").unlink()
    with pytest.raises(RequestError, match=r"no corpus\.json\); parts of a corpus lie there: the"):
        open_corpus(corpus)
    write()
    assert files_in(corpus) == before
