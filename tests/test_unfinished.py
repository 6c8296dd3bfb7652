"""Files that are still being written are nobody's to remove while their writer lives."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sgt_data.errors import StorageError
from sgt_data.files import unfinished
from sgt_data.files.unfinished import TEMPORARY, sweep_unfinished
from sgt_data.files.writing import open_atomic, write_atomic

WRITER = """
import sys
from sgt_data.files.writing import open_atomic
with open_atomic(sys.argv[1]) as out:
    out.write(b"half")
    print("begun", flush=True)
    sys.stdin.read()
"""


def writer_of(place: Path) -> subprocess.Popen[str]:
    """A process that has written half of a file and waits."""
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(place)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert writer.stdout is not None
    assert writer.stdout.readline() == "begun\n"
    return writer


def unfinished_in(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(TEMPORARY)]


def test_a_live_writers_file_is_kept_and_a_dead_writers_file_is_removed(tmp_path: Path) -> None:
    with writer_of(tmp_path / "a") as alive, writer_of(tmp_path / "b") as dead:
        dead.kill()
        dead.wait()
        assert len(unfinished_in(tmp_path)) == 2
        assert sweep_unfinished(str(tmp_path)) == 1
        assert sweep_unfinished(str(tmp_path)) == 0
        alive.communicate("")
    assert alive.returncode == 0
    assert os.listdir(tmp_path) == ["a"]
    assert (tmp_path / "a").read_bytes() == b"half"


def test_no_write_fails_while_a_folder_is_swept_again_and_again(tmp_path: Path) -> None:
    """Also in the moment between the making of a file and its lock."""
    ended = threading.Event()

    def sweep() -> None:
        while not ended.is_set():
            sweep_unfinished(str(tmp_path))

    sweepers = [threading.Thread(target=sweep) for _ in range(2)]
    for sweeper in sweepers:
        sweeper.start()
    try:
        for number in range(300):
            write_atomic(str(tmp_path / f"{number}"), b"whole", synced=False)
    finally:
        ended.set()
        for sweeper in sweepers:
            sweeper.join()
    assert len(os.listdir(tmp_path)) == 300
    assert {path.read_bytes() for path in tmp_path.iterdir()} == {b"whole"}


def test_a_file_of_another_machine_is_removed_after_a_day_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the clock of the disk: a wrong clock of this machine makes no file old."""
    place = tmp_path / f"{TEMPORARY}0123456789ab-0a"
    place.write_bytes(b"half")
    monkeypatch.setattr(time, "time", lambda: os.stat(place).st_mtime + 1e9)
    assert sweep_unfinished(str(tmp_path)) == 0
    day_ago = os.stat(place).st_mtime - unfinished.FORGOTTEN_SECONDS - 60
    os.utime(place, (day_ago, day_ago))
    with open(place, "rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert sweep_unfinished(str(tmp_path)) == 0
    assert sweep_unfinished(str(tmp_path)) == 1


def test_a_full_disk_leaves_no_unfinished_file(tmp_path: Path) -> None:
    with (
        pytest.raises(StorageError, match="No space left"),
        open_atomic(str(tmp_path / "x")),
    ):
        raise OSError(28, "No space left on device")
    assert os.listdir(tmp_path) == []
