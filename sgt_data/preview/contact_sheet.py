"""A contact sheet: pictures and what each proxy makes of them, instructions beneath."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from PIL import Image, ImageDraw

from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.preview.sheet_layout import (
    CAPTION_HEIGHT,
    LINE_HEIGHT,
    MARGIN,
    SHEET_WIDTH,
    TEXT_LINES,
    Cell,
    SectionLayout,
    lay_out,
    usual_cards,
)
from sgt_data.preview.sheet_pictures import fitted, split
from sgt_data.preview.sheet_text import (
    caption_facts,
    drawable,
    fitting,
    font,
    instruction_words,
    length,
    shortened,
    wrapped,
)
from sgt_data.proxies.registry import proxy_kinds

_PAPER, _LINE, _MAT = "#fbfaf7", "#dedbd2", "#f0eee8"
_INK, _SOFT, _QUIET = "#1d1d1f", "#55544f", "#7b7a75"
_MARKER = "#ffe8a3"
_TIERS = {"high": "#b4532f", "mid": "#2f7d6b", "low": "#4a66a0"}
_TITLE_SIZE, _SUBTITLE_SIZE, _HEADING_SIZE = 42, 19, 26
_NAME_SIZE, _FACT_SIZE, _TEXT_SIZE, _LABEL_SIZE = 16, 14, 15, 12
_LETTER_GAP = 2
_SHARDS_MAX = 6

Place = tuple[str, str]
"""A shard, and a key that it has."""


@dataclass(frozen=True, slots=True)
class Card:
    """One picture with its sample of each proxy (None where it has none)."""

    key: str
    samples: Mapping[str, Sample | None]

    @property
    def any_sample(self) -> Sample:
        return next(sample for sample in self.samples.values() if sample is not None)

    @property
    def clean(self) -> bytes:
        """The picture as it is: a proxy's input, or, where all spoil it, one's target."""
        some = [sample for sample in self.samples.values() if sample is not None]
        inputs = (sample.input for sample in some if not _degrades(sample))
        return next(inputs, some[0].target)


@dataclass(frozen=True, slots=True)
class _Section:
    """What the sheet shows of one source; `tiers` has its proxies in the order of the cells."""

    source: str
    tiers: Mapping[str, str]
    cards: Sequence[Card]


def contact_sheet(corpus: Corpus, per_source: int | None = None) -> Image.Image:
    """An RGB picture of samples spread evenly over each source, a cell per proxy.

    Args:
        per_source: pictures of each source at most; by default as many as make a sheet of
            sensible height, 6 at most.

    Raises:
        CorpusError: the corpus holds no sample.
    """
    names = [source["name"] for source in corpus.header.manifest["sources"]]
    held = {name: _places(corpus, name, per_source or _SHARDS_MAX) for name in names}
    held = {name: places for name, places in held.items() if places}
    if not held:
        raise CorpusError(f"{corpus.url} holds no sample to show")
    tiers = {name: _tiers(corpus, places) for name, places in held.items()}
    count = per_source or usual_cards([len(proxies) + 1 for proxies in tiers.values()])
    sections = [
        _Section(name, tiers[name], _cards(corpus, places, tiers[name], count))
        for name, places in held.items()
    ]
    layout = lay_out(
        [(len(one.tiers) + 1, [_aspect(card.clean) for card in one.cards]) for one in sections]
    )
    sheet = Image.new("RGB", (SHEET_WIDTH, layout.height), _PAPER)
    pen = _Pen(sheet)
    pen.text(MARGIN, 36, drawable(corpus.header.name), _INK, _TITLE_SIZE)
    pen.text(MARGIN + 1, 92, _subtitle(corpus, sections), _QUIET, _SUBTITLE_SIZE)
    for section, place in zip(sections, layout.sections, strict=True):
        pen.section(section, place)
    return sheet


def _places(corpus: Corpus, source: str, shards: int) -> dict[str, dict[str, Place]]:
    """What some of a source's shards hold, by key and proxy."""
    places: dict[str, dict[str, Place]] = {}
    for proxy in corpus.proxies:
        own = [
            shard
            for shard in corpus.shards(proxy)
            if corpus.receipt(proxy, shard)["source"] == source
        ]
        for shard in _spread(own, shards):
            for key in corpus.index(proxy, shard)["key"].to_pylist():
                places.setdefault(key, {})[proxy] = shard, key
    return places


def _tiers(corpus: Corpus, places: Mapping[str, Mapping[str, Place]]) -> dict[str, str]:
    """The tier of each proxy that has a sample: the high ones first, else as the manifest does."""
    found: dict[str, str] = {}
    for proxy in corpus.proxies:
        some = next((held[proxy] for held in places.values() if proxy in held), None)
        if some is not None:
            found[proxy] = str(corpus.sample(proxy, *some).facts["tier"])
    return dict(sorted(found.items(), key=lambda one: _rank(one[1])))


def _rank(tier: str) -> int:
    return list(_TIERS).index(tier) if tier in _TIERS else len(_TIERS)


def _cards(
    corpus: Corpus,
    places: Mapping[str, Mapping[str, Place]],
    proxies: Mapping[str, str],
    count: int,
) -> list[Card]:
    """Cards of keys spread evenly, of those alone that the most proxies have."""
    most = max(map(len, places.values()))
    keys = [key for key in sorted(places) if len(places[key]) == most]
    return [
        Card(
            key,
            {
                proxy: corpus.sample(proxy, *places[key][proxy]) if proxy in places[key] else None
                for proxy in proxies
            },
        )
        for key in _spread(keys, count)
    ]


def _spread(items: Sequence[Any], count: int) -> list[Any]:
    """`count` of the items, evenly spaced."""
    if len(items) <= count:
        return list(items)
    return [items[(2 * number + 1) * len(items) // (2 * count)] for number in range(count)]


def _degrades(sample: Sample) -> bool:
    """Whether its input is a spoilt picture and worth a look beside the target."""
    kind = proxy_kinds().get(sample.facts["type"])
    return "degradation" in sample.facts or (kind is not None and kind.degrades)


def _aspect(data: bytes) -> float:
    with Image.open(io.BytesIO(data), formats=["JPEG", "PNG"]) as image:
        return image.height / image.width


def _subtitle(corpus: Corpus, sections: Sequence[_Section]) -> str:
    totals = corpus.header.totals
    samples = sum(totals[proxy]["samples"] for proxy in corpus.proxies if proxy in totals)
    tiers = {proxy: tier for one in sections for proxy, tier in one.tiers.items()}
    counts = Counter(sorted(tiers.values(), key=_rank))
    counted = ", ".join(f"{number} {tier}" for tier, number in counts.items())
    proxies = f"{len(tiers)} {'proxy' if len(tiers) == 1 else 'proxies'} ({counted})"
    return "   ·   ".join([f"{samples:,} samples"] * bool(samples) + [proxies])


class _Pen:
    """Draws on a sheet."""

    def __init__(self, sheet: Image.Image) -> None:
        self._sheet = sheet
        self._draw = ImageDraw.Draw(sheet)

    def text(self, left: float, top: float, text: str, colour: str, size: int) -> None:
        self._draw.text((left, top), text, colour, font(size))

    def section(self, section: _Section, place: SectionLayout) -> None:
        self._draw.line((MARGIN, place.top, SHEET_WIDTH - MARGIN, place.top), _LINE, 1)
        self.text(MARGIN, place.top + 12, drawable(section.source), _INK, _HEADING_SIZE)
        for card, cells in zip(section.cards, place.cards, strict=True):
            self._card(section, card, cells)

    def _card(self, section: _Section, card: Card, cells: Sequence[Cell]) -> None:
        self._labels([None, *section.tiers.values()], cells)
        first, *rest = cells
        source = card.any_sample.facts["source"]
        stored = f"{source['size']['width']} x {source['size']['height']}"
        self._picture(first, fitted(card.clean, first.width, first.height))
        self._caption(first, card.key, [stored])
        origin = [source["member"], source.get("licence")]
        self._instruction(first, ", ".join(str(one) for one in origin if one), ())
        for (proxy, sample), cell in zip(card.samples.items(), rest, strict=True):
            if sample is None:
                self._empty(cell, proxy)
                continue
            self._picture(cell, _shown(sample, cell))
            unsaid = [fact for fact in caption_facts(sample.facts) if fact not in proxy.split("-")]
            self._caption(cell, proxy, unsaid)
            self._instruction(cell, sample.instruction, instruction_words(sample.facts))

    def _labels(self, tiers: Sequence[str | None], cells: Sequence[Cell]) -> None:
        """A rule above each run of cells of one tier in a row, with its name."""
        runs = groupby(zip(tiers, cells, strict=True), lambda one: (one[0], one[1].top))
        for (tier, top), run in runs:
            inside = [cell for _, cell in run]
            colour = _INK if tier is None else _TIERS.get(tier, _QUIET)
            left, right = inside[0].left, inside[-1].left + inside[-1].width - 1
            self._draw.line((left, top, right, top), colour, 2)
            for letter in (tier or "picture").upper():
                self.text(left, top + 5, letter, colour, _LABEL_SIZE)
                left += round(length(letter, _LABEL_SIZE)) + _LETTER_GAP

    def _picture(self, cell: Cell, picture: Image.Image) -> None:
        """In the middle of a mat, of which nothing is seen where the picture fills the cell."""
        self._mat(cell)
        left = cell.left + (cell.width - picture.width) // 2
        top = cell.picture_top + (cell.height - picture.height) // 2
        right, bottom = left + picture.width, top + picture.height
        self._draw.rectangle((left - 1, top - 1, right, bottom), _MAT, _LINE)
        self._sheet.paste(picture, (left, top))

    def _mat(self, cell: Cell) -> None:
        right, bottom = cell.left + cell.width - 1, cell.picture_bottom - 1
        self._draw.rectangle((cell.left, cell.picture_top, right, bottom), _MAT)

    def _empty(self, cell: Cell, proxy: str) -> None:
        self._mat(cell)
        middle = cell.left + cell.width / 2, cell.picture_top + cell.height / 2
        self._draw.text(middle, "not drawn", _QUIET, font(_FACT_SIZE), anchor="mm")
        self._caption(cell, proxy, [])

    def _caption(self, cell: Cell, name: str, facts: Sequence[str]) -> None:
        top = cell.picture_bottom + 7
        name = shortened(name, cell.width, _NAME_SIZE)
        self.text(cell.left, top, name, _INK, _NAME_SIZE)
        begin = length(name, _NAME_SIZE) + 10
        fact = fitting(facts, cell.width - begin, _FACT_SIZE)
        self.text(cell.left + begin, top + 2, fact, _QUIET, _FACT_SIZE)

    def _instruction(self, cell: Cell, text: str, marks: Sequence[str]) -> None:
        for number, line in enumerate(wrapped(text, cell.width, _TEXT_SIZE, TEXT_LINES, marks)):
            top = cell.picture_bottom + CAPTION_HEIGHT + number * LINE_HEIGHT
            for begin, end in line.marked:
                left = cell.left + length(line.text[:begin], _TEXT_SIZE)
                right = cell.left + length(line.text[:end], _TEXT_SIZE)
                self._draw.rectangle((left - 2, top, right + 1, top + LINE_HEIGHT - 2), _MARKER)
            self.text(cell.left, top, line.text, _SOFT, _TEXT_SIZE)
            for begin, end in line.marked:
                left = cell.left + length(line.text[:begin], _TEXT_SIZE)
                self.text(left, top, line.text[begin:end], _INK, _TEXT_SIZE)


def _shown(sample: Sample, cell: Cell) -> Image.Image:
    """The target, beside the input where that is spoilt."""
    target = fitted(sample.target, cell.width, cell.height)
    if not _degrades(sample):
        return target
    return split(fitted(sample.input, cell.width, cell.height), target)
