"""Code blocks of the documentation, in the order of their page."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
RUN = ("bash", "python")
SHOWN = ("text", "yaml", "json", "diff")
"""Languages of blocks that run, and of blocks that show output or configuration."""

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^(\s*)```\s*([^\s`]*)")
_NOT_RUN = re.compile(r"^\s*<!-- not run: (.+) -->$")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block.

    Attributes:
        page: path of its page, relative to the repository.
        line: number of its first line of text, from 1.
        language: the word behind the fence; empty where there is none.
        text: its lines, without indentation that all have.
        not_run: why it does not run; empty where it runs.
    """

    page: str
    line: int
    language: str
    text: str
    not_run: str = ""

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"

    @property
    def runs(self) -> bool:
        return self.language in RUN and not self.not_run


def blocks_of(page: Path) -> list[Block]:
    """All blocks of a page, whether they run or not."""
    name = str(page.relative_to(ROOT))
    return list(_blocks(name, page.read_text("utf-8").splitlines()))


def _blocks(page: str, lines: list[str]) -> Iterator[Block]:
    reason, opened, body, start = "", None, list[str](), 0
    for number, line in enumerate(lines, 1):
        fence = _FENCE.match(line)
        if opened is not None:
            if fence and not fence[2]:
                text = textwrap.dedent("\n".join(body)) + "\n"
                yield Block(page, start, opened, text, reason)
                reason, opened = "", None
            else:
                body.append(line)
        elif fence:
            opened, body, start = fence[2], [], number + 1
        elif line.strip():
            why = _NOT_RUN.match(line)
            reason = why[1] if why else ""
    assert opened is None, f"{page}:{start}: the block does not end"
