"""What a notebook shows: short texts, pictures in line, everything escaped, no bytes printed."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import sgt_data
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.engine.build_report import BuildReport
from sgt_data.result import Failure
from sgt_data.verify.findings import Finding, Verdict
from tests.corpora import both_sources

PICTURE = re.compile(r'<img src="data:image/(?:png|jpeg);base64,([^"]+)"')


@pytest.fixture(scope="module")
def built(
    sample_sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Corpus, BuildReport]:
    root = str(tmp_path_factory.mktemp("notebook") / "corpus")
    manifest = both_sources(sample_sources, 5)
    report = sgt_data.build_corpus(manifest, root, cluster=sgt_data.IN_PROCESS)
    return sgt_data.open_corpus(root), report


@pytest.fixture(scope="module")
def corpus(built: tuple[Corpus, BuildReport]) -> Corpus:
    return built[0]


def pictures_in(html: str) -> list[Image.Image]:
    images = [Image.open(io.BytesIO(base64.b64decode(data))) for data in PICTURE.findall(html)]
    for image in images:
        image.load()
    return images


def test_a_corpus_is_a_collection_of_its_samples(corpus: Corpus) -> None:
    assert len(corpus) == sum(len(corpus[proxy]) for proxy in corpus.proxies) == 60
    assert "panoptic" in corpus and "depth" not in corpus
    assert list(corpus) == [sample for proxy in corpus.proxies for sample in corpus.samples(proxy)]


def test_samples_of_a_proxy_are_a_sequence(corpus: Corpus) -> None:
    every = list(corpus.samples("entity"))
    entities = corpus["entity"]
    assert len(entities) == 24 and list(entities) == every
    assert [entities[number] for number in range(24)] == every
    assert entities[-1] == every[-1] and entities[3:9:2] == every[3:9:2]
    assert entities[every[7].key] == every[7]
    assert every[7].key in entities and every[7] in entities
    assert "nobody" not in entities and replace(every[7], target=b"") not in entities
    assert 7 not in entities
    for place in (24, -25):
        with pytest.raises(IndexError, match="which has 24"):
            entities[place]
    with pytest.raises(sgt_data.RequestError, match="no sample 'nobody'"):
        entities["nobody"]
    with pytest.raises(sgt_data.RequestError, match="no proxy 'nope'"):
        corpus["nope"]


def test_a_sample_gives_its_pictures(corpus: Corpus) -> None:
    sample = corpus["panoptic"][0]
    with Image.open(io.BytesIO(sample.target)) as stored:
        assert (np.asarray(sample.target_image) == np.asarray(stored.convert("RGB"))).all()
    assert sample.input_image.mode == "RGB" and sample.input_image.size == sample.target_image.size


def test_a_field_of_a_sample_is_also_given_by_its_name() -> None:
    sample = Sample("k", "edge", "corpus", "s-0", b"in", b"out", "Draw.", {"type": "edge"})
    assert sample["key"] == "k" and sample["facts"] is sample.facts
    with pytest.raises(sgt_data.RequestError, match="no field 'keys'; it has key, proxy"):
        sample["keys"]
    with pytest.raises(TypeError, match="not iterable"):
        iter(sample)  # type: ignore[call-overload]


def test_nothing_prints_its_bytes(corpus: Corpus) -> None:
    sample = corpus["panoptic"][0]
    stream = sgt_data.Stream({corpus.url: ["panoptic"]}, batch_size=4)
    batch = next(iter(stream))
    for value in (sample, corpus, corpus["panoptic"], stream, batch, [sample], {"a": sample}):
        text = repr(value)
        assert len(text) < 400 and "\\x" not in text and "b'" not in text
    assert sample.key in repr(sample) and "panoptic" in repr(sample)
    assert "60 samples of 4 proxies, complete" in repr(corpus)
    assert "12 of all: 4 samples per batch, 3 batches in epoch 0" in repr(stream)


def test_a_sample_shows_both_pictures(corpus: Corpus) -> None:
    sample = corpus["panoptic"][0]
    given, target = pictures_in(sample._repr_html_())
    assert given.size == target.size and given.width <= 320
    colours = {tuple(colour) for colour in np.asarray(sample.target_image).reshape(-1, 3)}
    shown = {tuple(colour) for colour in np.asarray(target.convert("RGB")).reshape(-1, 3)}
    assert shown <= colours  # shrunk without mixing colours


def test_a_corpus_shows_counts_and_a_target_of_each_proxy(corpus: Corpus) -> None:
    html = corpus._repr_html_()
    assert len(pictures_in(html)) == 4
    for proxy in corpus.proxies:
        assert f">{proxy}<" in html
    assert len(pictures_in(corpus["entity"]._repr_html_())) == 8


def test_reports_are_short_and_show_their_totals(built: tuple[Corpus, BuildReport]) -> None:
    _, report = built
    assert repr(report).startswith("<BuildReport complete; ") and len(repr(report)) < 300
    html = report._repr_html_()
    assert "<td" in html and ">panoptic<" in html and ">24<" in html


def test_failures_and_findings_are_shown() -> None:
    report = BuildReport(output="o", failures=[Failure("coco/a", "<b>broken</b>")], notes=["n & m"])
    assert repr(report).startswith("<BuildReport not complete, 1 failure")
    assert "&lt;b&gt;broken" in report._repr_html_() and "n &amp; m" in report._repr_html_()
    verdict = Verdict(1, 2, (Finding("<i>", "wrong"),))
    assert repr(verdict) == "<Verdict 1 finding: 1 shard, 2 samples>"
    assert "&lt;i&gt;" in verdict._repr_html_() and "<i>" not in verdict._repr_html_()


def test_texts_of_a_corpus_are_escaped(corpus: Corpus) -> None:
    sample = corpus["panoptic"][0]
    hostile = replace(sample, key="<script>", instruction="<img src=x onerror=alert(1)>")
    html = hostile._repr_html_()
    assert "<script>" not in html and "onerror=alert(1)>" not in html


@pytest.mark.parametrize("target", [b"", b"no picture", b"\x89PNG\r\n\x1a\nbroken"])
def test_a_picture_that_cannot_be_decoded_is_said(corpus: Corpus, target: bytes) -> None:
    broken: Sample = replace(corpus["panoptic"][0], target=target)
    html = broken._repr_html_()
    assert len(pictures_in(html)) == 1
    assert ("target: no picture" in html) == bool(target)


def test_a_damaged_corpus_still_shows_its_counts(corpus: Corpus, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(corpus.url, tmp_path / "copy")
    for tar in (tmp_path / "copy" / "panoptic").glob("*.tar"):
        tar.write_bytes(tar.read_bytes()[:100])
    html = sgt_data.open_corpus(str(tmp_path / "copy"))._repr_html_()
    assert len(pictures_in(html)) == 3 and "panoptic" in html
