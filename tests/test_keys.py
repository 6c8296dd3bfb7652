"""Keys: every input becomes its own sample, whatever it is called; plain names keep their keys."""

from __future__ import annotations

import random
import re
import unicodedata
from pathlib import Path

import pytest
from making import (
    SMALL,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    samples_in,
    tar_of,
    write_coco,
)

from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.records import RawInput
from sgt_data.sources.base import Source
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.folder import FolderSource
from sgt_data.sources.keys import key_of, unique_keys
from sgt_data.sources.tars import TarsSource

CHINESE = [
    "".join(chr(0x4E00 + n) for n in random.Random(seed).choices(range(2000), k=4))
    for seed in range(200)
]
HARD_NAMES = [
    "1.jpg",
    "1.png",
    "1.JPG",
    "a/1.jpg",
    "a-1.jpg",
    "b/1.jpg",
    "IMG 1.jpg",
    "IMG.1.jpg",
    "img.1.jpg",
    "\N{GRINNING FACE}.jpg",
    "\N{GRINNING FACE WITH SMILING EYES}.jpg",
    unicodedata.normalize("NFC", "café.jpg"),
    unicodedata.normalize("NFD", "café.jpg"),
    "x" * 240 + ".jpg",
    "x" * 240 + ".png",
    "line\nbreak.jpg",
    "back\\slash.jpg",
    "-.jpg",
    "--.jpg",
    *(f"{name}.jpg" for name in CHINESE),
]


def keys_read(source: Source, samples: int = 100_000) -> dict[str, str]:
    """Key by member, of inputs without a problem."""
    raws: list[RawInput] = []
    for piece in source.inventory(samples).slices:
        for shard in source.read(piece, samples, ()):
            raws += shard.inputs
    assert [raw.problem for raw in raws if raw.problem] == []
    assert len({raw.key for raw in raws}) == len(raws)
    return {raw.member: raw.key for raw in raws}


def write_names(folder: Path, names: list[str]) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())


def test_every_name_of_a_folder_becomes_its_own_sample(tmp_path: Path) -> None:
    write_names(tmp_path, HARD_NAMES)
    keys = keys_read(FolderSource(pictures=str(tmp_path)))
    assert set(keys) == set(HARD_NAMES)
    assert all(re.fullmatch(r"folder_[A-Za-z0-9_-]{1,200}", key) for key in keys.values())


def test_every_name_of_a_tar_becomes_its_own_sample(tmp_path: Path) -> None:
    names = [name for name in HARD_NAMES if "\n" not in name]
    (tmp_path / "x.tar").write_bytes(tar_of([(name, b"p") for name in names], form=2))
    keys = keys_read(TarsSource(tars=str(tmp_path / "x.tar")))
    assert set(keys) == set(names)
    assert keys["1.jpg"] == "tars_1"  # the first in the tar keeps the plain key
    assert keys["1.png"].startswith("tars_1-")
    assert keys_read(TarsSource(tars=str(tmp_path / "x.tar")), 7) == keys  # any cut, the same keys


def test_every_file_name_of_coco_becomes_its_own_sample(tmp_path: Path) -> None:
    images = [
        coco_image(number, file_name=name)
        for number, name in enumerate((name for name in HARD_NAMES if "\\" not in name), 1)
    ]
    square = [[1, 1, 20, 1, 20, 20, 1, 20]]
    annotations = [coco_annotation(image["id"], image["id"], square) for image in images]
    write_coco(tmp_path, {}, {"instances": coco_document(images, annotations)})
    write_names(tmp_path / "train2017", [image["file_name"] for image in images])
    keys = keys_read(CocoSource(root=str(tmp_path), annotations=("instances",)))
    assert len(keys) == len(images)


def test_keys_do_not_depend_on_the_order_of_listing() -> None:
    keys = unique_keys("s", HARD_NAMES)
    shuffled = random.Random(0).sample(HARD_NAMES, len(HARD_NAMES))
    assert unique_keys("s", shuffled) == keys
    assert len(set(keys.values())) == len(HARD_NAMES)


def test_plain_names_keep_their_keys() -> None:
    names = ["000000000009.jpg", "a/1.jpg", "IMG 2 (1).jpg", "x_jpg.rf.0a1b.jpg", "n-1/n_2.JPEG"]
    assert list(unique_keys("coco", names).values()) == [
        "coco_000000000009",
        "coco_a-1",
        "coco_IMG-2--1-",
        "coco_x_jpg-rf-0a1b",
        "coco_n-1-n_2",
    ]


def test_another_picture_does_not_change_the_key_of_a_name_that_is_not_ascii() -> None:
    alone = unique_keys("s", ["照片1.jpg"])
    assert (
        unique_keys("s", HARD_NAMES + ["照片1.jpg", "照片1.png", "相片1.jpg"]).items()
        >= alone.items()
    )
    assert re.fullmatch(r"s_1-[0-9a-f]{16}", alone["照片1.jpg"])


def test_a_name_that_spells_the_key_of_another_gets_its_own() -> None:
    marked = unique_keys("s", ["1.jpg", "1.png"])["1.png"].removeprefix("s_")
    names = ["1.jpg", "1.png", f"{marked}.jpg"]
    assert len(set(unique_keys("s", names).values())) == 3


def test_keys_with_all_suffixes_are_file_names() -> None:
    for name in ["x" * 5000, "照" * 5000, "x" * 160, "照 x" * 50]:
        assert len(f"{key_of('s' * 32, name)}.target.png".encode()) <= 255


@pytest.mark.parametrize("form", ["folder", "tars"])
def test_two_hundred_chinese_names_make_two_hundred_samples(tmp_path: Path, form: str) -> None:
    picture = jpeg(40, 40)
    names = [f"{name}.jpg" for name in CHINESE]
    source = {"type": form, "pictures": str(tmp_path / "in")}
    (tmp_path / "in").mkdir()
    if form == "folder":
        for name in names:
            (tmp_path / "in" / name).write_bytes(picture)
    else:
        (tmp_path / "in" / "t.tar").write_bytes(tar_of([(name, picture) for name in names], form=2))
        source = {"type": form, "tars": str(tmp_path / "in" / "t.tar")}
    manifest = parse_manifest(
        {
            "name": "chinese",
            "pictures": SMALL,
            "sources": [source],
            "proxies": [{"type": "reconstruction"}],
        }
    )
    report = build_corpus(manifest, str(tmp_path / "out"), cluster=IN_PROCESS)
    assert report.totals["reconstruction"]["damaged"] == 0
    assert len(samples_in(tmp_path / "out", "reconstruction")) == 200


def test_a_name_that_is_no_utf_8_becomes_a_sample(tmp_path: Path) -> None:
    names = [b"\xff1.jpg", b"\xfe1.jpg"]
    for name in names:
        with open(bytes(tmp_path) + b"/" + name, "wb") as file:
            file.write(name)
    keys = keys_read(FolderSource(pictures=str(tmp_path)))
    assert sorted(keys) == [r"\xfe1.jpg", r"\xff1.jpg"]
