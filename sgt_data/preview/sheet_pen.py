"""Draw the sections of a contact sheet: headings, cards, cells with captions and instructions."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from PIL import Image, ImageDraw

from sgt_data.corpus.sample import Sample
from sgt_data.preview.cards import Card, Section, has_degraded_input
from sgt_data.preview.sheet_layout import (
    CAPTION_HEIGHT,
    LINE_HEIGHT,
    MARGIN,
    SHEET_WIDTH,
    TEXT_LINES,
    Cell,
    SectionLayout,
)
from sgt_data.preview.sheet_pictures import fitted, split_view
from sgt_data.preview.sheet_text import (
    caption_facts,
    font,
    instruction_words,
    join_fitting,
    shortened,
    text_width,
    wrapped,
)

PAPER = "#fbfaf7"
_RULE, _MAT = "#dedbd2", "#f0eee8"
_INK, _SOFT_INK, _QUIET_INK = "#1d1d1f", "#55544f", "#7b7a75"
_MARKER = "#ffe8a3"
_TIER_COLOURS = {"high": "#b4532f", "mid": "#2f7d6b", "low": "#4a66a0"}
_TITLE_SIZE, _SUBTITLE_SIZE, _HEADING_SIZE = 42, 19, 26
_NAME_SIZE, _FACT_SIZE, _TEXT_SIZE, _LABEL_SIZE = 16, 14, 15, 12
_LETTER_GAP = 2
_TEXT_GAP = 8  # between a text and the right edge of its cell
_LEGEND = "left of the line: the input; right of it: the target"
_LEGEND_ICON = (30, 22)


class SheetPen:
    """Draws on a contact sheet. Coordinates and sizes are in pixels."""

    def __init__(self, sheet: Image.Image) -> None:
        """Draw on a sheet.

        Args:
            sheet: RGB picture of `SHEET_WIDTH` pixels; it is changed in place.
        """
        self._sheet = sheet
        self._draw = ImageDraw.Draw(sheet)

    def title(self, title: str, subtitle: str, has_split: bool) -> None:
        """Write title and subtitle at the top of the sheet, and what a slanting line parts.

        Args:
            title: in large letters.
            subtitle: in the line below.
            has_split: whether cells are parted by slanting lines.
        """
        title = shortened(title, SHEET_WIDTH - 2 * MARGIN, _TITLE_SIZE)
        self._text(MARGIN, 36, title, _INK, _TITLE_SIZE)
        legend = text_width(_LEGEND, _SUBTITLE_SIZE) + _LEGEND_ICON[0] + 10 if has_split else 0.0
        room = SHEET_WIDTH - 2 * MARGIN - legend - 40
        subtitle = shortened(subtitle, int(room), _SUBTITLE_SIZE)
        self._text(MARGIN + 1, 92, subtitle, _QUIET_INK, _SUBTITLE_SIZE)
        if has_split:
            left = SHEET_WIDTH - MARGIN - round(legend)
            halves = (Image.new("RGB", _LEGEND_ICON, shade) for shade in (_QUIET_INK, _RULE))
            self._sheet.paste(split_view(*halves), (left, 91))
            self._text(left + _LEGEND_ICON[0] + 10, 92, _LEGEND, _QUIET_INK, _SUBTITLE_SIZE)

    def section(self, section: Section, layout: SectionLayout) -> None:
        """Draw the heading and the cards of one source."""
        self._draw.line((MARGIN, layout.top, SHEET_WIDTH - MARGIN, layout.top), _RULE, 1)
        heading = shortened(section.source, SHEET_WIDTH - 2 * MARGIN, _HEADING_SIZE)
        self._text(MARGIN, layout.top + 12, heading, _INK, _HEADING_SIZE)
        for card, cells in zip(section.cards, layout.cards, strict=True):
            self._card(section, card, cells)

    def _text(self, left: float, top: float, text: str, colour: str, size: int) -> None:
        self._draw.text((left, top), text, colour, font(size))

    def _card(self, section: Section, card: Card, cells: Sequence[Cell]) -> None:
        self._labels([None, *section.tiers.values()], cells)
        picture_cell, *proxy_cells = cells
        self._picture_cell(card, picture_cell)
        for (proxy, sample), cell in zip(card.samples.items(), proxy_cells, strict=True):
            if sample is None:
                self._empty_cell(cell, "not drawn", proxy, card.reasons.get(proxy, ""))
            else:
                self._sample_cell(cell, proxy, sample)

    def _labels(self, tiers: Sequence[str | None], cells: Sequence[Cell]) -> None:
        """A rule above each run of cells of one tier in a row, with its name."""
        runs = groupby(zip(tiers, cells, strict=True), lambda item: (item[0], item[1].top))
        for (tier, top), run in runs:
            run_cells = [cell for _, cell in run]
            colour = _INK if tier is None else _TIER_COLOURS.get(tier, _QUIET_INK)
            left, right = run_cells[0].left, run_cells[-1].left + run_cells[-1].width - 1
            self._draw.line((left, top, right, top), colour, 2)
            for letter in (tier or "picture").upper():
                self._text(left, top + 5, letter, colour, _LABEL_SIZE)
                left += round(text_width(letter, _LABEL_SIZE)) + _LETTER_GAP

    def _picture_cell(self, card: Card, cell: Cell) -> None:
        if card.clean_picture is None:
            self._empty_cell(cell, "not in the corpus", card.key, "")
            return
        source = card.known[0].facts["source"]
        size = f"{source['size']['width']} x {source['size']['height']}"
        self._picture(cell, fitted(card.clean_picture, cell.width, cell.height))
        self._caption(cell, card.key, [size])
        origin = [source["member"], source.get("licence")]
        self._instruction(cell, ", ".join(str(part) for part in origin if part), ())

    def _sample_cell(self, cell: Cell, proxy: str, sample: Sample) -> None:
        self._picture(cell, _sample_picture(sample, cell))
        in_name = proxy.split("-")
        self._caption(
            cell, proxy, [fact for fact in caption_facts(sample.facts) if fact not in in_name]
        )
        self._instruction(cell, sample.instruction, instruction_words(sample.facts))

    def _empty_cell(self, cell: Cell, remark: str, name: str, reason: str) -> None:
        self._mat(cell)
        middle = cell.left + cell.width / 2, cell.picture_top + cell.height / 2
        self._draw.text(middle, remark, _QUIET_INK, font(_FACT_SIZE), anchor="mm")
        self._caption(cell, name, [])
        self._instruction(cell, reason, ())

    def _picture(self, cell: Cell, picture: Image.Image) -> None:
        """A picture in the middle of a mat, which is hidden where the picture fills the cell."""
        self._mat(cell)
        left = cell.left + (cell.width - picture.width) // 2
        top = cell.picture_top + (cell.height - picture.height) // 2
        right, bottom = left + picture.width, top + picture.height
        self._draw.rectangle((left - 1, top - 1, right, bottom), _MAT, _RULE)
        self._sheet.paste(picture, (left, top))

    def _mat(self, cell: Cell) -> None:
        right, bottom = cell.left + cell.width - 1, cell.picture_bottom - 1
        self._draw.rectangle((cell.left, cell.picture_top, right, bottom), _MAT)

    def _caption(self, cell: Cell, name: str, facts: Sequence[str]) -> None:
        top = cell.picture_bottom + 7
        name = shortened(name, cell.width - _TEXT_GAP, _NAME_SIZE)
        self._text(cell.left, top, name, _INK, _NAME_SIZE)
        begin = text_width(name, _NAME_SIZE) + 10
        fact = join_fitting(facts, cell.width - _TEXT_GAP - begin, _FACT_SIZE)
        self._text(cell.left + begin, top + 2, fact, _QUIET_INK, _FACT_SIZE)

    def _instruction(self, cell: Cell, text: str, marks: Sequence[str]) -> None:
        lines = wrapped(text, cell.width - _TEXT_GAP, _TEXT_SIZE, TEXT_LINES, marks)
        for number, line in enumerate(lines):
            top = cell.picture_bottom + CAPTION_HEIGHT + number * LINE_HEIGHT
            for begin, end in line.marked:
                left = cell.left + text_width(line.text[:begin], _TEXT_SIZE)
                right = cell.left + text_width(line.text[:end], _TEXT_SIZE)
                self._draw.rectangle((left - 2, top, right + 1, top + LINE_HEIGHT - 2), _MARKER)
            self._text(cell.left, top, line.text, _SOFT_INK, _TEXT_SIZE)
            for begin, end in line.marked:
                left = cell.left + text_width(line.text[:begin], _TEXT_SIZE)
                self._text(left, top, line.text[begin:end], _INK, _TEXT_SIZE)


def _sample_picture(sample: Sample, cell: Cell) -> Image.Image:
    """The target of a sample; where its input is degraded, half input and half target."""
    target = fitted(sample.target, cell.width, cell.height)
    if not has_degraded_input(sample):
        return target
    return split_view(fitted(sample.input, cell.width, cell.height), target)
