"""Sources of plain pictures: folders and tars without annotation."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from making import (
    built,
    jpeg,
    tar_of,
)
from PIL import Image

from sgt_data.errors import RequestError, SourceError
from sgt_data.pictures.decode_source import inspect, prepare
from sgt_data.pictures.size_rule import AsStored
from sgt_data.records import RawShard
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.fetch_input import fetched
from sgt_data.sources.folder import FolderSource
from sgt_data.sources.folder_notes import counts_by_suffix
from sgt_data.sources.tars import TarsSource


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
    inputs = [raw for shard in shards for raw in shard.inputs]
    assert [raw.member for raw in inputs] == sorted(names)
    assert [raw.key for raw in inputs] == ["folder_a-1", "folder_a-2", "folder_b", "folder_c"]
    assert all(raw.picture == raw.member.encode() and raw.licence == "mine" for raw in inputs)
    assert [shard.name for shard in shards] == ["folder-00000", "folder-00001"]
    identity = source.inventory(3).identity
    assert set(identity) == set(names)


def notes_of(folder: Path) -> str:
    return "\n".join(FolderSource(pictures=str(folder)).inventory(10).notes)


def members_of(folder: Path) -> list[str]:
    return list(FolderSource(pictures=str(folder)).inventory(10).identity)


def test_every_format_that_pillow_reads_safely_is_an_input(tmp_path: Path) -> None:
    image = Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 48, 3), np.uint8))
    suffixes = [
        "jpg",
        "jpeg",
        "jpe",
        "jfif",
        "png",
        "apng",
        "webp",
        "gif",
        "bmp",
        "dib",
        "tif",
        "tiff",
        "ppm",
        "avif",
        "TIF",
    ]
    forms = {"jpe": "JPEG", "jfif": "JPEG", "apng": "PNG", "dib": "BMP"}
    for suffix in suffixes:
        image.save(tmp_path / f"{suffix}-1.{suffix}", forms.get(suffix))
    (raw_inputs,) = [shard.inputs for shard in shards_of(FolderSource(pictures=str(tmp_path)), 99)]
    assert len(raw_inputs) == len(suffixes)
    for raw in raw_inputs:
        assert prepare(inspect(raw.picture), AsStored(), "drop").image.size == (48, 40), raw.member
    assert notes_of(tmp_path) == ""


def test_files_that_are_no_pictures_are_counted_by_suffix(tmp_path: Path) -> None:
    names = ["a.jpg", "1.txt", "b/2.txt", "3.HEIC", "4.heic", "LICENSE", "5.pdf"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    notes = notes_of(tmp_path)
    assert "6 files" in notes
    for count in ("2 .txt", "2 .heic", "1 .pdf", "1 without suffix"):
        assert count in notes
    assert ".heic, .pdf are not read; convert them" in notes


def test_files_of_systems_are_never_inputs(tmp_path: Path) -> None:
    names = ["._a.jpg", "__MACOSX/a.jpg", ".ipynb_checkpoints/a.jpg", "Thumbs.db", ".DS_Store"]
    for name in [*names, "a.jpg"]:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    assert members_of(tmp_path) == ["a.jpg"]
    (tmp_path / "t.tar").write_bytes(tar_of((name, b"x") for name in [*names, "a.jpg"]))
    (shard,) = shards_of(TarsSource(tars=str(tmp_path / "t.tar")), 10)
    assert [raw.member for raw in shard.inputs] == ["a.jpg"]


def test_linked_folders_are_followed_and_named(tmp_path: Path) -> None:
    folder, away = tmp_path / "in", tmp_path / "away"
    for path in (folder / "a", away / "deep"):
        path.mkdir(parents=True)
    for path in (folder / "a/1.jpg", away / "2.jpg", away / "deep/3.jpg"):
        path.write_bytes(b"x")
    (folder / "link").symlink_to(away)
    (folder / "file.jpg").symlink_to(away / "2.jpg")
    assert members_of(folder) == ["a/1.jpg", "file.jpg", "link/2.jpg", "link/deep/3.jpg"]
    assert f"1 linked folders below {folder} were followed, the first one link" in notes_of(folder)
    (raws,) = [shard.inputs for shard in shards_of(FolderSource(pictures=str(folder)), 9)]
    assert all(raw.picture == b"x" for raw in raws)


def test_circles_of_links_end_and_change_no_name(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "z").mkdir(parents=True)
    (folder / "z/1.jpg").write_bytes(b"x")
    (tmp_path / "private.jpg").write_bytes(b"x")
    (folder / "a").symlink_to(folder / "z")  # sorts before the folder that it leads to
    (folder / "z/self").symlink_to(folder / "z")
    (folder / "z/up").symlink_to(folder)
    (folder / "out").symlink_to(tmp_path)
    (folder / "root").symlink_to("/")
    (folder / "itself").symlink_to("itself")
    assert members_of(folder) == ["z/1.jpg"]
    assert "5 linked folders" in notes_of(folder)
    assert "were not followed" in notes_of(folder)


def test_many_links_to_one_folder_do_not_multiply_it(tmp_path: Path) -> None:
    levels = [tmp_path / f"x/{n}" for n in range(24)]
    for level, below in zip(levels, [*levels[1:], None], strict=True):
        level.mkdir(parents=True)
        (level / "p.jpg").write_bytes(b"x")
        for name in ("l", "r") if below else ():
            (level / name).symlink_to(below)  # 2**24 paths
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "start").symlink_to(levels[0])
    assert len(members_of(folder)) == 24


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe.jpg")
    assert members_of(tmp_path) == ["a.jpg"]
    assert "neither files nor folders" in notes_of(tmp_path)


def test_a_listed_file_that_is_gone_fails_its_slice(tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    source = FolderSource(pictures=str(tmp_path))
    (piece,) = source.inventory(10).slices
    (tmp_path / "b.jpg").unlink()
    with pytest.raises(SourceError, match=r"b\.jpg"):
        list(source.read(piece, 10, ()))


def test_links_that_lead_to_no_file_are_no_inputs_and_are_counted(tmp_path: Path) -> None:
    """As git-annex, DataLad and DVC leave them, and disks that are not mounted."""
    (tmp_path / "a.jpg").write_bytes(b"x")
    (tmp_path / "b.jpg").symlink_to("../.git/annex/objects/none")
    (tmp_path / "c.jpg").symlink_to("c.jpg")
    (tmp_path / "d.jpg").symlink_to("a.jpg")
    source = FolderSource(pictures=str(tmp_path))
    inventory = source.inventory(10)
    assert list(inventory.identity) == ["a.jpg", "d.jpg"]
    assert f"2 links below {tmp_path} to no file, no inputs" in notes_of(tmp_path)
    assert "b.jpg, is a link to ../.git/annex/objects/none, which is not there" in notes_of(
        tmp_path
    )
    shards_of(source, 10)
    for name in ("b.jpg", "c.jpg"):
        (tmp_path / name).unlink()
    assert source.inventory(10).identity == inventory.identity


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
    inputs = [raw for shard in shards for raw in shard.inputs]
    assert [len(shard.inputs) for shard in shards] == [3, 3, 1]
    assert [shard.last for shard in shards] == [False, False, True]
    assert {fetched(raw).picture for raw in inputs} == {b"%d" % n for n in range(7)}
    assert not any(raw.problem for raw in inputs)


def test_a_tar_that_matches_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="nothing matches"):
        TarsSource(tars=str(tmp_path / "*.tar")).inventory(10)


def test_pictures_in_folders_of_systems_are_no_inputs_and_are_counted(tmp_path: Path) -> None:
    for name in ("a.jpg", ".Trash-0/files/b.jpg", "x/@eaDir/a.jpg/THUMB.jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"jpg")
    inventory = FolderSource(pictures=str(tmp_path)).inventory(10)
    assert inventory.identity.keys() == {"a.jpg"}
    (note,) = inventory.notes
    assert note.startswith(f"2 pictures below {tmp_path}, in folders that systems keep")


def test_suffixes_of_equal_counts_are_named_in_their_order() -> None:
    suffixes = Counter([".xmp", ".b", ".b", ".aae", ".txt"])
    assert counts_by_suffix(suffixes) == "2 .b, 1 .aae, 1 .txt, 1 .xmp"


@pytest.mark.parametrize(
    ("body", "what"),
    [
        (b"my notes about tars\nand more\n", r"it is text \(it begins 'my notes about tars'\)"),
        (b"<!DOCTYPE html><html>" * 99, "it is an HTML or XML page"),
        (b"PK\3\4" * 999, "it is a zip archive; repack"),
        (jpeg(64, 48), "it is a JPEG picture"),
        (bytes(range(256)) * 9, "it begins with no header of one"),
    ],
    ids=["text", "html", "zip", "jpeg", "noise"],
)
def test_what_is_neither_a_tar_nor_named_as_one_is_refused(
    body: bytes, what: str, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(body)
    source = {"type": "tars", "tars": str(file)}
    with pytest.raises(RequestError, match=rf"sources\.tars\.tars: {file} is no tar: {what}"):
        built(tmp_path / "out", source, [{"type": "edge"}])
    assert not (tmp_path / "out").exists()


def test_text_in_place_of_a_tar_says_so_until_it_is_fetched_again(tmp_path: Path) -> None:
    for number, length in enumerate((1, 99)):
        (tmp_path / f"{number}.tar").write_bytes("Übung macht den Meister\n".encode() * length)
    source = {"type": "tars", "tars": f"{tmp_path}/*.tar"}
    report = built(tmp_path / "out", source, [{"type": "edge"}])
    said = "it is no tar: it is text (it begins 'Übung macht den Meister')"
    assert [said in failure.message for failure in report.failures] == [True, True]
