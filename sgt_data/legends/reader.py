"""Reads a legend and a background back from the text of an instruction, and from nothing else.

It knows neither the line that the legend stands in, nor the structure, nor the form of the colours.
What could be read in two ways is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from sgt_data.legends.text import (
    BACKGROUND_NAMES,
    BARE_NAME,
    STRUCTURES,
    LegendForm,
)
from sgt_data.prompts.colour_words import RGB, colour_names, parse_colour
from sgt_data.value_text import cut

TEXT_MAX = 200_000
"""Longest text that is read, in characters."""

_QUOTED = r'"(?:[^"\\\n]|\\.){1,600}"'
_LEVEL = r"\s{0,2}\d{1,3}\s{0,2}"
_HEX = r"#[0-9a-fA-F]{6}(?![0-9a-fA-F])"


@dataclass(frozen=True, slots=True)
class Legend:
    """What an instruction says of colours.

    Attributes:
        colours: colour of what has a name.
        background: colour of all else.
        form: structure of the legend.
    """

    colours: Mapping[str, RGB]
    background: RGB
    form: LegendForm


@dataclass(frozen=True, slots=True)
class _Block:
    """A place of a text that reads as a legend."""

    form: LegendForm
    span: tuple[int, int]
    entries: tuple[tuple[str, str], ...]

    @property
    def names_background(self) -> bool:
        """Whether it is no legend, but says which colour the background has."""
        name = self.entries[0][0]
        return len(self.entries) == 1 and name.casefold() in BACKGROUND_NAMES


def read_instruction(text: str) -> Legend:
    """The legend and the background that an instruction states.

    Raises:
        ValueError: it states none, or several; or a name or a colour twice.
    """
    if len(text) > TEXT_MAX:
        raise ValueError(f"a text of {len(text)} characters; at most {TEXT_MAX} are read")
    blocks = [block for block in _blocks(text) if not block.names_background]
    if len(blocks) != 1:
        raise ValueError(f"{len(blocks)} legends are in the text {cut(text, 120)}; right is one")
    block = blocks[0]
    begin, end = block.span
    grounds = {
        parse_colour(each[0]) for each in _colours().finditer(f"{text[:begin]} {text[end:]}")
    }
    if len(grounds) != 1:
        raise ValueError(
            f"{len(grounds)} colours stand beside the legend in the text {cut(text, 120)}; right "
            "is one, that of the background"
        )
    return Legend(_mapping(block), grounds.pop(), block.form)


def _mapping(block: _Block) -> dict[str, RGB]:
    colours: dict[str, RGB] = {}
    for name, written in block.entries:
        name = str(json.loads(name)) if name.startswith('"') else name
        if name in colours:
            raise ValueError(f"the legend names {cut(name)} twice")
        colours[name] = _colour(written)
    if len(set(colours.values())) < len(colours):
        raise ValueError("the legend gives one colour to two names")
    return colours


def _colour(written: str) -> RGB:
    """A colour from its text; in JSON it stands in quotes, or as a list of its levels."""
    return parse_colour(written.strip('"').replace("[", "(").replace("]", ")"))


def _blocks(text: str) -> Iterator[_Block]:
    return chain.from_iterable(_blocks_of(form, text) for form in STRUCTURES)


def _blocks_of(form: LegendForm, text: str) -> Iterator[_Block]:
    """The legends of a structure; each place of the text is read once."""
    grammar, place = _grammars()[form], 0
    while match := grammar.first.search(text, place):
        begin, entries = match.start(), [(match["name"], match["colour"])]
        place = match.end()
        while match := grammar.next.match(text, place):
            entries.append((match["name"], match["colour"]))
            place = match.end()
        if match := grammar.closing.match(text, place):
            yield _Block(form, (begin, match.end()), tuple(entries))


@dataclass(frozen=True, slots=True)
class _Grammar:
    """Patterns of a structure.

    Attributes:
        first: how a legend begins, with its first entry.
        next: a further entry, with what stands before it.
        closing: how a legend ends.
    """

    first: re.Pattern[str]
    next: re.Pattern[str]
    closing: re.Pattern[str]


@lru_cache(maxsize=1)
def _grammars() -> dict[LegendForm, _Grammar]:
    grammars = {}
    for form, structure in STRUCTURES.items():
        name = _QUOTED if form == "json" else f"{_QUOTED}|{BARE_NAME}"
        colour = _json_colour() if form == "json" else _any_colour()
        entry = _pattern(
            structure.entry,
            {
                "scope": "(?:every |all of the |all )?",
                "name": f"(?P<name>{name})",
                "colour": f"(?P<colour>{colour})",
            },
        )
        between = f"(?:{re.escape(structure.between)}|{re.escape(structure.last)})"
        opening = r"(?<!\S)" + re.escape(structure.opening)
        closing = re.escape(structure.closing) + r"(?!\S)"
        if structure.opening == structure.closing == "\n":  # neither begins or ends a text
            opening, closing = r"(?:\A|\n)", r"(?:\n|\Z)"
        grammars[form] = _Grammar(
            re.compile(opening + entry), re.compile(between + entry), re.compile(closing)
        )
    return grammars


def _pattern(entry: str, parts: Mapping[str, str]) -> str:
    """The pattern of an entry, with the patterns of its parts in place of their names."""
    pieces = re.split(r"\{(\w+)\}", entry)
    return "".join(
        parts[piece] if odd % 2 else re.escape(piece) for odd, piece in enumerate(pieces)
    )


@lru_cache(maxsize=1)
def _colours() -> re.Pattern[str]:
    return re.compile(_any_colour())


@lru_cache(maxsize=1)
def _names() -> str:
    longest_first = sorted(colour_names(), key=lambda name: (-len(name), name))
    return rf"(?<!\w)(?:{'|'.join(longest_first)})(?!\w)"


def _any_colour() -> str:
    return rf"{_HEX}|\({_LEVEL},{_LEVEL},{_LEVEL}\)|{_names()}"


def _json_colour() -> str:
    return rf'"(?:{_HEX}|{_names()})"|\[{_LEVEL},{_LEVEL},{_LEVEL}\]'
