"""The test split opens once, for a frozen configuration, and says so."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment import split_opening
from sgt_data.training.config import digest_of

CONFIG = {"steps": 800, "rate": 0.02}
RUNS = ["a-0", "a-1"]


def test_the_test_split_opens_for_the_frozen_configuration_alone(tmp_path: Path) -> None:
    folder = str(tmp_path)
    with pytest.raises(RequestError, match=r"config\.json is missing"):
        split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-05")
    split_opening.freeze(folder, CONFIG)
    with pytest.raises(RequestError, match=f"holds configuration {digest_of(CONFIG)}"):
        split_opening.open_test_split(folder, {**CONFIG, "steps": 900}, RUNS, "2026-01-05")
    assert split_opening.read_openings(folder) == []
    opening = split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-05")
    assert opening.missing == RUNS
    record = orjson.loads((tmp_path / "test_opened.json").read_bytes())
    assert record[0]["digest"] == digest_of(CONFIG)
    assert record[0]["date"] == "2026-01-05"


def test_the_test_split_opens_once_and_says_when(tmp_path: Path) -> None:
    folder = str(tmp_path)
    digest = split_opening.freeze(folder, CONFIG)
    split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-05")
    split_opening.seal(folder, digest, "a-0", b"zero")
    with pytest.raises(RequestError, match="has been measured"):
        split_opening.seal(folder, digest, "a-0", b"better")
    with pytest.raises(RequestError, match="cannot be changed"):
        split_opening.open_test_split(folder, CONFIG, [*RUNS, "lucky"], "2026-01-06")
    resumed = split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-06")
    assert (resumed.missing, resumed.date, resumed.resumed) == (
        ["a-1"], "2026-01-05", ("2026-01-06",)
    )  # fmt: skip
    opening = split_opening.seal(folder, digest, "a-1", b"one")
    with pytest.raises(RequestError, match="opened on 2026-01-05"):
        split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-07")
    split_opening.check_sealed(opening, "a-0", b"zero")
    with pytest.raises(CorpusError, match="not the one that was sealed"):
        split_opening.check_sealed(opening, "a-0", b"better")


def test_what_the_test_split_showed_cannot_choose_the_next_configuration(tmp_path: Path) -> None:
    folder = str(tmp_path)
    split_opening.freeze(folder, CONFIG)
    split_opening.freeze(folder, {**CONFIG, "steps": 900})  # before the opening one may choose
    digest = split_opening.freeze(folder, CONFIG)
    split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-05")
    assert split_opening.freeze(folder, CONFIG) == digest
    with pytest.raises(RequestError, match="take a new folder"):
        split_opening.freeze(folder, {**CONFIG, "steps": 900})


def test_a_config_changed_by_hand_leaves_both_openings_on_record(tmp_path: Path) -> None:
    folder, changed = str(tmp_path), {**CONFIG, "steps": 900}
    split_opening.freeze(folder, CONFIG)
    split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-05")
    (tmp_path / "config.json").write_bytes(orjson.dumps(changed))
    split_opening.open_test_split(folder, changed, RUNS, "2026-01-06")
    assert [opening.date for opening in split_opening.read_openings(folder)] == [
        "2026-01-05",
        "2026-01-06",
    ]


def test_a_damaged_record_opens_nothing(tmp_path: Path) -> None:
    folder = str(tmp_path)
    split_opening.freeze(folder, CONFIG)
    (tmp_path / "test_opened.json").write_text("[{]")
    with pytest.raises(CorpusError, match=r"test_opened\.json is not a record"):
        split_opening.open_test_split(folder, CONFIG, RUNS, "2026-01-05")
    with pytest.raises(ValueError, match="Invalid isoformat"):
        split_opening.open_test_split(folder, CONFIG, RUNS, "yesterday")
