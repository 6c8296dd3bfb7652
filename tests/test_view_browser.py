"""The page in Chromium: as it is served, and as a file. Nothing is loaded but what we give."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from viewed import ATTACK, build_viewed, write_hostile

from sgt_data import Sample, decode, open_corpus, serve_corpus, write_report, write_samples

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip

PATIENCE = 120_000  # ms until a page counts as hung; no test waits for a time
SETTLED = (
    "document.body.dataset.shown === location.hash"
    " && document.getElementById('main').ariaBusy === 'false'"
)

sync_api.expect.set_options(timeout=PATIENCE)

if CHROMIUM is None and os.environ.get("SGT_NEEDS_BROWSER") != "1":
    pytest.skip("no Chromium is on the PATH", allow_module_level=True)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    assert CHROMIUM is not None, "SGT_NEEDS_BROWSER is set, and no Chromium is on the PATH"
    with sync_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("browsed")
    write_samples(str(root / "sources"), 14, seed=2, size=(160, 120), pictures_per_tar=7)
    return build_viewed(root / "sources", root / "corpus")


@pytest.fixture(scope="module", params=["served", "file"])
def address(
    request: pytest.FixtureRequest, corpus: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """Where the page is: from the server, and as a report that holds every picture."""
    if request.param == "file":
        place = tmp_path_factory.mktemp("report") / "report.html"
        write_report(corpus, place, samples=100)
        yield place.as_uri()
        return
    with serve_corpus(corpus) as viewer:
        yield viewer.url


@dataclass
class Watched:
    """A page, and what went wrong in it."""

    page: Any
    address: str
    problems: list[str]

    def open(self, state: str) -> None:
        self.page.goto(f"{self.address}#{state}")
        self.settle()

    def settle(self) -> None:
        """Wait until the page shows what its address says, and nothing is still being read."""
        end = time.monotonic() + PATIENCE / 1000
        while not self.page.evaluate(SETTLED):  # the page's policy forbids to poll within it
            assert time.monotonic() < end, "the page hangs"
            self.page.wait_for_timeout(20)

    def keys(self) -> list[str]:
        texts: list[str] = self.page.locator(".card .key").all_inner_texts()
        return texts

    def count(self, number: int) -> None:
        """Check that the gallery says that so many samples match."""
        self.settle()
        text = f"{number} sample" if number == 1 else f"{number} samples"
        assert self.page.locator("#status strong").inner_text() == text


@pytest.fixture
def watched(browser: Any, address: str) -> Iterator[Watched]:
    yield from _watched(browser, address)


def _watched(browser: Any, address: str, **options: Any) -> Iterator[Watched]:
    page = browser.new_page(viewport={"width": 1280, "height": 860}, **options)
    page.set_default_timeout(PATIENCE)
    problems: list[str] = []
    page.on("console", lambda m: problems.append(m.text) if m.type in ("error", "warning") else 0)
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    root = address.rsplit("/", 1)[0] if address.startswith("http") else address
    page.on(
        "request",
        lambda asked: (
            None if asked.url.startswith((root, "blob:", "data:")) else problems.append(asked.url)
        ),
    )
    yield Watched(page, address, problems)
    page.close()
    assert not problems, problems


def samples_of(corpus: str, proxy: str) -> list[Sample]:
    return list(open_corpus(corpus).samples(proxy))


def test_the_gallery_shows_pairs_with_their_instructions(watched: Watched, corpus: str) -> None:
    watched.open("proxy=panoptic")
    watched.count(14)
    shown = dict(
        zip(
            watched.keys(),
            watched.page.locator(".card .instruction").all_inner_texts(),
            strict=True,
        )
    )
    assert shown == {s.key: s.instruction for s in samples_of(corpus, "panoptic")}
    pictures = watched.page.locator(".card img")
    assert pictures.count() == 28
    sizes = pictures.first.evaluate("image => image.decode().then(() => image.naturalWidth)")
    assert sizes > 0
    alts = watched.page.locator(".card img").evaluate_all("all => all.map(image => image.alt)")
    assert all(alts), "every picture has a text in its place"


def test_filters_take_what_they_say_and_stand_in_the_address(watched: Watched, corpus: str) -> None:
    watched.open("proxy=panoptic")
    watched.page.locator("label[title=tree] input").check()
    expected = {
        s.key
        for s in samples_of(corpus, "panoptic")
        if "tree" in {segment["category"] for segment in s.facts["segments"] if segment["label"]}
    }
    watched.count(len(expected))
    assert set(watched.keys()) == expected
    assert "category=tree" in watched.page.url
    watched.page.reload()
    watched.count(len(expected))
    watched.page.get_by_role("button", name="clear all").click()
    watched.count(14)
    watched.page.go_back()
    watched.count(len(expected))


def test_a_search_of_instructions_says_how_much_it_searched(watched: Watched, corpus: str) -> None:
    watched.open("view=overview&proxy=edge")
    watched.page.keyboard.press("/")
    watched.page.keyboard.type("edge")
    expected = [s.key for s in samples_of(corpus, "edge") if "edge" in s.instruction.lower()]
    watched.count(len(expected))
    assert sorted(watched.keys()) == sorted(expected)[: len(watched.keys())]
    if watched.address.startswith("http"):
        searched = "searched 28 of 28 instructions"
        assert searched in watched.page.locator("#status").inner_text()
    watched.page.keyboard.press("Escape")
    assert watched.page.evaluate("document.activeElement.id") != "search"
    watched.page.get_by_label("Remove the filter edge").click()
    watched.count(28)
    assert watched.page.locator("#search").input_value() == ""


def test_pages_are_turned_by_button_and_by_key(watched: Watched) -> None:
    watched.open("proxy=edge")
    watched.count(28)
    first = watched.keys()
    assert len(first) == 24
    watched.page.get_by_role("button", name="next").click()
    watched.settle()
    assert watched.page.locator(".card").count() == 4
    assert not set(first) & set(watched.keys())
    watched.page.locator("body").press("ArrowLeft")
    watched.settle()
    assert watched.keys() == first


def inside(labels: np.ndarray[Any, Any], number: int, margin: int = 3) -> tuple[int, int] | None:
    """x and y of a pixel that lies well within a label, and not where the slider is."""
    height, width = labels.shape
    for y in range(margin, height - margin, 2):
        for x in range(margin, width - margin, 2):
            around = labels[y - margin : y + margin + 1, x - margin : x + margin + 1]
            if (around == number).all() and abs(x / width - 0.5) > 0.06:
                return x, y
    return None


def hover(watched: Watched, sample: Sample, x: int, y: int) -> str:
    box = watched.page.locator(".stage").bounding_box()
    size = sample.facts["size"]
    watched.page.mouse.move(
        box["x"] + box["width"] * (x + 0.5) / size["width"],
        box["y"] + box["height"] * (y + 0.5) / size["height"],
    )
    watched.page.wait_for_selector("#tip", state="visible")
    text: str = watched.page.locator("#tip").inner_text()
    return text


def open_sample(watched: Watched, sample: Sample) -> None:
    watched.open(f"proxy={sample.proxy}&open={sample.shard}/{sample.key}")


def test_the_segment_under_the_pointer_is_named_with_its_area(
    watched: Watched, corpus: str
) -> None:
    sample = samples_of(corpus, "panoptic")[0]
    decoded = decode(sample.target, sample.facts)
    open_sample(watched, sample)
    named = 0
    for number, segment in enumerate(decoded.segments, 1):
        place = inside(decoded.labels, number)
        if place is None:
            continue
        text = hover(watched, sample, *place)
        area = int(np.count_nonzero(decoded.labels == number))
        assert segment["category"] in text and f"{area:,} pixels" in text
        marked = watched.page.locator(".seg.on").get_attribute("data-number")
        assert marked == str(number)
        named += 1
    assert named >= 2


def test_depth_shows_its_value(watched: Watched, corpus: str) -> None:
    for proxy in ("depth", "depth-inferno"):
        sample = samples_of(corpus, proxy)[0]
        decoded = decode(sample.target, sample.facts)
        open_sample(watched, sample)
        height, width = decoded.inverse_depth.shape
        for x, y in ((width // 4, height // 3), (width - 9, height - 5)):
            text = hover(watched, sample, x, y)
            value = float(re.search(r"inverse depth (-?[\d.,e-]+)", text)[1].replace(",", ""))  # type: ignore[index]
            expected = float(decoded.inverse_depth[y, x])
            assert value == pytest.approx(expected, rel=0.01, abs=0.001), text


def test_metric_depth_shows_metres(watched: Watched, corpus: str) -> None:
    sample = next(s for s in samples_of(corpus, "metric-depth") if s.facts["infinite"])
    decoded = decode(sample.target, sample.facts)
    open_sample(watched, sample)
    assert re.search(r"nearest [\d.]+ m, farthest [\d.,]+ m", watched.page.content())
    rows, columns = np.nonzero(np.isinf(decoded.metres))
    middle = len(rows) // 2
    assert "infinitely far" in hover(watched, sample, int(columns[middle]), int(rows[middle]))
    height, width = decoded.metres.shape
    for x, y in ((width // 4, height - 3), (width - 9, height - 5)):
        text = hover(watched, sample, x, y)
        value = float(re.search(r"([\d.,]+) m\b", text)[1].replace(",", ""))  # type: ignore[index]
        assert value == pytest.approx(float(decoded.metres[y, x]), rel=0.01), text


def test_the_slider_parts_input_and_target(watched: Watched, corpus: str) -> None:
    sample = samples_of(corpus, "denoise")[0]
    open_sample(watched, sample)
    box = watched.page.locator(".stage").bounding_box()
    middle = box["y"] + box["height"] / 2
    watched.page.mouse.move(box["x"] + box["width"] * 0.5, middle)
    watched.page.mouse.down()
    watched.page.mouse.move(box["x"] + box["width"] * 0.2, middle, steps=4)
    watched.page.mouse.up()
    cut = watched.page.locator(".cut")
    assert abs(int(cut.input_value()) - 20) <= 1
    clip = watched.page.locator(".layer.above").evaluate("e => getComputedStyle(e).clipPath")
    assert re.search(r"\b(80|79\.\d+|20|19\.\d+)%", clip), clip
    watched.page.keyboard.press("]")
    assert abs(int(cut.input_value()) - 30) <= 1
    watched.page.keyboard.press("o")
    assert cut.input_value() == "0"


def test_keys_lead_through_samples_and_proxies(watched: Watched, corpus: str) -> None:
    samples = samples_of(corpus, "panoptic")
    watched.open("proxy=panoptic")
    watched.count(14)
    watched.page.locator(".card a").first.press("Enter")
    first = watched.keys()[0]
    title = watched.page.locator(".detail-bar h2")
    sync_api.expect(title).to_contain_text(first)
    watched.page.keyboard.press("ArrowRight")
    sync_api.expect(title).to_contain_text(watched.keys()[1])
    watched.page.keyboard.press("ArrowLeft")
    sync_api.expect(title).to_contain_text(first)
    watched.page.keyboard.press("ArrowDown")
    sync_api.expect(title).to_contain_text("entity")
    sync_api.expect(title).to_contain_text(first)
    watched.page.keyboard.press("?")
    sync_api.expect(watched.page.locator("#help")).to_be_visible()
    watched.page.keyboard.press("Escape")
    watched.page.keyboard.press("Escape")
    sync_api.expect(watched.page.locator("#detail")).not_to_be_visible()
    assert len(samples) == 14


def test_every_proxy_opens_and_reads_its_target(watched: Watched, corpus: str) -> None:
    for proxy in open_corpus(corpus).proxies:
        sample = samples_of(corpus, proxy)[0]
        open_sample(watched, sample)
        assert watched.page.locator(".detail-bar small").inner_text() == proxy
        assert hover(watched, sample, 5, 5)
        assert watched.page.locator(".strip a").count() >= 5
        assert watched.page.locator(".facts-of .problem").count() == 0


def test_overview_distributions_and_rejected_inputs_are_shown(
    watched: Watched, corpus: str
) -> None:
    header = open_corpus(corpus).header
    watched.open("view=overview")
    samples = sum(totals["samples"] for totals in header.totals.values())
    tiles = watched.page.locator(".tile").all_inner_texts()
    assert [tile.split("\n")[0] for tile in tiles[:2]] == ["28", f"{samples:,}"]
    watched.open("view=distributions&proxy=panoptic")
    assert "Segments per sample" in watched.page.locator(".chart h3").first.inner_text()
    labels = watched.page.locator(".chart svg").evaluate_all("a => a.map(e => e.ariaLabel)")
    assert len(labels) >= 6 and all("median" in label for label in labels)
    watched.open("view=rejected")
    watched.page.locator(".reasons a").first.click()
    watched.settle()
    assert watched.page.locator(".inputs .input").first.is_visible()


def test_a_page_of_few_samples_counts_all_of_them(
    browser: Any, corpus: str, tmp_path: Path
) -> None:
    """What charts and tiles say of a report is what an independent count of the corpus says."""
    write_report(corpus, tmp_path / "few.html", samples=1)
    rows = [
        row
        for place in Path(corpus, "index", "panoptic").glob("*.parquet")
        for row in pq.read_table(place).to_pylist()
    ]
    expected = Counter(name for row in rows for name in set(row["categories"]))
    nbytes = sum(tar.stat().st_size for tar in Path(corpus).rglob("*.tar"))
    for watched in _watched(browser, (tmp_path / "few.html").as_uri()):
        watched.open("view=distributions&proxy=panoptic")
        card = watched.page.locator(".names-of", has=watched.page.get_by_text("Categories"))
        names = card.locator(".name").all_inner_texts()
        counts = map(int, card.locator("li .n").all_inner_texts())
        assert dict(zip(names, counts, strict=True)) == expected
        scopes = watched.page.locator(".scope").all_inner_texts()
        assert all(text.startswith("all 14 samples") for text in scopes), scopes
        watched.open("view=overview")
        figures = watched.page.locator(".tile strong").all_inner_texts()
        captions = watched.page.locator(".tile > span").all_inner_texts()
        tiles = dict(zip(captions, figures, strict=True))
        assert tiles["in tars"] == f"{nbytes / 1e6:.1f} MB"
        watched.open("proxy=panoptic")
        assert "this page holds 1 of 14" in watched.page.locator("#status").inner_text()


def test_light_and_dark_can_be_switched(watched: Watched) -> None:
    watched.page.emulate_media(color_scheme="light")
    watched.open("proxy=edge")
    ground = "getComputedStyle(document.body).backgroundColor"
    light = watched.page.evaluate(ground)
    watched.page.get_by_label("Switch between light and dark").click()
    dark = watched.page.evaluate(ground)
    assert light != dark
    watched.page.emulate_media(color_scheme="dark")
    assert watched.page.evaluate(ground) == dark
    watched.page.keyboard.press("t")
    assert watched.page.evaluate(ground) == light


def test_a_narrow_screen_needs_no_scrolling_aside(watched: Watched, corpus: str) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 800})
    sample = samples_of(corpus, "panoptic")[0]
    for state in ("proxy=panoptic", "view=overview", "view=distributions", "view=rejected",
                  f"proxy=panoptic&open={sample.shard}/{sample.key}"):  # fmt: skip
        watched.open(state)
        width = watched.page.evaluate("document.documentElement.scrollWidth")
        assert width <= 390, state
    watched.open("proxy=panoptic")
    assert not watched.page.locator("#search").is_visible()
    watched.page.get_by_role("button", name="Filters").click()
    assert watched.page.locator("#search").is_visible()


@pytest.mark.parametrize("form", ["served", "file"])
def test_hostile_texts_are_shown_and_never_run(browser: Any, tmp_path: Path, form: str) -> None:
    root = write_hostile(tmp_path / "hostile")
    place = tmp_path / "report.html"
    write_report(root, place)
    with serve_corpus(root) as viewer:
        address = viewer.url if form == "served" else place.as_uri()
        for watched in _watched(browser, address):
            for state in ("", "open=made-s-00000/made_0", "view=overview", "view=distributions",
                          "view=rejected"):  # fmt: skip
                watched.open(state)
            watched.page.locator(".reasons a").first.click()
            watched.settle()
            assert watched.page.locator(".inputs .instruction").first.inner_text() == ATTACK
            watched.open("open=made-s-00000/made_1")
            assert watched.page.locator("blockquote").inner_text() == f"1 {ATTACK}"
            assert watched.page.title() == "hostile · sgt-data"
            assert watched.page.locator("img[src=x]").count() == 0
