"""The lines of an export's `arguments.txt`."""

from __future__ import annotations

import shlex
from pathlib import Path


def arguments_of(export: str, proxy: str, script: str) -> list[str]:
    """The arguments for a script that trains on a proxy."""
    lines = (Path(export) / "arguments.txt").read_text().splitlines()
    return shlex.split(lines[lines.index(f"# {proxy}: {script}") + 1])
