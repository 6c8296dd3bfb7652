"""How instructions write a colour, and how it is read again.

A colour is written exactly: in hexadecimal digits, as its three levels, or by a name of CSS Color
Module Level 4 where it is the very colour of that name. So whoever reads the text knows all levels.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from PIL import ImageColor

from sgt_data.value_text import cut

RGB = tuple[int, int, int]
"""Levels of red, green and blue, 0 to 255."""

ColourForm = Literal["hex", "levels", "name"]
"""`hex`: #804080. `levels`: (128, 64, 128). `name`: rebecca purple."""

_WORDS = re.compile(
    "light|dark|medium|pale|deep|dim|hot|alice|antique|blanched|almond|blue|violet|cadet|"
    "cornflower|green|olive|"
    "orchid|red|salmon|sea|slate|turquoise|gray|goldenrod|khaki|magenta|orange|cyan|pink|sky|dodger|"
    "fire|brick|floral|white|forest|ghost|yellow|honey|dew|indian|lavender|blush|lawn|lemon|chiffon|"
    "coral|steel|lime|aquamarine|purple|spring|midnight|mint|cream|misty|rose|navajo|old|lace|drab|"
    "papaya|whip|peach|puff|powder|rebecca|rosy|brown|royal|saddle|sandy|smoke|burly|wood"
)
_LEVELS = re.compile(r"(?:rgb)?\(\s*(\d{1,3})\s*,\s*(\d{1,3})\s*,\s*(\d{1,3})\s*\)", re.IGNORECASE)
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_SECOND_NAMES = frozenset({"aqua", "fuchsia"})
"""CSS names of cyan and magenta, which no text uses."""

_OTHER_IN_X11 = frozenset({"gray", "green", "maroon", "purple"})
"""Names that mean another colour in X11's list. They are read as CSS does, and never written."""


@lru_cache(maxsize=1)
def named_colours() -> dict[RGB, str]:
    """The name of each colour that has one of one meaning, in words: `light sea green`."""
    every = _names_of_css()
    return {colour: name for colour, name in every.items() if name not in _OTHER_IN_X11}


@lru_cache(maxsize=1)
def _names_of_css() -> dict[RGB, str]:
    names: dict[RGB, str] = {}
    for name in sorted(ImageColor.colormap):
        if "grey" in name or name in _SECOND_NAMES:
            continue  # the same colours as `gray`, `cyan` and `magenta`
        levels = ImageColor.getrgb(name)
        names[levels[0], levels[1], levels[2]] = _in_words(name)
    return names


def colour_names() -> frozenset[str]:
    """Every name that is read as a colour, in words."""
    return frozenset(_names_of_css().values())


def colour_text(colour: RGB, form: ColourForm) -> str:
    """A colour as a text of this form; as `hex` where it is to be named and has no name."""
    if form == "levels":
        return "({}, {}, {})".format(*colour)
    if form == "name" and colour in named_colours():
        return named_colours()[colour]
    return "#{:02x}{:02x}{:02x}".format(*colour)


def parse_colour(text: str) -> RGB:
    """The colour that a text of any form writes.

    Raises:
        ValueError: it writes none.
    """
    if _HEX.fullmatch(text):
        red, green, blue = bytes.fromhex(text[1:])
        return red, green, blue
    if levels := _LEVELS.fullmatch(text):
        red, green, blue = map(int, levels.groups())
        if max(red, green, blue) > 255:
            raise ValueError(f"{text} has a level above 255")
        return red, green, blue
    for colour, name in _names_of_css().items():
        if name == text.lower():
            return colour
    raise ValueError(f"{text!r} writes no colour")


def levels_of(value: object) -> RGB:
    """The colour of facts.

    Raises:
        ValueError: they state none.
    """
    if (
        not isinstance(value, list)
        or len(value) != 3
        or any(type(level) is not int or not 0 <= level <= 255 for level in value)
    ):
        raise ValueError(f"a colour is {cut(value, 40)}, not three levels from 0 to 255")
    return value[0], value[1], value[2]


def _in_words(name: str) -> str:
    """`lightseagreen` -> `light sea green`; a name of one word stays."""
    words = _WORDS.findall(name)
    return " ".join(words) if "".join(words) == name else name
