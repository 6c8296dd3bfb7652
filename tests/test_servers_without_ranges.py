"""A web server that answers a request for a part with the whole file serves corpora and sources."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from corpora import both_sources_document, file_digests
from http_server import Files, serving
from making import sa1b_members, tar_of

import sgt_data
from sgt_data import IN_PROCESS, build_corpus
from sgt_data.errors import RequestError, SourceError
from sgt_data.files import reading
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.promised_reads import PromisedFile
from sgt_data.files.reading import read_range
from sgt_data.files.tar_walk import TarMember, walk_tar
from sgt_data.files.urls import join
from sgt_data.files.whole_files import COPIES
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.records import FilePart, RawInput
from sgt_data.sources import tar_cut
from sgt_data.sources.fetch_input import fetched
from sgt_data.stream.options import Reading


@pytest.fixture(scope="module")
def served(
    sample_sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Any, Path]]:
    root = tmp_path_factory.mktemp("served")
    shutil.copytree(sample_sources, root / "sources")
    document = both_sources_document(sample_sources, shard_samples=6)
    build_corpus(
        parse_manifest(document | {"inputs": "shared"}), str(root / "corpus"), cluster=IN_PROCESS
    )
    (root / "numbers").write_bytes(bytes(range(256)) * 8)
    with serving(root, Files) as (host, handler):
        yield f"http://{host}", handler, root


def test_a_range_is_that_range(served: tuple[str, Any, Path]) -> None:
    url, handler, root = served
    data = (root / "numbers").read_bytes()
    handler.given.clear()
    for start, length in ((0, 16), (100, 7), (2040, 100), (2048, 5), (9999, 5), (0, 9999), (5, 0)):
        assert read_range(f"{url}/numbers", start, length) == data[start : start + length]
    assert handler.given["/numbers"] <= 2  # one question, and the file once


def test_a_file_that_changes_is_fetched_again(served: tuple[str, Any, Path]) -> None:
    url, _, root = served
    (root / "changing").write_bytes(b"0123456789")
    assert read_range(f"{url}/changing", 3, 2) == b"34"
    (root / "changing").write_bytes(b"abcdefghijkl")
    assert read_range(f"{url}/changing", 3, 2) == b"de"


def test_a_tar_is_walked_and_its_members_are_fetched(served: tuple[str, Any, Path]) -> None:
    url, _, root = served
    tar = tar_of([("big.bin", bytes(range(256)) * (40 << 10)), *sa1b_members(2)])  # 10 MiB, more
    (root / "made.tar").write_bytes(tar)
    reader = ForwardReader(f"{url}/made.tar")
    members = [item for item in walk_tar(reader) if isinstance(item, TarMember)]
    reader.close()
    assert [member.name for member in members] == [
        "big.bin", "sa_1.jpg", "sa_1.json", "sa_2.jpg", "sa_2.json",
    ]  # fmt: skip
    picture = members[3]
    part = FilePart(f"{url}/made.tar", picture.start, picture.size)
    raw = fetched(RawInput("k", "m", parts={"picture": part}))
    assert raw.picture == tar[picture.start : picture.start + picture.size]


def test_a_zip_is_opened(served: tuple[str, Any, Path]) -> None:
    url, _, root = served
    with zipfile.ZipFile(root / "a.zip", "w") as archive:
        archive.writestr("x", b"content")
    size = (root / "a.zip").stat().st_size
    with zipfile.ZipFile(PromisedFile.buffered(f"{url}/a.zip", size)) as archive:
        assert archive.read("x") == b"content"


def test_a_sound_corpus_is_sound_and_gives_the_same_samples(
    served: tuple[str, Any, Path],
) -> None:
    url, handler, root = served
    local, remote = str(root / "corpus"), f"{url}/corpus"
    assert sgt_data.verify_corpus(remote, deep=True).findings == ()
    handler.given.clear()
    for proxy in ("entity", "panoptic"):
        samples = list(sgt_data.open_corpus(remote).samples(proxy))
        assert samples == list(sgt_data.open_corpus(local).samples(proxy))
    tars = {path: count for path, count in handler.given.items() if path.endswith(".tar")}
    assert tars and max(tars.values()) <= 2  # the question whether ranges are answered, and the tar


@pytest.mark.parametrize("cached", [False, True])
def test_a_stream_gives_the_same_batches(
    cached: bool, served: tuple[str, Any, Path], tmp_path: Path
) -> None:
    url, _, root = served

    def keys(corpus: str, reading: Reading) -> list[Any]:
        stream = sgt_data.Stream({corpus: ["entity"]}, batch_size=4, seed=3, reading=reading)
        samples = [sample for batch in stream for sample in batch["samples"]]
        return [(sample.key, sample.input, sample.target) for sample in samples]

    reading = Reading(cache=str(tmp_path / "cache") if cached else None)
    assert keys(f"{url}/corpus", reading) == keys(str(root / "corpus"), Reading())


def test_a_build_makes_the_same_bytes(
    served: tuple[str, Any, Path], sample_sources: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(tar_cut, "HELD_BYTES_MAX", 10_000)  # most members are fetched by range
    url, _, root = served
    document = both_sources_document(sample_sources, shard_samples=6) | {"inputs": "shared"}
    document["sources"] = [
        {"type": "sa1b", "tars": [f"{url}/sources/sa1b/{tar.name}" for tar in
                                  sorted((sample_sources / "sa1b").glob("*.tar"))]},
        {"type": "coco", "root": f"{url}/sources/coco", "annotations": ["instances", "panoptic"]},
    ]  # fmt: skip
    report = build_corpus(parse_manifest(document), str(tmp_path / "c"), cluster=IN_PROCESS)
    assert report.succeeded
    assert file_digests(tmp_path / "c") == file_digests(root / "corpus")


def test_a_file_too_large_to_be_kept_is_named_with_what_to_do(
    served: tuple[str, Any, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _, root = served
    monkeypatch.setattr(COPIES, "bytes_max", 3000)
    (root / "large").write_bytes(bytes(4000))
    with pytest.raises(SourceError, match=r"does not answer requests for parts.*/large.*nginx"):
        read_range(f"{url}/large", 7, 5)


def test_copies_are_bounded(served: tuple[str, Any, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    url, _, root = served
    monkeypatch.setattr(COPIES, "bytes_max", 5000)
    for number in range(4):
        (root / f"file-{number}").write_bytes(bytes([number]) * 2000)
        assert read_range(f"{url}/file-{number}", 10, 3) == bytes([number]) * 3
    kept = [f"{url}/file-{number}" in COPIES for number in range(4)]
    assert kept == [False, False, True, True]


@pytest.mark.parametrize("name", ["my photo", "a#b", "a?b", "a+b&c(1)", "caf\u00e9", "50%20"])
def test_names_are_names_however_a_server_quotes_them(tmp_path: Path, name: str) -> None:
    for folder in (tmp_path, tmp_path / f"sub {name}"):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.jpg").write_bytes(name.encode())
    with serving(tmp_path) as (address, _):
        root = f"http://{address}"
        names = reading.list_files(root)
        assert set(names) == {f"{name}.jpg", f"sub {name}/{name}.jpg"}
        assert all(reading.read_bytes(join(root, each)) == name.encode() for each in names)


def test_links_of_a_listing_to_other_places_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "in/empty").mkdir(parents=True)
    (tmp_path / "in/a&b.jpg").write_bytes(b"x")
    links = ["../", "/", "?C=N;O=D", "a&amp;b.jpg", "/in/empty/", "https://else.org/in/c.jpg"]
    page = "".join(f'<a href="{link}">x</a>' for link in links)
    (tmp_path / "in/index.html").write_text(f"<html><title>Index of /in</title>{page}</html>")
    with serving(tmp_path) as (address, _):
        assert list(reading.list_files(f"http://{address}/in")) == ["a&b.jpg"]
        assert reading.list_files(f"http://{address}/none") == {}


def test_a_page_in_place_of_a_listing_is_refused(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("<html><body>Please log in</body></html>")
    with (
        serving(tmp_path) as (address, _),
        pytest.raises(RequestError, match="gives a page there, and no listing of files"),
    ):
        reading.list_files(f"http://{address}")
