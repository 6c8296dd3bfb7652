"""Where the cells of a contact sheet lie: pure geometry, in pixels.

A sheet has a section for each source, a section has cards, a card has a cell for the picture and
for each proxy. Cards of few cells stand next to each other; a card of many cells has several rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHEET_WIDTH = 2000
MARGIN, GAP = 40, 12
TITLE_HEIGHT, HEADING_HEIGHT = 142, 58
LABEL_HEIGHT = 24
"""Above the picture of a cell: a rule, and the label of its tier."""
TEXT_LINES, LINE_HEIGHT = 3, 19
CAPTION_HEIGHT = 30
"""Below the picture of a cell, before the lines of text."""
USUAL_ASPECT = 0.75
"""Height over width of a picture that is not known."""

_COLUMNS_MAX = 7  # a card of more cells has several rows
_COLUMNS_MIN = 5  # of a card with several rows
_COLUMNS_USUAL = 6  # of the cards that stand next to each other, all together
_CARD_GAP, _ROW_GAP, _CARDS_GAP = 32, 20, 36
_FLATTEST, _TALLEST = 0.45, 1.0  # heights of a picture over the width of its cell
_USUAL_HEIGHT = 4600
_CARDS_MAX = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a card: a label, a picture below it, and text below the picture.

    Attributes:
        left: left edge of the cell.
        top: top edge of the cell, that is of its label.
        width: width of the cell.
        height: height of the picture alone.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def picture_top(self) -> int:
        """Top edge of the picture."""
        return self.top + LABEL_HEIGHT

    @property
    def picture_bottom(self) -> int:
        """The first row below the picture."""
        return self.picture_top + self.height

    @property
    def bottom(self) -> int:
        """The first row below the text."""
        return self.picture_bottom + CAPTION_HEIGHT + TEXT_LINES * LINE_HEIGHT


@dataclass(frozen=True, slots=True)
class SectionLayout:
    """Where a section lies.

    Attributes:
        top: top edge of its heading.
        cards: cells of each card; the first cell is for the picture itself.
    """

    top: int
    cards: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """Where everything lies on a sheet that is `SHEET_WIDTH` pixels wide.

    Attributes:
        height: height of the sheet.
        sections: layout of each section, from top to bottom.
    """

    height: int
    sections: tuple[SectionLayout, ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """The grid of a section: `cards` next to each other, of `columns` cells each."""

    cards: int
    columns: int

    @classmethod
    def of(cls, cells: int, most_cells: int) -> _Grid:
        """The grid for cards of `cells` cells, on a sheet whose largest cards have `most_cells`."""
        if cells > _COLUMNS_MAX:
            return cls(1, max(_even_columns(cells), _COLUMNS_MIN))
        columns = min(max(most_cells, _COLUMNS_USUAL), _COLUMNS_MAX)
        return cls(max(1, round(columns / cells)), cells)

    @property
    def cell_width(self) -> int:
        """The width of a cell with which the cards fill the sheet."""
        gaps = (self.cards - 1) * _CARD_GAP + self.cards * (self.columns - 1) * GAP
        return (SHEET_WIDTH - 2 * MARGIN - gaps) // (self.cards * self.columns)

    def card_left(self, number: int) -> int:
        """Left edge of a card, counted from 0."""
        return MARGIN + number * (self.columns * (self.cell_width + GAP) - GAP + _CARD_GAP)

    def card(self, cells: int, left: int, top: int, height: int) -> tuple[Cell, ...]:
        """The cells of a card, row by row."""
        first = Cell(left, top, self.cell_width, height)
        step = first.bottom - top + _ROW_GAP
        return tuple(
            Cell(
                left + number % self.columns * (self.cell_width + GAP),
                top + number // self.columns * step,
                self.cell_width,
                height,
            )
            for number in range(cells)
        )


def lay_out(sections: Sequence[tuple[int, Sequence[float]]]) -> SheetLayout:
    """Place the cards of each section.

    Args:
        sections: for each section the number of cells of its cards, and for each of its cards the
            height of the picture over its width.
    """
    most_cells = max(cells for cells, _ in sections)
    top, layouts = TITLE_HEIGHT, []
    for cells, aspects in sections:
        grid = _Grid.of(cells, most_cells)
        section_top, cards = top, []
        top += HEADING_HEIGHT
        for first in range(0, len(aspects), grid.cards):
            row = aspects[first : first + grid.cards]
            tallest = min(max(_FLATTEST, *row), _TALLEST)
            height = round(grid.cell_width * tallest)
            cards += [
                grid.card(cells, grid.card_left(number), top, height) for number in range(len(row))
            ]
            top = cards[-1][-1].bottom + _CARDS_GAP
        layouts.append(SectionLayout(section_top, tuple(cards)))
    return SheetLayout(top - _CARDS_GAP + MARGIN, tuple(layouts))


def usual_cards(cells: Sequence[int]) -> int:
    """The number of pictures of each source that makes a sheet of sensible height, 1 to 6.

    Args:
        cells: for each section the number of cells of its cards.
    """
    for count in range(_CARDS_MAX, 1, -1):
        layout = lay_out([(number, [USUAL_ASPECT] * count) for number in cells])
        if layout.height <= _USUAL_HEIGHT:
            return count
    return 1


def _even_columns(cells: int) -> int:
    """The number of columns with which the fewest rows hold the cells, about equally filled."""
    rows = -(-cells // _COLUMNS_MAX)
    return -(-cells // rows)
