"""Fuzz the tar reader: hostile headers and spoiled bytes, with Python's `tarfile` as the oracle."""

from __future__ import annotations

import io
import tarfile
import tempfile
from pathlib import Path
from typing import Any

from fuzzing import Target, main, spoiled_bytes
from hypothesis import strategies as st

from sgt_data.errors import SgtDataError
from sgt_data.files.forward_reader import ForwardReader
from sgt_data.files.tar_walk import MEMBER_BYTES_MAX, TarDamage, TarJoint, TarMember, walk_tar

_FORMS = st.sampled_from([tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
_KINDS = st.sampled_from(
    [tarfile.REGTYPE] * 8
    + [tarfile.AREGTYPE, tarfile.CONTTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE,
       tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.GNUTYPE_SPARSE,
       tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK, tarfile.XHDTYPE, b"V", b"M", b"Z"]
)  # fmt: skip
_NAMES = st.sampled_from(
    ["sa_1.jpg", "sa_1.json", "./sa_2.jpg", "../../etc/passwd", "/etc/passwd", "a" * 99, "b" * 300,
     "c/" * 90 + "x", "é.jpg", "x\ny", "sa_3.tar"]
)  # fmt: skip
_SIZES = st.sampled_from([None] * 12 + [0, 1, 511, 513, 1 << 20, 1 << 33, 1 << 62, -1])
_PAX = st.dictionaries(
    st.sampled_from(["path", "size", "linkpath", "comment", "GNU.sparse.size", "GNU.sparse.name",
                     "GNU.sparse.major", "mtime"]),
    st.sampled_from(["x", "../y", "0", "7", "600", "1e9", "-5", str(1 << 62), "z" * 200]),
    max_size=2,
)  # fmt: skip
_MEMBER = st.tuples(_NAMES, _KINDS, st.binary(max_size=1100), _SIZES, _PAX, _FORMS)


def _tar(members: list[tuple[str, bytes, bytes, int | None, dict[str, str], int]]) -> bytes:
    """A tar of members whose headers may claim another kind or size than they have."""
    out = io.BytesIO()
    for name, kind, body, size, pax, form in members:
        header = tarfile.TarInfo(name)
        header.type, header.size = kind, len(body) if size is None else size
        header.linkname = "../x" if kind in (tarfile.SYMTYPE, tarfile.LNKTYPE) else ""
        header.pax_headers = pax if form == tarfile.PAX_FORMAT else {}
        try:
            out.write(header.tobuf(form))
        except (ValueError, OverflowError):  # what this form cannot say
            header.size = len(body)
            out.write(header.tobuf(tarfile.PAX_FORMAT))
        out.write(body + bytes(-len(body) % 512))
    return out.getvalue() + bytes(1024)


def walked(data: bytes) -> list[TarMember | TarJoint | TarDamage]:
    """What our reader finds in a tar."""
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        file.write(data)
        file.flush()
        reader = ForwardReader(file.name)
        try:
            return list(walk_tar(reader))
        except SgtDataError:
            return []
        finally:
            reader.close()


def known_to_tarfile(data: bytes) -> list[tuple[str, int, int]] | None:
    """Name, place and size of the regular files; None where `tarfile` does not read to the end."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:", errors="surrogateescape") as tar:
            members = tar.getmembers()
            end = tar.offset
    except (tarfile.TarError, ValueError, OverflowError, EOFError, MemoryError):
        return None
    if data[end:].strip(b"\0"):  # it stops at the first header that it does not like
        return None
    return [
        (member.name.removeprefix("./"), member.offset_data, member.size)
        for member in members
        if member.isreg() and not member.issparse()
    ]


def check_tar(data: bytes) -> None:
    """Where our reader sees no damage, it sees the files that `tarfile` sees."""
    parts = walked(data)
    members = [part for part in parts if isinstance(part, TarMember)]
    for member in members:
        assert 0 <= member.size <= MEMBER_BYTES_MAX
    if len(members) < len(parts):
        return
    expected = known_to_tarfile(data)
    if expected is not None:
        found = [(member.name, member.start, member.size) for member in members]
        assert [part[1:] for part in found] == [part[1:] for part in expected], (found, expected)
        for ours, theirs in zip(found, expected, strict=True):
            assert _plain(ours[0]) == _plain(theirs[0]), (found, expected)


def _plain(name: str) -> str:
    """A name without what only one of the two shows otherwise: bytes that are no UTF-8, slashes."""
    return name.encode("utf-8", "backslashreplace").decode().removeprefix("./").rstrip("/")


_TARS: st.SearchStrategy[Any] = st.lists(_MEMBER, max_size=5).map(_tar)
_PLAIN = st.lists(
    st.tuples(_NAMES, st.just(tarfile.REGTYPE), st.binary(max_size=700), st.none(), st.just({}),
              _FORMS), min_size=1, max_size=4,
).map(_tar)  # fmt: skip
TARGETS: dict[str, Target] = {
    "headers": (_TARS, check_tar),
    "bytes": (spoiled_bytes(_PLAIN), check_tar),
    "both": (spoiled_bytes(_TARS), check_tar),
}

if __name__ == "__main__":
    Path(tempfile.gettempdir()).mkdir(exist_ok=True)
    main(TARGETS)
