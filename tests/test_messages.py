"""What goes wrong is said in words: no exception of Python or of a library speaks for itself."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
from pydantic import TypeAdapter, ValidationError

import sgt_data
from sgt_data import errors
from sgt_data.errors import InputError, RequestError, SourceError
from sgt_data.files.reading import read_bytes
from sgt_data.foreign_errors import in_words
from sgt_data.sources.picture_pool import list_pool
from sgt_data.sources.tars import TarsSource

ROOT = Path(sgt_data.__file__).parent
OURS = {name for name in vars(errors) if name[0].isupper()}
KEEP_THEIRS = {
    "foreign_errors.py",  # translates them
}


def _caught(node: ast.expr | None) -> set[str]:
    """Names of the classes that a handler catches."""
    if isinstance(node, ast.Tuple):
        return set().union(*map(_caught, node.elts))
    if isinstance(node, ast.BinOp):
        return _caught(node.left) | _caught(node.right)
    if isinstance(node, ast.Attribute):
        return {node.attr}
    return {node.id} if isinstance(node, ast.Name) else {"BaseException"}


def _raw_messages(module: Path) -> Iterator[str]:
    """Places where an exception that may be foreign is put into a text as it is."""
    for handler in ast.walk(ast.parse(module.read_text())):
        if not isinstance(handler, ast.ExceptHandler) or not _caught(handler.type) - OURS:
            continue
        for node in ast.walk(handler):
            value = node.value if isinstance(node, ast.FormattedValue) else None
            if isinstance(value, ast.Name) and value.id == handler.name:
                yield f"{module.relative_to(ROOT)}:{handler.lineno}"


SEQUENCES = {"proxy_samples.py"}
"""A sequence raises IndexError past its end: `reversed` and others ask for it."""


def test_no_message_holds_an_exception_of_python_as_it_is() -> None:
    modules = [path for path in ROOT.rglob("*.py") if path.name not in KEEP_THEIRS]
    assert [place for module in modules for place in _raw_messages(module)] == []


def test_what_this_package_finds_wrong_is_raised_with_its_own_words() -> None:
    """`in_words` keeps the words of a ValueError, and not those of errors that Python raises."""
    lost = [
        f"{module.relative_to(ROOT)}:{node.lineno}"
        for module in ROOT.rglob("*.py")
        if module.name not in SEQUENCES
        for node in ast.walk(ast.parse(module.read_text()))
        if isinstance(node, ast.Raise)
        and isinstance(node.exc, ast.Call)
        and isinstance(node.exc.func, ast.Name)
        and node.exc.func.id in ("TypeError", "KeyError", "IndexError", "ArithmeticError")
    ]
    assert lost == []


def _raised(action: str) -> BaseException:
    try:
        exec(action, {"orjson": orjson, "json": json, "os": os, "TypeAdapter": TypeAdapter})
    except Exception as why:
        return why
    raise AssertionError("nothing was raised")


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ("{}['id']", "the field 'id' is missing"),
        ("[][0]", "too short"),
        ("list()['id']", "another kind of value"),
        ("None.get('x')", "another kind of value"),
        ("len(5)", "another kind of value"),
        ("int('x')", "'x' is not a number"),
        ("float('x')", "'x' is not a number"),
        ("a, b = [1]", "another length"),
        ("orjson.loads(b'')", "it is empty, not JSON"),
        ("orjson.loads(b'[1,\\n2')", "not JSON in line 2, column"),
        ("json.loads('{')", "not JSON in line 1, column 2"),
        ("b'\\xff'.decode()", "no UTF-8"),
        ("orjson.loads(b'\\xff')", "not JSON"),
        ("open('/none/x')", "No such file or directory"),
        ("os.listdir('/proc/version')", "Not a directory"),
        ("1 / 0", "out of range"),
        ("raise TimeoutError", "no answer in time"),
        ("raise ConnectionError", "the connection broke"),
        ("raise ValueError", "it is damaged"),
        ("raise ValueError('labels are\\n  not in order')", "labels are not in order"),
        (
            "TypeAdapter(dict[str, int]).validate_python({'a': 'x'})",
            "a: found 'x'; must be a whole number",
        ),
    ],
)
def test_foreign_exceptions_are_said_in_words(action: str, words: str) -> None:
    why = _raised(action)
    said = in_words(why)
    assert words in said
    assert "\n" not in said
    assert type(why).__name__ not in said or isinstance(why, ValidationError)
    assert "Errno" not in said


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../x.jpg", "leaves its folder"),
        ("a/../../x.jpg", "leaves its folder"),
        ("a\\x.jpg", "has a backslash"),
        ("C:\\x.jpg", "has a backslash"),
        ("/data/x.jpg", "is an absolute path"),
        ("https://x.org/x.jpg", "is a URL"),
        ("s3://b/x.jpg", "is a URL"),
        ("", "names no file"),
        (None, "names no file"),
        ("x" * 300, "longer than 255 bytes"),
    ],
)
def test_only_a_path_that_leaves_its_folder_is_said_to_leave_it(
    tmp_path: Path, name: object, words: str
) -> None:
    (tmp_path / "1.jpg").write_bytes(b"x")
    pool = list_pool(str(tmp_path), "sources.coco.pictures")
    with pytest.raises(InputError, match=words) as caught:
        pool.find(name, "")
    assert ("leaves" in str(caught.value)) == (words == "leaves its folder")


def test_what_cannot_be_read_is_said_without_pythons_words(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_bytes(str(tmp_path))
    assert str(caught.value) == f"cannot read {tmp_path}: {os.strerror(errno.EISDIR)}"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("*.tar", "{root}, which holds 2 other files and folders"),
        ("sa_{000..003}*.tar", "{root}, which holds 2 other files and folders"),
        ("none/*.tar", "there is no folder {root}/none"),
        ("", "give a URL or a pattern"),
        ([], "the list is empty"),
    ],
)
def test_a_pattern_without_match_is_shown_with_the_folder(
    tmp_path: Path, pattern: str | list[str], words: str
) -> None:
    for name in ("a.zip", "b.txt"):
        (tmp_path / name).touch()
    tars = f"{tmp_path}/{pattern}" if pattern else pattern
    with pytest.raises(RequestError) as caught:
        TarsSource(tars=tars).inventory(4)
    assert words.format(root=tmp_path) in str(caught.value)
    assert not pattern or str(pattern) in str(caught.value)


def test_no_message_cuts_a_value_within_its_quotes() -> None:
    """`{value!r:.80}` loses the quote at the end; `sgt_data.value_text.cut` keeps it."""
    cutting = re.compile(r"(!r:?[^{}]*|:)\.\d+\}|\[:\d+\]!r\}")
    lost = [
        f"{module.relative_to(ROOT)}: {line.strip()}"
        for module in ROOT.rglob("*.py")
        for line in module.read_text().splitlines()
        if cutting.search(line) and not line.strip().startswith('f"the line that begins with')
    ]
    assert lost == []
