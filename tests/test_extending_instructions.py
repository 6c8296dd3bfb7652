"""Lines of one's own: read in any usual form of a text file, kept in the corpus, part of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from making import built, ledger_in
from own_code import pictures

from sgt_data.errors import CorpusError, CorpusMismatch, ManifestError
from sgt_data.manifest.manifest import load_manifest, parse_manifest
from sgt_data.prompts.bank import load_bank
from sgt_data.stream.options import Ordering, Reading
from sgt_data.stream.stream import Stream
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.subset import subset
from sgt_data.verify.check_corpus import verify_corpus

CHINESE = "[train]\n画出这张照片的边缘。\n\n勾勒物体的轮廓。\n[held-out]\n只用白线画出边界。\n"
SIZE = {"min_side": 32, "max_side": 32, "multiple_of": 16}


def source_in(folder: Path) -> dict[str, Any]:
    return {"type": "folder", "name": "f", "pictures": str(pictures(folder, 4))}


def edges(instructions: Any, **more: Any) -> list[dict[str, Any]]:
    return [{"type": "edge", "instructions": instructions, **more}]


@pytest.fixture
def chinese(tmp_path: Path) -> Path:
    """A corpus whose instructions come from a file."""
    (tmp_path / "zh.txt").write_text(CHINESE, "utf-8")
    report = built(
        tmp_path / "corpus", source_in(tmp_path), edges(str(tmp_path / "zh.txt")), pictures=SIZE
    )
    assert report.succeeded and not ledger_in(tmp_path / "corpus", "edge")
    return tmp_path / "corpus"


def read(corpus: Path, instructions: Any) -> set[str]:
    reading = Reading(instructions=instructions)
    sources = {str(corpus): ["edge"]}
    stream = Stream(sources, batch_size=4, reading=reading, order=Ordering(last="pad"))
    return {sample.instruction for _ in range(6) for batch in stream for sample in batch["samples"]}


def test_all_splits_are_read_after_the_file_is_gone_and_the_corpus_moved(
    chinese: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere"
    shutil.move(chinese, moved)
    (tmp_path / "zh.txt").unlink()
    train = {"画出这张照片的边缘。", "勾勒物体的轮廓。"}
    assert read(moved, "stored") <= train
    assert read(moved, "resampled") == train
    assert read(moved, "held-out") == {"只用白线画出边界。"}
    assert verify_corpus(moved, deep=True).sound
    assert {
        sample.facts["instruction"]["bank"] for sample in open_corpus(moved).samples("edge")
    } == {"zh"}


def test_a_copy_of_a_subset_keeps_the_lines(chinese: Path, tmp_path: Path) -> None:
    subset(chinese, 0.5, output=tmp_path / "half")
    assert read(tmp_path / "half", "held-out") == {"只用白线画出边界。"}
    assert verify_corpus(tmp_path / "half", deep=True).sound


def test_changed_lines_are_another_build(chinese: Path, tmp_path: Path) -> None:
    for old, new in (("勾勒", "描画"), ("只用", "仅用")):
        (tmp_path / "zh.txt").write_text(CHINESE.replace(old, new), "utf-8")
        with pytest.raises(CorpusMismatch, match=r"banks\.edge"):
            built(chinese, source_in(tmp_path), edges(str(tmp_path / "zh.txt")), pictures=SIZE)


def test_changed_lines_of_corpus_json_are_found(chinese: Path) -> None:
    header = json.loads((chinese / "corpus.json").read_text())
    header["manifest"]["proxies"][0]["instructions"]["held_out"] = ["又一行。"]
    (chinese / "corpus.json").write_text(json.dumps(header))
    (finding,) = verify_corpus(chinese).findings
    assert "instructions of edge are not those of its identity" in str(finding)
    header["manifest"]["proxies"][0]["instructions"]["train"] = 3
    (chinese / "corpus.json").write_text(json.dumps(header))
    with pytest.raises(CorpusError, match="instructions of edge are no bank"):
        read(chinese, "resampled")


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.encode(),
        lambda text: text.encode("utf-8-sig"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
    ],
    ids=["plain", "with a mark", "lines of Windows", "lines of old Macs"],
)
def test_files_of_every_editor_hold_the_same_lines(
    tmp_path: Path, encode: Callable[[str], bytes]
) -> None:
    (tmp_path / "zh.txt").write_bytes(encode(CHINESE))
    manifest = parse_manifest(
        {"name": "a", "sources": [source_in(tmp_path)], "proxies": edges(str(tmp_path / "zh.txt"))}
    )
    bank = manifest.proxies[0].instruction_bank()
    assert bank.train == ("画出这张照片的边缘。", "勾勒物体的轮廓。")
    assert bank.held_out == ("只用白线画出边界。",)


def test_a_path_lies_beside_the_manifest_and_lists_are_put_together(tmp_path: Path) -> None:
    (tmp_path / "lines").mkdir()
    (tmp_path / "lines" / "More Lines.txt").write_text("[train]\nEdges!\n[held-out]\nRims.\n")
    (tmp_path / "m.yaml").write_text(
        "name: a\nsources: [{type: folder, pictures: /p}]\n"
        "proxies: [{type: edge, instructions: [edge_soft, lines/More Lines.txt]}]\n"
    )
    bank = load_manifest(tmp_path / "m.yaml").proxies[0].instruction_bank()
    built_in = load_bank("edge_soft")
    assert bank.train == (*built_in.train, "Edges!")
    assert bank.held_out == (*built_in.held_out, "Rims.")
    assert bank.name == "edge_soft_more_lines"


def test_lines_of_an_installed_package_are_read_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own_lines_package" / "banks").mkdir(parents=True)
    (tmp_path / "own_lines_package" / "__init__.py").write_text("raise SystemExit")
    (tmp_path / "own_lines_package" / "banks" / "zh.txt").write_text(CHINESE, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    document = {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}]}
    proxies = edges("own_lines_package:banks/zh.txt")
    bank = parse_manifest(document | {"proxies": proxies}).proxies[0].instruction_bank()
    assert bank.name == "zh"
    with pytest.raises(ManifestError, match="leaves the package"):
        parse_manifest(document | {"proxies": edges("own_lines_package:../x.txt")})
    with pytest.raises(ManifestError, match="no package own_line_package is installed"):
        parse_manifest(document | {"proxies": edges("own_line_package:x.txt")})


WRONG = {
    "no section": ("Draw edges.\n", r"line 1: 'Draw edges.' stands before \[train\]"),
    "no held-out lines": ("[train]\na b\n", r"no line stands below \[held-out\]"),
    "section misspelt": ("[train]\na\n[heldout]\nb\n", r"line 3: .*did you mean held-out"),
    "a line in both": ("[train]\na\n[held-out]\na\n", "a train line and a held-out line"),
    "placeholder unknown": ("[train]\n{target} a\n[held-out]\nb\n", r"line 1 has \{target\}"),
    "control character": ("[train]\na\x07b\n[held-out]\nb\n", "control character"),
    "a secret": ("[train]\nsee http://h/x?sig=1\n[held-out]\nb\n", "corpora keep no secrets"),
}


@pytest.mark.parametrize(("text", "message"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_file_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "own.txt").write_text(text)
    with pytest.raises(ManifestError, match=message) as caught:
        parse_manifest(
            {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}],
             "proxies": edges(str(tmp_path / "own.txt"))}
        )  # fmt: skip
    assert "proxies.0.instructions" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("own.txt", "[train]\nä\n".encode("latin-1"), "line 2: it is not UTF-8; save it as UTF-8"),
        ("own.txt", CHINESE.encode("utf-16"), "is UTF-16; save it as UTF-8"),
        ("edge_soft.txt", CHINESE.encode(), "name edge_soft is that of a built-in bank"),
    ],
)
def test_other_encodings_and_taken_names_are_named(
    tmp_path: Path, name: str, data: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ManifestError, match=message):
        parse_manifest(
            {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}],
             "proxies": edges(str(tmp_path / name))}
        )  # fmt: skip


def test_a_missing_file_and_a_misspelt_bank_are_named(tmp_path: Path) -> None:
    document = {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}]}
    with pytest.raises(ManifestError, match=r"/gone.txt.*lies beside the manifest"):
        parse_manifest(document | {"proxies": edges(str(tmp_path / "gone.txt"))})
    with pytest.raises(ManifestError, match="did you mean edge_soft"):
        parse_manifest(document | {"proxies": edges("edge_sofd")})


def test_lines_for_phrases_need_the_phrase(tmp_path: Path) -> None:
    (tmp_path / "own.txt").write_text("[train]\nMask {target}.\n[held-out]\nMask it.\n")
    with pytest.raises(ManifestError, match=r"held-out line 1 lacks \{target\}"):
        parse_manifest(
            {"name": "a",
             "sources": [{"type": "coco", "root": "/c", "annotations": ["instances"]}],
             "proxies": [{"type": "referring", "instructions": str(tmp_path / "own.txt")}]}
        )  # fmt: skip


def test_manifests_without_own_lines_are_dumped_as_before() -> None:
    manifest = parse_manifest(
        {"name": "a", "sources": [{"type": "folder", "pictures": "/p"}],
         "proxies": [{"type": "edge"}]}
    )  # fmt: skip
    for document in (manifest.resolved(), manifest.identity()):
        assert "plugins" not in document
        proxies = document["proxies"]
        fields = proxies[0] if isinstance(proxies, list) else proxies["edge"]
        assert "instructions" not in fields
