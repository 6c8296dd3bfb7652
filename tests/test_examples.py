"""The examples of every command's help work as printed, one after the other, in one folder."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import pytest
import typer.main

from sgt_data.cli.app import COMMANDS, app, main
from sgt_data.cli.examples import EXAMPLES, needed_for

ALL = [(name, example) for name, examples in EXAMPLES.items() for example in examples]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("examples")


def parses(command: str) -> str:
    """The name of a command whose arguments the command line takes."""
    program, *arguments = shlex.split(command)
    assert program == "sgt-data"
    name, *rest = arguments
    group: Any = typer.main.get_command(app)
    group.commands[name].make_context(name, rest)
    return name


@pytest.mark.parametrize(("name", "example"), ALL, ids=[example for _, example in ALL])
def test_an_example_works_as_printed(
    name: str,
    example: str,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(folder)
    assert parses(example) == name
    if needed_for(example):
        return
    with pytest.raises(SystemExit) as end:
        main(shlex.split(example)[1:])
    printed = capsys.readouterr()
    assert not end.value.code, printed.err
    following = [line for line in printed.err.splitlines() if line.startswith("next: ")]
    assert following, "nothing says what to do next"
    for line in following:
        command = line.removeprefix("next: ")
        if not command.startswith(("tensorboard ", "pytest ")):
            words = shlex.split(command)
            assert words[0] == "sgt-data" and words[1] in COMMANDS
            parses(command)


def test_every_command_shows_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as end:
            main([name, "-h"])
        assert not end.value.code
        assert f"sgt-data {name}" in capsys.readouterr().out, f"{name} shows no example"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_shell_can_complete_commands(
    shell: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    with pytest.raises(SystemExit) as end:
        main(["--show-completion", shell])
    assert not end.value.code
    assert "complete" in capsys.readouterr().out
