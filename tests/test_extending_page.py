"""The page on extending: its blocks run in order, and each example is short."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import sgt_data

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


def test_every_block_of_the_page_runs(tmp_path: Path, sample_sources: Path) -> None:
    (tmp_path / "demo").mkdir()
    (tmp_path / "demo" / "sources").symlink_to(sample_sources)
    (tmp_path / "bin").mkdir()
    command = tmp_path / "bin" / "sgt-data"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m sgt_data "$@"\n')
    command.chmod(0o755)
    package = str(Path(sgt_data.__file__).parents[1])
    path = f"{tmp_path / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = os.environ | {"PATH": path, "PYTHONPATH": package}
    blocks = re.findall(r"^```(bash|python)\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 7
    for language, code in blocks:
        program = (
            ["bash", "-euo", "pipefail", "-c"] if language == "bash" else [sys.executable, "-c"]
        )
        done = subprocess.run(
            [*program, code], cwd=tmp_path, env=environment, capture_output=True, text=True,
            timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{code}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "outline.png").exists()


def test_every_example_has_less_than_sixty_lines() -> None:
    example = r"^cat > \w+\.py <<'END'\n(.*?)^END$"
    files = re.findall(example, PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(files) == 2
    assert all(len(text.splitlines()) < 60 for text in files)
