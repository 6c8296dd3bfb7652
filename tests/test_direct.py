"""Files written past the page cache hold what they were given, whatever a system offers."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgt_data.direct import ALIGNMENT, PIECE_BYTES, DirectFile, aligned_buffer
from sgt_data.errors import StorageError
from sgt_data.storage import open_atomic

ODD = [1, ALIGNMENT - 1, ALIGNMENT, 3 * ALIGNMENT, PIECE_BYTES, PIECE_BYTES + 7, 10240]


def noise(nbytes: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(nbytes)


def written(path: Path, pieces: list[bytes], aligned: list[bool]) -> bytes:
    """What a file has that was given pieces, some in aligned memory."""
    with DirectFile(str(path)) as file:
        for data, is_aligned in zip(pieces, aligned, strict=True):
            piece: bytes | memoryview = data
            if is_aligned and len(data) <= PIECE_BYTES:
                piece = aligned_buffer()[: len(data)]
                piece[:] = data
            assert file.write(piece) == len(data)
        file.sync()
    return path.read_bytes()


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(ODD), st.booleans()), max_size=8))
def test_what_is_written_is_there(
    tmp_path_factory: pytest.TempPathFactory, given_: list[tuple[int, bool]]
) -> None:
    pieces = [noise(size, place) for place, (size, _) in enumerate(given_)]
    path = tmp_path_factory.mktemp("direct") / "file"
    assert written(path, pieces, [aligned for _, aligned in given_]) == b"".join(pieces)


PIECES = [noise(PIECE_BYTES), noise(2 * ALIGNMENT, 1), noise(100, 2), noise(PIECE_BYTES, 3)]
ALIGNED = [True, True, False, True]


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="no O_DIRECT")
def test_a_filesystem_without_direct_writes_is_written_through_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened, tried = os.open, []

    def refuse(path: str, flags: int, *mode: int) -> int:
        if flags & os.O_DIRECT:
            tried.append(path)
            os.close(opened(path, flags & ~os.O_DIRECT, *mode))  # as Linux does: made, refused
            raise OSError(errno.EINVAL, "Invalid argument")
        return opened(path, flags, *mode)

    monkeypatch.setattr(os, "open", refuse)
    assert written(tmp_path / "file", PIECES, ALIGNED) == b"".join(PIECES)
    assert tried


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="no O_DIRECT")
def test_a_disk_that_refuses_a_direct_write_gets_it_through_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, refused = os.pwrite, []

    def refuse(fd: int, data: Any, place: int) -> int:
        if fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_DIRECT and place:
            refused.append(place)
            raise OSError(errno.EINVAL, "Invalid argument")
        return write(fd, data, place)

    monkeypatch.setattr(os, "pwrite", refuse)
    assert written(tmp_path / "file", PIECES, ALIGNED) == b"".join(PIECES)
    assert len(refused) <= 1, "the way is found once"


def test_writes_that_end_early_are_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, seed = os.pwrite, np.random.default_rng(0)

    def short(fd: int, data: Any, place: int) -> int:
        return write(fd, data[: int(seed.integers(1, 300)) * 512], place)

    monkeypatch.setattr(os, "pwrite", short)
    assert written(tmp_path / "file", PIECES, ALIGNED) == b"".join(PIECES)


def test_a_full_disk_is_said_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(fd: int, data: Any, place: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "pwrite", full)
    with (
        pytest.raises(StorageError, match="No space left on device"),
        open_atomic(str(tmp_path / "file"), direct=True) as out,
    ):
        out.write(noise(PIECE_BYTES + 1))
    assert not list(tmp_path.iterdir())


def test_an_error_within_the_block_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(KeyError), open_atomic(str(tmp_path / "file"), direct=True) as out:
        out.write(noise(PIECE_BYTES))
        raise KeyError
    assert not list(tmp_path.iterdir())
