"""The export of questions: a list in LLaVA's form, and entries for its trainers."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from corpora import both_sources_document

from sgt_data import IN_PROCESS, build_corpus, export_corpus, write_questions
from sgt_data.cli.app import main
from sgt_data.errors import CorpusError, LeavesRoot, RequestError
from sgt_data.exports import questions as exported_questions
from sgt_data.exports.export_options import ExportOptions
from sgt_data.manifest.manifest import parse_manifest

SPLITS = ("train", "val", "test")


@pytest.fixture(scope="module")
def questions(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("asked")
    document = both_sources_document(sample_sources, shard_samples=5)
    document["proxies"] = [proxy for proxy in document["proxies"] if proxy["name"] == "instance"]
    report = build_corpus(parse_manifest(document), str(root / "corpus"), cluster=IN_PROCESS)
    assert report.succeeded
    write_questions(str(root / "corpus"), str(root / "questions"))
    return root / "questions"


def lines(place: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in place.read_text().splitlines()]


def copied(questions: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(questions, tmp_path / "questions"))


def test_a_list_has_every_question_with_a_picture_that_is_there(
    questions: Path, tmp_path: Path
) -> None:
    report = export_corpus(str(questions), str(tmp_path / "out"), "questions")
    assert report.complete and list(report.samples) == list(SPLITS)
    for split in SPLITS:
        asked, written = lines(questions / f"{split}.jsonl"), lines(tmp_path / f"out/{split}.jsonl")
        assert len(written) == len(asked) == report.samples[split]
        for row, question in zip(written, asked, strict=True):
            assert row["image"] == f"{questions}/{question['image']}"
            assert Path(row["image"]).is_file()
            assert row | {"image": question["image"]} == question


def test_the_entries_have_the_published_forms(questions: Path, tmp_path: Path) -> None:
    """LLaMA-Factory's `data/README.md` (sharegpt), LLaVA-NeXT's `scripts/train/*.yaml`."""
    out = tmp_path / "out"
    report = export_corpus(str(questions), str(out), "questions")
    held = [split for split in SPLITS if report.samples[split]]
    assert json.loads((out / "dataset_info.json").read_text()) == {
        f"sgt_{split}": {
            "file_name": f"{out}/{split}.jsonl",
            "formatting": "sharegpt",
            "columns": {"messages": "conversations", "images": "image"},
        }
        for split in held
    }
    assert yaml.safe_load((out / "llava.yaml").read_text()) == {
        "datasets": [{"json_path": f"{out}/train.jsonl", "sampling_strategy": "all"}]
    }
    assert report.configs == [f"{out}/dataset_info.json", f"{out}/llava.yaml"]


def test_paths_may_be_relative_to_a_folder(questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ExportOptions(relative_to=str(tmp_path))
    export_corpus(str(questions), str(out), "questions", options=options)
    for row in lines(out / "train.jsonl"):
        assert not row["image"].startswith("/") and (tmp_path / row["image"]).is_file()
    (data,) = yaml.safe_load((out / "llava.yaml").read_text())["datasets"]
    assert data["json_path"] == "out/train.jsonl"
    assert json.loads((out / "dataset_info.json").read_text())["sgt_train"]["file_name"] == (
        "train.jsonl"
    )


def test_a_second_export_writes_the_same_bytes(questions: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export_corpus(str(questions), str(out), "questions")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    export_corpus(str(questions), str(out), "questions")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"<image>", b"", "0 marks <image> for one picture"),
        (b"<image>", b"<image><image>", "2 marks <image> for one picture"),
        (b'"image":"images/', b'"image":"images/no', "is not there; write the questions again"),
        (b'"conversations"', b'"turns"', "not a question in LLaVA's form"),
        (b"{", b"", "not a question in LLaVA's form"),
    ],
)
def test_a_question_that_trainers_would_refuse_is_named(
    questions: Path, tmp_path: Path, old: bytes, new: bytes, says: str
) -> None:
    place = copied(questions, tmp_path) / "train.jsonl"
    first, second, rest = place.read_bytes().split(b"\n", 2)
    place.write_bytes(b"\n".join((first, second.replace(old, new, 1), rest)))
    with pytest.raises(CorpusError, match=r"train\.jsonl, line 2") as raised:
        export_corpus(str(place.parent), str(tmp_path / "out"), "questions")
    assert says in str(raised.value)
    assert not (tmp_path / "out/train.jsonl").exists()


def test_a_line_of_megabytes_is_no_question(
    questions: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exported_questions, "LINE_BYTES_MAX", 64)
    with pytest.raises(CorpusError, match=r"train\.jsonl, line 1: not a question"):
        export_corpus(str(questions), str(tmp_path / "out"), "questions")


def test_a_picture_outside_the_folder_is_refused(questions: Path, tmp_path: Path) -> None:
    place = copied(questions, tmp_path) / "train.jsonl"
    place.write_bytes(place.read_bytes().replace(b'"images/', b'"../../images/', 1))
    with pytest.raises(LeavesRoot):
        export_corpus(str(place.parent), str(tmp_path / "out"), "questions")


def test_what_is_no_folder_of_questions_is_refused(questions: Path, tmp_path: Path) -> None:
    corpus, out = str(questions.parent / "corpus"), str(tmp_path / "out")
    with pytest.raises(RequestError, match=r"has no questions\.json; `sgt-data questions CORPUS"):
        export_corpus(corpus, out, "questions")
    with pytest.raises(RequestError, match="takes questions, not proxies"):
        export_corpus(str(questions), out, "questions", ["instance"])
    with pytest.raises(RequestError, match="local folders only"):
        export_corpus(str(questions), "memory://out", "questions")
    with pytest.raises(RequestError, match="it takes relative_to"):
        export_corpus(str(questions), out, "questions", options=ExportOptions(ranks=2))
    other = copied(questions, tmp_path)
    export_corpus(str(questions), out, "questions")
    stated = other / "questions.json"
    stated.write_bytes(stated.read_bytes().replace(b'"seed": 0', b'"seed": 1'))
    with pytest.raises(RequestError, match="questions is another there than here"):
        export_corpus(str(other), out, "questions")


def test_the_command_exports_questions(
    questions: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", str(questions), "--format", "questions", "--output", f"{tmp_path}/out"])
    assert not ended.value.code
    assert "train" in capsys.readouterr().out
