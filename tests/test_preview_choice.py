"""What a contact sheet is asked for: keys, proxies, an expression, pages, rejected inputs."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sgt_data.cli.app import main
from sgt_data.corpus import reasons
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.reasons import lost_inputs, without_own_words
from sgt_data.engine.build import build_corpus
from sgt_data.engine.cluster import IN_PROCESS
from sgt_data.errors import RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.preview.cards import Section, choose_sections
from sgt_data.preview.contact_sheet import contact_sheet
from sgt_data.preview.sheet_choice import SheetChoice
from sgt_data.preview.sheet_text import caption_facts
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.subset import subset


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Both sources; one proxy takes pictures of many segments alone, and two pictures are broken
    for every proxy."""
    root = tmp_path_factory.mktemp("choice")
    pictures = root / "photos"
    pictures.mkdir()
    for number in range(4):
        Image.new("RGB", (160, 120), (40 * number, 90, 30)).save(pictures / f"{number}.png")
    (pictures / "8.png").write_bytes(b"no picture")
    (pictures / "9.png").write_bytes((pictures / "1.png").read_bytes()[:60])
    document = {
        "name": "choice",
        "shard_samples": 4,
        "pictures": {"min_side": 96, "max_side": 400, "multiple_of": 8},
        "max_quarantined": 1,
        "max_filtered": 1,
        "sources": [
            {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances"]},
            {"type": "folder", "name": "photos", "pictures": str(pictures)},
        ],
        "proxies": [
            {"type": "segmentation", "name": "all", "variant": "instance", "sources": ["coco"]},
            {"type": "segmentation", "name": "busy", "variant": "instance", "sources": ["coco"],
             "filters": {"min_segments": 6}},
            {"type": "edge"},
            {"type": "denoise"},
        ],
    }  # fmt: skip
    build_corpus(parse_manifest(document), str(root / "corpus"), cluster=IN_PROCESS)
    return open_corpus(str(root / "corpus"))


def rows_in(corpus: Corpus, proxy: str) -> list[dict[str, Any]]:
    shards = corpus.shards(proxy)
    return [row for shard in shards for row in lost_inputs(corpus.url, proxy, shard)]


def keys_of(sections: list[Section]) -> list[str]:
    return [card.key for section in sections for card in section.cards]


def keys_in(corpus: Corpus, proxy: str) -> list[str]:
    return [sample.key for sample in corpus.samples(proxy)]


def test_keys_are_shown_as_they_are_asked_for(corpus: Corpus) -> None:
    chosen = keys_in(corpus, "all")[5:1:-2]
    sections = choose_sections(corpus, SheetChoice(keys=tuple(chosen)))
    assert keys_of(sections) == chosen
    for card in sections[0].cards:
        for proxy in ("all", "edge", "denoise"):
            sample = card.samples[proxy]
            assert sample is not None and sample.key == card.key and sample.proxy == proxy


def test_only_the_proxies_that_are_asked_for_are_shown(corpus: Corpus) -> None:
    sections = choose_sections(corpus, SheetChoice(proxies=("edge", "busy")))
    assert [list(section.tiers) for section in sections] == [["busy", "edge"], ["edge"]]


def test_pages_give_every_key_once_in_the_order_of_the_corpus(corpus: Corpus) -> None:
    shown = []
    for page in (1, 2, 3, 4):
        (coco, *_) = choose_sections(corpus, SheetChoice(per_source=3, page=page))
        shown += keys_of([coco])
    assert shown == keys_in(corpus, "edge")[:12]


def test_an_expression_chooses_the_pictures_it_is_true_of(corpus: Corpus) -> None:
    counts = {
        sample.key: len([one for one in sample.facts["segments"] if one["label"]])
        for sample in corpus.samples("all")
    }
    most = max(counts.values())
    (section,) = choose_sections(corpus, SheetChoice(where=f"segments = {most}", page=1))
    assert keys_of([section]) == [key for key, count in counts.items() if count == most][:6]


def test_rejected_inputs_are_shown_with_their_reasons_and_their_picture(corpus: Corpus) -> None:
    sections = choose_sections(corpus, SheetChoice(quarantined=True, per_source=50))
    by_name = {section.source: section for section in sections}
    rows = [
        row for shard in corpus.shards("busy") for row in lost_inputs(corpus.url, "busy", shard)
    ]
    cards = {card.key: card for card in by_name["coco"].cards}
    assert {row["key"]: row["reason"] for row in rows} == {
        key: card.reasons["busy"] for key, card in cards.items()
    }
    for card in cards.values():
        assert card.samples["busy"] is None and card.samples["all"] is not None
        assert card.clean_picture == corpus["all"][card.key].input
    broken = by_name["photos"].cards
    assert sorted(card.key for card in broken) == ["photos_8", "photos_9"]
    assert all(card.clean_picture is None and set(card.reasons) == {"edge", "denoise"}
               for card in broken)  # fmt: skip


def test_a_ledger_is_read_once_for_all_its_empty_cells(
    corpus: Corpus, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = [
        (shard, row["key"])
        for shard in corpus.shards("busy")
        for row in lost_inputs(corpus.url, "busy", shard)
    ]
    read: list[str] = []
    read_bytes = reasons.read_bytes

    def noted(place: str) -> bytes:
        read.append(place)
        return read_bytes(place)

    monkeypatch.setattr(reasons, "read_bytes", noted)
    (section,) = choose_sections(corpus, SheetChoice(keys=tuple(key for _, key in lost)))
    assert all(card.reasons["busy"] for card in section.cards)
    assert len(section.cards) > len({shard for shard, _ in lost})
    assert len(read) == len(set(read)) == len({shard for shard, _ in lost})


def test_the_first_rejected_inputs_are_one_of_every_kind_of_reason(corpus: Corpus) -> None:
    rows = [
        row for shard in corpus.shards("edge") for row in lost_inputs(corpus.url, "edge", shard)
    ]
    kinds = {without_own_words(row["reason"]) for row in rows}
    assert len(kinds) == 2
    sections = choose_sections(corpus, SheetChoice(quarantined=True, proxies=("edge",)))
    first = sections[0].cards[: len(kinds)]
    assert {without_own_words(card.reasons["edge"]) for card in first} == kinds


def test_a_rejected_picture_is_shown_though_its_other_proxies_are_not(corpus: Corpus) -> None:
    sections = choose_sections(corpus, SheetChoice(quarantined=True, proxies=("busy",)))
    for card in sections[0].cards:
        assert card.clean_picture == corpus["all"][card.key].input


def test_a_sheet_of_rejected_inputs_is_drawn_with_its_reasons(corpus: Corpus) -> None:
    sheet = contact_sheet(corpus, 2, quarantined=True)
    plain = contact_sheet(corpus, 2)
    assert sheet.size[0] == plain.size[0] and sheet.size[1] > 300


def test_the_variant_is_said_where_the_name_does_not_say_it(corpus: Corpus) -> None:
    assert caption_facts(corpus["all"][0].facts)[1] == "instance"


def test_a_slanting_line_is_explained_on_sheets_that_have_one(corpus: Corpus) -> None:
    def corner(*proxies: str) -> np.ndarray:
        return np.asarray(contact_sheet(corpus, 1, proxies=proxies))[85:120, 1300:1960]

    assert len(np.unique(corner("edge").reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(corner("edge", "denoise").reshape(-1, 3), axis=0)) > 10


def test_a_sheet_takes_a_url_and_one_name_as_a_list_of_one(corpus: Corpus) -> None:
    key = corpus["edge"][0].key
    sheet = contact_sheet(corpus, keys=[key], proxies=["edge"])
    assert contact_sheet(corpus.url, keys=key, proxies="edge") == sheet


@pytest.mark.parametrize("suffix, form", [(".png", "PNG"), (".jpg", "JPEG"), (".webp", "WEBP")])
def test_the_format_is_that_of_the_name(
    corpus: Corpus, tmp_path: Path, suffix: str, form: str
) -> None:
    file = tmp_path / f"sheet{suffix}"
    with pytest.raises(SystemExit) as end:
        main(["preview", corpus.url, "-o", str(file), "--proxy", "edge,all", "--per-source", "1"])
    assert end.value.code == 0
    with Image.open(io.BytesIO(file.read_bytes())) as image:
        assert image.format == form


@pytest.mark.parametrize(
    "choice, message",
    [
        ({"keys": ["coco_7"]}, r"key: found 'coco_7'; .* has no sample of it; it has, for example"),
        ({"proxies": ["edges"]}, "no proxy 'edges'"),
        ({"proxies": 7}, "proxies: found 7; allowed: a list of texts"),
        ({"page": 400}, r"page: found 400; allowed: 1 to \d+"),
        ({"page": 0}, "page: found 0"),
        ({"keys": ["a"], "page": 2}, "both key and page"),
        ({"quarantined": True, "where": "segments > 1"}, "both quarantined and where"),
        ({"where": "segments > 1000"}, "is true of no sample"),
        ({"where": "colour = 1"}, "there is no column 'colour'"),
        ({"quarantined": True, "proxies": ["all"]}, "every input became a sample"),
    ],
)  # fmt: skip
def test_what_cannot_be_shown_is_refused_in_words(
    corpus: Corpus, choice: dict[str, object], message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        contact_sheet(corpus, **choice)  # type: ignore[arg-type]


def test_a_subset_shows_its_own_keys_and_has_no_quarantine(corpus: Corpus, tmp_path: Path) -> None:
    file = f"{tmp_path}/some.subset.parquet"
    subset(corpus.url, 0.5, file=file)
    part = open_corpus(file)
    sections = choose_sections(part, SheetChoice(per_source=100, page=1))
    assert keys_of(sections) == keys_in(part, "edge")
    with pytest.raises(RequestError, match="a subset has no quarantine"):
        contact_sheet(part, quarantined=True)
