"""A corpus as one HTML file: whole, bounded, the same whenever it is written, and harmless."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner
from viewed import ATTACK, build_viewed, write_hostile

from sgt_data import open_corpus, write_report
from sgt_data.cli.app import app
from sgt_data.errors import RequestError


class Elements(HTMLParser):
    """The elements of a page, as a browser takes them: name, attributes, text."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self._open = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.texts.append("")
        self._open = True

    def handle_endtag(self, tag: str) -> None:
        self._open = False

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[-1] += data

    def of(self, tag: str) -> list[tuple[dict[str, str | None], str]]:
        return [
            (attributes, text)
            for (name, attributes), text in zip(self.elements, self.texts, strict=True)
            if name == tag
        ]


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    return build_viewed(sample_sources, tmp_path_factory.mktemp("viewed") / "corpus")


@pytest.fixture(scope="module")
def page(corpus: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("report") / "report.html"
    report = write_report(corpus, place, samples=5)
    assert report.succeeded and report.nbytes == place.stat().st_size
    return place


def data_of(page: Path) -> dict[str, Any]:
    (text,) = [
        text
        for attributes, text in Elements(page.read_text()).of("script")
        if attributes.get("type") == "application/json"
    ]
    document: dict[str, Any] = json.loads(text)
    return document


def test_a_report_loads_nothing(page: Path) -> None:
    elements = Elements(page.read_text())
    for _, attributes in elements.elements:
        for name in ("src", "srcset", "poster", "data"):
            assert name not in attributes
        assert (attributes.get("href") or "#").startswith("#")
    policy = next(
        attributes["content"] or ""
        for attributes, _ in elements.of("meta")
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy
    (script,) = [text for attributes, text in elements.of("script") if not attributes]
    ((_, style),) = elements.of("style")
    for text in (script, style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy, "the browser would not run it"


def test_a_report_holds_stored_bytes_and_totals_of_the_whole(corpus: str, page: Path) -> None:
    data = data_of(page)
    opened = open_corpus(corpus)
    assert len({(name.split("/")[1], name.split("/")[2]) for name in data["samples"]}) == 5
    for name in data["samples"]:
        proxy, shard, key = name.split("/")
        sample = opened.sample(proxy, shard, key)
        for member in ("input", "target"):
            number = data["pictures"][f"{name}/{member}"]
            assert base64.b64decode(data["files"][number]) == getattr(sample, member)
    assert len(set(data["files"])) == len(data["files"]), "each file once"
    for proxy in data["overview"]["proxies"]:
        assert proxy["totals"]["samples"] == opened.header.totals[proxy["name"]]["samples"]
        charts = {chart["name"]: chart for chart in data["distributions"][proxy["name"]]["charts"]}
        assert charts["aspect"]["n"] == proxy["totals"]["samples"]


def index_of(corpus: str, proxy: str) -> list[dict[str, Any]]:
    """Rows of the index, read without our reader."""
    places = sorted(Path(corpus, "index", proxy).glob("*.parquet"))
    return [row for place in places for row in pq.read_table(place).to_pylist()]


def test_a_report_counts_names_over_the_whole(corpus: str, page: Path) -> None:
    """Every category, source and licence of all samples, though the page holds a few of them."""
    data = data_of(page)
    for proxy in open_corpus(corpus).proxies:
        rows, counts = index_of(corpus, proxy), data["counts"][proxy]
        assert (counts["counted"], counts["of"]) == (len(rows), len(rows))
        assert len(data["items"][proxy]) < len(rows)
        for name in ("source", "licence"):
            stated = Counter(row[name] for row in rows if row[name])
            assert dict(counts[name]["counts"]) == stated
        expected = Counter(category for row in rows for category in set(row["categories"]))
        assert dict(counts["category"]["counts"]) == expected, proxy


def test_a_report_counts_and_shows_rejected_inputs_of_every_proxy(corpus: str, page: Path) -> None:
    rows: Counter[tuple[str, str]] = Counter()
    for place in Path(corpus, "quarantine").rglob("*.jsonl"):
        for line in place.read_text().splitlines():
            rows[place.parent.name, json.loads(line)["kind"]] += 1
    told: Counter[tuple[str, str]] = Counter()
    for group in data_of(page)["rejected"]:
        for folder, count in group["rows"].items():
            told[folder, group["kind"]] += count
        assert {item["folder"] for item in group["items"]} == set(group["rows"])
    assert told == rows and rows


def test_every_proxy_has_a_sample_in_a_report(page: Path) -> None:
    data = data_of(page)
    assert set(data["items"]) == {proxy["name"] for proxy in data["overview"]["proxies"]}


def test_a_report_says_how_much_it_holds(corpus: str, page: Path) -> None:
    data = data_of(page)
    whole = sum(sum(open_corpus(corpus).samples_per_shard(p)) for p in open_corpus(corpus).proxies)
    assert f"{len(data['samples'])} of {whole} samples" in " ".join(data["overview"]["notes"])


def test_the_same_report_is_the_same_bytes(corpus: str, page: Path, tmp_path: Path) -> None:
    write_report(corpus, tmp_path / "again.html", samples=5)
    assert (tmp_path / "again.html").read_bytes() == page.read_bytes()
    write_report(corpus, tmp_path / "other.html", samples=5, seed=1)
    assert data_of(tmp_path / "other.html")["samples"].keys() != data_of(page)["samples"].keys()


def test_a_report_names_no_place_of_the_machine(corpus: str, page: Path) -> None:
    assert str(Path(corpus).parent) not in page.read_text()


def test_a_report_is_bounded_and_says_what_did_not_fit(corpus: str, tmp_path: Path) -> None:
    report = write_report(corpus, tmp_path / "small.html", samples=1000, max_megabytes=1)
    assert report.nbytes < 1_600_000
    assert 0 < report.pictures < 24
    assert "fit into 1 MB" in report.notes[0] and "max_megabytes" in report.notes[0]


def test_hostile_texts_stay_texts(tmp_path: Path) -> None:
    root = write_hostile(tmp_path / "hostile")
    write_report(root, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    elements = Elements(text)
    assert "<img" not in text and len(elements.of("script")) == 2
    data = data_of(tmp_path / "report.html")
    assert data["items"]["segmentation"][0]["instruction"].endswith(ATTACK)
    assert data["rejected"][0]["items"][0]["reason"] == ATTACK


def test_a_report_is_not_written_into_the_corpus(corpus: str) -> None:
    with pytest.raises(RequestError, match=r"is read by this work|lies in"):
        write_report(corpus, Path(corpus) / "report.html")


def test_the_command_says_what_it_wrote_and_what_is_next(corpus: str, tmp_path: Path) -> None:
    place = tmp_path / "report.html"
    done = CliRunner().invoke(app, ["report", corpus, "-o", str(place), "--samples", "1", "--json"])
    assert done.exit_code == 0, done.output
    stated = json.loads(done.stdout)
    assert stated["pictures"] == 1 and stated["nbytes"] == place.stat().st_size
    assert f"next: sgt-data view {corpus}" in re.sub(r"\s+", " ", done.stderr)
