"""Compiled functions run wherever the package is installed, on read-only disks too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import sgt_data.compiled

MODULE = """
from compiled import njit

@njit
def add(a: int, b: int) -> int:
    return a + b

print(add(20, 22), len(add.signatures))
"""


def run(folder: Path, home: Path) -> str:
    """Output of a module with a compiled function in a folder."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "module.py"],
        cwd=folder, env=environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("where", ["beside", "user", "nowhere"])
def test_functions_compile_where_the_package_or_all_is_read_only(
    where: str, tmp_path: Path
) -> None:
    """A file in the place of a folder keeps the administrator, too, from writing there."""
    package, home = tmp_path / "package", tmp_path / "home"
    package.mkdir()
    shutil.copy(sgt_data.compiled.__file__, package / "compiled.py")
    (package / "module.py").write_text(MODULE)
    if where != "beside":
        (package / "__pycache__").touch()
    if where == "nowhere":
        home.touch()
    else:
        home.mkdir()
    assert run(package, home) == "42 1\n"
    cached = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.nbi")}
    assert cached == {"beside": {"package"}, "user": {"home"}, "nowhere": set()}[where]
