"""Files of which Git LFS has fetched the pointers alone, as `git clone` of a repository may do."""

from __future__ import annotations

POINTER_BYTES = 64
"""So many first bytes of a file tell a pointer."""

_BEGINNING = b"version https://git-lfs"


def lfs_note(data: bytes) -> str:
    """What to do where a file is a pointer, to be put after a message; else empty.

    Args:
        data: its bytes, or its first `POINTER_BYTES`.
    """
    if not data.startswith(_BEGINNING):
        return ""
    return "; the file is a pointer of Git LFS, not its content: run `git lfs pull`"
