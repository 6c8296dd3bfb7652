"""The command line of scripts that read exports of folders, and those that exports hold."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any


def print_what_is_read(read: Callable[[str, list[str]], dict[str, Any]]) -> None:
    """Print by export what a function reads of it: it gets a path and names of proxies.

    The command line ends in the names of the proxies, by commas, and the exports.
    """
    proxies, *exports = sys.argv[1:]
    found = {Path(export).name: read(export, proxies.split(",")) for export in exports}
    print(json.dumps(found))


def arguments_of(export: str, proxy: str, script: str) -> list[str]:
    """The arguments for a script that trains on a proxy, as `arguments.txt` has them."""
    lines = (Path(export) / "arguments.txt").read_text().splitlines()
    return shlex.split(lines[lines.index(f"# {proxy}: {script}") + 1])
