"""Headers of tars that contradict each other: a member that two readers would not see alike is lost
and named. Wild sizes cost no memory."""

from __future__ import annotations

import io
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
from fuzz_tars import known_to_tarfile, walked

from sgt_data.files.tar_headers import EXTENDED_BYTES_MAX
from sgt_data.files.tar_walk import MEMBER_BYTES_MAX, TarDamage, TarJoint, TarMember

END = bytes(1024)


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE, body: bytes = b"") -> bytes:
    """A header that may claim another size than its body has, and the body."""
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size or len(body)
    return info.tobuf(tarfile.GNU_FORMAT) + body + bytes(-len(body) % 512)


def pax(*records: tuple[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    body = b""
    for keyword, value in records:
        text = f" {keyword}={value}\n".encode()
        length = len(text) + 1
        while len(str(length)) + len(text) != length:
            length += 1
        body += str(length).encode() + text
    return header("pax", kind=kind, body=body)


def long_name(name: bytes) -> bytes:
    return header("././@LongLink", kind=tarfile.GNUTYPE_LONGNAME, body=name + b"\0")


def reasons(tar: bytes) -> list[tuple[str | None, str]]:
    return [(part.member, part.reason) for part in walked(tar) if isinstance(part, TarDamage)]


FILE = header("sa_1.jpg", body=b"picture")


@pytest.mark.parametrize(
    ("tar", "reason"),
    [
        (header("sa_1.jpg", kind=tarfile.GNUTYPE_SPARSE, body=b"parts"), "a sparse file"),
        (pax(("GNU.sparse.major", "1"), ("GNU.sparse.name", "x")) + FILE, "a sparse file"),
        (pax(("GNU.sparse.size", "9999999999")) + FILE, "a sparse file"),
        (long_name(b"a.jpg") + long_name(b"b.jpg") + FILE, "two names"),
        (long_name(b"a.jpg") + pax(("path", "b.jpg")) + FILE, "two names"),
        (pax(("path", "a.jpg"), ("path", "b.jpg")) + FILE, "two names"),
        (pax(("size", "3"), ("size", "4")) + FILE, "two sizes"),
        (pax(("size", "-3")) + FILE, "no number"),
        (pax(("size", "9" * 500)) + FILE, "no number"),
        (long_name(b"") + FILE, "empty name"),
        (long_name(b"x" * (EXTENDED_BYTES_MAX + 1)) + FILE, "at most 65536 are read"),
        (pax(("comment", "x" * EXTENDED_BYTES_MAX)) + FILE, "at most 65536 are read"),
        (header("p", kind=tarfile.XHDTYPE, body=b"999 path=x\n") + FILE, "header is damaged"),
        (header("p", kind=tarfile.XHDTYPE, body=b"path=x\n") + FILE, "header is damaged"),
    ],
)
def test_a_member_of_contradicting_headers_is_lost_and_named(tar: bytes, reason: str) -> None:
    whole = FILE.replace(b"sa_1", b"sa_2")
    again = tarfile.TarInfo("sa_2.jpg")
    again.size = 7
    whole = again.tobuf(tarfile.GNU_FORMAT) + b"picture" + bytes(505)
    ((name, why),) = reasons(tar + whole + END)
    assert reason in why and name
    members = [part.name for part in walked(tar + whole + END) if isinstance(part, TarMember)]
    assert members == ["sa_2.jpg"], "the next one is whole"


@pytest.mark.parametrize(
    "tar",
    [
        FILE,
        pax(("comment", "12 path=evil.jpg\n99 size=0"), ("path", "a\nb.jpg")) + FILE,
        pax(("size", "7")) + header("sa_1.jpg", size=0, body=b"picture"),
        header("L", kind=tarfile.GNUTYPE_LONGLINK, body=b"x\0") + FILE,
        long_name(b"a.jpg") + header("K", kind=tarfile.GNUTYPE_LONGLINK, body=b"x\0") + FILE,
        pax(("comment", "0123abcd"), kind=tarfile.XGLTYPE) + FILE,
        header("link", size=512, kind=tarfile.LNKTYPE) + FILE,
        header("folder", size=4096, kind=tarfile.DIRTYPE) + FILE,
        header("device", size=512, kind=tarfile.CHRTYPE) + FILE,
    ],
)
def test_headers_mean_what_they_mean_to_tarfile(tar: bytes) -> None:
    members = [part for part in walked(tar + END) if isinstance(part, TarMember)]
    found = [(part.name, part.start, part.size) for part in members]
    assert not reasons(tar + END)
    assert found == known_to_tarfile(tar + END) != []


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, b"0", b"g", b"K"])
def test_a_header_that_claims_gigabytes_takes_no_memory(kind: bytes, tmp_path: Path) -> None:
    """The file is sparse on the disk; its 8 GB are skipped, not read."""
    from sgt_data.files.forward_reader import ForwardReader
    from sgt_data.files.tar_walk import walk_tar

    place = tmp_path / "x.tar"
    with place.open("wb") as file:
        file.write(header("sa_1.jpg", size=8 << 30, kind=kind))
        file.seek(512 + (8 << 30))
        file.write(FILE + END)
    reader, began = ForwardReader(str(place)), time.process_time()
    parts: list[TarMember | TarJoint | TarDamage] = list(walk_tar(reader))
    reader.close()
    assert time.process_time() - began < 2
    if kind == b"0":
        assert f"above {MEMBER_BYTES_MAX}" in str(parts[0])
    assert parts[-1] == TarMember("sa_1.jpg", (8 << 30) + 1024, 7) or "at most" in str(parts[-1])


def test_a_sparse_file_of_gnu_tar_is_refused_and_the_others_are_read(tmp_path: Path) -> None:
    with (tmp_path / "holes.jpg").open("wb") as file:
        file.truncate(1 << 22)
        file.seek(1 << 21)
        file.write(b"end")
    (tmp_path / "sa_1.jpg").write_bytes(b"picture")
    for form in ("gnu", "pax"):
        words = ["tar", "--sparse", f"--format={form}", "-cf", "x.tar", "holes.jpg", "sa_1.jpg"]
        subprocess.run(words, cwd=tmp_path, check=True)
        tar = (tmp_path / "x.tar").read_bytes()
        with tarfile.open(fileobj=io.BytesIO(tar)) as archive:
            if not archive.getmember("holes.jpg").issparse():
                pytest.skip("this disk keeps no holes")
        parts = walked(tar)
        assert [part.name for part in parts if isinstance(part, TarMember)] == ["sa_1.jpg"]
        assert "a sparse file" in reasons(tar)[0][1]
