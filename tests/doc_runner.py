"""Runs the blocks of a page as a reader would: in order, in one folder.

Each page has a process of its own, a fork of a server that has imported the package, so that a page
costs the work of its blocks and changes nothing for the next one. Lines that only call `sgt-data`
run in that process; every other block of bash runs in bash.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import subprocess
import sys
import traceback
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path
from typing import IO, Any

from doc_blocks import ROOT, Block

PRELOADED = ["sgt_data.cli.app", "sgt_data.engine.build", "sgt_data.verify.check_corpus"]
SERVING = "view"
"""The command that goes on until it is stopped."""

PAGE_SECONDS = 300
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+\S*")
_QUOTED = re.compile(r"'[^']*'|\"[^\"$`\\]*\"")
_OF_SHELL = re.compile(r"[|&;<>()$`*?\[\]{}~!]")
_SMALLER = (
    (re.compile(r"--images \d+"), "--images 8"),
    (re.compile(r"(?<=[\s='\"])/data/"), "data/"),
)
"""What a block says, and what runs in its place: fewer pictures, and a folder of the page."""


class BlockFailed(Exception):
    """A block did not end well."""


def run_page(blocks: Sequence[Block], folder: Path, environment: Mapping[str, str]) -> str:
    """Run the blocks of a page in a folder; returns what went wrong, or nothing.

    Args:
        blocks: those of one page that run.
        folder: the current folder of every block.
        environment: variables beside those of this process.
    """
    server = get_context("forkserver")
    server.set_forkserver_preload(PRELOADED)
    log = folder / "page.log"
    arguments = (list(blocks), str(folder), {**environment, **_path(folder)}, str(log))
    page = server.Process(target=_run_blocks, args=arguments)
    page.start()
    page.join(PAGE_SECONDS)
    if page.is_alive():
        page.kill()
        page.join()
        return f"not done after {PAGE_SECONDS} s\n{log.read_text(errors='replace')}"
    return "" if page.exitcode == 0 else log.read_text(errors="replace")


def as_run(text: str) -> str:
    """The text of a block as it runs here."""
    for said, smaller in _SMALLER:
        text = said.sub(smaller, text)
    return text


def _path(folder: Path) -> dict[str, str]:
    """Variables with which bash finds this Python and its `sgt-data`."""
    programs = folder / ".programs"
    programs.mkdir()
    for name, call in (("sgt-data", "-m sgt_data"), ("python", ""), ("pytest", "-m pytest")):
        program = programs / name
        program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {call} "$@"\n')
        program.chmod(0o755)
    return {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def _run_blocks(
    blocks: Sequence[Block], folder: str, environment: Mapping[str, str], log: str
) -> None:
    """The process of a page."""
    os.environ.update(environment)
    os.chdir(folder)
    with open(log, "w") as file:
        for number in (1, 2):
            os.dup2(file.fileno(), number)
    _use_environment()
    names: dict[str, Any] = {"__name__": "page"}
    for block in blocks:
        print(f"--- {block.place}", flush=True)
        try:
            if block.language == "bash":
                _run_bash(as_run(block.text))
            else:
                exec(compile(as_run(block.text), block.place, "exec"), names)
        except BaseException:
            traceback.print_exc()
            _end(1)
    _end(0)


def _use_environment() -> None:
    """What was imported before the variables were set, and reads them but once."""
    import fsspec.config

    fsspec.config.set_conf_env(fsspec.config.conf)
    sys.path.insert(0, os.getcwd())


def _end(code: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of the libraries that a page used need not end


def _run_bash(text: str) -> None:
    commands = _plain_commands(text)
    if commands is None:
        subprocess.run(["bash", "-euo", "pipefail", "-c", text], check=True)
        return
    for arguments in commands:
        print("$ sgt-data", shlex.join(arguments), flush=True)
        if arguments[0] == SERVING:
            _look_at_served(arguments)
        else:
            _run_command(arguments)


def _plain_commands(text: str) -> list[list[str]] | None:
    """The arguments of each line where all lines call `sgt-data` and need no shell; else None."""
    commands = []
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[0] != "sgt-data" or _OF_SHELL.search(_QUOTED.sub("", line.partition(" #")[0])):
            return None
        commands.append(words[1:])
    return commands


def _run_command(arguments: list[str]) -> None:
    from sgt_data.cli.app import main

    try:
        main(arguments)
    except SystemExit as ended:
        if ended.code:
            raise BlockFailed(f"sgt-data {shlex.join(arguments)}: exit code {ended.code}") from None


def _look_at_served(arguments: list[str]) -> None:
    """Start a command that serves pages, ask for the first page, and stop it as Ctrl-C does."""
    with _started(["sgt-data", *arguments]) as served:
        assert served.stdout is not None
        address = _address_in(served.stdout)
        with urllib.request.urlopen(address, timeout=30) as answer:
            if b"<html" not in answer.read():
                raise BlockFailed(f"{address}: no page")


def _address_in(lines: IO[str]) -> str:
    said = []
    for line in lines:
        said.append(line)
        print(line, end="", flush=True)
        address = _ADDRESS.search(line)
        if address:
            return address[0]
    raise BlockFailed(f"no address was printed: {''.join(said)}")


@contextlib.contextmanager
def _started(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    options: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    with subprocess.Popen(command, start_new_session=True, **options) as program:
        try:
            yield program
        finally:
            os.killpg(program.pid, signal.SIGINT)
            try:
                program.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(program.pid, signal.SIGKILL)
                raise
