"""Broken tars and SA-1B annotations cost exactly themselves: the rest is written as ever."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    Members,
    bomb_jpeg,
    bomb_png,
    built,
    check_accounts,
    files_in,
    jpeg,
    ledger_in,
    sa1b_members,
    sa1b_pair,
    samples_in,
    spoiled,
    tar_of,
)

from sgt_data.engine.in_process import InProcessEngine
from sgt_data.errors import RequestError
from sgt_data.verify.check_corpus import verify_corpus

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


def source_of(root: Path, tar: bytes, **fields: Any) -> dict[str, Any]:
    (root / "sa_0.tar").write_bytes(tar)
    return {"type": "sa1b", "tars": str(root / "sa_0.tar")} | fields


def build_tar(
    root: Path, tar: bytes, *, allow_truncated: bool = False, **more: Any
) -> tuple[Samples, list[dict[str, Any]]]:
    report = built(root / "out", source_of(root, tar, allow_truncated=allow_truncated), **more)
    assert report.complete, report.failures
    check_accounts(root / "out", report)
    return samples_in(root / "out"), ledger_in(root / "out")


def check_refused(
    root: Path,
    tar: bytes,
    whole: Samples,
    reason: str,
    *,
    mended: bool = True,
    mended_by_allowing: bool = True,
) -> None:
    """The slice fails and says why and what to do; what came before is sound, and in no ledger."""
    report = built(root / "refused", source_of(root, tar))
    assert not report.complete
    (failure,) = report.failures
    assert failure.part == "sa1b/sa_0"
    samples = samples_in(root / "refused")
    remedy = "sources.sa1b.allow_truncated" if mended_by_allowing else "leave it out"
    for text in (f"{root}/sa_0.tar", reason, "Fetch the tar again", remedy):
        assert text in failure.message
    assert samples == {key: whole[key] for key in samples}
    assert ledger_in(root / "refused") == []
    if not mended:  # its edges tell it from the whole tar, as they do not in a large tar
        return
    assert built(root / "refused", source_of(root, tar_of(sa1b_members(COUNT)))).succeeded
    assert samples_in(root / "refused") == whole


def check_lost(
    samples_and_ledger: tuple[Samples, list[dict[str, Any]]],
    whole: Samples,
    lost: set[int],
    *reasons: str,
) -> None:
    """Exactly `lost` are missing, the ledger says why, and the rest is as in the whole build."""
    samples, ledger = samples_and_ledger
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
        return {member.name: (member.offset, member.offset_data, member.size) for member in archive}


def cut_in_a_member(tar: bytes, member: str, share: float) -> bytes:
    _, start, size = places(tar)[member]
    return tar[: start + int(size * share)]


@pytest.mark.parametrize("member", ["sa_6.jpg", "sa_6.json"])
@pytest.mark.parametrize("share", [0.1, 0.95])
def test_a_truncated_tar_fails_its_slice_until_it_is_fetched_again(
    tmp_path: Path, whole: Samples, member: str, share: float
) -> None:
    tar = cut_in_a_member(tar_of(sa1b_members(COUNT)), member, share)
    check_refused(tmp_path, tar, whole, "cut off")
    samples, ledger = build_tar(tmp_path, tar, allow_truncated=True)
    assert samples == {key: whole[key] for key in KEYS[:5]}
    assert [row["key"] for row in ledger] == ["sa1b_6"]
    assert member in ledger[0]["reason"]
    assert "cut off" in ledger[0]["reason"]


def test_a_truncated_tar_may_be_allowed_after_it_was_refused(
    tmp_path: Path, whole: Samples
) -> None:
    tar = cut_in_a_member(tar_of(sa1b_members(COUNT)), "sa_6.jpg", 0.5)
    assert not built(tmp_path / "out", source_of(tmp_path, tar)).complete
    samples, _ = build_tar(tmp_path, tar, allow_truncated=True)
    assert samples == {key: whole[key] for key in KEYS[:5]}


def test_a_tar_truncated_in_a_header_says_so(tmp_path: Path, whole: Samples) -> None:
    tar = tar_of(sa1b_members(COUNT))
    tar = tar[: places(tar)["sa_6.json"][0] + 200]
    check_refused(tmp_path, tar, whole, "without its end marker")
    samples, ledger = build_tar(tmp_path, tar, allow_truncated=True)
    assert samples == {key: whole[key] for key in KEYS[:5]}
    assert [row["key"] for row in ledger] == ["sa1b_6"]
    assert "without its end marker" in ledger[0]["reason"]


@pytest.mark.parametrize("last", ["sa_6.json", "sa_7.jpg"])
def test_a_tar_truncated_between_members_says_so(tmp_path: Path, whole: Samples, last: str) -> None:
    """Not a byte of what is there is broken; only the missing end marker tells."""
    tar = tar_of(sa1b_members(COUNT))
    _, start, size = places(tar)[last]
    tar = tar[: start + -(-size // 512) * 512]
    check_refused(tmp_path, tar, whole, "without its end marker")
    samples, ledger = build_tar(tmp_path, tar, allow_truncated=True)
    assert samples == {key: whole[key] for key in KEYS[:6]}
    assert len(ledger) == 1
    assert ledger[0]["key"] == ("" if last == "sa_6.json" else "sa1b_7")


def test_what_a_truncated_tar_lacks_is_estimated_and_counts(tmp_path: Path) -> None:
    """From the size of the other tars: three tars of nine pictures, one of them cut to a third."""
    for number in range(3):
        pairs = [sa1b_pair(n + 100 * number, 400, 300) for n in range(1, COUNT + 1)]
        tar = tar_of([member for pair in pairs for member in pair])
        whole_bytes = len(tar) if number else len(tar) // 3
        (tmp_path / f"sa_{number}.tar").write_bytes(tar[:whole_bytes])
    source: dict[str, Any] = {"type": "sa1b", "tars": f"{tmp_path}/sa_*.tar"}
    report = built(tmp_path / "refused", source)
    assert [failure.part for failure in report.failures] == ["sa1b/sa_0"]
    assert report.totals["entity"]["samples"] >= 2 * COUNT
    source["allow_truncated"] = True
    report = built(tmp_path / "out", source, max_quarantined=0.1)
    assert report.complete
    assert not report.succeeded
    totals = report.totals["entity"]
    missing = 3 * COUNT - totals["inputs"]
    assert abs(totals["lost"] - missing) <= 1 < missing
    share = (totals["damaged"] + totals["lost"]) / (totals["inputs"] + totals["lost"])
    assert report.too_damaged == {"entity": share}
    assert any(f"about {totals['lost']} inputs" in note for note in report.notes)
    assert any("sa_0.tar ends early" in note for note in report.notes)
    check_accounts(tmp_path / "out", report)
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


@pytest.mark.parametrize("inputs", [1, 4])
def test_a_broken_run_costs_one_input_or_the_slice(
    tmp_path: Path, whole: Samples, inputs: int
) -> None:
    tar = bytearray(tar_of(sa1b_members(COUNT)))
    where = places(bytes(tar))
    begin, end = where["sa_3.jpg"][0], where[f"sa_{3 + inputs}.jpg"][0]
    tar[begin:end] = b"x" * (end - begin)
    if inputs == 1:
        samples, ledger = build_tar(tmp_path, bytes(tar))
        assert samples.keys() == set(KEYS) - {"sa1b_3"}
        assert len(ledger) == 1
        return
    check_refused(
        tmp_path, bytes(tar), whole, f"{end - begin} bytes, more than one input", mended=False
    )
    report = built(tmp_path / "out", source_of(tmp_path, bytes(tar), allow_truncated=True))
    assert report.totals["entity"]["lost"] == inputs - 1
    assert report.totals["entity"]["damaged"] == 1


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
    joined = tar_of(members[:8]) + tar_of(members[8:])
    report = built(tmp_path / "out", source_of(tmp_path, joined))
    assert any("sa_0.tar holds 2 tars one after the other" in note for note in report.notes)
    assert samples_in(tmp_path / "out") == whole
    assert ledger_in(tmp_path / "out") == []
    assert report.totals["entity"]["inputs"] == COUNT


def test_a_page_in_place_of_a_tar_is_called_one(tmp_path: Path) -> None:
    page = b"<html><body>Please log in</body></html>"
    for more in (b"", b" " * 2000):
        report = built(tmp_path / "out", source_of(tmp_path, page + more))
        (failure,) = report.failures
        assert "an HTML or XML page" in str(failure)


def test_two_pictures_of_one_name_in_two_folders_are_not_mixed(
    tmp_path: Path, whole: Samples
) -> None:
    """The first one keeps the key; its annotation is the one beside it, in any order."""
    first = [(f"a/{name}", body) for name, body in sa1b_pair(1)]
    second = [(f"b/sa_1.{name[-4:].strip('.')}", body) for name, body in sa1b_pair(2)]
    junk = [("__MACOSX/a/._sa_1.jpg", b"x"), ("a/._sa_1.jpg", b"x")]
    for number, members in enumerate(
        ([*first, *second], [first[0], second[1], second[0], *junk, first[1]])
    ):
        root = tmp_path / str(number)
        root.mkdir()
        samples, ledger = build_tar(root, tar_of(members))
        assert samples["sa1b_1"]["target.png"] == whole["sa1b_1"]["target.png"]
        assert [row["member"] for row in ledger] == ["b/sa_1.jpg"]
        assert "a/sa_1.jpg and b/sa_1.jpg are two pictures of one name" in ledger[0]["reason"]


@pytest.mark.parametrize("left_out", ["sa_5.jpg", "sa_5.json"])
def test_half_a_pair_costs_one_sample(tmp_path: Path, whole: Samples, left_out: str) -> None:
    members = [member for member in sa1b_members(COUNT) if member[0] != left_out]
    samples_and_ledger = build_tar(tmp_path, tar_of(members))
    check_lost(samples_and_ledger, whole, {5}, "but no")
    assert len(samples_and_ledger[1]) == 1


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
    "interleaved": lambda m: [member for two in zip(m[::2], m[3::2] + m[1:2], strict=True)
                              for member in two],
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
    "size of a string": (lambda d: d["image"].update(width="wide"), "image.width"),
    "no image": (lambda d: d.pop("image"), "SA-1B's form"),
    "no annotations": (lambda d: d.pop("annotations"), "SA-1B's form"),
    "annotations a number": (lambda d: d.update(annotations=5), "annotations is 5, not a list"),
    "annotations a dict": (lambda d: d.update(annotations={"a": 1}), "not a list"),
    "annotation a string": (lambda d: d.update(annotations=["mask"]), "annotations[0] is 'mask'"),
    "annotation without id": (lambda d: _first(d).pop("id"), "annotations[0].id is missing"),
    "id a float": (lambda d: _first(d).update(id=1.5), "id"),
    "id huge": (lambda d: _first(d).update(id=2**62), "id"),
    "one id twice": (lambda d: [row.update(id=7) for row in d["annotations"]], "share one id"),
    "no segmentation": (lambda d: _first(d).pop("segmentation"), "segmentation is missing"),
    "segmentation a list": (lambda d: _first(d).update(segmentation=[1, 2]), "is a list, not run"),
    "another mask size": (
        lambda d: _first(d)["segmentation"].update(size=[64, 48]), "segmentation.size"
    ),
    "mask size a number": (lambda d: _first(d)["segmentation"].update(size=3), "size is 3, "),
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
    samples_and_ledger = build_tar(tmp_path, tar_of(members))
    check_lost(samples_and_ledger, whole, {5}, reason)
    assert len(samples_and_ledger[1]) == 1
    assert samples_and_ledger[1][0]["member"] == "sa_5.jpg"


@pytest.mark.parametrize(
    "body",
    [
        b"", b"nothing", b"5", b"null", b'"image"', b"{", b"\xff\xfe{", b"[" * 100_000,
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
    reason = "image.width is 'NaN'" if b"NaN" in body else "annotation"
    check_lost(build_tar(tmp_path, tar_of(members)), whole, {5}, reason)


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


@pytest.mark.parametrize("tar", [bytes(512), bytes(10240), tar_of([])], ids=len)
def test_a_tar_without_members_gives_an_empty_shard(tmp_path: Path, tar: bytes) -> None:
    assert build_tar(tmp_path, tar) == ({}, [])


def test_a_tar_of_foreign_files_gives_an_empty_shard(tmp_path: Path) -> None:
    tar = tar_of([("LICENSE", b"text"), ("a/b.txt", b"text"), ("c.tar.gz", b"1"), (".jpg", b"2")])
    assert build_tar(tmp_path, tar) == ({}, [])


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>no</html>" * 99, "an HTML or XML page"),
        (bytes(range(256)) * 40, "it is no tar"),
        (b"PK\3\4" * 999, "a zip archive"),
    ],
    ids=["empty", "html", "noise", "zip"],
)
def test_what_is_no_tar_fails_its_slice_until_it_is_fetched_again(
    tmp_path: Path, whole: Samples, body: bytes, reason: str
) -> None:
    check_refused(tmp_path, body, whole, reason, mended_by_allowing=False)
    allowed = built(tmp_path / "out", source_of(tmp_path, body, allow_truncated=True))
    assert [failure.part for failure in allowed.failures] == ["sa1b/sa_0"]


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
    outside = {path for path in tmp_path.rglob("*") if path.is_file()} - set(
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
    unexpected = samples.keys() - set(KEYS)
    assert len(unexpected) == 1
    assert unexpected.pop().isascii()
    assert {key: samples[key] for key in KEYS if key != "sa1b_5"} == {
        key: files for key, files in whole.items() if key != "sa1b_5"
    }


def test_a_member_that_claims_terabytes_may_have_taken_others_with_it(
    tmp_path: Path, whole: Samples
) -> None:
    members = sa1b_members(COUNT)
    tar = bytearray(tar_of(members))
    header = places(bytes(tar))["sa_9.json"][0]
    with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
        member = archive.getmember("sa_9.json")
    member.size = 1 << 42
    tar[header : header + 512] = member.tobuf(tarfile.GNU_FORMAT)
    check_refused(tmp_path, bytes(tar), whole, "cut off", mended=False)
    check_lost(build_tar(tmp_path, bytes(tar), allow_truncated=True), whole, {9}, "cut off")


@pytest.mark.parametrize("shard_samples", [1, 100])
def test_names_that_would_give_one_key_give_a_sample_each(
    tmp_path: Path, shard_samples: int
) -> None:
    """`a b` and `a-b` are two pictures: the first in the tar keeps the plain key."""
    members = sa1b_members(COUNT)
    for stem, number in (("a b", 21), ("a-b", 22), ("a.b", 23)):
        members += [(f"{stem}.{name.rpartition('.')[2]}", body) for name, body in sa1b_pair(number)]
    samples, ledger = build_tar(tmp_path, tar_of(members), shard_samples=shard_samples)
    assert ledger == []
    members_of = {
        key: json.loads(sample["json"])["source"]["member"] for key, sample in samples.items()
    }
    assert members_of.pop("sa1b_a-b") == "a b.jpg"
    assert {"a-b.jpg", "a.b.jpg"} < set(members_of.values())
    assert len(samples) == COUNT + 3


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
    cut = bytes(tar[: where["sa_9.jpg"][1] + 50])
    samples, _ = build_tar(tmp_path, cut, allow_truncated=True)
    assert sorted(samples) == [f"sa1b_{number}" for number in (1, 3, 4, 6, 7, 8)]
    before = files_in(tmp_path / "out")
    (tmp_path / "out" / "receipts" / "entity" / f"sa1b-sa_0-{shard:05d}.json").unlink()
    report = built(tmp_path / "out", source_of(tmp_path, cut, allow_truncated=True))
    assert report.built_shards == 1
    assert files_in(tmp_path / "out") == before


@pytest.mark.parametrize("cases", [40, pytest.param(200, marks=pytest.mark.slow)])
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
        report = built(root / "out", source_of(root, bytes(tar), allow_truncated=True))
        check_accounts(root / "out", report)
        samples, ledger = samples_in(root / "out"), ledger_in(root / "out")
        assert ledger or sorted(samples) == KEYS or report.failures
        for failure in report.failures:
            assert "No input of it can be read" in failure.message
            assert not samples
        shutil.rmtree(root)


@pytest.mark.parametrize("cases", [60, pytest.param(150, marks=pytest.mark.slow)])
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


def two_tars(root: Path, first: str = "sa_0", second: str = "sa_1") -> dict[str, Any]:
    """Keys 4 to 6 lie in both."""
    root.mkdir(exist_ok=True)
    (root / f"{first}.tar").write_bytes(tar_of(sa1b_members(6)))
    again = [member for n in (4, 5, 6) for member in zip([f"sa_{n}.jpg", f"sa_{n}.json"],
             [body for _, body in sa1b_pair(n + 50)], strict=True)]  # fmt: skip
    fresh = [member for n in (7, 8, 9) for member in sa1b_pair(n)]
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
    inline = InProcessEngine.run
    monkeypatch.setattr(
        InProcessEngine, "run", lambda self, tasks, *rest: inline(self, list(tasks)[::-1], *rest)
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


def test_members_of_samples_are_the_four_of_the_format(whole: Samples) -> None:
    for key, files in whole.items():
        assert sorted(files) == ["input.jpg", "json", "target.png", "txt"], key
