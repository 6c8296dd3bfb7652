"""What the pages of the documentation name exists: tests, messages, files, pages."""

from __future__ import annotations

import ast
import re
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from doc_blocks import PAGES, ROOT

README = (ROOT / "README.md").read_text("utf-8")
LAWS = (ROOT / "docs" / "laws.md").read_text("utf-8")
MESSAGES = (ROOT / "docs" / "troubleshooting.md").read_text("utf-8")
GAP = "…"


def test_the_readme_is_a_screen_and_a_half_with_the_two_commands_that_begin_it() -> None:
    assert len(README.splitlines()) <= 100
    assert "make demo" in README and "make test" in README
    assert README.index("## Install") < README.index("## Five commands")
    assert README.count("![") == 1


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_of_a_page_leads_to_a_file_and_a_heading(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", _outside_blocks(page)):
        if "://" in target:
            continue
        name, _, heading = target.partition("#")
        file = page.parent / name if name else page
        assert file.is_file(), f"{page.name}: {target}"
        if heading:
            assert heading in _headings(file), f"{page.name}: {target}"


def _outside_blocks(page: Path) -> str:
    return re.sub(r"^\s*```.*?^\s*```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.M)


def _headings(page: Path) -> set[str]:
    lines = re.findall(r"^#+ (.+)$", _outside_blocks(page), re.M)
    return {re.sub(r"[^\w\s-]", "", line).strip().lower().replace(" ", "-") for line in lines}


def test_every_law_names_tests_that_exist() -> None:
    sections = re.split(r"^## \d\. ", LAWS, flags=re.M)[1:]
    assert len(sections) == 8
    for section in sections:
        named = re.findall(r"`(tests/test_\w+\.py)::(test_\w+)`", section)
        assert named, section.splitlines()[0]
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def test_every_message_that_is_explained_is_one_of_the_package() -> None:
    said = _texts_of_the_package()
    rows = re.findall(r"^\| (`[^|]+) \|", MESSAGES, re.M)
    assert len(rows) > 50
    unknown = [
        (message, part)
        for row in rows
        for message in re.findall(r"`([^`]+)`", row)
        for part in map(str.strip, message.split(GAP))
        if part and part not in said
    ]
    assert not unknown


def _texts_of_the_package() -> str:
    """All texts of the package's code, with a gap in place of each value."""
    texts = []
    for file in sorted((ROOT / "sgt_data").rglob("*.py")):
        texts += [
            _text(node)
            for node in ast.walk(ast.parse(file.read_text("utf-8")))
            if isinstance(node, ast.JoinedStr | ast.Constant)
        ]
    return "\n".join(texts)


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part) for part in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else GAP


def test_every_page_stands_in_the_sites_navigation_once() -> None:
    def pages(entries: object) -> list[str]:
        if isinstance(entries, str):
            return [entries]
        below = entries.values() if isinstance(entries, dict) else entries
        return [page for entry in below for page in pages(entry)]  # type: ignore[attr-defined]

    listed = pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    written = [str(page.relative_to(ROOT / "docs")) for page in PAGES[1:]]
    assert sorted(listed) == sorted(written)


def test_the_citation_names_this_version_and_the_papers() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == version("sgt-data")
    assert {"message", "title", "authors", "license"} <= citation.keys()
    for reference in citation["references"]:
        assert {"type", "title", "authors"} <= reference.keys(), reference
    papers = {
        identifier["value"]
        for reference in citation["references"]
        for identifier in reference["identifiers"]
    }
    assert papers == {
        "arXiv:2605.18714", "arXiv:2604.20329", "arXiv:2304.02643", "arXiv:1405.0312",
    }  # fmt: skip


def test_issue_templates_say_what_to_include() -> None:
    folder = ROOT / ".github" / "ISSUE_TEMPLATE"
    kinds = {file.stem: file.read_text("utf-8") for file in folder.glob("*.md")}
    assert kinds.keys() == {"bug", "feature", "question"}
    for text in kinds.values():
        assert {"name", "about"} <= yaml.safe_load(text.split("---")[1]).keys()
    for wanted in ("sgt-data --version", "manifest", "command", "message"):
        assert wanted in kinds["bug"]
