"""Sources of plain pictures: folders and tars without annotation."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import (
    tar_of,
)

from sgt_data.errors import RequestError
from sgt_data.records import RawShard
from sgt_data.sources.coco import CocoSource
from sgt_data.sources.fetch_input import fetched
from sgt_data.sources.folder import FolderSource
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


def test_two_files_of_a_folder_that_give_one_key_are_named(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    for name in ("a/1.jpg", "a-1.jpg", "a-1.png", "z.jpg"):
        (tmp_path / name).write_bytes(b"picture")
    inputs = shards_of(FolderSource(pictures=str(tmp_path)), 10)[0].inputs
    sound = [raw.key for raw in inputs if not raw.problem]
    assert sorted(sound) == ["folder_a-1", "folder_z"]
    assert len(inputs) == 4
    assert all("which comes first" in raw.problem for raw in inputs if raw.problem)


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
