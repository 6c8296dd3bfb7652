"""Whether a legend can be read from a line of instructions, whatever fills the line."""

from __future__ import annotations

from collections.abc import Iterator

from sgt_data.legends.reader import read_instruction
from sgt_data.legends.text import STRUCTURES, LegendForm, Written, write_legend
from sgt_data.prompts.bank import fill
from sgt_data.prompts.colour_words import RGB, colour_text

_NAMES = ("dog", "wooden floor")
_COLOURS: tuple[RGB, RGB] = ((128, 64, 128), (135, 206, 235))
_BACKGROUNDS: tuple[RGB, ...] = ((0, 0, 0), (9, 10, 11))


def unreadable_line(line: str) -> str | None:
    """Why a legend in a line cannot be read back; None where it can.

    Args:
        line: with the placeholders `{legend}` and `{background}`.
    """
    for form in STRUCTURES:
        for legend, background in _fillings(form):
            words = {"legend": legend, "background": colour_text(background, "name")}
            try:
                read = read_instruction(fill(line, words))
                right = read.background == background and set(read.colours) <= set(_NAMES)
            except ValueError:
                right = False
            if not right:
                return (
                    "a legend in it cannot be read back; {legend} follows a colon or the end of a "
                    "sentence, a space or the line's end follows {legend}, and the line names no "
                    f"colour but {{background}} (as it would be filled: {fill(line, words)!r})"
                )
    return None


def _fillings(form: LegendForm) -> Iterator[tuple[str, RGB]]:
    """Legends with one entry and with two, each with another background."""
    entries = [
        Written(name, "every", colour, "name")
        for name, colour in zip(_NAMES, _COLOURS, strict=True)
    ]
    for count, background in enumerate(_BACKGROUNDS, 1):
        yield write_legend(form, entries[:count]), background
