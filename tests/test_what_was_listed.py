"""What was listed is read whole, or its slice fails; paths decide which file a name means."""

from __future__ import annotations

import shutil
import socket
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from making import (
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
    sa1b_members,
    samples_in,
    tar_of,
    write_coco,
)
from PIL import Image

from sgt_data.engine import build, build_plan
from sgt_data.engine.listing import Listing, list_inputs
from sgt_data.errors import RequestError, SourceError
from sgt_data.files import promised_reads, reading
from sgt_data.files.promised_reads import PromisedFile
from sgt_data.manifest.manifest import Manifest
from sgt_data.sources.relative_paths import RelativePaths

SQUARE = [[4.0, 4.0, 40.0, 4.0, 40.0, 30.0, 4.0, 30.0]]
PICTURES = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in range(1, 7)}
PROXY = [proxy_of("instance")]
Document = dict[str, Any]


def document(*names: str) -> Document:
    """Instances of pictures of these names."""
    images = [coco_image(n, file_name=name) for n, name in enumerate(names, 1)]
    squares = [coco_annotation(10 * n, n, SQUARE) for n in range(1, len(names) + 1)]
    return coco_document(images, squares)


def coco(root: Path, **more: Any) -> Document:
    return {"type": "coco", "root": str(root), "annotations": ["instances"]} | more


def after_listing(monkeypatch: pytest.MonkeyPatch, change: Callable[[], object]) -> None:
    """Change the disk once, when everything is listed and nothing is read."""

    def list_then_change(manifest: Manifest) -> Listing:
        listing = list_inputs(manifest)
        monkeypatch.setattr(build, "list_inputs", list_inputs)
        change()
        return listing

    monkeypatch.setattr(build, "list_inputs", list_then_change)


def cut(place: Path) -> None:
    place.write_bytes(place.read_bytes()[:-300])


@pytest.mark.parametrize("kind", ["coco", "folder", "sa1b"])
@pytest.mark.parametrize("harm", [Path.unlink, cut])
def test_a_listed_file_that_cannot_be_read_whole_fails_its_slice_until_it_is_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, harm: Callable[[Path], object]
) -> None:
    root = write_coco(tmp_path / "in", PICTURES, {"instances": document(*PICTURES)})
    (tmp_path / "sa_0.tar").write_bytes(tar_of(sa1b_members(6)))
    source, proxies, place = {
        "coco": (coco(root), PROXY, root / "train2017" / "000000000002.jpg"),
        "folder": (
            {"type": "folder", "pictures": f"{root}/train2017"},
            [{"type": "mae"}],
            root / "train2017" / "000000000002.jpg",
        ),
        "sa1b": ({"type": "sa1b", "tars": f"{tmp_path}/*.tar"}, None, tmp_path / "sa_0.tar"),
    }[kind]
    assert built(tmp_path / "undisturbed", source, proxies).succeeded
    whole = place.read_bytes()
    after_listing(monkeypatch, lambda: harm(place))
    report = built(tmp_path / "out", source, proxies)
    assert not report.succeeded
    told = str(report.failures[0])
    assert str(place) in told
    assert socket.gethostname() in told
    check_accounts(tmp_path / "out", report)
    assert not [row for name in report.totals for row in ledger_in(tmp_path / "out", name)]
    place.write_bytes(whole)
    assert built(tmp_path / "out", source, proxies).succeeded
    assert files_in(tmp_path / "out") == files_in(tmp_path / "undisturbed")


@pytest.mark.parametrize("harm", [Path.unlink, cut])
def test_an_archive_that_a_worker_does_not_have_fails_its_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, harm: Callable[[Path], object]
) -> None:
    archive = zip_of(tmp_path / "train2017.zip", PICTURES)
    root = write_coco(tmp_path / "in", {}, {"instances": document(*PICTURES)})
    after_listing(monkeypatch, lambda: harm(archive))
    report = built(tmp_path / "out", coco(root, pictures=str(archive)), PROXY)
    assert len(report.failures) == 2
    assert all(str(archive) in failure.message for failure in report.failures)
    assert report.totals["instance"]["inputs"] == 0


def test_what_does_not_exist_at_all_is_refused_before_anything_begins(tmp_path: Path) -> None:
    panoptic = coco_document([coco_image(1)], [])
    root = write_coco(
        tmp_path / "in", PICTURES, {"instances": document(*PICTURES), "panoptic": panoptic}
    )
    for source, field in (
        (coco(root, pictures=f"{root}/nowhere"), "pictures"),
        (coco(root, pictures=f"{root}/nowhere.zip"), "pictures"),
        (coco(root, annotations=["panoptic"]), "panoptic_maps"),
    ):
        with pytest.raises(RequestError, match=f"sources.coco.{field}"):
            built(
                tmp_path / "out", source, [proxy_of("panoptic")] if field != "pictures" else PROXY
            )
    assert not (tmp_path / "out").exists()


def test_pictures_lost_or_put_back_between_runs_leave_it_one_build(tmp_path: Path) -> None:
    """What a COCO build is, its annotation files say; a listing changes with every picture."""
    root = write_coco(tmp_path / "in", PICTURES, {"instances": document(*PICTURES)})
    place = root / "train2017" / "000000000002.jpg"
    place.unlink()
    report = built(tmp_path / "out", coco(root), PROXY)
    assert any("1 of 6 entries cannot be read" in note for note in report.notes)
    before = files_in(tmp_path / "out")
    place.write_bytes(PICTURES[place.name])
    report = built(tmp_path / "out", coco(root), PROXY)
    assert report.built_shards == 0
    assert files_in(tmp_path / "out") == before


def test_a_short_answer_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a server that closes a connection without having said how much will come."""
    archive = zip_of(tmp_path / "a.zip", PICTURES)
    size = archive.stat().st_size
    with zipfile.ZipFile(PromisedFile.buffered(str(archive), size)) as opened:
        assert opened.read("train2017/000000000001.jpg") == PICTURES["000000000001.jpg"]

    def short(url: str, start: int, length: int) -> bytes:
        return reading.read_range(url, start, length)[: length - 5]

    opened = zipfile.ZipFile(PromisedFile.buffered(str(archive), size))
    monkeypatch.setattr(promised_reads, "read_range", short)
    with pytest.raises(SourceError, match="were listed"):
        opened.read("train2017/000000000006.jpg")


def zip_of(place: Path, pictures: dict[str, bytes], folder: str = "train2017/") -> Path:
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in pictures.items():
            archive.writestr(folder + name, body)
            archive.writestr(f"__MACOSX/{folder}._{name}", b"\0\5\x16\7")
    return place


def test_an_archive_far_away_is_read_as_one_on_a_disk(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "train2017.zip", PICTURES)
    far = fsspec.filesystem("memory")
    far.pipe_file("/far/train2017.zip", archive.read_bytes())
    root = write_coco(tmp_path / "in", {}, {"instances": document(*PICTURES)})
    try:
        for number, place in enumerate((str(archive), "memory://far/train2017.zip")):
            assert built(tmp_path / str(number), coco(root, pictures=place), PROXY).succeeded
    finally:
        far.rm("/far", recursive=True)
    assert samples_in(tmp_path / "1", "instance") == samples_in(tmp_path / "0", "instance")


def lost_from(archive: Path, tmp_path: Path) -> dict[str, str]:
    """Reasons of what is lost of `PICTURES` in an archive, by the name of the picture."""
    root = write_coco(tmp_path / "in", {}, {"instances": document(*PICTURES)})
    report = built(tmp_path / "out", coco(root, pictures=str(archive)), PROXY)
    check_accounts(tmp_path / "out", report)
    lost = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "instance")}
    assert len(samples_in(tmp_path / "out", "instance")) == len(PICTURES) - len(lost)
    return lost


def member_named(name: str) -> zipfile.ZipInfo:
    """A member with this very name: `ZipInfo` changes separators on some systems."""
    info = zipfile.ZipInfo("x")
    info.filename = name
    return info


@pytest.mark.parametrize("second", ["train2017/000000000002.jpg", "train2017\\000000000002.jpg"])
def test_a_picture_that_a_zip_holds_twice_is_told_and_taken_from_neither(
    tmp_path: Path, second: str
) -> None:
    archive = zip_of(tmp_path / "train2017.zip", PICTURES)
    with zipfile.ZipFile(archive, "a") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that a name comes twice
        opened.writestr(member_named(second), PICTURES["000000000001.jpg"])
    lost = lost_from(archive, tmp_path)
    assert lost.keys() == {"000000000002.jpg"}
    reason = lost["000000000002.jpg"]
    assert "train2017.zip" in reason
    assert "the zip holds train2017/000000000002.jpg twice" in reason


def test_a_zip_whose_folders_are_joined_by_backslashes_is_read(tmp_path: Path) -> None:
    """As .NET 4.6 and earlier, and with it PowerShell, write them."""
    archive = tmp_path / "train2017.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr(member_named("train2017\\"), b"")
        for name, body in PICTURES.items():
            opened.writestr(member_named(f"train2017\\{name}"), body)
            opened.writestr(member_named(f"__MACOSX\\._{name}"), b"\0")
    assert lost_from(archive, tmp_path) == {}


def test_a_member_that_needs_a_password_says_so(tmp_path: Path) -> None:
    archive = zip_of(tmp_path / "train2017.zip", PICTURES)
    data = bytearray(archive.read_bytes())
    entry = data.index(b"PK\1\2")  # the first entry of the central directory
    data[entry + 8] |= 1
    archive.write_bytes(data)
    (reason,) = lost_from(archive, tmp_path).values()
    assert reason.endswith("it is encrypted; write the zip without a password")


def test_names_find_paths_that_do_not_contradict_them() -> None:
    paths = RelativePaths(
        ["train/1.jpg", "val/1.jpg", "train2017/2.jpg", "other/2.jpg", "x/a/3.jpg", "4.jpg"]
    )
    assert paths.find("1.jpg") == ["train/1.jpg", "val/1.jpg"]
    assert paths.find("val/1.jpg") == ["val/1.jpg"]
    assert paths.find("2.jpg", "train2017") == ["train2017/2.jpg"]
    assert paths.find("a/3.jpg") == paths.find("3.jpg") == ["x/a/3.jpg"]
    assert paths.find("b/3.jpg") == []
    assert paths.find("a/4.jpg") == paths.find("./4.jpg") == ["4.jpg"]
    assert paths.find("/3.jpg") == []


def test_names_find_paths_of_other_spellings_where_none_has_theirs() -> None:
    """macOS stores `e` and an accent, JSON has one letter; web tools write `%20` into names."""
    paths = RelativePaths(
        ["t/cafe\u0301.jpg", "my photo.jpg", "50%25.jpg", "50%.jpg", "u\u0308.jpg", "\xfc.jpg"]
    )
    assert paths.find("caf\xe9.jpg") == paths.find("t/caf%C3%A9.jpg") == ["t/cafe\u0301.jpg"]
    assert paths.find("caf\xe9.jpg", "t") == ["t/cafe\u0301.jpg"]
    assert paths.find("a/my%20photo.jpg") == ["my photo.jpg"]
    assert paths.find("50%25.jpg") == ["50%25.jpg"]
    assert paths.find("\xfc.jpg") == ["\xfc.jpg"]
    assert paths.find("%C3%BC.jpg") == ["u\u0308.jpg", "\xfc.jpg"]
    assert paths.find("cafe.jpg") == paths.find("my+photo.jpg") == []


def test_depth_files_of_another_spelling_are_found_and_shared_by_no_two(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    for name in ("a/caf\xe9.jpg", "a/u\u0308.jpg", "b/\xfc.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(jpeg(64, 48))
    for name in ("cafe\u0301.png", "\xfc.png"):
        (tmp_path / "depth").mkdir(exist_ok=True)
        (tmp_path / "depth" / name).write_bytes(grey16(7))
    source = {"type": "folder", "pictures": str(root), "depth": f"{tmp_path}/depth"}
    report = built(tmp_path / "out", source, [{"type": "depth"}])
    assert report.totals["depth"]["samples"] == 1
    told = [row["reason"] for row in ledger_in(tmp_path / "out", "depth")]
    assert len(told) == 2
    assert all("may belong to another picture" in reason for reason in told)


def test_relative_paths_decide_in_a_zip_as_in_a_folder(tmp_path: Path) -> None:
    pictures = {"a/1.jpg": jpeg(64, 48, 1), "b/1.jpg": jpeg(64, 48, 2)}
    for name, body in pictures.items():
        place = tmp_path / "folder" / "train2017" / name
        place.parent.mkdir(parents=True)
        place.write_bytes(body)
    root = write_coco(tmp_path / "in", {}, {"instances": document(*pictures)})
    (root / "train2017").rmdir()
    built(tmp_path / "1", coco(root, pictures=f"{tmp_path}/folder/train2017"), PROXY)
    archive = zip_of(tmp_path / "train2017.zip", pictures)
    built(tmp_path / "2", coco(root, pictures=str(archive)), PROXY)
    samples = samples_in(tmp_path / "1", "instance")
    assert sorted(samples) == ["coco_a-1", "coco_b-1"]
    assert samples_in(tmp_path / "2", "instance") == samples


def test_a_name_that_means_two_files_is_told_and_takes_neither(tmp_path: Path) -> None:
    pictures = {"train/1.jpg": jpeg(64, 48, 1), "val/1.jpg": jpeg(64, 48, 2), "3.jpg": jpeg(64, 48)}
    archive = zip_of(tmp_path / "all.zip", pictures, "")
    names = ["1.jpg", "val/1.jpg", "a/3.jpg", "b/3.jpg"]
    root = write_coco(tmp_path / "in", {}, {"instances": document(*names)})
    report = built(tmp_path / "out", coco(root, pictures=str(archive)), PROXY)
    check_accounts(tmp_path / "out", report)
    assert sorted(samples_in(tmp_path / "out", "instance")) == ["coco_val-1"]
    told = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out", "instance")}
    assert "train/1.jpg or val/1.jpg" in told["1.jpg"]
    assert "3.jpg" in told["a/3.jpg"]
    assert "3.jpg" in told["b/3.jpg"]


def test_maps_in_a_zip_are_found_by_path(tmp_path: Path) -> None:
    ids = np.zeros((48, 64), np.int64)
    ids[5:30, 5:30] = 301
    annotation = {
        "image_id": 1,
        "file_name": "000000000001.png",
        "segments_info": [{"id": 301, "category_id": 1, "iscrowd": 0, "area": 1, "bbox": []}],
    }
    maps = {"000000000001.png": panoptic_png(ids)}
    root = write_coco(
        tmp_path / "in", PICTURES, {"panoptic": coco_document([coco_image(1)], [annotation])}, maps
    )
    archive = zip_of(tmp_path / "panoptic_train2017.zip", maps, "panoptic_train2017/")
    panoptic = [proxy_of("panoptic")]
    source = coco(root, annotations=["panoptic"])
    assert built(tmp_path / "1", source, panoptic).succeeded
    shutil.rmtree(root / "annotations" / "panoptic_train2017")
    assert built(tmp_path / "2", source | {"panoptic_maps": str(archive)}, panoptic).succeeded
    of_zip, of_folder = (samples_in(tmp_path / name, "panoptic") for name in "21")
    assert of_zip == of_folder


def grey16(level: int) -> bytes:
    levels = np.full((48, 64), level, np.uint16)
    levels[:, 32:] = 60_000
    return encoded(Image.fromarray(levels), "PNG")


def nested_with_depth(root: Path, depth: dict[str, bytes]) -> Document:
    """Photographs `a/0.jpg`, `b/0.jpg` and `a/1.jpg`, and files of depth."""
    for folder, files in (
        ("pictures", {name: jpeg(64, 48) for name in ("a/0.jpg", "b/0.jpg", "a/1.jpg")}),
        ("depth", depth),
    ):
        for name, body in files.items():
            (root / folder / name).parent.mkdir(parents=True, exist_ok=True)
            (root / folder / name).write_bytes(body)
    return {"type": "folder", "pictures": f"{root}/pictures", "depth": f"{root}/depth"}


def test_pictures_of_one_name_share_no_depth_file(tmp_path: Path) -> None:
    flat = nested_with_depth(tmp_path / "flat", {"0.png": grey16(1), "1.png": grey16(9)})
    built(tmp_path / "1", flat, [{"type": "depth"}])
    assert sorted(samples_in(tmp_path / "1", "depth")) == ["folder_a-1"]
    told = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "1", "depth")}
    assert told.keys() == {"a/0.jpg", "b/0.jpg"}
    assert all("0.png may belong to another picture" in reason for reason in told.values())
    maps = {"a/0.png": grey16(1), "b/0.png": grey16(30_000), "a/1.png": grey16(9)}
    nested = nested_with_depth(tmp_path / "nested", maps)
    assert built(tmp_path / "2", nested, [{"type": "depth"}]).succeeded
    samples = samples_in(tmp_path / "2", "depth")
    assert len({files["json"] for files in samples.values()}) == 3
    assert sorted(samples) == ["folder_a-0", "folder_a-1", "folder_b-0"]


def test_depth_files_that_a_worker_does_not_see_fail_its_slices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    maps = {"a/0.png": grey16(1), "b/0.png": grey16(2), "a/1.png": grey16(3)}
    source = nested_with_depth(tmp_path, maps)
    place = tmp_path / "depth" / "a" / "1.png"

    # read once more before the shards: the folder is listed when the build is planned
    def plan_then_lose(*arguments: Any) -> Any:
        plan = build_plan.plan_build(*arguments)
        place.unlink(missing_ok=True)
        return plan

    with monkeypatch.context() as patch:
        patch.setattr(build, "plan_build", plan_then_lose)
        report = built(tmp_path / "out", source, [{"type": "depth"}])
    assert "is not as it was listed" in str(report.failures[0])
    assert report.totals["depth"]["inputs"] == 0
    place.write_bytes(maps["a/1.png"])
    assert built(tmp_path / "out", source, [{"type": "depth"}]).succeeded
    assert len(samples_in(tmp_path / "out", "depth")) == 3
