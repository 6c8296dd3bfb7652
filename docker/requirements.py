"""Print what pip must install before the package itself: its dependencies, and those of extras.

    python3 docker/requirements.py pyproject.toml s3,gs,hub

An image installs them in a layer of its own, which an edit of the code leaves as it is.
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path


def requirements(pyproject: Path, extras: list[str]) -> list[str]:
    """The requirements of the base and of the extras, sorted.

    Raises:
        KeyError: the project has no such extra.
    """
    project = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]
    of_extras = [line for extra in extras for line in project["optional-dependencies"][extra]]
    return sorted({*project["dependencies"], *of_extras})


if __name__ == "__main__":
    path, names = sys.argv[1:]
    print(*requirements(Path(path), names.split(",")), sep="\n")
