"""Verification finds damage that was done by hand, and names each kind of damage."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import both_sources
from PIL import Image

from sgt_data import IN_PROCESS, build_corpus, verify_corpus
from sgt_data.cli.app import main
from sgt_data.verify.repeated_keys import SeenKeys

PROXY = "panoptic"


@pytest.fixture(scope="module")
def sound(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("sound") / "corpus"
    build_corpus(both_sources(sample_sources, shard_samples=4), str(output), cluster=IN_PROCESS)
    return output


@pytest.fixture
def corpus(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "corpus"))


def _tar(corpus: Path) -> Path:
    return sorted((corpus / PROXY).glob("*.tar"))[0]


def _receipt(corpus: Path) -> Path:
    return corpus / "receipts" / PROXY / f"{_tar(corpus).stem}.json"


def _rewrite_json(path: Path, change: Callable[[Any], None]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def _vouch_for(corpus: Path, part: str, path: Path) -> None:
    """Make the receipt agree with a changed file, as a careful forger would."""
    data = path.read_bytes()
    digest = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    _rewrite_json(_receipt(corpus), lambda receipt: receipt.update({part: digest}))


def _patch_member(corpus: Path, suffix: str, patch: Callable[[bytes], bytes], number: int) -> None:
    """Overwrite one member with bytes of the same length, and vouch for it."""
    path = _tar(corpus)
    with tarfile.open(path) as archive:
        members = [member for member in archive if member.name.endswith(suffix)]
    data = bytearray(path.read_bytes())
    member = members[number]
    place = slice(member.offset_data, member.offset_data + member.size)
    patched = patch(bytes(data[place]))
    assert len(patched) == member.size
    data[place] = patched
    path.write_bytes(data)
    _vouch_for(corpus, "tar", path)


def flip_a_byte(corpus: Path) -> None:
    data = bytearray(_tar(corpus).read_bytes())
    data[len(data) // 2] ^= 1
    _tar(corpus).write_bytes(data)


def truncate_a_tar(corpus: Path) -> None:
    _tar(corpus).write_bytes(_tar(corpus).read_bytes()[:-4096])


def lose_a_tar(corpus: Path) -> None:
    _tar(corpus).unlink()


def lose_a_receipt(corpus: Path) -> None:
    _receipt(corpus).unlink()


def lose_a_whole_shard(corpus: Path) -> None:
    name = _tar(corpus).stem
    for path in [path for path in corpus.rglob(f"{name}.*") if PROXY in path.parts]:
        path.unlink()


def swap_two_targets(corpus: Path) -> None:
    """Exchange two targets, and make tar, index and receipt agree with it."""
    path = _tar(corpus)
    with tarfile.open(path) as archive:
        members = [(member, archive.extractfile(member).read()) for member in archive]  # type: ignore[union-attr]
    targets = [number for number, (member, _) in enumerate(members) if ".target." in member.name]
    first, second = targets[0], targets[1]
    contents = [data for _, data in members]
    contents[first], contents[second] = contents[second], contents[first]
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for (member, _), data in zip(members, contents, strict=True):
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    path.write_bytes(out.getvalue())
    _vouch_for(corpus, "tar", path)
    _reindex(corpus)


def _reindex(corpus: Path) -> None:
    """Member places of the index, read off the tar anew."""
    import zlib

    path = corpus / "index" / PROXY / f"{_tar(corpus).stem}.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    data = _tar(corpus).read_bytes()
    with tarfile.open(_tar(corpus)) as archive:
        places = {member.name: member for member in archive}
    parts = {"input": "input.jpg", "target": "target.png", "instruction": "txt", "facts": "json"}
    for row in rows:
        for part, suffix in parts.items():
            member = places[f"{row['key']}.{suffix}"]
            stored = data[member.offset_data : member.offset_data + member.size]
            row[f"{part}_offset"] = member.offset_data
            row[f"{part}_size"] = member.size
            row[f"{part}_crc32"] = zlib.crc32(stored)
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    _vouch_for(corpus, "index", path)


def change_a_json(corpus: Path) -> None:
    def patch(data: bytes) -> bytes:
        place = data.index(b'"visible_area":') + len(b'"visible_area":')
        digit = b"1" if data[place : place + 1] != b"1" else b"2"
        return data[:place] + digit + data[place + 1 :]

    _patch_member(corpus, ".json", patch, 0)
    _reindex(corpus)


def change_an_instruction(corpus: Path) -> None:
    _patch_member(corpus, ".txt", lambda text: bytes(reversed(text)), 1)
    _reindex(corpus)


def recolour_a_target(corpus: Path) -> None:
    """One pixel of another segment, the PNG otherwise sound (padded to its old length)."""

    def patch(data: bytes) -> bytes:
        with Image.open(io.BytesIO(data)) as image:
            image.load()
            image.putpixel((0, 0), 1 + image.getpixel((0, 0)) % 2)  # type: ignore[operator]
            for level in range(1, 10):
                out = io.BytesIO()
                image.save(out, "PNG", compress_level=level)
                if len(out.getvalue()) <= len(data):
                    return out.getvalue().ljust(len(data), b"\0")
        raise AssertionError("no room")

    _patch_member(corpus, ".png", patch, 0)
    _reindex(corpus)


def change_the_index(corpus: Path) -> None:
    path = corpus / "index" / PROXY / f"{_tar(corpus).stem}.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["target_offset"] += 512
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    _vouch_for(corpus, "index", path)


def repeat_a_key(corpus: Path) -> None:
    """The first key of the first shard becomes the last one of the second."""
    folder = corpus / "index" / PROXY
    second = pq.read_table(folder / f"{sorted((corpus / PROXY).glob('*.tar'))[1].stem}.parquet")
    path = folder / f"{_tar(corpus).stem}.parquet"
    table = pq.read_table(path)
    rows = table.to_pylist()
    rows[0]["key"] = second["key"][-1].as_py()
    rows.sort(key=lambda row: str(row["key"]))
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), path)
    _vouch_for(corpus, "index", path)


def drop_a_ledger_row(corpus: Path) -> None:
    receipt = _receipt(corpus)
    _rewrite_json(receipt, lambda row: row.update(inputs=row["inputs"] + 1))


def leave_a_stray_tar(corpus: Path) -> None:
    shutil.copy(_tar(corpus), corpus / PROXY / "coco-train2017-99999.tar")


def mix_two_builds(corpus: Path) -> None:
    _rewrite_json(_receipt(corpus), lambda receipt: receipt.update(fingerprint="0" * 64))


def change_the_manifest(corpus: Path) -> None:
    _rewrite_json(corpus / "corpus.json", lambda header: header["identity"].update(seed=7))


def change_the_totals(corpus: Path) -> None:
    _rewrite_json(corpus / "corpus.json", lambda header: header["totals"][PROXY].update(samples=1))


DAMAGES: dict[Callable[[Path], None], str] = {
    flip_a_byte: "SHA-256",
    truncate_a_tar: "bytes; its receipt says",
    lose_a_tar: "the tar is missing",
    lose_a_receipt: "the receipt is missing",
    lose_a_whole_shard: "the receipt is missing",
    swap_two_targets: "no segment has",
    change_a_json: "its facts say",
    change_an_instruction: "instruction",
    recolour_a_target: "its facts say",
    change_the_index: "offset, size or CRC-32",
    repeat_a_key: "as well",
    drop_a_ledger_row: "are not",
    leave_a_stray_tar: "no shard of the corpus has this file",
    mix_two_builds: "another build",
    change_the_manifest: "fingerprint",
    change_the_totals: "totals of panoptic",
}


def test_a_sound_corpus_has_no_finding(sound: Path) -> None:
    assert verify_corpus(str(sound)).sound
    assert verify_corpus(str(sound), deep=True).sound


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_deep_verification_names_the_damage(damage: Callable[[Path], None], corpus: Path) -> None:
    damage(corpus)
    verdict = verify_corpus(str(corpus), deep=True)
    assert not verdict.sound
    assert any(DAMAGES[damage] in str(finding) for finding in verdict.findings), verdict.findings
    assert any(
        PROXY in finding.place or "corpus.json" in finding.place for finding in verdict.findings
    )


def test_repeated_keys_are_named_up_to_a_number_and_counted_beyond() -> None:
    """A corpus with a shard twice is told in a few findings."""
    keys = {"a": [f"k{number}" for number in range(40)], "b": ["x"], "c": ["y"]}
    keys["b"] = [*keys["a"][10:], "x"]
    seen = SeenKeys()
    for shard, held in keys.items():
        seen.add(shard, ["entity"], held)
    findings = list(seen.repeated(lambda _, shard: keys[shard]))
    assert {finding.place for finding in findings} == {"entity/b"}
    problems = [finding.problem for finding in findings]
    assert problems[0] == "key k10 is in a as well"
    assert problems[-1] == "22 further keys of it in other shards"
    assert len(problems) == 9


def test_an_unfinished_build_is_not_sound(corpus: Path) -> None:
    _rewrite_json(corpus / "corpus.json", lambda header: header.update(complete=False))
    assert any("not complete" in str(finding) for finding in verify_corpus(str(corpus)).findings)


SIDE_FILES = {
    "Megatron Energon": (
        f"{PROXY}/.nv-meta/.info.json", f"{PROXY}/.nv-meta/index.sqlite", ".nv-meta/split.yaml",
        "TAR.idx", "TAR.idx.tmp",
    ),
    "NVIDIA DALI": ("STEM.idx",),
    "huggingface_hub": (".cache/huggingface/download/corpus.json.metadata",),
    "git": (".git/HEAD", f"{PROXY}/.gitattributes", ".gitignore"),
    "the system": (f"{PROXY}/.DS_Store", "index/Thumbs.db", "lost+found/a"),
    "unknown programs (hidden)": (".dvcignore",),
}  # fmt: skip


@pytest.mark.parametrize("writer", SIDE_FILES)
def test_side_files_of_other_programs_are_accepted_and_counted(writer: str, corpus: Path) -> None:
    for name in SIDE_FILES[writer]:
        tar = str(_tar(corpus).relative_to(corpus))
        place = corpus / name.replace("TAR", tar).replace("STEM", tar.removesuffix(".tar"))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"of another program")
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound
    assert verdict.accepted == {writer: len(SIDE_FILES[writer])}


@pytest.mark.parametrize(
    "name",
    [f"{PROXY}/notes.txt", f"{PROXY}/.notes", "other.tar.idx", f"{PROXY}/other.idx", "a/README.md",
     f"{PROXY}/nv-meta/split.yaml", f"receipts/{PROXY}/index.idx"],
)  # fmt: skip
def test_a_file_that_nobody_is_known_to_write_is_a_finding(name: str, corpus: Path) -> None:
    (corpus / name).parent.mkdir(parents=True, exist_ok=True)
    (corpus / name).write_bytes(b"?")
    findings = verify_corpus(str(corpus)).findings
    assert [finding.place for finding in findings] == [name]


def test_the_command_says_which_files_it_accepts(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (corpus / PROXY / ".nv-meta").mkdir()
    (corpus / PROXY / ".nv-meta/split.yaml").write_text("split_parts: {}")
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(corpus)])
    assert not ended.value.code
    assert "not of the corpus, and accepted: 1 file of Megatron Energon" in capsys.readouterr().out
