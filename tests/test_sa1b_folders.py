"""SA-1B as people keep it: extracted folders of every shape give the samples that the tar gives."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tarfile
from collections.abc import Callable
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from making import (
    boxes,
    built,
    check_accounts,
    jpeg,
    ledger_in,
    run_lengths,
    sa1b_document,
    sa1b_members,
    sa1b_pair,
    samples_in,
    tar_of,
)

from sgt_data import decode, verify_corpus
from sgt_data.errors import ManifestError, RequestError
from sgt_data.sources.sa1b_annotation import parse_annotation

COUNT = 7
Samples = dict[str, dict[str, bytes]]


def flat(name: str) -> str:
    return name


def by_tar(name: str) -> str:
    number = int(name.removeprefix("sa_").partition(".")[0])
    return f"sa_{number // 4:06d}/{name}"


def apart(name: str) -> str:
    return f"{'images' if name.endswith('.jpg') else 'annotations'}/{name}"


def write(root: Path, place: Callable[[str], str], count: int = COUNT) -> Path:
    for name, body in sa1b_members(count):
        path = root / place(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return root


def but_for_member(samples: Samples) -> dict[str, tuple[dict[str, bytes], Any]]:
    """Samples whose JSON does not say where the picture lay."""
    stripped = {}
    for key, members in samples.items():
        facts = json.loads(members["json"])
        del facts["source"]["member"]
        stripped[key] = {name: body for name, body in members.items() if name != "json"}, facts
    return stripped


@pytest.fixture(scope="module")
def from_tar(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    root = tmp_path_factory.mktemp("tar")
    (root / "sa_000000.tar").write_bytes(tar_of(sa1b_members(COUNT)))
    built(root / "out", {"type": "sa1b", "tars": f"{root}/sa_000000.tar"})
    return samples_in(root / "out")


@pytest.mark.parametrize("place", [flat, by_tar, apart])
def test_a_tree_of_extracted_files_gives_the_samples_of_the_tar(
    tmp_path: Path, from_tar: Samples, place: Callable[[str], str]
) -> None:
    root = write(tmp_path / "sa1b", place)
    (root / "sa_images_ids.txt").write_text("1\n2\n")
    (root / ".DS_Store").write_bytes(b"\0")
    report = built(tmp_path / "out", {"type": "sa1b", "pictures": str(root)})
    assert report.succeeded
    check_accounts(tmp_path / "out", report)
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound
    assert but_for_member(samples_in(tmp_path / "out")) == but_for_member(from_tar)


def test_linked_folders_are_followed_and_circles_are_named(
    tmp_path: Path, from_tar: Samples
) -> None:
    write(tmp_path / "disk", flat)
    root = tmp_path / "sa1b"
    root.mkdir()
    (root / "sa_000000").symlink_to(tmp_path / "disk")
    (root / "circle").symlink_to(tmp_path)
    report = built(tmp_path / "out", {"type": "sa1b", "pictures": str(root)})
    assert but_for_member(samples_in(tmp_path / "out")) == but_for_member(from_tar)
    assert any("circle leads to" in note for note in report.notes)


def test_the_two_kinds_of_files_may_lie_in_two_folders(tmp_path: Path, from_tar: Samples) -> None:
    root = write(tmp_path / "sa1b", apart)
    (root / "annotations").rename(tmp_path / "masks")
    source = {
        "type": "sa1b", "pictures": f"{root}/images", "annotations": f"{tmp_path}/masks",
    }  # fmt: skip
    built(tmp_path / "out", source)
    assert but_for_member(samples_in(tmp_path / "out")) == but_for_member(from_tar)


def test_a_pattern_chooses_among_the_folders_of_tars(tmp_path: Path) -> None:
    root = write(tmp_path / "sa1b", by_tar, 9)
    source = {"type": "sa1b", "pictures": f"{root}/sa_{{000000..000001}}"}
    built(tmp_path / "out", source)
    samples = samples_in(tmp_path / "out")
    assert sorted(samples) == [f"sa1b_{number}" for number in range(1, 8)]
    facts = json.loads(samples["sa1b_5"]["json"])
    assert facts["source"]["member"] == "sa_000001/sa_5.jpg"


def test_real_pictures_are_drawn_from_a_folder_as_from_their_tar(
    real_data: Path, tmp_path: Path
) -> None:
    tar = real_data / "sa1b" / "sa_000000.tar"
    with tarfile.open(tar) as archive:
        for member in archive.getmembers()[:6]:
            body = archive.extractfile(member)
            assert body is not None
            path = tmp_path / "images" / Path(member.name).name
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(body.read())
    built(tmp_path / "from-tar", {"type": "sa1b", "tars": str(tar)})
    built(tmp_path / "from-folder", {"type": "sa1b", "pictures": f"{tmp_path}/images"})
    folder, whole = (
        but_for_member(samples_in(tmp_path / name)) for name in ("from-folder", "from-tar")
    )
    assert len(folder) == 3
    assert folder == {key: whole[key] for key in folder}


def test_what_has_no_partner_is_named(tmp_path: Path) -> None:
    root = write(tmp_path / "sa1b", apart)
    (root / "annotations" / "sa_2.json").unlink()
    (root / "images" / "sa_5.jpg").unlink()
    report = built(tmp_path / "out", {"type": "sa1b", "pictures": str(root)})
    check_accounts(tmp_path / "out", report)
    reasons = {row["member"]: row["reason"] for row in ledger_in(tmp_path / "out")}
    assert reasons == {
        "images/sa_2.jpg": "there is images/sa_2.jpg but no sa_2.json",
        "annotations/sa_5.json": "there is annotations/sa_5.json but no picture of this name",
    }
    assert len(samples_in(tmp_path / "out")) == COUNT - 2


def test_two_pictures_of_one_name_are_called_so_in_a_tree_and_in_a_tar(tmp_path: Path) -> None:
    first, second = sa1b_pair(1), sa1b_pair(1, 80, 40)
    members = [(f"{folder}/{name}", body) for folder, pair in (("a", first), ("b", second))
               for name, body in pair]  # fmt: skip
    for name, body in members:
        path = tmp_path / "tree" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    (tmp_path / "sa_0.tar").write_bytes(tar_of(members))
    for name, source in (
        ("tree", {"pictures": f"{tmp_path}/tree"}), ("tar", {"tars": f"{tmp_path}/sa_0.tar"}),
    ):  # fmt: skip
        report = built(tmp_path / f"out-{name}", {"type": "sa1b", **source})
        check_accounts(tmp_path / f"out-{name}", report)
        (row,) = ledger_in(tmp_path / f"out-{name}")
        assert (row["key"], row["kind"], row["member"]) == ("sa1b_1", "damaged", "b/sa_1.jpg")
        assert "of one name" in row["reason"] or "have one name" in row["reason"]
        assert "a/sa_1.jpg and b/sa_1.jpg" in row["reason"]
        (sample,) = samples_in(tmp_path / f"out-{name}").values()
        assert json.loads(sample["json"])["source"]["size"] == {"width": 64, "height": 48}


@pytest.mark.parametrize("order", list(permutations(range(4))))
def test_files_of_two_pictures_with_one_name_are_never_mixed(
    tmp_path: Path, order: tuple[int, ...]
) -> None:
    """In a tar a file belongs to the picture of its own folder, else to one of its name."""
    pairs = [(f"a/{name}", body) for name, body in sa1b_pair(1)]
    pairs += [(f"b/sa_1.{name.rpartition('.')[2]}", body) for name, body in sa1b_pair(2)]
    (tmp_path / "sa_0.tar").write_bytes(tar_of([pairs[place] for place in order]))
    report = built(tmp_path / "out", {"type": "sa1b", "tars": f"{tmp_path}/sa_0.tar"})
    check_accounts(tmp_path / "out", report)
    (row,) = ledger_in(tmp_path / "out")
    assert "two pictures of one name" in row["reason"]
    samples = samples_in(tmp_path / "out")
    alone = tmp_path / "alone"
    alone.mkdir()
    facts = json.loads(samples["sa1b_1"]["json"])
    number = 1 if facts["source"]["member"].startswith("a/") else 2
    (alone / "sa_0.tar").write_bytes(tar_of([(f"sa_1.{name.rpartition('.')[2]}", body)
                                             for name, body in sa1b_pair(number)]))  # fmt: skip
    built(alone / "out", {"type": "sa1b", "tars": f"{alone}/sa_0.tar"})
    assert samples["sa1b_1"]["target.png"] == samples_in(alone / "out")["sa1b_1"]["target.png"]


def test_a_tar_may_hold_pictures_and_annotations_in_two_folders(tmp_path: Path) -> None:
    """As before, names pair them; shards and targets are those of files side by side."""
    pairs = [sa1b_pair(number) for number in range(1, 8)]
    beside = [member for pair in pairs for member in pair]
    apart = [(f"images/{pair[0][0]}", pair[0][1]) for pair in pairs]
    apart += [(f"annotations/{pair[1][0]}", pair[1][1]) for pair in pairs]
    targets = []
    for name, members in (("beside", beside), ("apart", apart)):
        root = tmp_path / name
        root.mkdir()
        (root / "sa_0.tar").write_bytes(tar_of(members))
        report = built(root / "out", {"type": "sa1b", "tars": f"{root}/sa_0.tar"})
        assert report.succeeded
        assert report.totals["entity"]["samples"] == 7
        targets.append(
            {key: sample["target.png"] for key, sample in samples_in(root / "out").items()}
        )
    assert targets[0] == targets[1]


def test_a_picture_with_two_annotations_takes_the_one_beside_it(tmp_path: Path) -> None:
    root = write(tmp_path / "sa1b", flat, 2)
    (root / "old").mkdir()
    (root / "old" / "sa_1.json").write_bytes(b"{}")
    built(tmp_path / "out", {"type": "sa1b", "pictures": str(root)})
    assert sorted(samples_in(tmp_path / "out")) == ["sa1b_1", "sa1b_2"]
    (root / "new").mkdir()
    (root / "sa_1.json").rename(root / "new" / "sa_1.json")
    built(tmp_path / "unclear", {"type": "sa1b", "pictures": str(root)})
    (row,) = ledger_in(tmp_path / "unclear")
    assert "new/sa_1.json and old/sa_1.json" in row["reason"]


@pytest.mark.parametrize(("name", "packed"), [
    ("gzip (gunzip)", gzip.compress), ("bzip2 (bunzip2)", bz2.compress),
    ("xz (unxz)", lzma.compress),
])  # fmt: skip
def test_a_compressed_tar_is_refused_with_what_to_do(
    tmp_path: Path, name: str, packed: Callable[[bytes], bytes]
) -> None:
    place = tmp_path / "sa_000000.tar.gz"
    place.write_bytes(packed(tar_of(sa1b_members(1))))
    for kind in ("sa1b", "tars"):
        with pytest.raises(RequestError) as refused:
            built(
                tmp_path / "out", {"type": kind, "name": "s", "tars": str(place)},
                [{"type": "reconstruction"}],
            )  # fmt: skip
        assert f"{place} is compressed with {name}" in str(refused.value)
        assert "sources.s.tars" in str(refused.value)
        assert "decompress it" in str(refused.value)


def test_a_folder_where_tars_belong_is_refused_with_what_to_do(tmp_path: Path) -> None:
    root = write(tmp_path / "sa_000000", flat, 1)
    with pytest.raises(RequestError, match=r"is a folder.*the extracted files as pictures"):
        built(tmp_path / "out", {"type": "sa1b", "tars": str(root)})


def test_a_folder_without_a_pair_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p").mkdir()
    with pytest.raises(RequestError, match="there is no file below"):
        built(tmp_path / "out", {"type": "sa1b", "pictures": f"{tmp_path}/p"})
    (tmp_path / "p" / "a.jpg").write_bytes(jpeg(64, 48))
    with pytest.raises(RequestError, match=r"no picture has a JSON of its name.*a\.jpg"):
        built(tmp_path / "out", {"type": "sa1b", "pictures": f"{tmp_path}/p"})


@pytest.mark.parametrize("fields", [
    {}, {"tars": "/a.tar", "pictures": "/a"}, {"tars": "/a.tar", "annotations": "/a"},
])  # fmt: skip
def test_the_manifest_gives_one_place(fields: dict[str, Any]) -> None:
    with pytest.raises(ManifestError, match=r"give either|goes with pictures"):
        built(Path("/nowhere"), {"type": "sa1b", **fields})


def generated(masks: list[Any]) -> list[dict[str, Any]]:
    """What SAM's generator returns with output_mode='coco_rle'."""
    return [
        {
            "segmentation": run_lengths(mask), "area": int(mask.sum()), "bbox": [0, 0, 9, 9],
            "predicted_iou": 0.9, "point_coords": [[1.0, 1.0]], "stability_score": 0.96,
            "crop_box": [0, 0, 64, 48],
        }
        for mask in masks
    ]  # fmt: skip


def test_the_list_of_masks_that_sam_saves_is_read(tmp_path: Path, from_tar: Samples) -> None:
    """The same masks in the same order of size give the same target; ids are places in the list."""
    (tmp_path / "pictures").mkdir()
    (tmp_path / "masks").mkdir()
    for number in range(1, COUNT + 1):
        (tmp_path / "pictures" / f"sa_{number}.jpg").write_bytes(jpeg(64, 48, number))
        document = generated(boxes(64, 48, seed=number))
        (tmp_path / "masks" / f"sa_{number}.json").write_text(json.dumps(document))
    source = {
        "type": "sa1b", "pictures": f"{tmp_path}/pictures", "annotations": f"{tmp_path}/masks",
    }  # fmt: skip
    built(tmp_path / "out", source)
    samples = samples_in(tmp_path / "out")
    assert sorted(samples) == sorted(from_tar)
    for key, members in samples.items():
        assert members["target.png"] == from_tar[key]["target.png"]
        ours, theirs = (
            decode(sample["target.png"], sample["json"]) for sample in (members, from_tar[key])
        )
        assert (ours.labels == theirs.labels).all()
        first = 100 * int(key.rpartition("_")[2])
        assert [segment["id"] for segment in ours.segments] == [
            segment["id"] - first + 1 for segment in theirs.segments
        ]


def test_lists_that_cannot_be_read_say_what_to_do() -> None:
    bitmap = [{"segmentation": np.eye(3, dtype=bool).tolist()}]
    for document, message in (
        (bitmap, r"masks\[0\].segmentation is a list.*coco_rle"),
        ([{"area": 3}], r"masks\[0\].segmentation is missing"),
        ([7], r"masks\[0\] is 7, not an object"),
        (generated(boxes(64, 48)) + generated(boxes(48, 64)), r"segmentation.size is \[64, 48\]"),
        ({"annotations": []}, "an object of image and annotations"),
        (sa1b_document(1, boxes(64, 48), 64, 48) | {"annotations": {}}, "annotations is {}, not a"),
    ):
        with pytest.raises(Exception, match=message) as refused:
            parse_annotation(json.dumps(document).encode())
        assert "KeyError" not in str(refused.value)
    empty = parse_annotation(b"[]", jpeg(64, 48))
    assert (empty.height, empty.width, empty.segments) == (48, 64, ())
