"""A contact sheet: pictures and their targets side by side, instructions beneath."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from sgt_data.corpus.reader import Corpus, StoredSample
from sgt_data.errors import CorpusError

SHEET_WIDTH = 2000
_MARGIN, _GAP, _CARD_GAP = 40, 8, 28
_TEXT_LINES = 3
_PAPER, _INK, _QUIET, _LINE = "#fbfaf7", "#1d1d1f", "#7b7a75", "#dedbd2"
_TITLE_SIZE, _HEAD_SIZE, _TEXT_SIZE = 40, 24, 15
_ASPECT = 0.72  # height of a cell by its width; pictures are fitted into it

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont


@dataclass(frozen=True, slots=True)
class Card:
    """One picture with its target of each proxy (None where it has none)."""

    key: str
    samples: Mapping[str, StoredSample | None]

    @property
    def any_sample(self) -> StoredSample:
        return next(sample for sample in self.samples.values() if sample is not None)


def contact_sheet(corpus: Corpus, per_source: int = 6) -> Image.Image:
    """An RGB picture of samples spread evenly over each source, a column per proxy.

    Raises:
        CorpusError: the corpus holds no sample.
    """
    sections = {}
    for source in corpus.header.manifest["sources"]:
        cards = _cards(corpus, source["name"], per_source)
        if cards:
            sections[source["name"]] = cards
    if not sections:
        raise CorpusError(f"{corpus.url} holds no sample to show")
    layouts = {name: _Layout.of(cards, sections) for name, cards in sections.items()}
    heights = [layouts[name].height(len(cards)) for name, cards in sections.items()]
    sheet = Image.new("RGB", (SHEET_WIDTH, 130 + sum(heights) + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((_MARGIN, 36), corpus.header.name, _INK, _font(_TITLE_SIZE))
    draw.text((_MARGIN, 88), _subtitle(corpus), _QUIET, _font(_TEXT_SIZE + 3))
    top = 130
    for (name, cards), height in zip(sections.items(), heights, strict=True):
        layouts[name].draw(sheet, top, name, cards)
        top += height
    return sheet


def _subtitle(corpus: Corpus) -> str:
    totals = corpus.header.totals
    parts = [
        f"{proxy}: {totals[proxy]['samples']:,} samples"
        for proxy in corpus.proxies
        if proxy in totals
    ]
    return "   ·   ".join(parts)


def _cards(corpus: Corpus, source: str, count: int) -> list[Card]:
    """Cards of keys spread evenly over the source's shards, those first that every proxy has."""
    places: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {}
    for proxy in corpus.proxies:
        shards = [one for one in corpus.shards(proxy) if _source_of(corpus, proxy, one) == source]
        for shard in _spread(shards, count):
            for row in corpus.index(proxy, shard).to_pylist():
                places.setdefault(row["key"], {})[proxy] = shard, row
    if not places:
        return []
    proxies = [one for one in corpus.proxies if any(one in found for found in places.values())]
    most = max(map(len, places.values()))
    keys = [key for key in sorted(places) if len(places[key]) == most]
    return [
        Card(
            key,
            {
                proxy: corpus.read(proxy, *places[key][proxy]) if proxy in places[key] else None
                for proxy in proxies
            },
        )
        for key in _spread(keys, count)
    ]


def _source_of(corpus: Corpus, proxy: str, shard: str) -> str:
    source: str = corpus.receipt(proxy, shard)["source"]
    return source


def _spread(items: Sequence[Any], count: int) -> list[Any]:
    """`count` of the items, evenly spaced."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * number + 1) * len(items) // (2 * count)] for number in range(count)]


@dataclass(frozen=True, slots=True)
class _Layout:
    """Cards of `cells` pictures each, `across` in a row, with square-cornered cells of `cell`."""

    cells: int
    across: int
    cell: int

    @classmethod
    def of(cls, cards: Sequence[Card], sections: Mapping[str, Sequence[Card]]) -> _Layout:
        widest = max(len(some[0].samples) + 1 for some in sections.values())
        cells = len(cards[0].samples) + 1
        across = max(1, round(max(widest, 6) / cells))
        free = SHEET_WIDTH - 2 * _MARGIN - (across - 1) * _CARD_GAP
        return cls(cells, across, (free - across * (cells - 1) * _GAP) // (across * cells))

    @property
    def card_height(self) -> int:
        return round(self.cell * _ASPECT) + 34 + _TEXT_LINES * (_TEXT_SIZE + 5) + _CARD_GAP

    def height(self, count: int) -> int:
        return 60 + -(-count // self.across) * self.card_height

    def draw(self, sheet: Image.Image, top: int, name: str, cards: Sequence[Card]) -> None:
        draw = ImageDraw.Draw(sheet)
        draw.line((_MARGIN, top, SHEET_WIDTH - _MARGIN, top), _LINE, 2)
        draw.text((_MARGIN, top + 16), name, _INK, _font(_HEAD_SIZE))
        width = self.cells * (self.cell + _GAP) - _GAP + _CARD_GAP
        for number, card in enumerate(cards):
            row, column = divmod(number, self.across)
            self._draw_card(
                sheet, _MARGIN + column * width, top + 60 + row * self.card_height, card
            )

    def _draw_card(self, sheet: Image.Image, left: int, top: int, card: Card) -> None:
        first = card.any_sample
        self._draw_cell(sheet, left, top, first.picture, card.key, "input")
        for number, (proxy, sample) in enumerate(card.samples.items(), 1):
            x = left + number * (self.cell + _GAP)
            if sample is not None:
                caption = _caption(proxy, sample)
                self._draw_cell(sheet, x, top, sample.target, sample.instruction, caption)

    def _draw_cell(
        self, sheet: Image.Image, left: int, top: int, data: bytes, text: str, caption: str
    ) -> None:
        height = round(self.cell * _ASPECT)
        with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
            picture = image.convert("RGB")
        picture.thumbnail((self.cell, height), Image.Resampling.LANCZOS)
        sheet.paste(picture, (left, top + (height - picture.height)))
        draw = ImageDraw.Draw(sheet)
        draw.text((left, top + height + 8), caption, _QUIET, _font(_TEXT_SIZE))
        for number, line in enumerate(_wrapped(text, self.cell)):
            y = top + height + 30 + number * (_TEXT_SIZE + 5)
            draw.text((left, y), line, _INK, _font(_TEXT_SIZE))


def _caption(proxy: str, sample: StoredSample) -> str:
    segments = sample.facts.get("segments")
    return proxy if segments is None else f"{proxy} · {len(segments)} segments"


def _wrapped(text: str, width: int) -> list[str]:
    """At most `_TEXT_LINES` lines that fit, the last one ending in an ellipsis if cut."""
    lines, words = [""], text.split()
    for position, word in enumerate(words):
        longer = f"{lines[-1]} {word}".strip()
        if _font(_TEXT_SIZE).getlength(longer) <= width or not lines[-1]:
            lines[-1] = longer
        elif len(lines) < _TEXT_LINES:
            lines.append(word)
        else:
            del words[position:]
            while lines[-1] and _font(_TEXT_SIZE).getlength(lines[-1] + " …") > width:
                lines[-1] = lines[-1].rpartition(" ")[0]
            lines[-1] += " …"
            break
    return lines


@lru_cache(maxsize=8)
def _font(size: int) -> Font:
    return ImageFont.load_default(size)
