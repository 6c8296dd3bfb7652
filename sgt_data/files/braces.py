"""Brace patterns, `sa_{000000..000016}.tar`: counted before they are written out.

`braceexpand` makes every text before it gives the first, and `{0..999999999999}` is 18 characters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from braceexpand import braceexpand

from sgt_data.errors import RequestError
from sgt_data.value_text import cut

EXPANDED_MAX = 1_000_000
"""Most URLs of one pattern. SA-1B has 1,000 tars, and 11 million pictures, which are in them."""
EXPANDED_CHARACTERS_MAX = 256 << 20
"""Most characters of all URLs of one pattern; a million URLs of 256 characters fit."""
BRACES_DEPTH_MAX = 16
"""Deepest nesting of braces; `braceexpand` calls itself for each level."""

_NUMBERS = re.compile(r"(-?\d+)\.\.(-?\d+)(?:\.\.-?(\d+))?")
_LETTERS = re.compile(r"[A-Za-z]\.\.[A-Za-z](?:\.\.-?\d+)?")
_ALPHABET = 52
_DIGITS_MAX = 18


def expand_braces(pattern: str) -> list[str]:
    """The texts that a brace pattern stands for, in order; the text itself where it has no braces.

    Raises:
        ValueError: the braces are unbalanced.
        RequestError: the pattern stands for more than is written out.
    """
    count = _count(pattern, pattern, 0)
    if count > EXPANDED_MAX or count * len(pattern) > EXPANDED_CHARACTERS_MAX:
        raise _too_many(pattern)
    return list(braceexpand(pattern))


def _count(part: str, pattern: str, depth: int) -> int:
    """How many texts a part of a pattern stands for, or a few more."""
    if depth > BRACES_DEPTH_MAX:
        raise _too_many(pattern)
    count = 1
    for inner in _groups(part):
        count *= max(1, _count_group(inner, pattern, depth + 1))
        if count > EXPANDED_MAX:
            raise _too_many(pattern)
    return count


def _count_group(inner: str, pattern: str, depth: int) -> int:
    """How many texts the inside of braces stands for."""
    if numbers := _NUMBERS.fullmatch(inner):
        if max(map(len, numbers.groups(""))) > _DIGITS_MAX:
            raise _too_many(pattern)
        first, last, step = (int(each or 1) for each in numbers.groups())
        return abs(last - first) // max(1, step) + 1
    if _LETTERS.fullmatch(inner):
        return _ALPHABET
    return sum(_count(item, pattern, depth) for item in _items(inner))


def _groups(part: str) -> Iterator[str]:
    """The insides of the outermost braces of a text."""
    depth = begin = 0
    for at, sign in _signs(part):
        if sign == "{":
            if depth == 0:
                begin = at + 1
            depth += 1
        elif sign == "}":
            depth -= 1
            if depth == 0:
                yield part[begin:at]


def _items(inner: str) -> Iterator[str]:
    """What the commas outside of further braces divide."""
    depth = begin = 0
    for at, sign in _signs(inner):
        if sign == "," and depth == 0:
            yield inner[begin:at]
            begin = at + 1
        depth += (sign == "{") - (sign == "}")
    yield inner[begin:]


def _signs(text: str) -> Iterator[tuple[int, str]]:
    """The characters of a text that no backslash stands before, with their places."""
    at = 0
    while at < len(text):
        if text[at] == "\\":
            at += 2
            continue
        yield at, text[at]
        at += 1


def _too_many(pattern: str) -> RequestError:
    return RequestError(
        f"{cut(pattern)} stands for more than {EXPANDED_MAX:,} URLs, for texts of more than "
        f"{EXPANDED_CHARACTERS_MAX:,} characters, or nests braces deeper than {BRACES_DEPTH_MAX}; "
        "give a smaller range, or a glob (`sa_*.tar`)"
    )
