"""Trainers' own data code: environments that hold it, checkouts of it, and scripts that run it.

    python tests/trainer_code.py [NAME ...]      make the environments; all without names

An environment `.venv-trainers/NAME` has exactly the packages of `tests/trainers/NAME.txt`, without
what these declare, and behind them the packages of `.venv` (torch, transformers, pillow). What is
not on PyPI is read from checkouts below the folder `SGT_TRAINER_CODE`, by the name of the
repository. A script `tests/trainers/read_NAME.py` runs there, imports the trainer's code and prints
JSON; it imports nothing of ours.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
LISTS = ROOT / "tests/trainers"
ENVIRONMENTS = ROOT / ".venv-trainers"
CHECKOUTS = "SGT_TRAINER_CODE"
NEEDED = "SGT_NEEDS_TRAINERS"
"""Where this variable is set, a missing environment fails tests instead of leaving them out."""

SECONDS = 300


def python_of(name: str) -> Path:
    """The Python of a trainer's environment; leaves the test out where it was not made."""
    if not _is_made(name):
        missing = f"no environment with the code of {name}: run `make trainers`"
        if os.environ.get(NEEDED):
            pytest.fail(missing)
        pytest.skip(missing)
    return ENVIRONMENTS / name / "bin/python"


def checkout_of(repository: str) -> Path:
    """The checkout of a repository that PyPI does not have; leaves the test out where there is
    none."""
    folder = os.environ.get(CHECKOUTS)
    if not folder or not (Path(folder) / repository).is_dir():
        pytest.skip(f"{CHECKOUTS} names no folder with a checkout of {repository}")
    return Path(folder) / repository


def run_script(python: Path, script: str, *arguments: str | Path, **variables: str) -> Any:
    """What a script of `tests/trainers` prints as its last line, parsed as JSON.

    Args:
        python: whose environment it runs in.
        script: its file name.
        arguments: of the command line.
        variables: of the environment, beside our own; `PYTHONPATH` for a checkout.
    """
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    environment |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", **variables}
    done = subprocess.run(
        [python, LISTS / script, *map(str, arguments)],
        env=environment, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, f"{script}:\n{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def make_environment(name: str) -> None:
    """Make the environment of a trainer, unless it has the packages of its list already."""
    if _is_made(name):
        return
    folder = ENVIRONMENTS / name
    venv.create(folder, with_pip=True, clear=True)
    own = next((folder / "lib").glob("python*/site-packages"))
    (own / "behind.pth").write_text(sysconfig.get_path("purelib") + "\n")
    wanted = LISTS / f"{name}.txt"
    pip = [folder / "bin/python", "-m", "pip", "install", "--quiet", "--no-deps"]
    subprocess.run([*pip, "--requirement", wanted], check=True)
    (folder / "made-of").write_text(_digest(name))


def _is_made(name: str) -> bool:
    made_of = ENVIRONMENTS / name / "made-of"
    return made_of.is_file() and made_of.read_text() == _digest(name)


def _digest(name: str) -> str:
    return hashlib.sha256((LISTS / f"{name}.txt").read_bytes()).hexdigest()


if __name__ == "__main__":
    for trainer in sys.argv[1:] or sorted(path.stem for path in LISTS.glob("*.txt")):
        make_environment(trainer)
