"""Read YAML of people: plain data alone, every key once, errors with line and column.

It is YAML 1.2's core in what a word means: `yes`, `no`, `on` and `off` are words, dates are text,
`010` is ten. Anchors and merge keys may be used, and are bounded.
"""

from __future__ import annotations

import math
import re
from typing import Any

import yaml

from sgt_data.errors import ManifestError
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import cut

BYTES_MAX = 4 << 20
"""Longest text that is read, in bytes."""
NODES_MAX = 200_000
"""Most values of a text, with every alias counted as what it stands for. A list of all the tars of
SA-1B has 1,000; a text of more values takes minutes and gigabytes before anyone sees it."""
DEPTH_MAX = 64
"""Deepest nesting. A manifest nests 6 deep; what reads the values calls itself for each level."""
DIGITS_MAX = 100
"""Longest whole number: to read a number of a million digits takes minutes."""
_YAML_BEGINS = ("[", "{", '"', "'")

_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PLAIN_TAGS = {_TAG + kind for kind in ("str", "int", "float", "bool", "null", "seq", "map")}
_WORDS: dict[str, tuple[re.Pattern[str], str]] = {
    "bool": (re.compile(r"true|True|TRUE|false|False|FALSE"), "tTfF"),
    "null": (re.compile(r"~|null|Null|NULL|"), "~nN\0"),
    "int": (re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"), "-+0123456789"),
    "float": (
        re.compile(
            r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)"
            r"|\.(nan|NaN|NAN)"
        ),
        "-+0123456789.",
    ),
}


class _BeyondBounds(Exception):
    """A text holds more than is read; says where, and what."""


class _Loader(yaml.SafeLoader):
    """PyYAML's loader of plain data, which stops where a text goes beyond the bounds: its nodes
    take a hundred times the memory of their text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - PyYAML's own attribute

    def __init__(self, stream: bytes | str) -> None:
        super().__init__(stream)
        self._nodes = self._depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        """The next node, of any kind; an alias is one, too."""
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise self._beyond(f"the text holds more than {NODES_MAX:,} values")
        if self._depth > DEPTH_MAX:
            raise self._beyond(f"nested deeper than {DEPTH_MAX} levels")
        self._depth += 1
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def _beyond(self, problem: str) -> _BeyondBounds:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        return _BeyondBounds(f"line {mark.line + 1}, column {mark.column + 1}: {problem}")


for _kind in ("bool", "null", "int", "float"):
    _pattern, _first = _WORDS[_kind]
    _Loader.add_implicit_resolver(
        _TAG + _kind,
        re.compile(f"(?:{_pattern.pattern})\\Z"),
        ["" if sign == "\0" else sign for sign in _first],
    )
_Loader.add_implicit_resolver(_MERGE, re.compile(r"<<\Z"), ["<"])


def parse_yaml(text: bytes | str, where: str) -> Any:
    """Plain data from YAML text: dicts with text as keys, lists, text, numbers, booleans, None.

    Args:
        text: at most 4 MiB, as UTF-8 (or UTF-16 with its mark).
        where: what is read, for messages: the path of a file, an option.

    Raises:
        ManifestError: the text is no YAML, gives a key twice, has a tag, or stands for more than
            `NODES_MAX` values; names line and column.
    """
    if len(text) > BYTES_MAX:
        raise ManifestError(f"{where}: {len(text):,} bytes; at most {BYTES_MAX:,} are read")
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        if node is None:
            return None
        _Check(where).size(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as why:
        raise ManifestError(_marked(why, where)) from why
    except yaml.YAMLError as why:  # bytes that are no text, before anything has a line
        place = getattr(why, "position", None)
        at = "" if place is None else f", character {place + 1}"
        raise ManifestError(
            f"{where}{at}: this is not YAML: bytes that are no text; save the file as UTF-8"
        ) from why
    except _BeyondBounds as why:
        raise ManifestError(f"{where}, {in_words(why)}") from None
    except ValueError as why:  # a version of YAML in numbers of thousands of digits
        raise ManifestError(f"{where}: this is not YAML: {cut(str(why), 60)}") from why
    finally:
        if loader is not None:
            loader.dispose()


def parse_setting(text: str, where: str) -> Any:
    """Plain data from a value that is typed for one field, as in `--set FIELD=VALUE`.

    A value that begins with a bracket, a brace or a quotation mark, or that has several lines, is
    YAML. Any other is a number, true, false, null, or the text itself: a `#` begins no comment in
    it, and `@me`, `*.tar` or `CC BY: see page` need no quotation marks.

    Args:
        text: the value; spaces around it do not count.
        where: what is read, for messages.

    Raises:
        ManifestError: see `parse_yaml`.
    """
    plain = text.strip(" \t\r\n")
    is_word = any(pattern.fullmatch(plain) for pattern, _ in _WORDS.values())
    if is_word or "\n" in plain or plain.startswith(_YAML_BEGINS):
        return parse_yaml(plain, where)
    return parse_yaml("'" + plain.replace("'", "''") + "'", where)


def found_instead(data: Any) -> str:
    """What a text holds that should hold fields, in words."""
    if data is None:
        return "the file is empty"
    return f"found a list of {len(data)}" if isinstance(data, list) else f"found {cut(data, 60)}"


class _Check:
    """Checks the parts of a text before they become data."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.sizes: dict[int, int] = {}
        self.open: set[int] = set()

    def size(self, node: yaml.Node) -> int:
        """Values that a node stands for, aliases written out; the node is checked on the way."""
        if id(node) in self.sizes:
            return self.sizes[id(node)]
        if id(node) in self.open:
            raise self._error(node, "an alias stands for a value that holds it")
        if node.tag not in _PLAIN_TAGS | {_MERGE}:
            raise self._error(node, f"found the tag {cut(node.tag, 60)}; tags are not allowed")
        self.open.add(id(node))
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            self._check_keys(node)
            parts = [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.ScalarNode):
            self._check_scalar(node)
        size = 1 + sum(self.size(part) for part in parts)
        if size > NODES_MAX:
            raise self._error(node, f"its aliases stand for more than {NODES_MAX:,} values")
        self.open.discard(id(node))
        self.sizes[id(node)] = size
        return size

    def _check_keys(self, node: yaml.MappingNode) -> None:
        lines: dict[str, int] = {}
        for key, _ in node.value:
            line: int = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise self._error(key, "a key must be text")
            if key.value in lines:
                raise ManifestError(
                    f"{self.where}: the key {cut(key.value, 60)} is given twice, in line "
                    f"{lines[key.value]} and in line {line}; remove one"
                )
            lines[key.value] = line
            if key.tag != _MERGE:
                key.tag = f"{_TAG}str"

    def _check_scalar(self, node: yaml.ScalarNode) -> None:
        text = node.value.lower()
        if node.tag == f"{_TAG}float" and not _is_finite(text):
            raise self._error(node, f"found {node.value}; a number must be finite")
        if node.tag == f"{_TAG}int":
            if len(text) > DIGITS_MAX:
                raise self._error(node, f"a number of more than {DIGITS_MAX} digits")
            if text.lstrip("+-").isdigit():  # PyYAML takes a leading zero for the sign of octal
                sign = "-" if text.startswith("-") else ""
                node.value = sign + (text.lstrip("+-").lstrip("0") or "0")
            elif text.startswith("0o"):
                node.value = str(int(text, 8))

    def _error(self, node: yaml.Node, problem: str) -> ManifestError:
        mark = node.start_mark
        return ManifestError(
            f"{self.where}, line {mark.line + 1}, column {mark.column + 1}: {problem}"
        )


def _is_finite(text: str) -> bool:
    return not text.endswith((".inf", ".nan")) and math.isfinite(float(text))


def _marked(why: yaml.MarkedYAMLError, where: str) -> str:
    """The message of an error that PyYAML found at a place."""
    mark = why.problem_mark or why.context_mark
    at = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
    problem = why.problem or why.context or "this is not YAML"
    advice = "; indent with spaces, not with tabs" if "'\\t'" in problem else ""
    begun = why.context_mark
    context = (
        f" ({why.context}, which begins in line {begun.line + 1})" if why.context and begun else ""
    )
    return f"{where}{at}: this is not YAML: {problem}{context}{advice}"
