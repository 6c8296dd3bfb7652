"""Lines for BAGEL's code, put where a reader would put them: into a copy of its folder `data`."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

FENCE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)


def copied_code(checkout: Path, folder: Path) -> Path:
    """A copy of BAGEL's data code, to be changed."""
    shutil.copytree(checkout / "data", folder / "data")
    return folder


def apply_diff(code: Path, block: str) -> None:
    """Put the new lines of a block into `data/dataset_info.py`: each `+` line behind the last line
    of the block that stands in the file; before all others where there is none."""
    path = code / "data/dataset_info.py"
    lines = path.read_text().splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("from "))
    for line in block.splitlines():
        if line.startswith("+"):
            lines.insert(place, line[1:])
            place += 1
        elif line.strip():
            starts = [number for number, text in enumerate(lines) if text.startswith(line[1:])]
            assert starts, f"{path} has no line {line[1:]!r}"
            place = starts[0] + 1
    path.write_text("\n".join(lines) + "\n")


def apply_comments(code: Path, config: Path) -> None:
    """Put the two lines that the comments of `bagel.yaml` name at the end of
    `data/dataset_info.py`."""
    head, *lines = config.read_text().splitlines()[:3]
    assert head.endswith("Two lines at the end of data/dataset_info.py:")
    with (code / "data/dataset_info.py").open("a") as file:
        file.writelines(f"\n{line.removeprefix('#').strip()}" for line in lines)
        file.write("\n")


def blocks(page: str, heading: str, kind: str) -> list[str]:
    """The blocks of a kind in a section of a page."""
    section = page.split(f"## {heading}", 1)[1].split("\n## ", 1)[0]
    return [text for language, text in FENCE.findall(section) if language == kind]
