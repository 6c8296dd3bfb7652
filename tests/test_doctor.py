"""The doctor names what is lacking and what to do, and gives no secret away."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest

from sgt_data import examine
from sgt_data.cli.app import main
from sgt_data.doctor.packages import BROUGHT_BY, package_checks

PROJECT = Path(__file__).parent.parent / "pyproject.toml"


def ended(*arguments: object) -> int:
    with pytest.raises(SystemExit) as end:
        main([str(argument) for argument in arguments])
    return int(end.value.code or 0)


def test_a_machine_that_runs_the_tests_lacks_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ended("doctor", "--no-ray", "--json", "--output", tmp_path / "corpus") == 0
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert document["sound"]
    subjects = {check["subject"] for check in document["checks"]}
    assert {"Python", "CPUs", "memory", "disk", "open files", "packages", "output"} <= subjects
    assert list(tmp_path.rglob("*doctor*")) == [], "the file that was written is deleted"


def test_an_output_that_cannot_be_written_is_named_with_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "file"
    file.write_text("in the way")
    assert ended("doctor", "--no-ray", "--output", file / "corpus") == 1
    printed = capsys.readouterr()
    assert "LACKS output" in printed.out
    assert "output: check the rights and the name" in printed.err


def test_a_cluster_that_does_not_answer_is_named() -> None:
    examination = examine(address="127.0.0.1:1")
    assert not examination.sound
    (ray,) = [check for check in examination.checks if check.subject == "Ray"]
    assert ray.state == "lacks" and "no Ray cluster answers at 127.0.0.1:1" in ray.text


def test_every_extra_is_looked_for_and_says_what_it_brings() -> None:
    extras = tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"]
    assert set(BROUGHT_BY) == set(extras) - {"dev"}
    states = {check.subject: check for check in package_checks()}
    for extra in BROUGHT_BY:
        check = states[f"extra {extra}"]
        assert check.state == "good" or check.remedy == f"pip install 'sgt-data[{extra}]'"


def test_a_token_is_never_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_SECRETsecretSECRETsecret")
    assert ended("doctor", "--no-ray") == 0
    printed = capsys.readouterr()
    assert "there is one" in printed.out
    assert "SECRET" not in printed.out + printed.err
