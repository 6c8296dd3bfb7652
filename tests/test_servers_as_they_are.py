"""Web servers with peculiarities give the corpus that a disk gives, with the same identity."""

from __future__ import annotations

import json
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from corpora import file_digests
from http_server import Odd, Ranged, serving
from making import (
    built,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    proxy_of,
    sa1b_members,
    tar_of,
    write_coco,
)

from sgt_data.errors import SourceError
from sgt_data.files.reading import read_range, size_of
from sgt_data.files.whole_files import COPIES

PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in range(1, 7)}
SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]
PROXIES = {"sa1b": [proxy_of("entity")], "coco": [proxy_of("instance")]}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SA-1B tars, and COCO with its pictures in a zip."""
    root = tmp_path_factory.mktemp("served")
    # packed by gzip it is less than a tenth as long
    more = [("notes.bin", bytes(300_000))]
    (root / "sa_0.tar").write_bytes(tar_of([*sa1b_members(3), *more]))
    images = [coco_image(n, file_name=name) for n, name in enumerate(PICTURES, 1)]
    squares = [coco_annotation(10 * n, n, SQUARE) for n in range(1, len(PICTURES) + 1)]
    write_coco(root / "coco", {}, {"instances": coco_document(images, squares)})
    with zipfile.ZipFile(root / "coco" / "train2017.zip", "w") as archive:
        for name, body in PICTURES.items():
            archive.writestr(f"train2017/{name}", body)
    return root


def source(kind: str, place: str) -> dict[str, Any]:
    if kind == "sa1b":
        return {"type": "sa1b", "tars": f"{place}/sa_0.tar"}
    coco = f"{place}/coco"
    return {
        "type": "coco", "root": coco, "annotations": ["instances"],
        "pictures": f"{coco}/train2017.zip",
    }  # fmt: skip


@pytest.fixture(scope="module")
def local(root: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, str]]:
    digests = {}
    for kind, proxies in PROXIES.items():
        out = tmp_path_factory.mktemp("local") / kind
        assert built(out, source(kind, str(root)), proxies).succeeded
        digests[kind] = file_digests(out) | identity(out)
    return digests


def identity(corpus: Path) -> dict[str, str]:
    """What makes it one build, sizes and digests of the inputs among it."""
    return {"identity": json.dumps(json.loads((corpus / "corpus.json").read_bytes())["identity"])}


@pytest.mark.parametrize("kind", PROXIES)
@pytest.mark.parametrize(
    "peculiarity", ["", "head refused", "head wrong", "packed", "chunked", "redirect"]
)
def test_a_server_without_ranges_gives_the_corpus_of_a_disk(
    root: Path, local: dict[str, dict[str, str]], tmp_path: Path, kind: str, peculiarity: str
) -> None:
    with serving(root, Odd, peculiarity=peculiarity) as (host, handler):
        assert built(tmp_path / "out", source(kind, f"http://{host}"), PROXIES[kind]).succeeded
    assert file_digests(tmp_path / "out") | identity(tmp_path / "out") == local[kind]
    archives = {
        path: count for path, count in handler.given.items() if path.endswith(("tar", "zip"))
    }
    assert archives and max(archives.values()) <= 3  # its size, whether it knows ranges, and once


def test_a_server_with_ranges_gives_the_corpus_of_a_disk(
    root: Path, local: dict[str, dict[str, str]], tmp_path: Path
) -> None:
    for kind, proxies in PROXIES.items():
        with serving(root, Ranged, sent=Counter(), failing=[0]) as (host, _):
            assert built(tmp_path / kind, source(kind, f"http://{host}"), proxies).succeeded
        assert file_digests(tmp_path / kind) | identity(tmp_path / kind) == local[kind]


@pytest.mark.parametrize("peculiarity", ["head refused", "head wrong", "packed", "chunked"])
def test_a_size_is_that_of_the_file(root: Path, tmp_path: Path, peculiarity: str) -> None:
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "zeros").write_bytes(bytes(10_000))
    with serving(tmp_path, Odd, peculiarity=peculiarity) as (host, _):
        assert size_of(f"http://{host}/zeros") == 10_000
        assert size_of(f"http://{host}/empty") == 0
        assert read_range(f"http://{host}/zeros", 9_990, 100) == bytes(10)
        assert read_range(f"http://{host}/zeros", 0, 100) == bytes(100)


def test_a_size_that_no_answer_tells_is_not_known_of_a_file_too_large_to_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(COPIES, "bytes_max", 3_000)
    (tmp_path / "large").write_bytes(bytes(4_000))
    with serving(tmp_path, Odd, peculiarity="chunked") as (host, _):
        assert size_of(f"http://{host}/large") is None
        with pytest.raises(SourceError, match=r"does not answer requests for parts.*/large.*nginx"):
            read_range(f"http://{host}/large", 100, 5)
