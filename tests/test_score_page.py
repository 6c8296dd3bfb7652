"""What a score is written as: a page that holds all it needs and runs nothing, and JSON."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scored import build_scored, write_targets
from viewed import ATTACK, write_hostile

import sgt_data
from sgt_data.errors import RequestError
from sgt_data.extras import LibraryMissing
from sgt_data.scoring import score_page

PROXIES = [
    {"type": "segmentation", "name": "semantic", "variant": "semantic", "sources": ["coco"]},
    {"type": "depth"},
    {"type": "denoise"},
]


class Elements(HTMLParser):
    """The elements of a page, its pictures and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.pictures: list[str] = []
        self.addresses: list[str] = []
        self.handlers: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        for name, value in attrs:
            self.handlers += [name] if name.startswith("on") else []
            if tag == "img" and name == "src":
                self.pictures.append(value or "")
            elif name in ("src", "href"):
                self.addresses.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def elements_of(page: Path) -> Elements:
    elements = Elements()
    elements.feed(page.read_text())
    return elements


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_scored(
        sample_sources, tmp_path_factory.mktemp("paged") / "corpus", proxies=PROXIES
    )


def test_the_page_holds_the_best_median_and_worst_of_every_proxy(
    corpus: str, tmp_path: Path
) -> None:
    for proxy in ("semantic", "depth", "denoise"):
        keys = write_targets(corpus, proxy, tmp_path / "drawn" / proxy)
        for number, key in enumerate(keys[:4]):
            path = next((tmp_path / "drawn" / proxy).glob(f"{key}.*"))
            with Image.open(path) as image:
                noise = np.random.default_rng(number).integers(0, 256, (*image.size[::-1], 3))
                Image.fromarray(noise.astype(np.uint8)).save(path.with_suffix(".png"))
            if path.suffix != ".png":
                path.unlink()
    score = sgt_data.score(corpus, tmp_path / "drawn", processes=1)
    score.write(tmp_path / "score.html")
    page = elements_of(tmp_path / "score.html")
    for proxy, scored in score.proxies.items():
        by_rank = {rank: [] for rank in ("best", "median", "worst")}  # type: dict[str, list[str]]
        for example in scored.examples:
            by_rank[example.rank].append(example.key)
            assert example.key in page.text and example.instruction in page.text
        assert [len(keys) for keys in by_rank.values()] == [2, 2, 2]
        qualities = {p.key: p.quality for p in scored.pictures if p.quality is not None}
        worst = sorted(qualities, key=lambda key: qualities[key])
        assert set(by_rank["worst"]) == set(worst[:2]), proxy
        assert all(qualities[key] > max(qualities.values()) - 1e-5 for key in by_rank["best"])
    for picture in page.pictures:
        kind, data = re.fullmatch(r"data:image/(png|jpeg);base64,(.*)", picture).groups()  # type: ignore[union-attr]
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.format == kind.upper()
    assert not page.handlers and "script" not in page.names
    assert all(address.startswith("#") for address in page.addresses)
    assert str(tmp_path) not in (tmp_path / "score.html").read_text(), "a page is passed on"


def test_hostile_texts_are_shown_and_never_run(tmp_path: Path) -> None:
    corpus = write_hostile(tmp_path / "corpus")
    (tmp_path / "drawn").mkdir()
    (tmp_path / "drawn" / "<img src=x onerror=alert(1)>.png").write_bytes(b"")
    opened = sgt_data.open_corpus(corpus)
    write_targets(corpus, opened.proxies[0], tmp_path / "drawn")
    score = sgt_data.score(corpus, tmp_path / "drawn", processes=1)
    score.write(tmp_path / "score.html")
    page = elements_of(tmp_path / "score.html")
    assert ATTACK in page.text and "<img src=x onerror=alert(1)>.png" in page.text
    assert not page.handlers and "script" not in page.names and "x" not in page.pictures
    assert "default-src 'none'" in (tmp_path / "score.html").read_text()
    assert "<img" not in score._repr_html_() and "<script" not in score._repr_html_()


def test_json_holds_all_that_was_measured(corpus: str, tmp_path: Path) -> None:
    keys = write_targets(corpus, "semantic", tmp_path / "drawn")
    score = sgt_data.score(corpus, tmp_path / "drawn", proxy="semantic", processes=1, seed=3)
    score.write(tmp_path / "score.json")
    document = json.loads((tmp_path / "score.json").read_text())
    assert document["format"] == "sgt-data score" and document["seed"] == 3
    semantic = document["proxies"]["semantic"]
    assert semantic["fingerprint"] == sgt_data.open_corpus(corpus).header.fingerprints["semantic"]
    assert semantic["decoding"]["reject"] == 96
    assert [picture["key"] for picture in semantic["pictures"]] == keys
    for name, estimate in score.measures["semantic"].items():
        stated = semantic["measures"][name]
        assert (stated["value"], stated["count"]) == (estimate.value, estimate.count)
        assert semantic["pictures"][0]["figures"][name] == 1.0


def test_a_report_has_a_place_and_a_form_that_are_known(corpus: str, tmp_path: Path) -> None:
    write_targets(corpus, "semantic", tmp_path / "drawn")
    score = sgt_data.score(corpus, tmp_path / "drawn", proxy="semantic", processes=1)
    for place, words in (
        ("score.csv", "must end in .json or .html"),
        ("nowhere/score.json", "there is no folder"),
        (f"{corpus}/score.html", "corpus"),
    ):
        with pytest.raises(RequestError, match=words):
            score.write(tmp_path / place)


def test_without_jinja2_the_page_names_the_extra_and_json_is_written(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_targets(corpus, "semantic", tmp_path / "drawn")
    score = sgt_data.score(corpus, tmp_path / "drawn", proxy="semantic", processes=1)
    monkeypatch.setitem(sys.modules, "jinja2", None)
    score_page.template.cache_clear()
    with pytest.raises(LibraryMissing, match=r"needs jinja2.*sgt-data\[score\]"):
        score.write(tmp_path / "score.html")
    score.write(tmp_path / "score.json")
    assert (tmp_path / "score.json").exists()
