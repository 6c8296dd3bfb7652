"""Pictures of tars are counted from their headers: little of a tar is read for it."""

from __future__ import annotations

import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem
from making import manifest_of, sa1b_members, tar_of

from sgt_data.engine.listing import list_inputs
from sgt_data.files import reading
from sgt_data.sources import tar_counts
from sgt_data.sources.sa1b import _role
from sgt_data.sources.tar_counts import count_pictures

PAIRS = 300
PICTURE_BYTES, ANNOTATION_BYTES = 900_000, 70_000


def write_hollow_tar(path: Path, pairs: int, picture_bytes: int = PICTURE_BYTES) -> int:
    """A tar of so many pictures of SA-1B's size, whose members are holes; its size in bytes."""
    with path.open("wb") as file:
        end = 0
        for number in range(pairs):
            for extension, size in (("jpg", picture_bytes), ("json", ANNOTATION_BYTES)):
                member = tarfile.TarInfo(f"./sa_{number}.{extension}")
                member.size = size + number
                file.seek(end)
                file.write(member.tobuf(tarfile.USTAR_FORMAT))
                end += 512 + -(-member.size // 512) * 512
        file.truncate(end + 1024)
    return end + 1024


def bytes_read() -> int:
    """Bytes that this process has read from files, by the kernel's own count."""
    fields = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(fields["rchar"])


@pytest.mark.skipif(not Path("/proc/self/io").exists(), reason="the kernel counts no bytes")
def test_of_a_local_tar_four_kibibytes_are_read_for_each_member(tmp_path: Path) -> None:
    urls, sizes = [], []
    for number in range(3):
        urls.append(str(tmp_path / f"sa_{number:06d}.tar"))
        sizes.append(write_hollow_tar(Path(urls[-1]), PAIRS))
    before = bytes_read()
    counts = count_pictures(urls, sizes, _role)
    read = bytes_read() - before
    assert counts.pictures == (PAIRS, PAIRS, PAIRS)
    assert counts.exact
    assert read <= 3 * (2 * PAIRS + 8) * 4096
    assert read < sum(sizes) / 100


def test_tars_are_counted_at_the_same_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every count waits until all have begun, which never ends where they come one by one."""
    urls = [str(tmp_path / f"sa_{number:06d}.tar") for number in range(8)]
    for url in urls:
        Path(url).write_bytes(tar_of(sa1b_members(2)))
    together = threading.Barrier(len(urls), timeout=30)
    walk = tar_counts.walk_tar

    def wait(*arguments: object) -> Iterator[object]:
        together.wait()
        return walk(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(tar_counts, "walk_tar", wait)
    assert count_pictures(urls, [None] * len(urls), _role).pictures == (2,) * len(urls)


def test_of_remote_tars_pieces_with_headers_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine tars of several sizes, of which five tell how large a picture is."""
    filesystem = fsspec.filesystem("memory")
    whole = tmp_path / "whole.tar"
    sizes, urls = [], []
    for number in range(9):
        sizes.append(write_hollow_tar(whole, 16 + number, 150_000))
        urls.append(f"memory://counted/sa_{number:06d}.tar")
        filesystem.pipe_file(urls[-1], whole.read_bytes())
    pieces: list[int] = []
    cat = MemoryFileSystem.cat_file

    def counted(self: MemoryFileSystem, path: str, start: int, end: int) -> bytes:
        data: bytes = cat(self, path, start=start, end=end)
        pieces.append(len(data))
        return data

    monkeypatch.setattr(MemoryFileSystem, "cat_file", counted)
    assert reading.read_range(urls[0], 0, 4) == b"./sa"
    pieces.clear()
    counts = count_pictures(urls, sizes, _role)
    assert not counts.exact
    assert counts.pictures == tuple(16 + number for number in range(9))
    assert len(pieces) <= 5 * 33
    assert max(pieces) <= 64 << 10
    filesystem.rm("memory://counted", recursive=True)


def test_an_estimate_counts_no_half_pictures(tmp_path: Path) -> None:
    """Seventeen small tars: more than are counted, and shorter than what is looked at."""
    for number in range(17):
        (tmp_path / f"sa_{number:06d}.tar").write_bytes(tar_of(sa1b_members(3)))
    listing = list_inputs(manifest_of({"type": "sa1b", "tars": f"{tmp_path}/*.tar"}))
    assert not listing.exact
    assert [piece.pictures for piece in listing.slices] == [3] * 17
