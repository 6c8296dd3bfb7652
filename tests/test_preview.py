"""The contact sheet: where things lie, what the cells show, what the captions say."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import CorpusError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.preview.cards import Card, Section
from sgt_data.preview.contact_sheet import contact_sheet
from sgt_data.preview.sheet_layout import (
    CAPTION_HEIGHT,
    GAP,
    MARGIN,
    SHEET_WIDTH,
    TITLE_HEIGHT,
    Cell,
    lay_out,
    usual_cards,
)
from sgt_data.preview.sheet_pen import SheetPen
from sgt_data.preview.sheet_pictures import fitted, split_view
from sgt_data.preview.sheet_text import (
    caption_facts,
    join_fitting,
    printable,
    text_width,
    wrapped,
)
from sgt_data.subsets.open_corpus import open_corpus

PAPER, MAT = (251, 250, 247), (240, 238, 232)
RESTORATION = (
    "reconstruction", "inpainting", "mae", "denoise", "deblur", "derain", "enhance",
    "super_resolution", "colorization",
)  # fmt: skip

sections_of_sheets = st.lists(
    st.tuples(st.integers(2, 26), st.lists(st.floats(0.1, 8), min_size=1, max_size=7)),
    min_size=1,
    max_size=4,
)


def built(sources: Path, output: Path, proxies: list[dict[str, Any]], **fields: Any) -> Corpus:
    document = {
        "name": "sheet",
        "shard_samples": 8,
        "pictures": {"min_side": 96, "max_side": 400, "multiple_of": 8},
        "sources": [
            {
                "type": "coco",
                "root": f"{sources}/coco",
                "annotations": ["instances", "panoptic"],
                "depth": f"{sources}/depth",
            }
        ],
        "proxies": proxies,
        **fields,
    }
    assert build_corpus(parse_manifest(document), str(output), cluster=IN_PROCESS).complete
    return open_corpus(str(output))


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Nineteen proxies of one source."""
    proxies: list[dict[str, Any]] = [
        {"type": "depth", "bits": 16},
        {"type": "depth", "name": "depth-inferno", "colormap": "inferno"},
        {"type": "edge"},
        {"type": "edge", "name": "canny", "method": "canny"},
        *({"type": kind} for kind in RESTORATION),
        {"type": "boxes"},
        {"type": "boxes", "name": "boxes-overlay", "look": "overlay"},
        {"type": "referring"},
        *(
            {"type": "segmentation", "name": variant, "variant": variant}
            for variant in ("instance", "panoptic", "semantic")
        ),
    ]
    return built(sample_sources, tmp_path_factory.mktemp("sheet") / "corpus", proxies)


def first_card(corpus: Corpus, proxies: int) -> tuple[NDArray[np.uint8], tuple[Cell, ...]]:
    """A sheet of one picture [H, W, 3], and its cells."""
    sheet = contact_sheet(corpus, 1)
    layout = lay_out([(proxies + 1, [3 / 4])])
    assert sheet.size == (SHEET_WIDTH, layout.height)
    return np.asarray(sheet), layout.sections[0].cards[0]


def picture_of(sheet: NDArray[np.uint8], cell: Cell) -> NDArray[np.uint8]:
    return sheet[cell.picture_top : cell.picture_bottom, cell.left : cell.left + cell.width]


def in_cell(picture: Image.Image, cell: Cell) -> NDArray[np.uint8]:
    """A picture in the middle of an otherwise white cell."""
    whole = Image.new("RGB", (cell.width, cell.height), "white")
    place = (cell.width - picture.width) // 2, (cell.height - picture.height) // 2
    whole.paste(picture, place)
    return np.asarray(whole)


def shown_sample(corpus: Corpus, proxy: str) -> Sample:
    """The sample that a sheet of one picture shows: the middle one of the middle shard."""
    shards = corpus.shards(proxy)
    samples = list(corpus.samples(proxy, [shards[len(shards) // 2]]))
    return samples[len(samples) // 2]


def apart(first: Cell, second: Cell) -> bool:
    return (
        first.left + first.width < second.left
        or second.left + second.width < first.left
        or first.bottom < second.top
        or second.bottom < first.top
    )


@given(sections_of_sheets)
@settings(deadline=None, max_examples=60)
def test_cells_lie_inside_the_sheet_and_never_overlap(
    sections: list[tuple[int, list[float]]],
) -> None:
    layout = lay_out(sections)
    cells = [cell for section in layout.sections for card in section.cards for cell in card]
    assert len(cells) == sum(count * len(aspects) for count, aspects in sections)
    for cell in cells:
        assert cell.left >= MARGIN and cell.left + cell.width <= SHEET_WIDTH - MARGIN
        assert cell.top > TITLE_HEIGHT and cell.bottom <= layout.height - MARGIN
        assert cell.width >= 180 and cell.height >= 60
    assert all(apart(first, second) for first, second in combinations(cells, 2))


@pytest.mark.parametrize("proxies", range(1, 26))
def test_a_card_fills_the_width_with_at_most_seven_cells_in_a_row(proxies: int) -> None:
    card = lay_out([(proxies + 1, [0.75] * 6)]).sections[0].cards[0]
    rows: dict[int, list[Cell]] = {}
    for cell in card:
        rows.setdefault(cell.top, []).append(cell)
    counts = [len(row) for row in rows.values()]
    assert max(counts) <= 7
    assert len(counts) == -(-(proxies + 1) // 7)
    assert counts[-1] >= counts[0] - len(counts)
    if len(counts) > 1:
        assert card[counts[0] - 1].left + card[0].width >= SHEET_WIDTH - MARGIN - counts[0]


def test_sections_follow_each_other_below_their_headings() -> None:
    first, second = lay_out([(5, [0.75] * 3), (20, [0.75, 1.5])]).sections
    assert first.top < first.cards[0][0].top < first.cards[-1][-1].bottom < second.top
    assert second.top < second.cards[0][0].top


def test_portraits_get_higher_cells_within_bounds() -> None:
    flat, square, tall = lay_out([(20, [0.1, 1.0, 4.0])]).sections[0].cards
    assert flat[0].height < square[0].height == tall[0].height == tall[0].width


@pytest.mark.parametrize("proxies", range(1, 26))
def test_the_usual_number_of_pictures_makes_a_sheet_of_sensible_height(proxies: int) -> None:
    for cells in ([proxies + 1], [proxies + 1, 2], [proxies + 1] * 2):
        count = usual_cards(cells)
        height = lay_out([(number, [0.75] * count) for number in cells]).height
        assert 1 <= count <= 6
        assert count == 1 or height < 4800
        assert count == 6 or height > 2000


@pytest.mark.parametrize("per_source", [None, 1, 3])
def test_a_sheet_has_the_size_its_layout_says(corpus: Corpus, per_source: int | None) -> None:
    sheet = contact_sheet(corpus, per_source)
    count = per_source or usual_cards([20])
    assert sheet.mode == "RGB"
    assert sheet.size == (SHEET_WIDTH, lay_out([(20, [3 / 4] * count)]).height)


def test_nothing_runs_over_the_edge_of_its_cell(corpus: Corpus) -> None:
    sheet, cells = first_card(corpus, 19)
    for cell, following in pairwise(cells):
        gap = slice(cell.left + cell.width + 3, cell.left + cell.width + 8)
        if following.top == cell.top:
            assert (sheet[cell.picture_top : cell.bottom, gap] == PAPER).all()
    assert (sheet[:, : MARGIN - 3] == PAPER).all()
    assert (sheet[:, SHEET_WIDTH - MARGIN + 3 :] == PAPER).all()
    assert (sheet[-MARGIN + 4 :] == PAPER).all()


def test_long_names_and_texts_stay_in_their_columns(corpus: Corpus) -> None:
    """Whatever keys, proxies, licences and facts are called: nothing lies between two cells."""
    sample = next(iter(corpus.samples("referring")))
    for length in (1, 6, 13, 14, 22, 40):
        word = "W" * length
        source = {**sample.facts["source"], "licence": f"{word} {word}/{word}", "member": word}
        facts = {**sample.facts, "source": source, "referring": {"phrase": f"{word} i{word}"}}
        shown = replace(sample, key=word, facts=facts, instruction=f"{word} x{word}")
        samples = {word: shown, f"{word}x": None, f"{word}y": shown}
        card = Card(word, samples, {f"{word}x": word * 9})
        section = Section(word * 9, dict.fromkeys(samples, "high"), [card])
        layout = lay_out([(4, [0.75])])
        sheet = Image.new("RGB", (SHEET_WIDTH, layout.height), PAPER)
        SheetPen(sheet).title(word * 9, word * 20, has_split=True)
        SheetPen(sheet).section(section, layout.sections[0])
        pixels = np.asarray(sheet)
        assert (pixels[:, SHEET_WIDTH - MARGIN + 3 :] == PAPER).all()
        for cell in layout.sections[0].cards[0]:
            gap = slice(cell.left + cell.width + 1, cell.left + cell.width + GAP - 1)
            assert (pixels[cell.picture_bottom + 2 : cell.bottom, gap] == PAPER).all(), word


def test_cells_come_by_tier_and_within_it_by_the_manifest(corpus: Corpus) -> None:
    sheet, cells = first_card(corpus, 19)
    expected = (
        "boxes", "boxes-overlay", "referring", "instance", "panoptic", "semantic",
        "depth", "depth-inferno", "edge", "canny",
    )  # fmt: skip
    clean = shown_sample(corpus, "boxes").input
    for data, cell in zip(
        [clean, *(shown_sample(corpus, proxy).target for proxy in expected)], cells, strict=False
    ):
        picture = fitted(data, cell.width, cell.height)
        assert picture.size == (cell.width, cell.height)
        assert (picture_of(sheet, cell) == np.asarray(picture)).all()


def test_restoration_cells_show_the_spoilt_input_left_and_the_clean_target_right(
    corpus: Corpus,
) -> None:
    sheet, cells = first_card(corpus, 19)
    for proxy, cell in zip(RESTORATION, cells[11:], strict=False):
        sample = shown_sample(corpus, proxy.replace("_", "-"))
        picture = picture_of(sheet, cell)
        spoilt = in_cell(fitted(sample.input, cell.width, cell.height), cell)
        clean = in_cell(fitted(sample.target, cell.width, cell.height), cell)
        third = cell.width // 3
        assert (picture[:, :third] == spoilt[:, :third]).all()
        assert (picture[:, -third:] == clean[:, -third:]).all()
        if proxy != "reconstruction":
            assert (picture[:, :third] != clean[:, :third]).any()


@pytest.mark.parametrize("size", [(264, 196), (40, 30), (30, 90), (7, 5), (1, 1)])
def test_a_white_line_parts_the_two_halves(size: tuple[int, int]) -> None:
    view = np.asarray(split_view(Image.new("RGB", size, "red"), Image.new("RGB", size, "blue")))
    assert view.shape == (size[1], size[0], 3)
    if min(size) >= 30:
        assert (view[:, 0] == (255, 0, 0)).all() and (view[:, -1] == (0, 0, 255)).all()
        assert (view.min(axis=2).max(axis=1) > 200).all()
        # it slants: the spoilt part is wider above
        reds = (view == (255, 0, 0)).all(axis=2).sum(axis=1)
        assert reds[0] > reds[-1]


def test_sixteen_bit_greys_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, axis=0)
    out = io.BytesIO()
    Image.fromarray(ramp).save(out, "PNG")
    shown = np.asarray(fitted(out.getvalue(), 256, 4))
    assert shown.shape == (4, 256, 3)
    assert (shown[0, :, 0] == np.arange(256)).all()


def test_a_small_picture_grows_by_a_whole_factor_alone() -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), "red").save(out, "PNG")
    assert fitted(out.getvalue(), 300, 200).size == (4 * 64, 4 * 48)
    assert fitted(out.getvalue(), 100, 90).size == (64, 48)
    assert fitted(out.getvalue(), 32, 200).size == (32, 24)


class _Partial(Corpus):
    """Has of every other proxy the even keys alone, and of the rest the odd ones."""

    def index(self, proxy: str, shard: str, columns: Sequence[str] | None = None) -> pa.Table:
        table = super().index(proxy, shard, columns)
        first = self.proxies.index(proxy) % 2
        return table.take(list(range(first, table.num_rows, 2)))


def test_a_proxy_that_lacks_a_picture_leaves_an_empty_cell(corpus: Corpus) -> None:
    partial = _Partial(corpus.url, corpus.header)
    sheet, cells = first_card(partial, 19)
    empty = [
        number
        for number, cell in enumerate(cells)
        if (picture_of(sheet, cell)[: cell.height // 3] == MAT).all()
    ]
    assert len(empty) == 9
    for number in empty:
        cell = cells[number]
        assert (picture_of(sheet, cell) != MAT).any()  # it says so
        below = sheet[cell.picture_bottom : cell.bottom, cell.left : cell.left + cell.width]
        assert (below[:CAPTION_HEIGHT] != PAPER).any()
        assert (below[CAPTION_HEIGHT:] == PAPER).all()


def test_the_picture_is_clean_even_where_every_proxy_spoils_its_input(
    sample_sources: Path, tmp_path: Path
) -> None:
    corpus = built(sample_sources, tmp_path / "c", [{"type": "mae"}, {"type": "enhance"}])
    sheet = np.asarray(contact_sheet(corpus, 1))
    cell = lay_out([(3, [3 / 4])]).sections[0].cards[0][0]
    clean = fitted(shown_sample(corpus, "mae").target, cell.width, cell.height)
    assert (picture_of(sheet, cell) == in_cell(clean, cell)).all()


def test_shared_inputs_make_the_same_sheet(sample_sources: Path, tmp_path: Path) -> None:
    proxies = [
        {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
        {"type": "edge"},
        {"type": "denoise"},
    ]
    sheets = [
        contact_sheet(built(sample_sources, tmp_path / inputs, proxies, inputs=inputs))
        for inputs in ("embedded", "shared")
    ]
    assert (np.asarray(sheets[0]) == np.asarray(sheets[1])).all()


def test_a_corpus_without_samples_is_refused(sample_sources: Path, tmp_path: Path) -> None:
    nothing = [{"type": "colorization", "min_colourfulness": 255}]
    with pytest.raises(CorpusError, match="no sample to show"):
        contact_sheet(built(sample_sources, tmp_path / "none", nothing))


@given(st.text("abc defé·", max_size=200), st.integers(60, 400), st.integers(1, 4))
@settings(deadline=None, max_examples=80)
def test_wrapped_text_fits_and_loses_nothing_unless_it_says_so(
    text: str, width: int, most: int
) -> None:
    lines = [line.text for line in wrapped(text, width, 15, most)]
    assert len(lines) <= most
    assert all(text_width(line, 15) <= width for line in lines)
    shown = "".join("".join(lines).split())
    whole = "".join(printable(text).split())
    assert shown == whole or (lines[-1].endswith("…") and whole.startswith(shown[:-1]))


def test_a_filled_in_phrase_stands_out_across_lines_and_in_either_case() -> None:
    phrase = "the leftmost mushroom"
    for text in (f"Please show me {phrase} in white.", "The leftmost mushroom, in white."):
        for width in (90, 130, 170, 1000):
            lines = wrapped(text, width, 15, 9, [phrase])
            marked = [line.text[begin:end] for line in lines for begin, end in line.marked]
            assert " ".join(marked).lower().split() == phrase.split()
    assert not any(line.marked for line in wrapped("Show it.", 200, 15, 3, [phrase]))


def test_letters_that_the_font_lacks_are_spelt_plainly() -> None:
    assert printable("Canny à la façade – x²") == "Canny a la facade - x2"
    assert printable("all “of” it…\n") == "all “of” it…"


def test_captions_say_what_was_drawn(corpus: Corpus) -> None:
    def caption(**facts: Any) -> str:
        return ", ".join(caption_facts(facts))

    noisy = {"kind": "salt_and_pepper", "share": 0.0547}
    assert caption(type="denoise", degradation=noisy) == "salt and pepper, share 0.055"
    assert caption(type="deblur", degradation={"length": 30, "angle": 7}) == "length 30, angle 7"
    assert caption(type="reconstruction", degradation={}) == "unchanged"
    assert caption(type="segmentation", segments=[{}]) == "1 segment"
    assert caption(type="boxes", segments=[{}, {}]) == "2 boxes"
    assert caption(type="somebody's own") == ""
    for proxy in corpus.proxies:
        sample = shown_sample(corpus, proxy)
        assert caption_facts(sample.facts)
    referring = shown_sample(corpus, "referring")
    assert caption_facts(referring.facts)[0] in referring.instruction


def test_captions_keep_what_fits() -> None:
    parts = ["fog", "density 0.84", "thinning 0.75"]
    assert join_fitting(parts, 1000, 14) == "fog, density 0.84, thinning 0.75"
    assert join_fitting(parts, text_width("fog, density 0.84", 14), 14) == "fog, density 0.84"
    assert join_fitting(parts, text_width("fog", 14), 14) == "fog"
    assert join_fitting([], 100, 14) == ""
