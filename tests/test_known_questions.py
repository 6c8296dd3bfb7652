"""Questions about scenes of another kind: those alone that training asked in the same words."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.errors import CorpusError, CorpusMismatch, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.questions.known_questions import UNKNOWN
from sgt_data.questions.question_plan import QuestionPlan
from sgt_data.questions.write_questions import write_questions
from sgt_data.scenes.write_samples import write_samples

HELD_OUT = QuestionPlan(shares={"val": 0.5, "test": 0.5})


def corpus_of(scenes: Any, seed: int, root: Path) -> str:
    write_samples(root / "samples", 60, seed=seed, size=(96, 96), scenes=scenes, forms="coco")
    document = {
        "name": "scenes",
        "pictures": {"min_side": 64, "max_side": 96, "multiple_of": 8},
        "sources": [{"type": "coco", "root": f"{root}/samples/coco", "annotations": ["instances"]}],
        "proxies": [{"type": "segmentation", "name": "instance", "variant": "instance"}],
    }
    output = str(root / "corpus")
    assert build_corpus(parse_manifest(document), output, cluster=IN_PROCESS).succeeded
    return output


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Questions about simple scenes, a corpus of varied ones, and questions about these."""
    root = tmp_path_factory.mktemp("known")
    simple = str(root / "simple-questions")
    write_questions(corpus_of("simple", 1, root / "simple"), simple)
    varied = corpus_of("varied", 2, root / "varied")
    write_questions(varied, str(root / "all"), HELD_OUT)
    write_questions(varied, str(root / "known"), HELD_OUT, known=simple)
    return {
        "simple": simple, "varied": varied, "all": str(root / "all"), "known": str(root / "known"),
    }  # fmt: skip


def asked(folder: str, *splits: str) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for split in splits
        for line in (Path(folder) / f"{split}.jsonl").read_text().splitlines()
    ]


def words(line: dict[str, Any]) -> tuple[str, str]:
    return tuple(turn["value"] for turn in line["conversations"])  # type: ignore[return-value]


def test_only_words_and_answers_of_training_are_asked_about_other_scenes(
    folders: dict[str, str],
) -> None:
    training = set(map(words, asked(folders["simple"], "train")))
    known, everything = (asked(folders[name], "val", "test") for name in ("known", "all"))
    assert known and set(map(words, known)) <= training
    assert {(text, choice) for line in known for choice in line["choices"]
            for text in [words(line)[0]]} <= training  # fmt: skip
    assert not set(map(words, everything)) <= training
    assert len(known) > 0.2 * len(everything)


def test_what_is_known_is_balanced_anew(folders: dict[str, str]) -> None:
    for split in ("val", "test"):
        answers: dict[str, Counter[str]] = defaultdict(Counter)
        for line in asked(folders["known"], split):
            answers[words(line)[0]][words(line)[1]] += 1
            assert set(answers[words(line)[0]]) <= set(line["choices"])
        assert all(len(counts) > 1 and len(set(counts.values())) == 1
                   for counts in answers.values())  # fmt: skip


def test_the_folder_has_its_pictures_and_counts_what_was_left_out(folders: dict[str, str]) -> None:
    marker = json.loads((Path(folders["known"]) / "questions.json").read_text())
    assert sum(reasons.get(UNKNOWN, 0) for reasons in marker["left_out"].values()) > 0
    everything = json.loads((Path(folders["all"]) / "questions.json").read_text())
    assert "known" not in everything
    named = {line["image"] for line in asked(folders["known"], "val", "test")}
    held = {f"images/{path.name}" for path in (Path(folders["known"]) / "images").iterdir()}
    assert named == held


def test_other_known_questions_are_other_work(folders: dict[str, str], tmp_path: Path) -> None:
    write_questions(folders["varied"], folders["known"], HELD_OUT, known=folders["simple"])
    with pytest.raises(CorpusMismatch, match="known"):
        write_questions(folders["varied"], folders["known"], HELD_OUT)
    with pytest.raises(RequestError, match=r"known: there is no .*train\.jsonl"):
        write_questions(folders["varied"], tmp_path / "q", HELD_OUT, known=tmp_path)
    for content, error, message in (
        ("", RequestError, "has no question"),
        ("{}\n", CorpusError, r"train\.jsonl, line 1: found"),
        ("no json\n", CorpusError, r"line 1: found b?'no json'"),
    ):
        (tmp_path / "train.jsonl").write_text(content)
        with pytest.raises(error, match=message):
            write_questions(folders["varied"], tmp_path / "q", HELD_OUT, known=tmp_path)
    assert not (tmp_path / "q").exists()
