"""The documentation as a site: built without a warning, and read without asking another server."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from doc_blocks import PAGES, ROOT

REQUESTS = re.compile(r"<(?:script|img|iframe|source)\b[^>]*?\bsrc=[\"']?([^\"'\s>]+)")
STYLES = re.compile(r"<link\b[^>]*?\brel=[\"']?(?:stylesheet|preload|icon|preconnect)\b[^>]*>")
OF_STYLE = re.compile(r"url\(\s*[\"']?(?:https?:)?//|@import\s+[\"']?(?:https?:)?//")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` does; a warning fails the build."""
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr
    return folder


def test_every_page_is_there(site: Path) -> None:
    for page in PAGES[1:]:
        assert (site / page.relative_to(ROOT / "docs")).with_suffix(".html").is_file(), page


def test_no_page_asks_another_server(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert pages
    for page in pages:
        text = page.read_text("utf-8")
        asked = REQUESTS.findall(text) + STYLES.findall(text)
        assert not [place for place in asked if "//" in place], page
    for style in site.rglob("*.css"):
        assert not OF_STYLE.search(style.read_text("utf-8")), style


def test_the_search_knows_every_page_without_a_server_of_its_own(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text("utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {page.name.replace(".md", ".html") for page in PAGES[1:]} <= {
        Path(place).name for place in found
    }
    assert any("state_dict" in entry["text"] for entry in index["docs"])


def test_code_and_notes_to_tests_are_not_published(site: Path) -> None:
    assert not list(site.rglob("*.py"))
    assert {file.suffix for file in (site / "notebooks").iterdir()} == {".ipynb"}
