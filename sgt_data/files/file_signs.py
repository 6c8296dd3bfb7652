"""First bytes by which a file of another kind is known, whatever its name says."""

from __future__ import annotations

GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
ZIP = b"PK\x03\x04"
LFS_POINTER = b"version https://git-lfs"

LFS_POINTER_BYTES = 64
"""So many first bytes of a file tell a pointer of Git LFS."""


def lfs_note(data: bytes) -> str:
    """What to do where a file is a pointer of Git LFS, to be put after a message; else empty.

    `git clone` of a repository may fetch the pointers alone.

    Args:
        data: its bytes, or its first `LFS_POINTER_BYTES`.
    """
    if not data.startswith(LFS_POINTER):
        return ""
    return "; the file is a pointer of Git LFS, not its content: run `git lfs pull`"
