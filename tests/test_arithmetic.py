"""Arithmetic as text: right, told by no words around the numbers, and no problem in two splits."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import pytest

from sgt_data.errors import CorpusMismatch, RequestError
from sgt_data.questions.write_arithmetic import write_arithmetic
from sgt_data.stream.conversations import ConversationFile

COUNTS = {"train": 1200, "val": 240, "test": 240}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("arithmetic") / "questions"
    write_arithmetic(place, COUNTS, seed=3)
    return place


def lines_of(folder: Path, split: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{split}.jsonl").read_text().splitlines()]


def asked(line: dict[str, Any]) -> tuple[str, str]:
    (human, gpt) = line["conversations"]
    assert (human["from"], gpt["from"]) == ("human", "gpt")
    return human["value"], gpt["value"]


def solved(text: str) -> int:
    """The answer by Python's own arithmetic, read from the words."""
    numbers = [*map(int, re.findall(r"\d+", text))]
    if "larger" in text or "smaller" in text:
        return max(numbers) if "larger" in text else min(numbers)
    if text.startswith("Take"):
        return numbers[1] + numbers[2] - numbers[0]
    a, b, c = numbers
    return a + b - c if any(word in text for word in (" - ", "minus", "take")) else a + b + c


@pytest.mark.parametrize("split", COUNTS)
def test_every_answer_is_right_is_one_of_its_choices_and_is_one_word(
    folder: Path, split: str
) -> None:
    lines = lines_of(folder, split)
    assert len(lines) == COUNTS[split]
    assert Counter(line["task"] for line in lines) == {
        f"arithmetic {name}": COUNTS[split] // 3
        for name in ("addition", "subtraction", "comparison")
    }
    for line in lines:
        text, answer = asked(line)
        assert str(solved(text)) == answer
        assert answer in line["choices"] and len(set(line["choices"])) == len(line["choices"])
        assert re.fullmatch(r"\d+", answer)
    assert (
        len({asked(line)[0] for line in lines}) == len({line["id"] for line in lines}) == len(lines)
    )
    assert len({re.sub(r"\d+", "#", asked(line)[0]) for line in lines}) == 4 + 4 + 6


@pytest.mark.parametrize("split", COUNTS)
def test_a_reader_who_skips_the_numbers_is_exactly_at_chance(folder: Path, split: str) -> None:
    """Words and choices alone: each choice is right equally often, also by its place."""
    lines = lines_of(folder, split)
    right: dict[Any, Counter[Any]] = defaultdict(Counter)
    for line in lines:
        text, answer = asked(line)
        words, choices = re.sub(r"\d+", "#", text), tuple(line["choices"])
        if line["task"] == "arithmetic comparison":  # the choices are the numbers
            right[words, 2][re.findall(r"\d+", text).index(answer)] += 1
        else:
            right[words, choices][answer] += 1
    for (_, choices), counts in right.items():
        assert len(counts) == (2 if choices == 2 else 4)
        assert len(set(counts.values())) == 1
    guessed = sum(max(counts.values()) for counts in right.values()) / len(lines)
    assert guessed == pytest.approx((1 / 4 + 1 / 4 + 1 / 2) / 3)


def test_no_problem_is_in_two_splits_in_any_wording_or_order(folder: Path) -> None:
    problems = {
        split: {
            (
                line["task"],
                asked(line)[1] * (line["task"] == "arithmetic subtraction"),
                *sorted(map(int, re.findall(r"\d+", asked(line)[0]))),
            )
            for line in lines_of(folder, split)
        }
        for split in COUNTS
    }
    for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
        assert not problems[one] & problems[other]
    for split in COUNTS:  # the key of a question is its problem
        assert len({line["key"] for line in lines_of(folder, split)}) == len(problems[split])


def test_the_same_seed_gives_the_same_bytes_and_a_larger_split_holds_a_smaller_one(
    folder: Path, tmp_path: Path
) -> None:
    write_arithmetic(tmp_path / "again", COUNTS, seed=3)
    for file in sorted(folder.iterdir()):
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()
    write_arithmetic(tmp_path / "again", COUNTS, seed=3)
    with pytest.raises(CorpusMismatch, match="seed is 3 there, 4 here"):
        write_arithmetic(tmp_path / "again", COUNTS, seed=4)
    write_arithmetic(tmp_path / "more", {**COUNTS, "train": 2400}, seed=3)
    few, more = ({asked(line)[0] for line in lines_of(place, "train")}
                 for place in (folder, tmp_path / "more"))  # fmt: skip
    assert few < more
    assert lines_of(folder, "val") == lines_of(tmp_path / "more", "val")
    write_arithmetic(tmp_path / "other", COUNTS, seed=4)
    assert lines_of(folder, "val") != lines_of(tmp_path / "other", "val")


def test_the_lists_are_conversations_without_pictures(folder: Path) -> None:
    file = ConversationFile(folder / "test.jsonl")
    file.check()
    assert len(file) == 240 and not file.read("", 0).has_picture
    stated = json.loads((folder / "questions.json").read_text())["splits"]["test"]
    assert {name: row["chance"] for name, row in stated.items()} == {
        "arithmetic addition": 0.25, "arithmetic subtraction": 0.25, "arithmetic comparison": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("counts", "message"),
    [
        ({"train": 11}, r"counts: train: found 11; allowed: a whole number from 12 to \d+$"),
        ({"val": 10**6}, r"counts: val: found 1000000; allowed: a whole number from 12 to \d+$"),
        ({"dev": 12}, "counts"),
        ({}, "counts: found none"),
    ],
)
def test_counts_that_cannot_be_had_are_refused(
    counts: dict[str, int], message: str, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=message):
        write_arithmetic(tmp_path / "q", counts)
    assert not (tmp_path / "q").exists()
