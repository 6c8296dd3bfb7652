"""How a legend is written: which colour what is named has, in one of several structures.

A legend is a block that begins and ends by itself, so that it can stand anywhere in an instruction
where a sentence can. `legend_reader` reads it again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sgt_data.prompts.colour_words import RGB, ColourForm, colour_names, colour_text

LegendForm = Literal["colons", "equals", "arrows", "lines", "json", "prose", "colours_first"]
"""Structure of a legend."""

Scope = Literal["every", "all", "all of the", "individual"]
"""How a sentence speaks of what a name means: every dog, all grass, all of the wall. The phrase of
an individual has its article already."""

NAME_MAX = 100
"""Longest name that a legend has, in characters."""

_WORDS_OF_FORMS = ("all", "and", "every", "in", "means", "paint")
_NO_WORD_OF_FORMS = rf"(?!(?:{'|'.join(_WORDS_OF_FORMS)})(?![\w'’-]))"
WORD = rf"{_NO_WORD_OF_FORMS}[^\W_]{{1,100}}(?:['’-][^\W_]{{1,100}}){{0,8}}"
BARE_NAME = rf"{WORD}(?: {WORD}){{0,11}}"
"""A name that stands without quotes."""

BACKGROUND_NAMES = frozenset(
    {"all else", "all other pixels", "all the rest", "anything else", "background",
     "every other pixel", "everything else", "other pixels", "remainder", "rest", "the background",
     "the remainder", "the rest", "the rest of the picture", "everything not listed",
     "everything unlisted", "anything unlisted", "anything not listed", "elsewhere", "backdrop",
     "the backdrop", "base", "default", "void", "other", "others", "unlisted", "the others",
     "canvas", "the canvas", "unnamed", "anything unnamed", "everything unnamed"}
)  # fmt: skip
"""How lines call what no entry names: a class of such a name stands in quotes."""


@dataclass(frozen=True, slots=True)
class Structure:
    """How the entries of a legend stand together.

    Attributes:
        opening: before the first entry.
        entry: one entry, with the placeholders `{scope}`, `{name}` and `{colour}`.
        between: between two entries.
        last: before the last entry.
        closing: after the last entry.
    """

    opening: str
    entry: str
    between: str
    last: str
    closing: str


STRUCTURES: Mapping[LegendForm, Structure] = {
    "colons": Structure("", "{name}: {colour}", ", ", ", ", "."),
    "equals": Structure("", "{name} = {colour}", "; ", "; ", "."),
    "arrows": Structure("", "{name} -> {colour}", ", ", ", ", "."),
    "lines": Structure("\n", "- {name}: {colour}", "\n", "\n", "\n"),
    "json": Structure("{", "{name}: {colour}", ", ", ", ", "}"),
    "prose": Structure("Paint ", "{scope}{name} in {colour}", ", ", " and ", "."),
    "colours_first": Structure("", "{colour} means {name}", ", ", ", ", "."),
}


@dataclass(frozen=True, slots=True)
class Written:
    """An entry of a legend, to be written.

    Attributes:
        name: what has the colour.
        scope: what the name means.
        colour: the colour.
        form: of the colour.
    """

    name: str
    scope: Scope
    colour: RGB
    form: ColourForm


def write_legend(form: LegendForm, entries: Sequence[Written]) -> str:
    """A legend of at least one entry as a text."""
    structure = STRUCTURES[form]
    texts = [
        structure.entry.replace("{scope}", "" if entry.scope == "individual" else f"{entry.scope} ")
        .replace("{colour}", _colour(entry, form))
        .replace("{name}", _name(entry.name, form))
        for entry in entries
    ]
    *others, last = texts
    body = structure.between.join(others)
    return structure.opening + body + structure.last * bool(others) + last + structure.closing


def name_problem(name: str) -> str | None:
    """Why a legend cannot have a name; None where it can."""
    if not name:
        return "it is empty"
    if len(name) > NAME_MAX:
        return f"it has {len(name)} characters; at most {NAME_MAX} can be written"
    return None if name.isprintable() else "it holds characters that cannot be printed"


def _name(name: str, form: LegendForm) -> str:
    return name if form != "json" and _stands_bare(name) else json.dumps(name, ensure_ascii=False)


@lru_cache(maxsize=8192)
def _stands_bare(name: str) -> bool:
    folded = name.casefold()
    return (
        re.fullmatch(BARE_NAME, name) is not None
        and folded not in BACKGROUND_NAMES
        and folded not in colour_names()
        and not set(_WORDS_OF_FORMS) & set(folded.split())
    )


def _colour(entry: Written, form: LegendForm) -> str:
    if form != "json":
        return colour_text(entry.colour, entry.form)
    if entry.form == "levels":
        return "[{}, {}, {}]".format(*entry.colour)
    return f'"{colour_text(entry.colour, entry.form)}"'
