"""First bytes by which a file of another kind is known, whatever its name says."""

from __future__ import annotations

GZIP, BZIP2, XZ, ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
ZIP = b"PK\x03\x04"
JPEG, PNG, PDF, PARQUET = b"\xff\xd8\xff", b"\x89PNG\r\n", b"%PDF-", b"PAR1"
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


_KINDS = (
    (GZIP, "compressed by gzip; unpack it with gunzip"),
    (BZIP2, "compressed by bzip2; unpack it with bunzip2"),
    (XZ, "compressed by xz; unpack it with unxz"),
    (ZSTD, "compressed by zstd; unpack it with unzstd"),
    (ZIP, "a zip archive; repack its files as a tar"),
    (JPEG, "a JPEG picture"),
    (PNG, "a PNG picture"),
    (PDF, "a PDF"),
    (PARQUET, "a Parquet file"),
    (LFS_POINTER, "a pointer of Git LFS; run `git lfs pull`"),
)
_PAGES = (
    (b"<", "an HTML or XML page, as servers answer in place of a file"),
    (b"{", "JSON, as servers answer in place of a file"),
)
_CONTROLS = frozenset(range(32)) - frozenset(b"\t\n\r\f")


def kind_of_file(data: bytes) -> str | None:
    """What a file is, from its first bytes and in words; None where that cannot be told.

    Args:
        data: its first bytes, some hundreds of them, or all.
    """
    text = data.lstrip()
    for signs, begin in ((_KINDS, data), (_PAGES, text)):
        for sign, what in signs:
            if begin.startswith(sign):
                return what
    return f"text (it begins {_first_words(text)!r})" if _is_text(text) else None


def _is_text(data: bytes) -> bool:
    if not data or not _CONTROLS.isdisjoint(data):
        return False
    try:
        data[: max(1, len(data) - 3)].decode()  # the last character may be cut
    except UnicodeDecodeError as why:
        return why.end >= len(data) - 3
    return True


def _first_words(text: bytes) -> str:
    return text.splitlines()[0].decode("utf-8", "replace")[:40].strip()
