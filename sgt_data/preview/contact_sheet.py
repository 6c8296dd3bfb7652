"""A contact sheet of a corpus: pictures, the target that each proxy has of them, instructions."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.preview.cards import Section, choose_sections, tier_rank
from sgt_data.preview.sheet_layout import SHEET_WIDTH, lay_out
from sgt_data.preview.sheet_pen import PAPER, SheetPen


def contact_sheet(corpus: Corpus, per_source: int | None = None) -> Image.Image:
    """Draw samples of a corpus, spread evenly over each source, with a cell for each proxy.

    Args:
        corpus: the corpus, or a subset of one.
        per_source: most pictures of each source; None for as many as make a sheet of sensible
            height, 6 at most.

    Returns:
        An RGB picture, 2000 pixels wide.

    Raises:
        CorpusError: the corpus holds no sample.
    """
    sections = choose_sections(corpus, per_source)
    layout = lay_out(
        [
            (len(section.tiers) + 1, [_aspect(card.clean_picture) for card in section.cards])
            for section in sections
        ]
    )
    sheet = Image.new("RGB", (SHEET_WIDTH, layout.height), PAPER)
    pen = SheetPen(sheet)
    pen.title(corpus.header.name, _subtitle(corpus, sections))
    for section, section_layout in zip(sections, layout.sections, strict=True):
        pen.section(section, section_layout)
    return sheet


def _aspect(picture: bytes) -> float:
    """Height over width of a stored picture."""
    with Image.open(io.BytesIO(picture), formats=["JPEG", "PNG"]) as image:
        return image.height / image.width


def _subtitle(corpus: Corpus, sections: Sequence[Section]) -> str:
    """Number of samples, and of proxies by tier."""
    totals = corpus.header.totals
    samples = sum(totals[proxy]["samples"] for proxy in corpus.proxies if proxy in totals)
    tiers = {proxy: tier for section in sections for proxy, tier in section.tiers.items()}
    counts = Counter(sorted(tiers.values(), key=tier_rank))
    by_tier = ", ".join(f"{number} {tier}" for tier, number in counts.items())
    proxies = f"{len(tiers)} {'proxy' if len(tiers) == 1 else 'proxies'} ({by_tier})"
    return "   ·   ".join([f"{samples:,} samples"] * bool(samples) + [proxies])
