"""The export for Megatron Energon, as energon's own documents describe what it reads.

`test_trainer_energon.py` runs energon itself.
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import struct
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import yaml
from joined_corpora import PROXIES, SAMPLES, build_joined
from making import built, files_in
from s3_server import new_bucket, s3_in_use

import sgt_data
from sgt_data import export_corpus, open_corpus
from sgt_data.errors import CorpusError, RequestError
from sgt_data.exports import shard_tars
from sgt_data.exports.energon_texts import ranges_of
from sgt_data.names import SUBSET_SUFFIX

INPUTS = ("embedded", "shared")


@pytest.fixture(scope="module")
def corpora(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return build_joined(sample_sources, tmp_path_factory.mktemp("corpora"))


@pytest.fixture(scope="module")
def exports(corpora: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("exports")
    for inputs in INPUTS:
        export_corpus(corpora[inputs], root / inputs, "energon")
    return {inputs: root / inputs for inputs in INPUTS}


def folders_in(export: Path) -> list[Path]:
    return sorted(place.parent for place in export.glob("*/.nv-meta"))


def rows_in(database: Path, query: str) -> list[Any]:
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    try:
        return sorted(connection.execute(query).fetchall())
    finally:
        connection.close()


# --- what is written


@pytest.mark.parametrize("inputs", INPUTS)
def test_tars_are_links_to_those_of_the_corpus_and_no_tar_is_read(
    inputs: str, corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> None:
        raise AssertionError("a tar is read")

    monkeypatch.setattr(shard_tars, "pieces_of", never)
    report = export_corpus(corpora[inputs], tmp_path / "out", "energon")
    assert report.samples == SAMPLES and not report.notes
    own = {tar.relative_to(corpora[inputs]): tar for tar in corpora[inputs].glob("*/*.tar")}
    assert report.linked == len(own)
    for name, tar in own.items():
        assert os.path.samefile(tar, tmp_path / "out" / name)


@pytest.mark.parametrize("inputs", INPUTS)
def test_an_index_says_where_each_sample_of_its_tar_begins(
    inputs: str, exports: dict[str, Path]
) -> None:
    check_indexes(exports[inputs])


def test_long_keys_have_headers_of_their_own_which_are_counted(
    sample_sources: Path, tmp_path: Path
) -> None:
    (tmp_path / "pictures").mkdir()
    for number, picture in enumerate(sorted(sample_sources.rglob("*.jpg"))[:3]):
        shutil.copy(picture, tmp_path / f"pictures/{'long-' * 30}{number}.jpg")
    source = {"type": "folder", "pictures": f"{tmp_path}/pictures"}
    built(tmp_path / "corpus", source, [{"type": "edge"}])
    export_corpus(tmp_path / "corpus", tmp_path / "out", "energon")
    tar = next((tmp_path / "out").rglob("*.tar"))
    with tarfile.open(tar) as archive:
        assert any(member.pax_headers for member in archive)
    check_indexes(tmp_path / "out", 1)


def check_indexes(export: Path, least: int = 20) -> None:
    """Compare the index of every tar with its members."""
    tars = list(export.glob("*/*.tar"))
    for tar in tars:
        with tarfile.open(tar) as archive:
            members = archive.getmembers()
            end = archive.offset
        first: dict[str, int] = {}
        for member in members:
            first.setdefault(member.name.partition(".")[0], member.offset)
        index = tar.with_suffix(".tar.idx").read_bytes()
        assert struct.unpack(f"<{len(first) + 1}Q", index) == (*first.values(), end)
    assert len(tars) == len(list(export.glob("*/*.tar.idx"))) >= least


@pytest.mark.parametrize("inputs", INPUTS)
def test_the_database_finds_every_member(inputs: str, exports: dict[str, Path]) -> None:
    for folder in folders_in(exports[inputs]):
        samples, parts = [], []
        for number, tar in enumerate(sorted(folder.glob("*.tar"))):
            with tarfile.open(tar) as archive:
                members = archive.getmembers()
                end = archive.offset
            keys = list(dict.fromkeys(member.name.partition(".")[0] for member in members))
            begins = {key: min(m.offset for m in members if m.name.startswith(f"{key}."))
                      for key in keys}  # fmt: skip
            ends = [*list(begins.values())[1:], end]
            for row, (key, after) in enumerate(zip(keys, ends, strict=True)):
                samples.append((number, key, row, begins[key], after - begins[key]))
            for member in members:
                key, _, part = member.name.partition(".")
                parts.append((number, keys.index(key), part, member.offset_data, member.size))
        database = folder / ".nv-meta/index.sqlite"
        assert rows_in(database, "SELECT * FROM samples") == sorted(samples)
        assert rows_in(database, "SELECT * FROM sample_parts") == sorted(parts)


def test_every_sample_of_a_corpus_is_of_train(exports: dict[str, Path]) -> None:
    split = yaml.safe_load((exports["embedded"] / "edge/.nv-meta/split.yaml").read_text())
    assert split["split_parts"]["val"] == split["split_parts"]["test"] == split["exclude"] == []
    assert split["split_parts"]["train"] == [
        "coco-train2017-{00000..00002}.tar",
        "sa1b-sa_000000-{00000..00001}.tar",
        "sa1b-sa_000001-{00000..00001}.tar",
    ]


@pytest.mark.parametrize(
    ("names", "ranges"),
    [
        (["a-8.tar", "a-9.tar", "a-10.tar"], ["a-{8..9}.tar", "a-10.tar"]),
        (["a-08.tar", "a-09.tar", "a-10.tar"], ["a-{08..10}.tar"]),
        (["a1-1", "a1-2", "a2-3", "a2-4"], ["a1-{1..2}", "a2-{3..4}"]),
        (["a1-1", "a2-1", "a2-2"], ["a{1..2}-1", "a2-2"]),
        (["a01-1", "a1-2", "b", "b", "c"], ["a01-1", "a1-2", "b", "b", "c"]),
        (["x", "x1", "1x", "1"], ["x", "x1", "1x", "1"]),
        ([], []),
    ],
)
def test_numbers_that_follow_one_another_become_a_brace_expression(
    names: list[str], ranges: list[str]
) -> None:
    assert list(ranges_of(names)) == ranges


def test_parts_that_lie_elsewhere_are_joined(exports: dict[str, Path]) -> None:
    joined = {}
    for proxy in PROXIES:
        text = (exports["shared"] / proxy / "metadataset.yaml").read_text()
        train = yaml.safe_load(text)["splits"]["train"]
        joined[proxy] = [part["path"] for part in train.get("join", {}).values()]
    assert joined == {
        "panoptic": [".", "../input"],
        "edge": [".", "../input"],
        "denoise": [],
        "generate-panoptic": [".", "../panoptic", "../input"],
        "generate-edge": [".", "../edge", "../input"],
        "generate-denoise": [".", "../denoise"],
    }


@pytest.mark.parametrize("inputs", INPUTS)
def test_a_reversed_proxy_alone_brings_the_folders_that_it_needs(
    inputs: str, corpora: dict[str, Path], tmp_path: Path
) -> None:
    report = export_corpus(corpora[inputs], tmp_path / "out", "energon", "generate-edge")
    assert report.samples == {"generate-edge": 24}
    names = {folder.name for folder in folders_in(tmp_path / "out")}
    assert names == {"generate-edge", "edge"} | ({"input"} if inputs == "shared" else set())
    blend = yaml.safe_load((tmp_path / "out/metadataset.yaml").read_text())
    paths = [part["path"] for part in blend["splits"]["train"]["blend_epochized"]]
    assert paths == ["generate-edge/metadataset.yaml"]


# --- subsets


@pytest.mark.parametrize("inputs", INPUTS)
def test_tars_of_a_subset_are_those_of_its_copy(
    inputs: str, corpora: dict[str, Path], tmp_path: Path
) -> None:
    file = tmp_path / f"half{SUBSET_SUFFIX}"
    sgt_data.subset(corpora[inputs], 0.5, file=file)
    sgt_data.subset(corpora[inputs], 0.5, output=tmp_path / "copy", cluster=sgt_data.IN_PROCESS)
    report = export_corpus(file, tmp_path / "of-file", "energon")
    export_corpus(tmp_path / "copy", tmp_path / "of-copy", "energon")
    expected = {proxy: sum(open_corpus(file).samples_per_shard(proxy)) for proxy in PROXIES}
    assert report.samples == expected and 0 < sum(expected.values()) < sum(SAMPLES.values())
    of_file, of_copy = files_in(tmp_path / "of-file"), files_in(tmp_path / "of-copy")
    assert of_file.pop("export.json") and of_copy.pop("export.json")
    assert of_file == of_copy


# --- resuming


KILLED = """
import os, signal, sys
from sgt_data.exports.export import export_corpus
left, replace = [int(sys.argv[3])], os.replace
def last(*arguments):
    left[0] -= 1
    if left[0] < 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(*arguments)
os.replace = last
export_corpus(sys.argv[1], sys.argv[2], "energon")
"""


@pytest.mark.parametrize("moment", [9, 60])
def test_a_killed_export_goes_on_to_the_same_bytes(
    moment: int, corpora: dict[str, Path], exports: dict[str, Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    arguments = [str(corpora["shared"]), str(out), str(moment)]
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not (out / "metadataset.yaml").exists()
    tars = list(out.rglob("*.tar"))
    tars[0].unlink()
    tars[0].write_bytes(b"cut")  # what a machine that was switched off may leave
    report = export_corpus(corpora["shared"], out, "energon")
    assert report.samples == SAMPLES and report.kept
    assert files_in(out) == files_in(exports["shared"])


def test_a_second_export_changes_nothing(corpora: dict[str, Path], tmp_path: Path) -> None:
    export_corpus(corpora["embedded"], tmp_path, "energon")
    before = files_in(tmp_path)
    report = export_corpus(corpora["embedded"], tmp_path, "energon")
    assert (report.written, report.linked) == (0, 0)
    assert files_in(tmp_path) == before


# --- other places


def test_without_hard_links_tars_are_copied(
    corpora: dict[str, Path], exports: dict[str, Path], tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    report = export_corpus(corpora["embedded"], tmp_path / "out", "energon")
    assert not report.linked
    assert files_in(tmp_path / "out") == files_in(exports["embedded"])


@pytest.fixture(scope="module")
def stores(corpora: dict[str, Path]) -> Iterator[dict[str, str]]:
    """Folders of object stores that hold the corpus with shared inputs."""
    with s3_in_use():
        urls = {"memory": "memory://energon", "s3": f"s3://{new_bucket()}/energon"}
        for url in urls.values():
            filesystem, place = fsspec.url_to_fs(url)
            for name, data in files_in(corpora["shared"]).items():
                filesystem.pipe_file(f"{place}/shared/{name}", data)
        yield urls


@pytest.mark.parametrize("store", ["memory", "s3"])
def test_an_export_from_and_to_an_object_store_has_the_same_files(
    store: str, stores: dict[str, str], corpora: dict[str, Path], tmp_path: Path
) -> None:
    url, proxies = stores[store], ("denoise", "generate-edge")  # and so `edge` and `input`
    export_corpus(corpora["shared"], tmp_path / "local", "energon", proxies)
    expected = files_in(tmp_path / "local")
    export_corpus(f"{url}/shared", tmp_path / "out", "energon", proxies)
    assert files_in(tmp_path / "out") == expected
    for corpus, name in ((corpora["shared"], "from-disk"), (f"{url}/shared", "from-store")):
        report = export_corpus(corpus, f"{url}/{name}", "energon", proxies)
        filesystem, place = fsspec.url_to_fs(f"{url}/{name}")
        assert {
            path.split(f"/{name}/", 1)[1]: filesystem.cat_file(path)
            for path in filesystem.find(place)
        } == expected
    again = export_corpus(corpus, f"{url}/{name}", "energon", proxies)
    assert (again.written, again.kept) == (0, report.written)


# --- what cannot be exported


def coco_of(sources: Path) -> dict[str, Any]:
    return {"type": "coco", "root": f"{sources}/coco", "annotations": ["instances", "panoptic"]}


def test_a_tar_that_is_not_that_of_its_receipt_is_named(
    corpora: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = Path(shutil.copytree(corpora["embedded"], tmp_path / "corpus"))
    tar = min((corpus / "edge").glob("*.tar"))
    data = tar.read_bytes()
    tar.write_bytes(data + bytes(512))
    with pytest.raises(CorpusError, match=f"{tar.name}: its size is not what its receipt says"):
        export_corpus(corpus, tmp_path / "longer", "energon")
    tar.write_bytes(data[:2000] + bytes([data[2000] ^ 1]) + data[2001:])
    monkeypatch.setattr(os, "link", lambda *_: (_ for _ in ()).throw(OSError("no links")))
    with pytest.raises(CorpusError, match=f"{tar.name}: its SHA-256 is not what its receipt says"):
        export_corpus(corpus, tmp_path / "changed", "energon")
    assert not (tmp_path / "changed/edge" / tar.name).exists()
    tar.unlink()
    with pytest.raises(CorpusError, match=tar.name):
        export_corpus(corpus, tmp_path / "missing", "energon")
    (corpus / "receipts/edge" / f"{tar.stem}.json").unlink()
    with pytest.raises(CorpusError, match=f"{tar.stem}.json is missing, and its shard was"):
        export_corpus(corpus, tmp_path / "uncommitted", "energon")


def test_a_proxy_without_samples_is_left_out_with_a_note(
    sample_sources: Path, tmp_path: Path
) -> None:
    source = coco_of(sample_sources)
    nothing = {"type": "segmentation", "name": "nothing", "variant": "panoptic",
               "filters": {"min_segments": 200}}  # fmt: skip
    built(tmp_path / "corpus", source, [{"type": "edge"}, nothing], max_quarantined=1.0)
    report = export_corpus(tmp_path / "corpus", tmp_path / "out", "energon")
    assert report.samples == {"edge": 12, "nothing": 0}
    assert report.notes == ["nothing: it has no sample, so it is left out"]
    assert [folder.name for folder in folders_in(tmp_path / "out")] == ["edge"]


def test_sixteen_bits_are_told(sample_sources: Path, tmp_path: Path) -> None:
    source = coco_of(sample_sources) | {"depth": f"{sample_sources}/depth"}
    deep = {"type": "depth", "name": "deep", "colormap": "grey", "bits": 16}
    built(tmp_path / "corpus", source, [deep, {"type": "generate", "of": "deep"}])
    report = export_corpus(tmp_path / "corpus", tmp_path / "out", "energon")
    assert [note.partition(" has ")[0] for note in report.notes] == [
        "deep: deep", "generate-deep: deep",
    ]  # fmt: skip


def test_an_option_that_it_does_not_take_is_refused(
    corpora: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match="energon takes no such option"):
        options = sgt_data.ExportOptions(ranks=2)
        export_corpus(corpora["embedded"], tmp_path / "out", "energon", options=options)
