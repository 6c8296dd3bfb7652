"""Zips on servers: the directory is read once, a picture by its range; what a shard may hold."""

from __future__ import annotations

import json
import random
import tracemalloc
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import fsspec
import pytest
from corpora import file_digests
from http_server import Files, Ranged, serving
from making import (
    built,
    check_accounts,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    ledger_in,
    manifest_of,
    proxy_of,
    samples_in,
    write_coco,
)
from s3_server import new_bucket, s3_in_use

from sgt_data.cli.app import main
from sgt_data.engine import build
from sgt_data.engine.listing import Listing, list_inputs
from sgt_data.files import retries
from sgt_data.manifest.manifest import Manifest
from sgt_data.sources import held_files

PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in range(1, 41)}
SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]
PROXY = [proxy_of("instance")]
NOISE = {f"notes/{number:0100d}.txt": b"" for number in range(1500)}
"""Members that nobody asks for: they make a directory of 370 kB."""


def write_inputs(root: Path, names: Iterable[str]) -> Path:
    """COCO without its pictures."""
    images = [coco_image(n, file_name=name) for n, name in enumerate(names, 1)]
    squares = [coco_annotation(10 * n, n, SQUARE) for n in range(1, len(images) + 1)]
    return write_coco(root, {}, {"instances": coco_document(images, squares)})


def write_zip(place: Path, members: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(place, "w", method) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return place


def in_split(pictures: dict[str, bytes], *, shuffled: bool = False) -> dict[str, bytes]:
    names = list(pictures)
    if shuffled:
        random.Random(3).shuffle(names)
    return {f"train2017/{name}": pictures[name] for name in names}


def coco(root: Path, archive: str) -> dict[str, Any]:
    return {
        "type": "coco", "root": str(root), "annotations": ["instances"], "pictures": archive,
    }  # fmt: skip


@contextmanager
def http(archive: Path) -> Iterator[tuple[str, Callable[[], tuple[int, int]]]]:
    with serving(archive.parent, Ranged, sent=Counter(), failing=[0]) as (host, handler):
        place = f"/{archive.name}"
        yield f"http://{host}{place}", lambda: (handler.given[place], handler.sent[place])


@contextmanager
def s3(archive: Path) -> Iterator[tuple[str, Callable[[], tuple[int, int]]]]:
    """A bucket of moto's server, whose application is asked how much it sends."""
    with s3_in_use() as server:
        place = f"{new_bucket()}/{archive.name}"
        fsspec.filesystem("s3").put(str(archive), place)
        counted, application = Counter[str](), server.app

        def counting(environ: Any, start_response: Any) -> Iterator[bytes]:
            is_get = environ["REQUEST_METHOD"] == "GET" and environ["PATH_INFO"].endswith(".zip")
            counted["requests"] += is_get
            for chunk in application(environ, start_response):
                counted["bytes"] += len(chunk) * is_get
                yield chunk

        server.app = counting
        yield place, lambda: (counted["requests"], counted["bytes"])


@pytest.mark.parametrize("serve", [http, s3])
@pytest.mark.parametrize("shuffled", [False, True])
def test_a_picture_costs_its_own_bytes_and_the_directory_is_read_once(
    tmp_path: Path, serve: Any, shuffled: bool
) -> None:
    members = in_split(PICTURES, shuffled=shuffled)
    # between the pictures lies what is not worth to be fetched with them
    between = {f"more/{name}": random.Random(5).randbytes(70_000) for name in list(members)[::8]}
    ordered = dict(NOISE)
    for number, name in enumerate(members):
        if shuffled or not number % 8:
            ordered |= {f"more/{number}": next(iter(between.values()))}
        ordered[name] = members[name]
    archive = write_zip(tmp_path / "train2017.zip", ordered)
    with zipfile.ZipFile(archive) as opened:
        directory = archive.stat().st_size - opened.start_dir
    root = write_inputs(tmp_path / "in", PICTURES)
    assert built(tmp_path / "local", coco(root, str(archive)), PROXY).succeeded
    with serve(archive) as (url, told):
        listing = list_inputs(manifest_of(coco(root, url), PROXY))
        requests, nbytes = told()
        assert requests <= 8
        assert nbytes < 1.1 * directory
        assert built(tmp_path / "far", coco(root, url), PROXY).succeeded
        after, more = told()
    pictures = sum(map(len, PICTURES.values()))
    slices = len(listing.slices)
    assert more - 2 * nbytes < 1.3 * pictures  # once to list them here, once in the build
    assert after - 2 * requests <= slices + (len(PICTURES) if shuffled else slices)
    assert file_digests(tmp_path / "far") == file_digests(tmp_path / "local")


def test_a_zip_is_opened_through_errors_of_its_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.01)
    (tmp_path / "zips").mkdir()
    archive = write_zip(tmp_path / "zips" / "train2017.zip", in_split(PICTURES))
    root = write_inputs(tmp_path / "in", PICTURES)
    failing = [2]
    with serving(archive.parent, Ranged, sent=Counter(), failing=failing) as (host, _):
        source = coco(root, f"http://{host}/train2017.zip")
        assert built(tmp_path / "out", source, PROXY).succeeded
        assert failing == [0]
        failing[0] = 1000
        manifest = tmp_path / "manifest.yaml"
        manifest.write_text(json.dumps({"name": "x", "sources": [source], "proxies": PROXY}))
        with pytest.raises(SystemExit) as ended:
            main(["build", str(manifest), "--output", str(tmp_path / "refused")])
        assert ended.value.code == 1
        failing[0] = 0

        def list_then_fail(manifest: Manifest) -> Listing:
            listing = list_inputs(manifest)
            failing[0] = 1000
            return listing

        monkeypatch.setattr(build, "list_inputs", list_then_fail)
        report = built(tmp_path / "later", source, PROXY)
        assert len(report.failures) == 10
        assert "the server answered 503" in report.failures[0].message
    told = capsys.readouterr().err
    assert "train2017.zip: the server answered 503" in told
    assert "Traceback" not in told


def harmed(place: Path, change: Callable[[bytearray, dict[str, zipfile.ZipInfo]], None]) -> None:
    with zipfile.ZipFile(place) as opened:
        infos = {info.filename: info for info in opened.infolist()}
    data = bytearray(place.read_bytes())
    change(data, infos)
    place.write_bytes(data)


def entry_of(data: bytearray, name: str) -> int:
    """Where the entry of a member in the central directory begins."""
    return data.rindex(name.encode()) - 46


@pytest.mark.parametrize("case", ["name", "overlap", "too large", "more than it says", "method"])
def test_a_member_that_is_not_what_the_directory_says_costs_itself(
    tmp_path: Path, case: str
) -> None:
    first, second, *_ = names = list(in_split(PICTURES))[:6]
    archive = write_zip(
        tmp_path / "train2017.zip", {name: in_split(PICTURES)[name] for name in names},
        zipfile.ZIP_DEFLATED,
    )  # fmt: skip

    def change(data: bytearray, infos: dict[str, zipfile.ZipInfo]) -> None:
        entry = entry_of(data, second)
        if case == "name":  # it lies where another member lies
            data[entry + 42 : entry + 46] = infos[first].header_offset.to_bytes(4, "little")
        elif case == "overlap":
            data[entry + 20 : entry + 24] = (90_000).to_bytes(4, "little")
        elif case == "too large":
            data[entry + 24 : entry + 28] = (600 << 20).to_bytes(4, "little")
        elif case == "more than it says":
            data[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
        else:
            data[entry + 10 : entry + 12] = (97).to_bytes(2, "little")

    harmed(archive, change)
    root = write_inputs(tmp_path / "in", [name.removeprefix("train2017/") for name in names])
    report = built(tmp_path / "out", coco(root, str(archive)), PROXY)
    check_accounts(tmp_path / "out", report)
    (row,) = ledger_in(tmp_path / "out", "instance")
    assert row["member"] == second.removeprefix("train2017/")
    assert "train2017.zip" in row["reason"] or "bytes or more" in row["reason"]
    assert len(samples_in(tmp_path / "out", "instance")) == 5


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("bound", [0, 4_000])
def test_what_a_shard_may_not_hold_is_fetched_where_it_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: int, bound: int
) -> None:
    root = write_inputs(tmp_path / "in", PICTURES)
    archive = write_zip(tmp_path / "train2017.zip", in_split(PICTURES), method)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name, body in PICTURES.items():
        (pictures / name).write_bytes(body)
    sources = {
        "zip": (coco(root, str(archive)), PROXY),
        "folder": ({"type": "folder", "pictures": str(pictures)}, [{"type": "edge"}]),
    }
    for name, (source, proxies) in sources.items():
        assert built(tmp_path / f"{name}-held", source, proxies).succeeded
    monkeypatch.setattr(held_files, "HELD_BYTES_MAX", bound)
    for name, (source, proxies) in sources.items():
        assert built(tmp_path / name, source, proxies).succeeded
        assert file_digests(tmp_path / name) == file_digests(tmp_path / f"{name}-held")


def test_a_damaged_picture_that_is_fetched_later_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = write_zip(tmp_path / "train2017.zip", in_split(PICTURES))
    data = bytearray(archive.read_bytes())
    body = PICTURES["000000000003.jpg"]
    data[data.index(body) + 300] ^= 255
    archive.write_bytes(data)
    root = write_inputs(tmp_path / "in", PICTURES)
    monkeypatch.setattr(held_files, "HELD_BYTES_MAX", 0)
    report = built(tmp_path / "out", coco(root, str(archive)), PROXY)
    check_accounts(tmp_path / "out", report)
    (row,) = ledger_in(tmp_path / "out", "instance")
    assert row["member"] == "000000000003.jpg"
    assert "damaged" in row["reason"]


def test_members_that_unpack_to_hundreds_of_megabytes_do_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twelve members of 24 MB from a zip of 300 kB, of which a shard may hold two."""
    bombs = dict.fromkeys(list(PICTURES)[:12], bytes(24_000_000))
    archive = write_zip(tmp_path / "train2017.zip", in_split(bombs), zipfile.ZIP_DEFLATED)
    root = write_inputs(tmp_path / "in", bombs)
    monkeypatch.setattr(held_files, "HELD_BYTES_MAX", 50_000_000)
    tracemalloc.start()
    try:
        report = built(tmp_path / "out", coco(root, str(archive)), PROXY, shard_samples=12)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    check_accounts(tmp_path / "out", report)
    assert peak < 140_000_000  # those two, and one that is unpacked
    assert len(ledger_in(tmp_path / "out", "instance")) == 12


def test_a_picture_of_a_server_larger_than_any_costs_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_inputs(tmp_path / "in", list(PICTURES)[:3])
    served = tmp_path / "served"
    served.mkdir()
    for name in list(PICTURES)[:3]:
        (served / name).write_bytes(PICTURES[name])
    large = list(PICTURES)[1]
    (served / large).write_bytes(PICTURES[large] + bytes(9000))
    monkeypatch.setattr(held_files, "FILE_BYTES_MAX", 8000)
    with serving(served, Files) as (host, _):
        report = built(tmp_path / "out", coco(root, f"http://{host}"), PROXY)
    check_accounts(tmp_path / "out", report)
    (row,) = ledger_in(tmp_path / "out", "instance")
    assert row["member"] == large
    assert "a picture has 8000 at most" in row["reason"]
