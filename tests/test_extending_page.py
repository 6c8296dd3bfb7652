"""The examples of the page on extending are short; `test_docs.py` runs them."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "extending.md"


def test_every_example_has_less_than_sixty_lines() -> None:
    example = r"^cat > \w+\.py <<'END'\n(.*?)^END$"
    files = re.findall(example, PAGE.read_text(), re.DOTALL | re.MULTILINE)
    assert len(files) == 2
    assert all(len(text.splitlines()) < 60 for text in files)
