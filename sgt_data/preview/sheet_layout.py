"""Where the cells of a contact sheet lie: pure geometry, in pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

SHEET_WIDTH = 2000
MARGIN, GAP = 40, 12
TITLE_HEIGHT, HEADING_HEIGHT = 142, 58
LABEL_HEIGHT = 24
"""Above a cell's picture: a rule, and the label of its tier."""
TEXT_LINES, LINE_HEIGHT = 3, 19
CAPTION_HEIGHT = 30
"""Below a cell's picture, before the lines of text."""

_CELLS_ACROSS = 7  # a card with more goes on below
_COLUMNS_LEAST = 5  # where it does
_CELLS_WANTED = 6  # smaller cards stand side by side until the sheet has about so many across
_CARD_GAP, _ROW_GAP, _CARDS_GAP = 32, 20, 36
_USUAL_ASPECT = 0.75
_FLATTEST, _TALLEST = 0.45, 1.0  # heights of a picture over the width of its cell
_USUAL_HEIGHT = 4600
_CARDS_MAX = 6


@dataclass(frozen=True, slots=True)
class Cell:
    """One picture with the label above it and the text below.

    Attributes:
        left, top, width: of the whole cell.
        height: of the picture alone.
    """

    left: int
    top: int
    width: int
    height: int

    @property
    def picture_top(self) -> int:
        return self.top + LABEL_HEIGHT

    @property
    def picture_bottom(self) -> int:
        return self.picture_top + self.height

    @property
    def bottom(self) -> int:
        return self.picture_bottom + CAPTION_HEIGHT + TEXT_LINES * LINE_HEIGHT


@dataclass(frozen=True, slots=True)
class SectionLayout:
    """The pictures of one source: where its heading begins, and the cells of each card."""

    top: int
    cards: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """A whole sheet of `SHEET_WIDTH`."""

    height: int
    sections: tuple[SectionLayout, ...]


@dataclass(frozen=True, slots=True)
class _Grid:
    """`across` cards side by side, each of `columns` cells of a width that fills the sheet."""

    across: int
    columns: int

    @classmethod
    def of(cls, cells: int, widest: int) -> _Grid:
        """For cards of `cells`, on a sheet whose largest have `widest`."""
        if cells > _CELLS_ACROSS:
            return cls(1, max(_evenly(cells), _COLUMNS_LEAST))
        wanted = min(max(widest, _CELLS_WANTED), _CELLS_ACROSS)
        return cls(max(1, round(wanted / cells)), cells)

    @property
    def cell_width(self) -> int:
        gaps = (self.across - 1) * _CARD_GAP + self.across * (self.columns - 1) * GAP
        return (SHEET_WIDTH - 2 * MARGIN - gaps) // (self.across * self.columns)

    def card_left(self, place: int) -> int:
        return MARGIN + place * (self.columns * (self.cell_width + GAP) - GAP + _CARD_GAP)

    def card(self, cells: int, left: int, top: int, height: int) -> tuple[Cell, ...]:
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
    """Place the cards of each source.

    Args:
        sections: of each source, how many cells its cards have, and of each card the height of its
            picture over its width.
    """
    widest = max(cells for cells, _ in sections)
    top, placed = TITLE_HEIGHT, []
    for cells, aspects in sections:
        grid = _Grid.of(cells, widest)
        begin, cards = top, []
        top += HEADING_HEIGHT
        for first in range(0, len(aspects), grid.across):
            row = aspects[first : first + grid.across]
            tallest = min(max(_FLATTEST, *row), _TALLEST)
            height = round(grid.cell_width * tallest)
            cards += [
                grid.card(cells, grid.card_left(place), top, height) for place in range(len(row))
            ]
            top = cards[-1][-1].bottom + _CARDS_GAP
        placed.append(SectionLayout(begin, tuple(cards)))
    return SheetLayout(top - _CARDS_GAP + MARGIN, tuple(placed))


def usual_cards(cells: Sequence[int]) -> int:
    """How many pictures of each source make a sheet of sensible height, 1 to 6.

    Args:
        cells: of a card of each source.
    """
    for count in range(_CARDS_MAX, 1, -1):
        layout = lay_out([(number, [_USUAL_ASPECT] * count) for number in cells])
        if layout.height <= _USUAL_HEIGHT:
            return count
    return 1


def _evenly(cells: int) -> int:
    """Columns that hold so many cells in as few rows as possible, about equally filled."""
    rows = -(-cells // _CELLS_ACROSS)
    return -(-cells // rows)
