"""A contact sheet of a corpus: pictures, the target that each proxy has of them, instructions."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from sgt_data import checks
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.files.urls import Location
from sgt_data.preview.cards import Section, choose_sections, has_degraded_input, tier_rank
from sgt_data.preview.sheet_choice import SheetChoice
from sgt_data.preview.sheet_layout import SHEET_WIDTH, USUAL_ASPECT, lay_out
from sgt_data.preview.sheet_pen import PAPER, SheetPen
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.value_text import counted


def contact_sheet(
    corpus: Corpus | Location,
    per_source: int | None = None,
    *,
    keys: Sequence[str] | str = (),
    proxies: Sequence[str] | str = (),
    where: str | None = None,
    quarantined: bool = False,
    page: int | None = None,
) -> Image.Image:
    """Draw samples of a corpus, spread evenly over each source, with a cell for each proxy.

    Args:
        corpus: an opened corpus or subset, or the fsspec URL of one.
        per_source: most pictures of each source; None for as many as make a sheet of sensible
            height, 6 at most.
        keys: show these pictures, or this one.
        proxies: show these proxies alone, or this one.
        where: show pictures of which an expression in DuckDB's SQL over the index is true, such as
            `segments >= 4 AND 'dog' IN categories`.
        quarantined: show inputs that became no sample, each with its reason.
        page: show this page, from 1 on, of all pictures in the order of the corpus.

    Returns:
        An RGB picture, 2000 pixels wide.

    Raises:
        CorpusError: the corpus holds no sample, or a part of it is damaged.
        RequestError: nothing is at the URL; what is asked for contradicts itself, does not exist,
            or fits nothing.
    """
    corpus = corpus if isinstance(corpus, Corpus) else open_corpus(corpus)
    keys, proxies = checks.texts("keys", keys), checks.texts("proxies", proxies)
    choice = SheetChoice(per_source, keys, proxies, where, quarantined, page)
    sections = choose_sections(corpus, choice)
    layout = lay_out(
        [
            (len(section.tiers) + 1, [_aspect(card.clean_picture) for card in section.cards])
            for section in sections
        ]
    )
    sheet = Image.new("RGB", (SHEET_WIDTH, layout.height), PAPER)
    pen = SheetPen(sheet)
    has_split = any(
        has_degraded_input(sample)
        for section in sections
        for card in section.cards
        for sample in card.samples.values()
        if sample is not None
    )
    pen.title(corpus.header.name, _subtitle(corpus, sections, choice), has_split)
    for section, section_layout in zip(sections, layout.sections, strict=True):
        pen.section(section, section_layout)
    return sheet


def _aspect(picture: bytes | None) -> float:
    """Height over width of a stored picture; the usual one where there is none."""
    if picture is None:
        return USUAL_ASPECT
    with Image.open(io.BytesIO(picture), formats=["JPEG", "PNG"]) as image:
        return image.height / image.width


def _subtitle(corpus: Corpus, sections: Sequence[Section], choice: SheetChoice) -> str:
    """Number of samples, of proxies by tier, and what was asked for."""
    totals = corpus.header.totals
    tiers = {proxy: tier for section in sections for proxy, tier in section.tiers.items()}
    samples = sum(totals[proxy]["samples"] for proxy in tiers if proxy in totals)
    counts = Counter(sorted(tiers.values(), key=tier_rank))
    by_tier = ", ".join(f"{number} {tier}" for tier, number in counts.items())
    proxies = f"{len(tiers)} {'proxy' if len(tiers) == 1 else 'proxies'} ({by_tier})"
    parts = [counted(samples, "sample")] * bool(samples) + [proxies, *choice.words()]
    return "   ·   ".join(parts)
