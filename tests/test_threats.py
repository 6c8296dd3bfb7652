"""The page of threats names tests that exist, and limits that have the values that it states."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from pathlib import Path

import pytest
from doc_blocks import ROOT

from sgt_data.files.urls import PLAIN_PROTOCOLS

PAGE = (ROOT / "docs" / "threats.md").read_text("utf-8")
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and "`tests/" in line]
LIMITS = re.findall(r"`(sgt_data[\w.]+)\.([A-Z_]+)` = ([\d,]+)", PAGE)


def test_every_threat_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/test_\w+\.py)::(test_\w+)`", PAGE)
    assert len(named) > 60
    for file, test in named:
        assert f"def {test}(" in (ROOT / file).read_text("utf-8"), f"{file}::{test}"


def test_every_row_has_a_test_and_what_happens() -> None:
    tables = [line for line in PAGE.splitlines() if line.startswith("| ")]
    rows = [line for line in tables if not line.startswith("| it tries")]
    assert rows == ROWS
    for row in rows:
        assert len(row.strip("| ").split(" | ")) == 4, row


@pytest.mark.parametrize(("module", "name", "stated"), LIMITS, ids=lambda each: str(each))
def test_every_limit_has_the_stated_value_and_a_reason(module: str, name: str, stated: str) -> None:
    assert getattr(import_module(module), name) == int(stated.replace(",", ""))
    body = ast.parse(Path(import_module(module).__file__ or "").read_text("utf-8")).body
    for node, after in zip(body, [*body[1:], None], strict=True):
        names = [ast.unparse(target) for target in getattr(node, "targets", ())]
        if any(name in re.findall(r"\w+", each) for each in names):
            assert isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant), name


def test_the_protocols_of_the_page_are_those_of_the_code() -> None:
    section = PAGE.partition("by these protocols: ")[2].partition(". The rule")[0]
    assert tuple(re.findall(r"`(\w+)`", section)) == PLAIN_PROTOCOLS
