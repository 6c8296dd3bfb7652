"""A small sheet of pictures with captions and instructions: one row or a few, of equal cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw

from sgt_data.preview.sheet_pen import PAPER
from sgt_data.preview.sheet_text import font, printable, shortened, text_width, wrapped

COLUMNS_MAX = 4
"""Most cells in a row."""

_CELL_WIDTH, _PICTURE_HEIGHT = 320, 240
_MARGIN, _GAP = 24, 16
_TITLE_SIZE, _SUBTITLE_SIZE, _NAME_SIZE, _CAPTION_SIZE, _TEXT_SIZE = 26, 15, 16, 14, 15
_TITLE_LINE, _LINE = 36, 20
_TEXT_LINES_MAX = 4
_INK, _SOFT_INK, _QUIET_INK, _MARKER = "#1d1d1f", "#55544f", "#7b7a75", "#ffe8a3"


@dataclass(frozen=True, slots=True)
class CardCell:
    """A picture of a card.

    Attributes:
        name: in dark ink below the picture.
        caption: behind the name.
        picture: RGB, at most `CARD_CELL` pixels.
        text: below the name, such as an instruction.
        marks: phrases of the text that are highlighted.
    """

    name: str
    caption: str
    picture: Image.Image
    text: str = ""
    marks: tuple[str, ...] = ()


CARD_CELL = _CELL_WIDTH, _PICTURE_HEIGHT
"""Width and height of the picture of a cell, in pixels."""


def draw_card(title: str, subtitle: str, runs: Sequence[Sequence[CardCell]]) -> Image.Image:
    """Draw a card: a title, a subtitle, and the cells in rows of at most four.

    Args:
        title: one line.
        subtitle: is wrapped to the width of the card.
        runs: cells that belong together, at least one; each run begins a row.

    Returns:
        An RGB picture.
    """
    columns = min(COLUMNS_MAX, max(2, *map(len, runs)))
    width = 2 * _MARGIN + columns * (_CELL_WIDTH + _GAP) - _GAP
    head = wrapped(subtitle.replace("`", ""), width - 2 * _MARGIN, _SUBTITLE_SIZE, 3)
    rows = [run[first : first + columns] for run in runs for first in range(0, len(run), columns)]
    heights = [max(map(_cell_height, row)) for row in rows]
    top = _MARGIN + _TITLE_LINE + _LINE * len(head) + _GAP
    card = Image.new("RGB", (width, top + sum(heights) + _GAP * (len(rows) - 1) + _MARGIN), PAPER)
    pen = ImageDraw.Draw(card)
    pen.text((_MARGIN, _MARGIN - 4), printable(title), _INK, font(_TITLE_SIZE))
    for number, line in enumerate(head):
        place = _MARGIN, _MARGIN + _TITLE_LINE + number * _LINE
        pen.text(place, line.text, _QUIET_INK, font(_SUBTITLE_SIZE))
    for row, height in zip(rows, heights, strict=True):
        for column, cell in enumerate(row):
            _draw_cell(card, cell, _MARGIN + column * (_CELL_WIDTH + _GAP), top)
        top += height + _GAP
    return card


def _cell_height(cell: CardCell) -> int:
    lines = wrapped(cell.text, _CELL_WIDTH, _TEXT_SIZE, _TEXT_LINES_MAX) if cell.text else []
    return _PICTURE_HEIGHT + 30 + _LINE * len(lines)


def _draw_cell(card: Image.Image, cell: CardCell, left: int, top: int) -> None:
    pen = ImageDraw.Draw(card)
    across = (_CELL_WIDTH - cell.picture.width) // 2
    down = (_PICTURE_HEIGHT - cell.picture.height) // 2
    card.paste(cell.picture, (left + across, top + down))
    base = top + _PICTURE_HEIGHT + 6
    name = shortened(cell.name, _CELL_WIDTH, _NAME_SIZE)
    pen.text((left, base), name, _INK, font(_NAME_SIZE))
    begin = text_width(name, _NAME_SIZE) + 10
    if cell.caption:
        caption = shortened(cell.caption, int(_CELL_WIDTH - begin), _CAPTION_SIZE)
        pen.text((left + begin, base + 2), caption, _QUIET_INK, font(_CAPTION_SIZE))
    lines = wrapped(cell.text, _CELL_WIDTH, _TEXT_SIZE, _TEXT_LINES_MAX, cell.marks)
    for number, line in enumerate(lines):
        at = base + 24 + number * _LINE
        for start, end in line.marked:
            from_left = left + text_width(line.text[:start], _TEXT_SIZE)
            to_right = left + text_width(line.text[:end], _TEXT_SIZE)
            pen.rectangle((from_left - 2, at, to_right + 1, at + _LINE - 2), _MARKER)
        pen.text((left, at), line.text, _SOFT_INK, font(_TEXT_SIZE))
