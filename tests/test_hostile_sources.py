"""Broken inputs cost exactly themselves: the rest is written with the same bytes as ever."""

from __future__ import annotations

import copy
import io
import json
import shutil
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    Members,
    bomb_jpeg,
    bomb_png,
    boxes,
    built,
    check_accounts,
    coco_annotation,
    coco_document,
    coco_image,
    encoded,
    files_in,
    jpeg,
    ledger_in,
    panoptic_png,
    proxy_of,
    run_lengths,
    sa1b_members,
    sa1b_pair,
    samples_in,
    tar_of,
    write_coco,
)
from PIL import Image

from sgt_data.build import builder
from sgt_data.errors import RequestError
from sgt_data.records import RawShard
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.fetch import fetched
from sgt_data.sources.folder import FolderSource
from sgt_data.sources.tars import TarsSource

COUNT = 9
KEYS = [f"sa1b_{number}" for number in range(1, COUNT + 1)]
Samples = dict[str, dict[str, bytes]]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    """The samples of the undamaged tar."""
    root = tmp_path_factory.mktemp("whole")
    tar = root / "sa_0.tar"
    tar.write_bytes(tar_of(sa1b_members(COUNT)))
    report = built(root / "out", {"type": "sa1b", "tars": str(tar)})
    assert report.succeeded
    assert ledger_in(root / "out") == []
    samples = samples_in(root / "out")
    assert sorted(samples) == KEYS
    return samples


def build_tar(root: Path, tar: bytes, **more: Any) -> tuple[Samples, list[dict[str, Any]]]:
    (root / "sa_0.tar").write_bytes(tar)
    report = built(root / "out", {"type": "sa1b", "tars": str(root / "sa_0.tar")}, **more)
    assert report.complete
    check_accounts(root / "out", report)
    return samples_in(root / "out"), ledger_in(root / "out")


def check_lost(
    found: tuple[Samples, list[dict[str, Any]]], whole: Samples, lost: set[int], *reasons: str
) -> None:
    """Exactly `lost` are missing, the ledger says why, and the rest is as in the whole build."""
    samples, ledger = found
    keys = {f"sa1b_{number}" for number in lost}
    assert samples == {key: files for key, files in whole.items() if key not in keys}
    named = {row["key"] for row in ledger}
    assert keys <= named
    assert not named & samples.keys()
    for row in ledger:
        assert row["source"] == "sa1b"
        assert row["slice"] == "sa_0"
        assert row["kind"] == "damaged"
    told = " | ".join(row["reason"] for row in ledger)
    assert all(reason in told for reason in reasons), told


def places(tar: bytes) -> dict[str, tuple[int, int, int]]:
    """Header offset, data offset and size of each member."""
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        return {one.name: (one.offset, one.offset_data, one.size) for one in archive}


@pytest.mark.parametrize("member", ["sa_6.jpg", "sa_6.json"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.95])
def test_a_truncated_tar_costs_its_own_sample_and_what_followed(
    tmp_path: Path, whole: Samples, member: str, share: float
) -> None:
    tar = tar_of(sa1b_members(COUNT))
    _, start, size = places(tar)[member]
    samples, ledger = build_tar(tmp_path, tar[: start + int(size * share)])
    assert samples == {key: whole[key] for key in KEYS[:5]}
    assert [row["key"] for row in ledger] == ["sa1b_6"]
    assert member in ledger[0]["reason"]
    assert "cut off" in ledger[0]["reason"]


def test_a_tar_truncated_in_a_header_says_so(tmp_path: Path, whole: Samples) -> None:
    tar = tar_of(sa1b_members(COUNT))
    samples, ledger = build_tar(tmp_path, tar[: places(tar)["sa_6.json"][0] + 200])
    assert samples == {key: whole[key] for key in KEYS[:5]}
    assert [row["key"] for row in ledger] == ["sa1b_6"]
    assert "without its end marker" in ledger[0]["reason"]


@pytest.mark.parametrize("last", ["sa_6.json", "sa_7.jpg"])
def test_a_tar_truncated_between_members_says_so(tmp_path: Path, whole: Samples, last: str) -> None:
    """Not a byte of what is there is broken; only the missing end marker tells."""
    tar = tar_of(sa1b_members(COUNT))
    _, start, size = places(tar)[last]
    samples, ledger = build_tar(tmp_path, tar[: start + -(-size // 512) * 512])
    assert samples == {key: whole[key] for key in KEYS[:6]}
    assert len(ledger) == 1
    assert "without its end marker" in ledger[0]["reason"]
    assert ledger[0]["key"] == ("" if last == "sa_6.json" else "sa1b_7")


@pytest.mark.parametrize("member", ["sa_1.jpg", "sa_5.jpg", "sa_5.json", "sa_9.json"])
@pytest.mark.parametrize("at", [0, 100, 130, 150, 257])
def test_a_flipped_header_byte_costs_one_sample(
    tmp_path: Path, whole: Samples, member: str, at: int
) -> None:
    tar = bytearray(tar_of(sa1b_members(COUNT)))
    tar[places(bytes(tar))[member][0] + at] ^= 0x55
    number = int(member[3])
    check_lost(build_tar(tmp_path, bytes(tar)), whole, {number}, "broken archive")


@pytest.mark.parametrize("member", ["sa_5.jpg", "sa_5.json"])
def test_a_flipped_header_byte_costs_one_sample_in_any_order_of_members(
    tmp_path: Path, whole: Samples, member: str
) -> None:
    members = sa1b_members(COUNT)
    orders = {
        "json first": members[1::2] + members[::2],
        "jpg first": members[::2] + members[1::2],
        "backwards": members[::-1],
    }
    for name, ordered in orders.items():
        tar = bytearray(tar_of(ordered))
        tar[places(bytes(tar))[member][0] + 150] ^= 0x55
        root = tmp_path / name
        root.mkdir()
        check_lost(build_tar(root, bytes(tar)), whole, {5})


@pytest.mark.parametrize("member", ["sa_5.jpg", "sa_5.json"])
def test_zeros_in_the_middle_cost_one_sample(tmp_path: Path, whole: Samples, member: str) -> None:
    tar = bytearray(tar_of(sa1b_members(COUNT)))
    header, start, size = places(bytes(tar))[member]
    end = start + -(-size // 512) * 512
    tar[header:end] = bytes(end - header)
    check_lost(build_tar(tmp_path, bytes(tar)), whole, {5}, "broken archive")


def test_two_tars_in_one_file_are_read_to_the_end(tmp_path: Path, whole: Samples) -> None:
    members = sa1b_members(COUNT)
    check_lost(
        build_tar(tmp_path, tar_of(members[:8]) + tar_of(members[8:])), whole, set(), "broken"
    )


@pytest.mark.parametrize("left_out", ["sa_5.jpg", "sa_5.json"])
def test_half_a_pair_costs_one_sample(tmp_path: Path, whole: Samples, left_out: str) -> None:
    members = [one for one in sa1b_members(COUNT) if one[0] != left_out]
    found = build_tar(tmp_path, tar_of(members))
    check_lost(found, whole, {5}, "but no")
    assert len(found[1]) == 1


@pytest.mark.parametrize("role", [0, 1])
def test_of_a_repeated_member_the_first_counts(tmp_path: Path, whole: Samples, role: int) -> None:
    members = sa1b_members(COUNT)
    name = members[6 + role][0]
    other = sa1b_pair(77)[role][1]
    samples, ledger = build_tar(tmp_path, tar_of([*members, (name, other)]))
    assert samples == whole
    assert [row["member"] for row in ledger] == [name]
    assert "twice" in ledger[0]["reason"]


def test_names_with_and_without_dot_slash_are_the_same(tmp_path: Path, whole: Samples) -> None:
    members = [
        (f"./{name}" if index % 3 else name, body)
        for index, (name, body) in enumerate(sa1b_members(COUNT))
    ]
    check_lost(build_tar(tmp_path, tar_of(members)), whole, set())


ORDERS: dict[str, Callable[[Members], Members]] = {
    "jsons first, pictures backwards": lambda m: m[1::2] + m[::2][::-1],
    "pictures first": lambda m: m[::2] + m[1::2],
    "pictures first, jsons backwards": lambda m: m[::2] + m[1::2][::-1],
    "backwards": lambda m: m[::-1],
    "interleaved": lambda m: [one for pair in zip(m[::2], m[3::2] + m[1:2], strict=True)
                              for one in pair],
    "shuffled": lambda m: [m[i] for i in np.random.default_rng(0).permutation(len(m))],
}  # fmt: skip


@pytest.mark.parametrize("name", ORDERS)
@pytest.mark.parametrize("shard_samples", [1, 4, 100])
def test_any_order_of_members_gives_the_same_samples(
    tmp_path: Path, whole: Samples, name: str, shard_samples: int
) -> None:
    tar = tar_of(ORDERS[name](sa1b_members(COUNT)))
    check_lost(build_tar(tmp_path, tar, shard_samples=shard_samples), whole, set())


def changed(number: int, change: Callable[[dict[str, Any]], Any]) -> bytes:
    document = json.loads(sa1b_pair(number)[1][1])
    change(document)
    return json.dumps(document).encode()


def _first(document: dict[str, Any]) -> dict[str, Any]:
    return document["annotations"][0]


BROKEN_JSON: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "another width": (lambda d: d["image"].update(width=65), "is"),
    "negative height": (lambda d: d["image"].update(height=-48), "image.height"),
    "huge size": (lambda d: d["image"].update(width=2**60, height=2**60), "image.width"),
    "size of a string": (lambda d: d["image"].update(width="64"), "image.width"),
    "no image": (lambda d: d.pop("image"), "SA-1B's form"),
    "no annotations": (lambda d: d.pop("annotations"), "SA-1B's form"),
    "annotations a number": (lambda d: d.update(annotations=5), "SA-1B's form"),
    "annotations a dict": (lambda d: d.update(annotations={"a": 1}), "SA-1B's form"),
    "annotation a string": (lambda d: d.update(annotations=["mask"]), "SA-1B's form"),
    "annotation without id": (lambda d: _first(d).pop("id"), "SA-1B's form"),
    "id a float": (lambda d: _first(d).update(id=1.5), "id"),
    "id huge": (lambda d: _first(d).update(id=2**62), "id"),
    "one id twice": (lambda d: [one.update(id=7) for one in d["annotations"]], "share one id"),
    "no segmentation": (lambda d: _first(d).pop("segmentation"), "SA-1B's form"),
    "segmentation a list": (lambda d: _first(d).update(segmentation=[1, 2]), "SA-1B's form"),
    "another mask size": (
        lambda d: _first(d)["segmentation"].update(size=[64, 48]), "segmentation.size"
    ),
    "mask size a number": (lambda d: _first(d)["segmentation"].update(size=3), "SA-1B's form"),
    "counts a number": (lambda d: _first(d)["segmentation"].update(counts=3), "not run lengths"),
    "counts of dicts": (lambda d: _first(d)["segmentation"].update(counts=[{}]), "integer"),
    "counts not ascii": (lambda d: _first(d)["segmentation"].update(counts="00ä"), "run lengths"),
    "an overrun": (lambda d: _first(d)["segmentation"].update(counts=[5, 4000]), "past the end"),
    "a negative run": (lambda d: _first(d)["segmentation"].update(counts="0O"), "negative run"),
    "an unfinished run": (lambda d: _first(d)["segmentation"].update(counts="5P"), "middle of"),
    "a short mask": (lambda d: _first(d)["segmentation"].update(counts=[5, 4]), "before the last"),
    "a bad character": (lambda d: _first(d)["segmentation"].update(counts="5~"), "character"),
    "a giant number": (
        lambda d: _first(d)["segmentation"].update(counts="o" * 50 + "0"), "35 bits"
    ),
    "a score of words": (lambda d: _first(d).update(predicted_iou="good"), "predicted_iou"),
    "an infinite score": (lambda d: _first(d).update(stability_score=1e300), "stability_score"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_JSON)
def test_a_wrong_annotation_costs_one_sample(tmp_path: Path, whole: Samples, name: str) -> None:
    change, reason = BROKEN_JSON[name]
    members = sa1b_members(COUNT)
    members[9] = ("sa_5.json", changed(5, change))
    found = build_tar(tmp_path, tar_of(members))
    check_lost(found, whole, {5}, reason)
    assert len(found[1]) == 1
    assert found[1][0]["member"] == "sa_5.jpg"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nothing", b"[]", b"5", b"null", b'"image"', b"{", b"\xff\xfe{", b"[" * 100_000,
        b'{"image":{"width":NaN,"height":48},"annotations":[]}',
        sa1b_pair(5)[1][1][:-40],
    ],
    ids=repr,
)  # fmt: skip
def test_what_is_no_annotation_costs_one_sample(
    tmp_path: Path, whole: Samples, body: bytes
) -> None:
    members = sa1b_members(COUNT)
    members[9] = ("sa_5.json", body)
    check_lost(build_tar(tmp_path, tar_of(members)), whole, {5}, "annotation")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (jpeg(64, 48, 5)[:700], "cannot be decoded"),
        (b"", "empty"),
        (b"<html>", "not a picture"),
        (bomb_png(100_000, 100_000), "pixels"),
        (bomb_jpeg(65_000, 65_000), "pixels"),
        (jpeg(48, 64, 5), "64x48"),
    ],
)
def test_a_broken_picture_costs_one_sample(
    tmp_path: Path, whole: Samples, body: bytes, reason: str
) -> None:
    members = sa1b_members(COUNT)
    members[8] = ("sa_5.jpg", body)
    check_lost(build_tar(tmp_path, tar_of(members)), whole, {5}, reason)


def test_a_picture_without_masks_is_filtered_not_damaged(tmp_path: Path, whole: Samples) -> None:
    members = sa1b_members(COUNT)
    members[9] = ("sa_5.json", changed(5, lambda d: d.update(annotations=[])))
    samples, ledger = build_tar(tmp_path, tar_of(members))
    assert sorted(samples) == [key for key in KEYS if key != "sa1b_5"]
    assert [(row["key"], row["kind"]) for row in ledger] == [("sa1b_5", "filtered")]


@pytest.mark.parametrize("tar", [b"", bytes(512), bytes(10240), tar_of([])], ids=len)
def test_an_empty_tar_gives_an_empty_shard(tmp_path: Path, tar: bytes) -> None:
    samples, ledger = build_tar(tmp_path, tar)
    assert samples == {}
    assert len(ledger) == (0 if tar else 1)


def test_a_tar_of_foreign_files_gives_an_empty_shard(tmp_path: Path) -> None:
    tar = tar_of([("LICENSE", b"text"), ("a/b.txt", b"text"), ("c.tar.gz", b"1"), (".jpg", b"2")])
    assert build_tar(tmp_path, tar) == ({}, [])


@pytest.mark.parametrize("body", [b"<html>no</html>", bytes(range(256)) * 40, b"PK\3\4" * 999])
def test_what_is_no_tar_is_named_in_the_ledger(tmp_path: Path, body: bytes) -> None:
    samples, ledger = build_tar(tmp_path, body)
    assert samples == {}
    assert [row["member"] for row in ledger] == ["sa_0.tar"]


LONG = "d/" * 150


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(
    "folder", ["../../", "/etc/", LONG, "/" + LONG, "Bilder äöü 図/", "a\\..\\", "a b/", "-"]
)
def test_no_member_name_leads_anywhere(
    tmp_path: Path, whole: Samples, form: int, folder: str
) -> None:
    members = [(folder + name, body) for name, body in sa1b_members(COUNT)]
    (tmp_path / "in").mkdir()
    samples, ledger = build_tar(tmp_path / "in", tar_of(members, form))
    assert ledger == []
    assert len(samples) == COUNT
    if folder.endswith("/"):
        assert sorted(samples) == KEYS
        assert {files["target.png"] for files in samples.values()} == {
            files["target.png"] for files in whole.values()
        }
    outside = {one for one in tmp_path.rglob("*") if one.is_file()} - set(
        (tmp_path / "in" / "out").rglob("*")
    )
    assert outside == {tmp_path / "in" / "sa_0.tar"}


def test_links_devices_and_folders_in_a_tar_are_passed_over(tmp_path: Path, whole: Samples) -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for index, kind in enumerate(
            (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE)
        ):
            member = tarfile.TarInfo(f"sa_9{index}.jpg")
            member.type, member.linkname = kind, "../" * 60 + "etc/passwd"
            tar.addfile(member)
        for name, body in sa1b_members(COUNT):
            member = tarfile.TarInfo(name)
            member.size = len(body)
            tar.addfile(member, io.BytesIO(body))
    check_lost(build_tar(tmp_path, out.getvalue()), whole, set())


def test_a_name_that_is_no_utf8_gives_a_key_of_its_own(tmp_path: Path, whole: Samples) -> None:
    tar = bytearray(tar_of(sa1b_members(COUNT)))
    for name, (header, _, _) in places(bytes(tar)).items():
        if name.startswith("sa_5."):
            tar[header + 2] = 0xFF
            block = tar[header : header + 512]
            block[148:156] = b" " * 8
            tar[header + 148 : header + 156] = b"%06o\0 " % sum(block)
    samples, ledger = build_tar(tmp_path, bytes(tar))
    assert ledger == []
    strange = samples.keys() - set(KEYS)
    assert len(strange) == 1
    assert strange.pop().isascii()
    assert {key: samples[key] for key in KEYS if key != "sa1b_5"} == {
        key: files for key, files in whole.items() if key != "sa1b_5"
    }


def test_a_member_that_claims_terabytes_costs_one_sample(tmp_path: Path, whole: Samples) -> None:
    members = sa1b_members(COUNT)
    tar = bytearray(tar_of(members))
    header = places(bytes(tar))["sa_9.json"][0]
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        member = archive.getmember("sa_9.json")
    member.size = 1 << 42
    tar[header : header + 512] = member.tobuf(tarfile.GNU_FORMAT)
    check_lost(build_tar(tmp_path, bytes(tar)), whole, {9}, "cut off")


def test_names_that_give_one_key_do_not_give_two_samples(tmp_path: Path, whole: Samples) -> None:
    """`a b` and `a-b` are two pictures, but one key: the first keeps it."""
    members = sa1b_members(COUNT)
    for stem, number in (("a b", 21), ("a-b", 22), ("a.b", 23)):
        members += [(f"{stem}.{name.rpartition('.')[2]}", body) for name, body in sa1b_pair(number)]
    samples, ledger = build_tar(tmp_path, tar_of(members), shard_samples=100)
    assert sorted(samples) == sorted([*KEYS, "sa1b_a-b"])
    assert [row["key"] for row in ledger] == ["sa1b_a-b", "sa1b_a-b"]
    first = json.loads(samples["sa1b_a-b"]["json"])["source"]["member"]
    assert first == "a b.jpg"
    assert {row["member"] for row in ledger} == {"a-b.jpg", "a.b.jpg"}


def test_members_beyond_the_memory_bound_are_read_back(
    tmp_path: Path, whole: Samples, monkeypatch: pytest.MonkeyPatch
) -> None:
    members = sa1b_members(COUNT)
    monkeypatch.setattr("sgt_data.sources.tar_cut.HELD_BYTES_MAX", 3000)
    for name, ordered in (("a", members), ("b", members[1::2] + members[::2])):
        root = tmp_path / name
        root.mkdir()
        check_lost(build_tar(root, tar_of(ordered)), whole, set())


@pytest.mark.parametrize("shard", [0, 1, 2])
def test_a_shard_of_a_damaged_tar_is_built_again_alike(tmp_path: Path, shard: int) -> None:
    members = sa1b_members(COUNT)
    tar = bytearray(tar_of(members[1::2] + members[::2]))
    where = places(bytes(tar))
    for name in ("sa_5.jpg", "sa_2.json"):
        tar[where[name][0] + 150] ^= 0x55
    samples, _ = build_tar(tmp_path, bytes(tar[: where["sa_9.jpg"][1] + 50]))
    assert sorted(samples) == [f"sa1b_{number}" for number in (1, 3, 4, 6, 7, 8)]
    before = files_in(tmp_path / "out")
    (tmp_path / "out" / "receipts" / "entity" / f"sa1b-sa_0-{shard:05d}.json").unlink()
    report = built(tmp_path / "out", {"type": "sa1b", "tars": str(tmp_path / "sa_0.tar")})
    assert report.built_shards == 1
    assert files_in(tmp_path / "out") == before


@pytest.mark.parametrize("cases", [40, pytest.param(1500, marks=pytest.mark.slow)])
def test_no_damage_to_a_tar_breaks_the_accounts(tmp_path: Path, whole: Samples, cases: int) -> None:
    """Flipped, overwritten, moved, cut: what is written is sound, what is not is in the ledger."""
    rng = np.random.default_rng(cases)
    sound = tar_of(sa1b_members(COUNT))
    for case in range(cases):
        tar = bytearray(sound)
        for _ in range(rng.integers(1, 5)):
            at, length = int(rng.integers(0, len(tar))), int(rng.integers(1, 3000))
            kind = rng.integers(0, 5)
            if kind == 0:
                tar[at] ^= int(rng.integers(1, 256))
            elif kind == 1:
                tar[at : at + length] = rng.bytes(min(length, len(tar) - at))
            elif kind == 2:
                tar[at : at + length] = bytes(min(length, len(tar) - at))
            elif kind == 3:
                del tar[at : at + length]
            else:
                tar[at:at] = tar[at : at + length]
        root = tmp_path / str(case)
        root.mkdir()
        samples, ledger = build_tar(root, bytes(tar))
        assert ledger or sorted(samples) == KEYS
        shutil.rmtree(root)


JUNK: tuple[Any, ...] = (
    None, True, -1, 0, 5, 2**31, 2**63, 2**64 - 1, -(2**40), 1.5, -0.0, 1e300, "", "x", "\0",
    "../a", "0" * 5000, [], [[]], [None], [1, 2], {}, {"a": 1}, {"id": 1}, [[1, 1, 9, 1, 9, 9]],
)  # fmt: skip


def spoiled(rng: np.random.Generator, document: Any) -> Any:
    """A copy of a JSON document with one to three places replaced, removed or doubled."""
    document = copy.deepcopy(document)
    for _ in range(rng.integers(1, 4)):
        place: Any = document
        while True:
            names = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not names:
                break
            name = names[int(rng.integers(0, len(names)))]
            below = place[name]
            if isinstance(below, dict | list) and below and rng.random() < 0.85:
                place = below
                continue
            kind = rng.random()
            if kind < 0.8:
                place[name] = copy.deepcopy(JUNK[int(rng.integers(0, len(JUNK)))])
            elif kind < 0.9 or isinstance(place, dict):
                del place[name]
            else:
                place.append(copy.deepcopy(below))
            break
    return document


@pytest.mark.parametrize("cases", [60, pytest.param(500, marks=pytest.mark.slow)])
def test_no_sa1b_json_breaks_a_build(tmp_path: Path, whole: Samples, cases: int) -> None:
    rng = np.random.default_rng(cases)
    sound = json.loads(sa1b_pair(5)[1][1])
    for case in range(cases):
        members = sa1b_members(6)
        members[9] = ("sa_5.json", json.dumps(spoiled(rng, sound)).encode())
        root = tmp_path / str(case)
        root.mkdir()
        samples, ledger = build_tar(root, tar_of(members))
        others = {key: files for key, files in samples.items() if key != "sa1b_5"}
        assert others == {key: whole[key] for key in KEYS[:6] if key != "sa1b_5"}
        assert len(samples) + len(ledger) == 6
        shutil.rmtree(root)


@pytest.mark.parametrize("cases", [60, pytest.param(500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["instances", "panoptic"])
def test_no_coco_json_breaks_a_build(tmp_path: Path, kind: str, cases: int) -> None:
    """Refused whole and by name, or built with every input accounted for."""
    rng = np.random.default_rng(cases)
    sound, maps = panoptic()
    if kind == "instances":
        sound = instances()
    folder = write_coco(tmp_path / "in", PICTURES, {}, maps)
    place = folder / "annotations" / f"{kind}_train2017.json"
    built_once = 0
    for case in range(cases):
        document = spoiled(rng, sound)
        place.write_text(json.dumps(document))
        source = coco_source(folder, kind)
        try:
            build_coco(tmp_path / str(case), source, INSTANCE if kind == "instances" else PANOPTIC)
            built_once += 1
        except RequestError as why:
            assert place.name in str(why)
        shutil.rmtree(tmp_path / str(case), ignore_errors=True)
    assert built_once > cases / 5


# several tars


def two_tars(root: Path, first: str = "sa_0", second: str = "sa_1") -> dict[str, Any]:
    """Keys 4 to 6 lie in both."""
    root.mkdir(exist_ok=True)
    (root / f"{first}.tar").write_bytes(tar_of(sa1b_members(6)))
    again = [one for n in (4, 5, 6) for one in zip([f"sa_{n}.jpg", f"sa_{n}.json"],
             [body for _, body in sa1b_pair(n + 50)], strict=True)]  # fmt: skip
    fresh = [one for n in (7, 8, 9) for one in sa1b_pair(n)]
    (root / f"{second}.tar").write_bytes(tar_of(again + fresh))
    return {"type": "sa1b", "tars": [str(root / f"{first}.tar"), str(root / f"{second}.tar")]}


def test_a_key_of_two_tars_stays_with_the_first(tmp_path: Path, whole: Samples) -> None:
    source = two_tars(tmp_path)
    report = built(tmp_path / "out", source)
    assert report.complete
    check_accounts(tmp_path / "out", report)
    assert samples_in(tmp_path / "out") == whole
    ledger = ledger_in(tmp_path / "out")
    assert [row["key"] for row in ledger] == ["sa1b_4", "sa1b_5", "sa1b_6"]
    assert {row["slice"] for row in ledger} == {"sa_1"}
    assert ledger[0]["reason"].startswith("its key is in shard sa1b-sa_0-00000")
    assert ledger[1]["reason"].startswith("its key is in shard sa1b-sa_0-00001")


def test_who_keeps_a_key_does_not_depend_on_what_is_built_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = two_tars(tmp_path / "in")
    built(tmp_path / "forwards", source)
    inline = builder.run_inline
    monkeypatch.setattr(
        builder, "run_inline", lambda tasks, spec, root: inline(list(tasks)[::-1], spec, root)
    )
    built(tmp_path / "backwards", source)
    assert files_in(tmp_path / "forwards") == files_in(tmp_path / "backwards")


def test_a_build_that_met_duplicates_is_complete_when_run_again(tmp_path: Path) -> None:
    source = two_tars(tmp_path / "in")
    built(tmp_path / "out", source)
    before = files_in(tmp_path / "out")
    report = built(tmp_path / "out", source)
    assert report.complete
    assert report.built_shards == 0
    assert files_in(tmp_path / "out") == before


def test_two_tars_of_one_name_are_refused(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "sa_0.tar").write_bytes(tar_of(sa1b_members(1)))
    source = {"type": "sa1b", "tars": [str(tmp_path / f / "sa_0.tar") for f in "ab"]}
    with pytest.raises(RequestError, match="two tars are named sa_0"):
        built(tmp_path / "out", source)
    assert not (tmp_path / "out").exists()


# COCO

IMAGES = 6
COCO_KEYS = [f"coco_{number:012d}" for number in range(1, IMAGES + 1)]
PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in range(1, IMAGES + 1)}
SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]


def instances(**more: Any) -> dict[str, Any]:
    """A sound instances document: a polygon and a mask for each picture."""
    annotations = []
    for number in range(1, IMAGES + 1):
        mask = boxes(64, 48, 1, seed=number)[0]
        annotations += [
            coco_annotation(10 * number, number, SQUARE),
            coco_annotation(10 * number + 1, number, run_lengths(mask), category_id=2),
        ]
    images = [coco_image(number) for number in range(1, IMAGES + 1)]
    return coco_document(images, annotations) | more


def id_map(number: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    ids = np.zeros((48, 64), np.int64)
    ids[5:30, 5:30], ids[20:, 20:] = 300 + number, 70_000 + number
    return ids


def panoptic() -> tuple[dict[str, Any], dict[str, bytes]]:
    """A sound panoptic document and its maps."""
    annotations = [
        {
            "image_id": number,
            "file_name": f"{number:012d}.png",
            "segments_info": [
                {"id": 300 + number, "category_id": 1, "iscrowd": 0, "area": 1, "bbox": []},
                {"id": 70_000 + number, "category_id": 5, "iscrowd": 0, "area": 1, "bbox": []},
            ],
        }
        for number in range(1, IMAGES + 1)
    ]
    images = [coco_image(number) for number in range(1, IMAGES + 1)]
    maps = {f"{number:012d}.png": panoptic_png(id_map(number)) for number in range(1, IMAGES + 1)}
    return coco_document(images, annotations), maps


def coco_source(root: Path, *kinds: str, **more: Any) -> dict[str, Any]:
    return {"type": "coco", "root": str(root), "annotations": list(kinds)} | more


INSTANCE = [proxy_of("instance"), proxy_of("semantic")]
PANOPTIC = [proxy_of("panoptic")]


def build_coco(
    root: Path, source: dict[str, Any], proxies: list[dict[str, Any]]
) -> tuple[Samples, list[dict[str, Any]]]:
    """Samples and ledger of the first proxy."""
    report = built(root / "out", source, proxies)
    assert report.complete, report.failures
    check_accounts(root / "out", report)
    name = proxies[0]["name"]
    return samples_in(root / "out", name), ledger_in(root / "out", name)


@pytest.fixture(scope="module")
def whole_coco(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Samples]:
    root = tmp_path_factory.mktemp("coco")
    document, maps = panoptic()
    folder = write_coco(
        root / "in", PICTURES, {"instances": instances(), "panoptic": document}, maps
    )
    return {
        "instances": build_coco(root, coco_source(folder, "instances"), INSTANCE)[0],
        "panoptic": build_coco(root / "p", coco_source(folder, "panoptic"), PANOPTIC)[0],
    }


def check_coco_lost(
    found: tuple[Samples, list[dict[str, Any]]], whole: Samples, number: int, reason: str
) -> None:
    samples, ledger = found
    lost = COCO_KEYS[number - 1]
    assert samples == {key: files for key, files in whole.items() if key != lost}
    assert [row["key"] for row in ledger] == [lost]
    assert (ledger[0]["source"], ledger[0]["kind"]) == ("coco", "damaged")
    assert ledger[0]["member"] == f"{number:012d}.jpg"
    assert reason in ledger[0]["reason"]


def coco_with(root: Path, document: Any, pictures: Any = None) -> dict[str, Any]:
    folder = write_coco(root / "in", pictures or PICTURES, {"instances": document})
    return coco_source(folder, "instances")


def test_a_missing_picture_costs_one_sample(tmp_path: Path, whole_coco: dict[str, Samples]) -> None:
    pictures = {name: body for name, body in PICTURES.items() if not name.endswith("3.jpg")}
    found = build_coco(tmp_path, coco_with(tmp_path, instances(), pictures), INSTANCE)
    check_coco_lost(found, whole_coco["instances"], 3, "is not there")


def test_a_picture_that_is_a_folder_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    source = coco_with(tmp_path, instances())
    place = Path(source["root"]) / "train2017" / "000000000003.jpg"
    place.unlink()
    place.mkdir()
    found = build_coco(tmp_path, source, INSTANCE)
    check_coco_lost(found, whole_coco["instances"], 3, "")


def test_annotations_without_picture_are_named(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    document = instances()
    document["annotations"] += [coco_annotation(900 + n, 77, SQUARE) for n in range(3)]
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    assert samples == whole_coco["instances"]
    assert [row["key"] for row in ledger] == ["coco_000000000077"]
    assert "does not list" in ledger[0]["reason"]


def test_a_picture_listed_twice_is_named(tmp_path: Path, whole_coco: dict[str, Samples]) -> None:
    document = instances()
    document["images"].append(coco_image(3))
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    assert samples == whole_coco["instances"]
    assert [row["key"] for row in ledger] == [COCO_KEYS[2]]
    assert "listed twice" in ledger[0]["reason"]


@pytest.mark.parametrize(
    "name", ["000000000003.jpg", "000000000003.png", "000000000003 .jpg", "000000000003-.jpg"]
)
def test_two_pictures_of_one_key_do_not_give_two_samples(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    """`x.jpg` under two ids; `x.jpg` and `x.png`; `x .jpg` and `x-.jpg`."""
    document = instances()
    document["images"].append(coco_image(91, file_name=name))
    document["annotations"].append(coco_annotation(991, 91, SQUARE))
    document["images"].append(coco_image(92, file_name="000000000003-.jpg"))
    document["annotations"].append(coco_annotation(992, 92, SQUARE))
    pictures = PICTURES | {name: PICTURES["000000000003.jpg"]}
    pictures["000000000003-.jpg"] = jpeg(64, 48, 92)
    samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document, pictures), INSTANCE)
    assert {key: samples[key] for key in COCO_KEYS} == whole_coco["instances"]
    assert samples.keys() - set(COCO_KEYS) == {"coco_000000000003-"}
    assert len(ledger) == 1
    assert "its key is that of" in ledger[0]["reason"]


BROKEN_ANNOTATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "two points": ({"segmentation": [[1, 1, 5, 5]]}, "4 coordinates"),
    "odd count": ({"segmentation": [[1, 1, 5, 1, 5, 5, 1]]}, "7 coordinates"),
    "no polygons": ({"segmentation": []}, "empty"),
    "a word": ({"segmentation": [[1, 1, 5, 1, 5, "x"]]}, "coordinate 'x'"),
    "null": ({"segmentation": [[1, 1, 5, 1, 5, None]]}, "coordinate None"),
    "far away": ({"segmentation": [[1, 1, 1e9, 1, 5, 5]]}, "coordinate"),
    "numbers alone": ({"segmentation": [1, 1, 5, 1, 5, 5]}, "polygon 0"),
    "polygon a word": ({"segmentation": ["polygon"]}, "polygon 0"),
    "segmentation missing": ({"segmentation": None}, "neither polygons nor run lengths"),
    "segmentation a word": ({"segmentation": "mask"}, "neither polygons nor run lengths"),
    "counts missing": ({"segmentation": {"size": [48, 64]}}, "neither polygons"),
    "overrun": ({"segmentation": {"size": [48, 64], "counts": [0, 4000]}}, "past the end"),
    "negative": ({"segmentation": {"size": [48, 64], "counts": [3073, -1]}}, "not within"),
    "short": ({"segmentation": {"size": [48, 64], "counts": [100]}}, "before the last"),
    "another size": ({"segmentation": {"size": [64, 48], "counts": [3072]}}, "segmentation.size"),
    "unknown category": ({"category_id": 77}, "category 77"),
    "category zero": ({"category_id": 0}, "category_id"),
    "category a word": ({"category_id": "cat"}, "category_id"),
    "no id": ({"id": None}, "id is None"),
    "id of another": ({"id": 31}, "share one id"),
    "a long way around": (
        {"segmentation": [[x for n in range(4000) for x in ((-1) ** n * 1e6, n)]]}, "outline"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN_ANNOTATIONS)
def test_a_wrong_coco_annotation_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    fields, reason = BROKEN_ANNOTATIONS[name]
    document = instances()
    document["annotations"][4] |= fields
    found = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    check_coco_lost(found, whole_coco["instances"], 3, reason)


BROKEN_IMAGES: dict[str, tuple[dict[str, Any], str]] = {
    "width of another": ({"width": 63}, ""),
    "no size": ({"width": None, "height": None}, "height"),
    "size a word": ({"width": "64"}, "width"),
    "gigantic": ({"width": 2**40, "height": 2**40}, "pixels"),
}


@pytest.mark.parametrize("name", BROKEN_IMAGES)
def test_a_wrong_image_entry_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    fields, reason = BROKEN_IMAGES[name]
    document = instances()
    document["images"][2] |= fields
    found = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
    check_coco_lost(found, whole_coco["instances"], 3, reason)


@pytest.mark.parametrize(
    "name",
    [
        "../secret.jpg", "/etc/passwd", "a/../../secret.jpg", "..\\secret.jpg", "", ".", "a\0b.jpg",
        "file:///etc/passwd", "x" * 5000 + ".jpg", "folder/", 5, None,
    ],
    ids=lambda name: repr(name)[:20],
)  # fmt: skip
def test_a_file_name_leads_nowhere_and_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: Any
) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "secret.jpg").write_bytes(jpeg(64, 48))
    document = instances()
    document["images"][2]["file_name"] = name
    shutil.rmtree(tmp_path / "in")
    source = coco_with(tmp_path, document)
    (tmp_path / "in" / "secret.jpg").write_bytes(jpeg(64, 48))
    (tmp_path / "in" / "train2017" / "folder").mkdir()
    samples, ledger = build_coco(tmp_path, source, INSTANCE)
    assert sorted(samples) == [key for key in COCO_KEYS if key != COCO_KEYS[2]]
    assert samples == {key: whole_coco["instances"][key] for key in samples}
    assert len(ledger) == 1


def test_an_image_entry_without_file_name_costs_one_sample_or_is_refused(tmp_path: Path) -> None:
    document = instances()
    del document["images"][2]["file_name"]
    try:
        samples, ledger = build_coco(tmp_path, coco_with(tmp_path, document), INSTANCE)
        assert len(samples), len(ledger) == (IMAGES - 1, 1)
    except RequestError as why:
        assert "file_name" in str(why)


@pytest.mark.parametrize(
    "document",
    [
        b"", b"nothing", b"[]", b"{}", b"null", b'{"images": 5}', b"[" * 100_000,
        {"images": [], "annotations": []},
        instances(images=[5]),
        instances(images=[{"file_name": "x.jpg"}]),
        instances(images=[coco_image(1), coco_image(2) | {"id": "two"}]),
        instances(images=[coco_image(1) | {"id": [1]}]),
        instances(annotations=[5]),
        instances(annotations=[{}]),
        instances(annotations=[coco_annotation(1, 1, SQUARE) | {"image_id": "one"}]),
        instances(categories=[5]),
        instances(categories=[{"id": 0, "name": "nothing"}]),
        instances(categories=[{"id": 2**50, "name": "far away"}]),
        instances(categories=[{"id": "one", "name": "cat"}]),
        instances(licenses=5),
        json.dumps(instances()).replace("4.0", "NaN").encode(),
    ],
    ids=lambda document: str(document)[-60:],
)  # fmt: skip
def test_what_is_no_coco_file_is_refused_with_its_name(tmp_path: Path, document: Any) -> None:
    source = coco_with(tmp_path, document)
    with pytest.raises(RequestError, match=r"sources\.coco\.instances: .*instances_train2017"):
        built(tmp_path / "out", source, INSTANCE)
    assert not (tmp_path / "out").exists()


def test_no_picture_listed_at_all_is_refused_or_empty(tmp_path: Path) -> None:
    source = coco_with(tmp_path, instances(images=[], annotations=[]))
    try:
        report = built(tmp_path / "out", source, INSTANCE)
        assert report.totals["instance"]["inputs"] == 0
    except RequestError as why:
        assert str(why)


@pytest.mark.parametrize("licences", [[{"id": 4, "name": None}], [], [{"id": 4, "name": 7}]])
def test_a_licence_without_name_costs_no_sample(tmp_path: Path, licences: Any) -> None:
    source = coco_with(tmp_path, instances(licenses=licences))
    samples, ledger = build_coco(tmp_path, source, INSTANCE)
    assert (len(samples), len(ledger)) == (IMAGES, 0)


def test_the_licence_of_each_picture_is_carried(whole_coco: dict[str, Samples]) -> None:
    for files in whole_coco["instances"].values():
        assert json.loads(files["json"])["source"]["licence"] == "Attribution License"


def test_no_segment_at_all_can_be_kept_in_every_palette(tmp_path: Path) -> None:
    source = coco_with(tmp_path, instances(annotations=[], categories=[]))
    some = {"filters": {"min_segments": 0}}
    proxies = [
        proxy_of("instance", name=palette, palette=palette, **some)
        for palette in ("distinct", "category", "position", "tab20")
    ]
    report = built(tmp_path / "out", source, [*proxies, proxy_of("semantic", **some)])
    assert {totals["samples"] for totals in report.totals.values()} == {IMAGES}


def crowded() -> dict[str, Any]:
    document = instances()
    runs = [0, 500, 2572]
    document["annotations"].append(
        coco_annotation(999, 3, {"size": [48, 64], "counts": runs}, iscrowd=1)
    )
    return document


@pytest.mark.parametrize("policy", ["keep", "drop", "reject"])
def test_crowds_are_kept_dropped_or_rejected(
    tmp_path: Path, whole_coco: dict[str, Samples], policy: str
) -> None:
    proxies = [proxy_of("instance", filters={"crowds": policy})]
    source = coco_with(tmp_path, crowded())
    samples, ledger = build_coco(tmp_path, source, proxies)
    key = COCO_KEYS[2]
    plain = whole_coco["instances"]
    assert {one: samples[one]["target.png"] for one in COCO_KEYS if one != key} == {
        one: plain[one]["target.png"] for one in COCO_KEYS if one != key
    }
    if policy == "reject":
        assert key not in samples
        assert [(row["key"], row["kind"]) for row in ledger] == [(key, "filtered")]
        return
    assert ledger == []
    facts = json.loads(samples[key]["json"])
    crowds = [one for one in facts["segments"] if one.get("iscrowd")]
    if policy == "keep":
        assert [one["id"] for one in crowds] == [999]
        assert facts["dropped"] == {}
    else:
        assert crowds == []
        assert facts["dropped"] == {"crowds": 1}
        assert samples[key]["target.png"] == plain[key]["target.png"]


# panoptic


def panoptic_with(root: Path, change: Callable[[dict[str, Any], dict[str, bytes]], Any]) -> Any:
    document, maps = panoptic()
    change(document, maps)
    folder = write_coco(root / "in", PICTURES, {"panoptic": document}, maps)
    return coco_source(folder, "panoptic")


THIRD = "000000000003.png"
BROKEN_PANOPTIC: dict[str, tuple[Callable[[dict[str, Any], dict[str, bytes]], Any], str]] = {
    "map of another size": (
        lambda d, m: m.update({THIRD: panoptic_png(id_map(3)[:, :60])}), "60x48"
    ),
    "map with an unknown id": (
        lambda d, m: m.update({THIRD: panoptic_png(id_map(3) + (id_map(3) == 303))}), "holds id 304"
    ),
    "id that the map lacks": (
        lambda d, m: d["annotations"][2]["segments_info"].append({"id": 9, "category_id": 1}),
        "lists id 9",
    ),
    "map missing": (lambda d, m: m.pop(THIRD), "is not there"),
    "map cut in half": (lambda d, m: m.update({THIRD: m[THIRD][:90]}), "the map"),
    "map empty": (lambda d, m: m.update({THIRD: b""}), "the map"),
    "map a jpeg": (lambda d, m: m.update({THIRD: jpeg(64, 48)}), "the map"),
    "map grey": (
        lambda d, m: m.update({THIRD: _grey_png()}), "mode L"
    ),
    "map outside": (lambda d, m: d["annotations"][2].update(file_name="../x.png"), "leaves"),
    "map name a number": (lambda d, m: d["annotations"][2].update(file_name=5), ""),
    "map name missing": (lambda d, m: d["annotations"][2].pop("file_name"), ""),
    "segments missing": (lambda d, m: d["annotations"][2].pop("segments_info"), "segments_info"),
    "segments no list": (
        lambda d, m: d["annotations"][2].update(segments_info="none"), "segments_info"
    ),
    "segment a number": (
        lambda d, m: d["annotations"][2].update(segments_info=[5]), "segments_info"
    ),
    "one id twice": (
        lambda d, m: d["annotations"][2]["segments_info"].append({"id": 303, "category_id": 1}),
        "share one id",
    ),
    "unknown category": (
        lambda d, m: d["annotations"][2]["segments_info"][0].update(category_id=99), "category 99"
    ),
}  # fmt: skip


def _grey_png() -> bytes:
    return encoded(Image.new("L", (64, 48)), "PNG")


@pytest.mark.parametrize("name", BROKEN_PANOPTIC)
def test_a_wrong_panoptic_annotation_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], name: str
) -> None:
    change, reason = BROKEN_PANOPTIC[name]
    found = build_coco(tmp_path, panoptic_with(tmp_path, change), PANOPTIC)
    check_coco_lost(found, whole_coco["panoptic"], 3, reason)


def test_a_picture_without_panoptic_annotation_is_filtered(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    source = panoptic_with(tmp_path, lambda d, m: d["annotations"].pop(2))
    samples, ledger = build_coco(tmp_path, source, PANOPTIC)
    assert sorted(samples) == [key for key in COCO_KEYS if key != COCO_KEYS[2]]
    assert [(row["key"], row["kind"]) for row in ledger] == [(COCO_KEYS[2], "filtered")]


# zips


def zip_of(place: Path, method: int = zipfile.ZIP_STORED, folder: str = "train2017/") -> Path:
    with zipfile.ZipFile(place, "w", method) as archive:
        archive.mkdir(folder) if folder else None
        for name, body in PICTURES.items():
            archive.writestr(folder + name, body)
    return place


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_pictures_from_a_zip_equal_those_from_the_folder(tmp_path: Path, method: int) -> None:
    source = coco_with(tmp_path, instances())
    archive = zip_of(tmp_path / "train2017.zip", method)
    built(tmp_path / "folder", source, INSTANCE)
    built(tmp_path / "zip", source | {"pictures": str(archive)}, INSTANCE)
    one, other = files_in(tmp_path / "folder"), files_in(tmp_path / "zip")
    assert one.keys() == other.keys()
    assert {name for name in one if one[name] != other[name]} <= {"corpus.json"}


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
@pytest.mark.parametrize("at", [2, 40, 300])
def test_a_damaged_member_of_a_zip_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples], method: int, at: int
) -> None:
    archive = zip_of(tmp_path / "pictures.zip", method)
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        info = opened.getinfo("train2017/000000000003.jpg")
    start = info.header_offset + 30 + len(info.filename)
    data[start + at : start + at + 3] = b"\xff\x00\x55"
    archive.write_bytes(bytes(data))
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    found = build_coco(tmp_path, source, INSTANCE)
    check_coco_lost(found, whole_coco["instances"], 3, "")


def test_a_damaged_local_header_of_a_zip_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    archive = zip_of(tmp_path / "pictures.zip")
    data = bytearray(archive.read_bytes())
    with zipfile.ZipFile(archive) as opened:
        at = opened.getinfo("train2017/000000000003.jpg").header_offset
    data[at : at + 4] = b"XXXX"
    archive.write_bytes(bytes(data))
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    check_coco_lost(build_coco(tmp_path, source, INSTANCE), whole_coco["instances"], 3, "")


def test_a_picture_missing_in_a_zip_costs_one_sample(
    tmp_path: Path, whole_coco: dict[str, Samples]
) -> None:
    archive = tmp_path / "pictures.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        for name, body in PICTURES.items():
            if not name.endswith("3.jpg"):
                opened.writestr(f"train2017/{name}", body)
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    found = build_coco(tmp_path, source, INSTANCE)
    check_coco_lost(found, whole_coco["instances"], 3, "is not in pictures.zip")


def test_what_is_no_zip_fails_its_slices_and_says_so(tmp_path: Path) -> None:
    archive = tmp_path / "pictures.zip"
    archive.write_bytes(b"no zip at all")
    source = coco_with(tmp_path, instances()) | {"pictures": str(archive)}
    report = built(tmp_path / "out", source, INSTANCE)
    assert not report.complete
    assert all("not a zip archive" in one.message for one in report.failures)


# plain pictures


def shards_of(source: FolderSource | TarsSource | CocoSource, samples: int) -> list[RawShard]:
    pieces = source.inventory(samples).slices
    return [shard for piece in pieces for shard in source.read(piece, samples, ())]


def test_a_folder_is_read_in_the_order_of_paths(tmp_path: Path) -> None:
    names = ["b.jpg", "a/2.PNG", "a/1.jpeg", "c.webp"]
    for name in [*names, "notes.txt", "a/x.json"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    source = FolderSource(pictures=str(tmp_path), licence="mine")
    shards = shards_of(source, 3)
    inputs = [one for shard in shards for one in shard.inputs]
    assert [one.member for one in inputs] == sorted(names)
    assert [one.key for one in inputs] == ["folder_a-1", "folder_a-2", "folder_b", "folder_c"]
    assert all(one.picture == one.member.encode() and one.licence == "mine" for one in inputs)
    assert [shard.name for shard in shards] == ["folder-00000", "folder-00001"]
    identity = source.inventory(3).identity
    assert set(identity) == set(names)


def test_two_files_of_a_folder_that_give_one_key_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/1.jpg", "a-1.jpg", "a-1.png", "z.jpg"):
        (tmp_path / name).write_bytes(b"picture")
    inputs = shards_of(FolderSource(pictures=str(tmp_path)), 10)[0].inputs
    sound = [one.key for one in inputs if not one.problem]
    assert sorted(sound) == ["folder_a-1", "folder_z"]
    assert len(inputs) == 4
    assert all("which comes first" in one.problem for one in inputs if one.problem)


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    for place in (tmp_path, tmp_path / "none"):
        with pytest.raises(RequestError, match="no picture below"):
            FolderSource(pictures=str(place)).inventory(10)


def test_plain_tars_are_cut_into_shards(tmp_path: Path) -> None:
    members = [(f"p/{n}.{'png' if n % 2 else 'jpg'}", b"%d" % n) for n in range(7)]
    members += [("p/3.txt", b"a caption"), ("p/3.json", b"{}")]
    (tmp_path / "shard-0.tar").write_bytes(tar_of(members))
    source = TarsSource(tars=str(tmp_path / "shard-*.tar"))
    shards = shards_of(source, 3)
    inputs = [one for shard in shards for one in shard.inputs]
    assert [len(shard.inputs) for shard in shards] == [3, 3, 1]
    assert [shard.last for shard in shards] == [False, False, True]
    assert {fetched(one).picture for one in inputs} == {b"%d" % n for n in range(7)}
    assert not any(one.problem for one in inputs)


def test_a_tar_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing matches"):
        TarsSource(tars=str(tmp_path / "*.tar")).inventory(10)


def test_members_of_samples_are_the_four_of_the_format(whole: Samples) -> None:
    for key, files in whole.items():
        assert sorted(files) == ["input.jpg", "json", "target.png", "txt"], key
