"""What systems leave beside pictures is told apart from pictures."""

from __future__ import annotations

from pathlib import Path

import pytest
from making import built, sa1b_members, tar_of

from sgt_data.files.not_pictures import is_system_file


@pytest.mark.parametrize(
    "path",
    [
        "._cat.jpg",
        "train/._cat.jpg",
        "__MACOSX/train/._cat.jpg",
        "zip/__MACOSX/cat.jpg",
        ".ipynb_checkpoints/cat-checkpoint.jpg",
        "a/.ipynb_checkpoints/b/cat.png",
        "Thumbs.db",
        "a/thumbs.db",
        ".DS_Store",
        "a/desktop.ini",
        ".Trash-0/files/cat.jpg",
        "a/.Trash-1000/files/cat.jpg",
        ".Trashes/501/cat.jpg",
        "$RECYCLE.BIN/S-1-5-21/$R1.jpg",
        "a/@eaDir/cat.jpg/SYNOPHOTO_THUMB_M.jpg",
        ".@__thumb/cat.jpg",
        "#recycle/cat.jpg",
        ".thumbnails/large/cat.png",
        "System Volume Information/cat.jpg",
        "lost+found/cat.jpg",
    ],
)
def test_what_systems_leave_beside_pictures_is_no_input(path: str) -> None:
    assert is_system_file(path)


@pytest.mark.parametrize(
    "path",
    [
        "cat.jpg",
        "a/.cat.jpg",
        "_cat.jpg",
        "a.b/cat._1.jpg",
        ".hidden/x.png",
        ".trash-bins/x.png",
        "recycle/x.jpg",
        "lost+found.jpg",
    ],
)
def test_pictures_with_odd_names_stay_inputs(path: str) -> None:
    assert not is_system_file(path)


def test_files_of_systems_among_receipts_stop_no_build(tmp_path: Path) -> None:
    """macOS writes `._NAME` beside every file on disks of other systems."""
    (tmp_path / "sa_0.tar").write_bytes(tar_of(sa1b_members(3)))
    source = {"type": "sa1b", "tars": f"{tmp_path}/sa_0.tar"}
    assert built(tmp_path / "out", source).succeeded
    for place in list((tmp_path / "out").rglob("*")):
        if place.is_file():
            (place.parent / f"._{place.name}").write_bytes(b"\0\5\x16\7")
    again = built(tmp_path / "out", source)
    assert again.succeeded
    assert (again.built_shards, again.found_shards) == (0, 1)
