"""Referring: what the instruction says is what is drawn, and nothing else could be meant."""

from __future__ import annotations

import copy
import io
import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    SMALL,
    UPRIGHT,
    built,
    coco_annotation,
    coco_category,
    coco_document,
    coco_image,
    encoded,
    files_in,
    jpeg,
    ledger_in,
    not_shown,
    panoptic_png,
    run_lengths,
    samples_in,
    scene,
    shown,
    spoiled,
    write_coco,
)
from numpy.typing import NDArray
from PIL import Image
from subjects import facts_and_targets, subject_of, whole_facts

from sgt_data import decode, verify_corpus
from sgt_data.errors import CorpusError, FilteredOut, ManifestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.prompts.bank import load_bank
from sgt_data.proxies.referring import ReferringProxy
from sgt_data.records import (
    Segment,
)
from sgt_data.referring.nouns import might_mean, noun_of
from sgt_data.referring.phrases import Candidate, Margins, candidates
from sgt_data.referring.referents import referents
from sgt_data.referring.segment_facts import SegmentFacts

MARGINS = Margins(0.1, 0.05, 2.0, 0.002)

_PANOPTIC_STUFF = (
    "banner blanket bridge cardboard counter curtain door-stuff floor-wood flower fruit gravel "
    "house light mirror-stuff net pillow platform playingfield railroad river road roof sand sea "
    "shelf snow stairs tent towel wall-brick wall-stone wall-tile wall-wood water-other "
    "window-blind window-other tree-merged fence-merged ceiling-merged sky-other-merged "
    "cabinet-merged table-merged floor-other-merged pavement-merged mountain-merged grass-merged "
    "dirt-merged paper-merged food-other-merged building-other-merged rock-merged "
    "wall-other-merged rug-merged"
)
_STUFF = (
    "banner blanket branch bridge building-other bush cabinet cage cardboard carpet ceiling-other "
    "ceiling-tile cloth clothes clouds counter cupboard curtain desk-stuff dirt door-stuff fence "
    "floor-marble floor-other floor-stone floor-tile floor-wood flower fog food-other fruit "
    "furniture-other grass gravel ground-other hill house leaves light mat metal mirror-stuff moss "
    "mountain mud napkin net paper pavement pillow plant-other plastic platform playingfield "
    "railing railroad river road rock roof rug salad sand sea shelf sky-other skyscraper snow "
    "solid-other stairs stone straw structural-other table tent textile-other towel tree vegetable "
    "wall-brick wall-concrete wall-other wall-panel wall-stone wall-tile wall-wood water-other "
    "waterdrops window-blind window-other wood"
)
PANOPTIC_STUFF, STUFF = _PANOPTIC_STUFF.split(), _STUFF.split()
NAMES = [
    *((name, False) for name in (*PANOPTIC_STUFF, "clouds", "leaves", "hill", "other")),
    *(
        (name, True)
        for name in (
            "dog", "hot dog", "bear", "teddy bear", "person", "sheep", "sheeps", "bus", "skis",
            "dining table", "potted plant", "pizza", "donut", "tv", "laptop", "largest dog",
            "dog farthest to the left", "the", "all", "of the wall", "", "a\nb", "Dog", "ski",
            "of", "dog (animal)", "alarm_clock", "clock", "leftmost", "wall", "sky",
        )
    ),
]  # fmt: skip


def segment_at(
    number: int,
    category: str,
    box: tuple[int, int, int, int],
    isthing: bool = True,
    iscrowd: bool = False,
    area: int | None = None,
) -> SegmentFacts:
    return SegmentFacts(number, category, isthing, iscrowd, area or box[2] * box[3], box)


def phrases_of(
    visible: Sequence[SegmentFacts],
    hidden: Sequence[SegmentFacts] = (),
    size: tuple[int, int] = (100, 100),
) -> dict[str, frozenset[int]]:
    """Every phrase that can be used, with what it means."""
    usable = candidates(visible, hidden, *size, MARGINS)
    return {wording: candidate.ids for candidate in usable for wording in candidate.wordings}


@st.composite
def layouts(draw: st.DrawFn) -> tuple[list[SegmentFacts], list[SegmentFacts]]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4))
    everything = []
    for number in range(draw(st.integers(1, 9))):
        category, isthing = draw(st.sampled_from(names))
        left, top = draw(st.integers(0, 99)), draw(st.integers(0, 99))
        box = (left, top, draw(st.integers(1, 100 - left)), draw(st.integers(1, 100 - top)))
        area = draw(st.integers(1, box[2] * box[3]))
        crowd = isthing and draw(st.integers(0, 7)) == 0
        everything.append(SegmentFacts(number, category, isthing, crowd, area, box))
    hidden = [segment for segment in everything if draw(st.integers(0, 11)) == 0]
    visible = [segment for segment in everything if segment not in hidden]
    return visible, [replace(segment, area=0, box=(0, 0, 0, 0)) for segment in hidden]


@settings(max_examples=600, deadline=None)
@given(layouts(), st.floats(0.001, 0.3), st.floats(1.01, 4))
def test_every_phrase_means_what_it_was_made_for(
    layout: tuple[list[SegmentFacts], list[SegmentFacts]], gap: float, ratio: float
) -> None:
    visible, hidden = layout
    for candidate in candidates(visible, hidden, 100, 100, Margins(gap, gap / 2, ratio, 0.0)):
        assert candidate.ids and candidate.wordings
        for wording in candidate.wordings:
            assert referents(wording, [*visible, *hidden]) == candidate.ids, wording
            assert referents(wording, [*hidden, *reversed(visible)]) == candidate.ids, wording


def rival(candidate: Candidate, group: Sequence[SegmentFacts]) -> SegmentFacts:
    """One more of the category, which the phrase ought to mean as well, or instead."""
    chosen = next(segment for segment in group if segment.id in candidate.ids)
    left, top, across, down = chosen.box
    moved = {
        "leftmost": (left - 1, top, across, down),
        "rightmost": (left + 1, top, across, down),
        "topmost": (left, top - 1, across, down),
        "bottommost": (left, top + 1, across, down),
        "largest": (left, top, across + 1, down),
        "smallest": (left, top, across, down),
    }.get(candidate.relation, chosen.box)
    return replace(chosen, id=99, box=moved)


@settings(max_examples=300, deadline=None)
@given(layouts())
def test_a_changed_layout_no_longer_fits_its_phrase(
    layout: tuple[list[SegmentFacts], list[SegmentFacts]],
) -> None:
    visible, hidden = layout
    for candidate in candidates(visible, hidden, 100, 100, MARGINS):
        group = [segment for segment in visible if segment.category == candidate.category]
        crowd = replace(rival(candidate, group), iscrowd=True)
        concealed = replace(rival(candidate, group), area=0, box=(0, 0, 0, 0))
        for wording in candidate.wordings:
            for more in (rival(candidate, group), crowd, concealed):
                assert referents(wording, [*visible, *hidden, more]) != candidate.ids, wording
            others = [segment for segment in visible if segment.id not in candidate.ids]
            assert referents(wording, [*others, *hidden]) != candidate.ids


def test_phrases_of_places_and_sizes() -> None:
    dogs = [
        segment_at(1, "dog", (5, 50, 10, 10)),
        segment_at(2, "dog", (40, 10, 40, 30)),
        segment_at(3, "dog", (85, 55, 10, 12)),
    ]
    phrases = phrases_of(dogs)
    assert phrases["the leftmost dog"] == phrases["the dog farthest to the left"] == {1}
    assert phrases["the rightmost dog"] == {3}
    assert phrases["the topmost dog"] == phrases["the dog nearest the top of the picture"] == {2}
    assert phrases["the largest dog"] == phrases["the dog that takes up the most space"] == {2}
    assert phrases["all dogs"] == phrases["every dog"] == {1, 2, 3}
    assert "the dog" not in phrases
    assert not any("bottommost" in text or "smallest" in text for text in phrases)


def test_a_near_runner_up_is_no_phrase() -> None:
    """By its centre, and by its outer edge."""
    dog = segment_at(1, "dog", (10, 10, 20, 20))
    for other in ((19, 10, 20, 20), (12, 10, 60, 20), (14, 10, 70, 20)):
        assert "the leftmost dog" not in phrases_of([dog, segment_at(2, "dog", other)])
    assert "the leftmost dog" in phrases_of([dog, segment_at(2, "dog", (20, 10, 20, 20))])


def test_a_crowd_is_spoken_of_as_all_and_never_as_one() -> None:
    alone = phrases_of([segment_at(1, "person", (0, 0, 50, 50), iscrowd=True)])
    assert alone == {phrase: {1} for phrase in ("all people", "all the people", "every person")}
    both = phrases_of(
        [segment_at(1, "dog", (0, 0, 9, 9)), segment_at(2, "dog", (50, 50, 50, 50), iscrowd=True)]
    )
    assert both == {phrase: {1, 2} for phrase in ("all dogs", "all the dogs", "every dog")}


def test_a_hidden_segment_silences_its_category() -> None:
    dog, cat = segment_at(1, "dog", (0, 0, 50, 50)), segment_at(2, "cat", (50, 50, 50, 50))
    hidden = segment_at(3, "dog", (0, 0, 0, 0))
    assert phrases_of([dog, cat], [hidden]) == {"the cat": {2}}


def test_a_speck_is_not_worth_a_phrase() -> None:
    assert phrases_of([segment_at(1, "dog", (0, 0, 4, 4))]) == {}
    assert phrases_of([segment_at(1, "dog", (0, 0, 4, 5))]) == {"the dog": {1}}


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        (("bear", True), ("teddy bear", True)),
        (("dog", True), ("hot dog", True)),
        (("wall-other-merged", False), ("wall-brick", False)),
        (("food-other-merged", False), ("pizza", True)),
        (("fruit", False), ("banana", True)),
        (("light", False), ("traffic light", True)),
        (("floor-other-merged", False), ("floor-wood", False)),
        (("grass-merged", False), ("playingfield", False)),
        (("tv", True), ("laptop", True)),
    ],
)
def test_a_wider_noun_is_silent_beside_a_narrower_one(
    wide: tuple[str, bool], narrow: tuple[str, bool]
) -> None:
    segments = [
        segment_at(number, name, box, isthing=isthing)
        for number, ((name, isthing), box) in enumerate(
            [(wide, (0, 0, 50, 50)), (narrow, (50, 50, 50, 50))]
        )
    ]
    assert 0 not in {id for ids in phrases_of(segments).values() for id in ids}
    assert phrases_of(segments[:1])


@pytest.mark.parametrize(
    "names",
    [
        (("dining table", True), ("table-merged", False)),
        (("sea", False), ("river", False)),
        (("water-other", False), ("river", False)),
        (("house", False), ("building-other-merged", False)),
        (("road", False), ("pavement-merged", False)),
        (("car", True), ("truck", True)),
        (("cup", True), ("wine glass", True)),
    ],
)
def test_neighbouring_nouns_silence_each_other(names: tuple[tuple[str, bool], ...]) -> None:
    segments = [
        segment_at(number, name, (50 * number, 0, 50, 50), isthing=isthing)
        for number, (name, isthing) in enumerate(names)
    ]
    assert phrases_of(segments) == {}
    assert phrases_of(segments[:1]) and phrases_of(segments[1:])


@pytest.mark.parametrize("name", sorted({*PANOPTIC_STUFF, *STUFF}))
def test_every_stuff_of_coco_has_a_natural_noun(name: str) -> None:
    noun = noun_of(name, False)
    assert noun is not None
    if name in ("solid-other", "structural-other"):
        assert noun.forms == ()
        return
    assert noun.forms
    for form in noun.forms:
        assert not {"other", "merged", "stuff"} & set(form.replace("-", " ").split())
        assert "-" not in form and form == form.lower()
        assert might_mean(form, name, False)
    assert phrases_of([segment_at(1, name, (0, 0, 50, 50), isthing=False)])


def test_nouns_of_things() -> None:
    expected = {
        "person": ("person", "people"),
        "bus": ("bus", "buses"),
        "bench": ("bench", "benches"),
        "knife": ("knife", "knives"),
        "sheep": ("sheep", "sheep"),
        "toothbrush": ("toothbrush", "toothbrushes"),
        "mouse": ("computer mouse", "computer mice"),
        "dragonfly": ("dragonfly", "dragonflies"),
        "toy": ("toy", "toys"),
        "alarm_clock": ("alarm clock", "alarm clocks"),
        "T-shirt": ("T-shirt", "T-shirts"),
    }
    for name, forms in expected.items():
        noun = noun_of(name, True)
        assert noun is not None and (noun.singular, noun.plural) == forms
    for name in ("", "the", "largest dog", "dog (animal)", "a\nb", "x" * 41, "dog|cat", "{target}"):
        assert noun_of(name, True) is None


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_drawn_is_what_is_said(data: st.DataObject) -> None:
    """Never an `AnnotationError`: a picture has a sound sample, or nothing can be said of it."""
    names = data.draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=5))
    ids = np.zeros((40, 60), np.int32)
    count = data.draw(st.integers(1, 7))
    for number in range(1, count + 1):
        left, top = data.draw(st.integers(0, 55)), data.draw(st.integers(0, 35))
        right, bottom = data.draw(st.integers(left + 1, 60)), data.draw(st.integers(top + 1, 40))
        ids[top:bottom, left:right] = number
    segments = []
    for number in np.unique(ids[ids > 0]).tolist():
        category = data.draw(st.integers(1, len(names)))
        crowd = names[category - 1][1] and data.draw(st.integers(0, 9)) == 0
        segments.append(Segment(number, category, crowd))
    subject = subject_of(ids, segments, names)
    try:
        drawn = ReferringProxy().draw(subject)
    except FilteredOut as why:
        assert "nothing unambiguous can be said" in str(why)
        return
    facts = whole_facts(subject, drawn)
    assert ReferringProxy.contradictions(drawn.target, facts) == []
    mask = np.asarray(Image.open(io.BytesIO(drawn.target)))
    meant = [fields["id"] for fields in shown(facts)]
    np.testing.assert_array_equal(mask, np.isin(ids, meant) * np.uint8(255))
    assert drawn.segments == len(meant)
    assert sorted(meant + [fields["id"] for fields in not_shown(facts)]) == [
        segment.id for segment in segments
    ]


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("referring") / "corpus"
    root = f"{sample_sources}/coco"
    sources = [
        {"type": "coco", "root": root, "annotations": ["instances", "panoptic"]},
        {"type": "coco", "name": "things", "root": root, "annotations": ["instances"]},
    ]
    pictures = {"min_side": 64, "max_side": 256, "multiple_of": 8}
    assert built(output, sources, [{"type": "referring"}], pictures=pictures).succeeded
    return output


def test_a_corpus_of_phrases_is_sound(corpus: Path) -> None:
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound, verdict.findings
    assert verdict.samples >= 20


def test_targets_are_black_and_white_and_decode_to_one_label(corpus: Path) -> None:
    for facts, target in facts_and_targets(corpus, "referring"):
        with Image.open(io.BytesIO(target)) as image:
            assert image.mode == "L"
            pixels = np.asarray(image)
        assert set(np.unique(pixels).tolist()) <= {0, 255}
        decoded = decode(target, facts)
        np.testing.assert_array_equal(decoded.labels, pixels // 255)
        (merged,) = decoded.segments
        assert merged["ids"] == [fields["id"] for fields in shown(facts)]
        assert merged["phrase"] == facts["referring"]["phrase"]
        assert (pixels == 255).sum() == sum(fields["visible_area"] for fields in shown(facts))


def test_the_instruction_holds_the_phrase(corpus: Path) -> None:
    bank = load_bank("referring")
    assert all(line.count("{target}") == 1 for line in (*bank.train, *bank.held_out))
    for files in samples_in(corpus, "referring").values():
        facts = json.loads(files["json"])
        text, phrase = files["txt"].decode(), facts["referring"]["phrase"]
        assert facts["instruction"]["words"] == {"target": phrase}
        assert text == bank.train[facts["instruction"]["line"]].replace("{target}", phrase)


def test_two_builds_have_the_same_bytes(sample_sources: Path, tmp_path: Path) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    for name in ("a", "b"):
        built(tmp_path / name, source, [{"type": "referring"}])
    first, second = files_in(tmp_path / "a"), files_in(tmp_path / "b")
    tars = [name for name in first if name.endswith(".tar")]
    assert tars and all(first[name] == second[name] for name in tars)


def rectangle(left: int, top: int, right: int, bottom: int) -> NDArray[np.bool_]:
    mask = np.zeros((48, 64), np.bool_)
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize("orientation", range(1, 9))
def test_places_are_those_that_one_sees(orientation: int, tmp_path: Path) -> None:
    masks = {7: rectangle(2, 3, 14, 15), 8: rectangle(40, 30, 60, 46)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = encoded(Image.fromarray(scene(64, 48)), exif=exif)
    annotations = [coco_annotation(number, 1, run_lengths(mask)) for number, mask in masks.items()]
    documents = {"instances": coco_document([coco_image(1)], annotations)}
    root = write_coco(tmp_path / "in", {"000000000001.jpg": picture}, documents)
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    proxy = {"type": "referring", "kinds": ["place"]}
    for seed in range(4):
        built(tmp_path / f"{seed}", source, [proxy], seed=seed)
        ((facts, target),) = facts_and_targets(tmp_path / f"{seed}", "referring")
        assert ReferringProxy.contradictions(target, facts) == []
        turned = {number: UPRIGHT[orientation](mask) for number, mask in masks.items()}
        centres = {number: np.argwhere(mask).mean(0) for number, mask in turned.items()}
        axis, sign = {
            "leftmost": (1, 1), "rightmost": (1, -1), "topmost": (0, 1), "bottommost": (0, -1),
        }[facts["referring"]["relation"]]  # fmt: skip
        meant = min(centres, key=lambda number: sign * centres[number][axis])
        np.testing.assert_array_equal(
            np.asarray(Image.open(io.BytesIO(target))), turned[meant] * np.uint8(255)
        )


def test_a_picture_of_which_nothing_can_be_said_is_left_out(tmp_path: Path) -> None:
    """A dog and a hot dog: the dog could be either, and the hot dog is a speck."""
    ids = np.zeros((48, 64), np.int64)
    ids[:20, :20], ids[30:32, 30:32] = 1, 2
    document = {
        "images": [coco_image(1)],
        "categories": [coco_category(1, "dog"), coco_category(2, "hot dog")],
        "annotations": [
            {
                "image_id": 1,
                "file_name": "1.png",
                "segments_info": [
                    {"id": 1, "category_id": 1, "iscrowd": 0},
                    {"id": 2, "category_id": 2, "iscrowd": 0},
                ],
            }
        ],
    }
    pictures = {"000000000001.jpg": jpeg(64, 48)}
    maps = {"1.png": panoptic_png(ids)}
    root = write_coco(tmp_path / "in", pictures, {"panoptic": document}, maps)
    source = {"type": "coco", "root": str(root), "annotations": ["panoptic"]}
    built(tmp_path / "out", source, [{"type": "referring"}])
    (row,) = ledger_in(tmp_path / "out", "referring")
    assert row["kind"] == "filtered"
    assert "nothing unambiguous can be said of its 2 visible segments" in row["reason"]


def test_kinds_are_those_allowed(sample_sources: Path, tmp_path: Path) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    kinds = ("category", "single", "place", "size")
    built(
        tmp_path, source,
        [{"type": "referring", "name": kind, "kinds": [kind]} for kind in kinds],
    )  # fmt: skip
    for kind in kinds:
        for facts, _ in facts_and_targets(tmp_path, kind):
            assert facts["referring"]["kind"] == kind


def test_what_cannot_be_drawn_is_refused_beforehand(sample_sources: Path) -> None:
    document = {
        "name": "a",
        "sources": [{"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_*.tar"}],
        "proxies": [{"type": "referring"}],
        "pictures": SMALL,
    }
    with pytest.raises(ManifestError, match="panoptic or instances"):
        parse_manifest(document)
    for wrong in ({"kinds": []}, {"kinds": ["colour"]}, {"size_ratio": 1}, {"edge_margin": 0}):
        with pytest.raises(ManifestError):
            parse_manifest(document | {"proxies": [{"type": "referring"} | wrong]})


def test_a_swapped_phrase_is_found(corpus: Path) -> None:
    """In the facts, in the words of the instruction, and in both."""
    samples = list(facts_and_targets(corpus, "referring"))
    phrases = sorted({facts["referring"]["phrase"] for facts, _ in samples})
    assert len(phrases) > 4
    for facts, target in samples:
        everything = [SegmentFacts.of(fields) for fields in facts["segments"]]
        drawn = {fields["id"] for fields in shown(facts)}
        for phrase in phrases:
            if referents(phrase, everything) == drawn:
                continue
            both = copy.deepcopy(facts)
            both["referring"]["phrase"] = both["instruction"]["words"]["target"] = phrase
            words = copy.deepcopy(facts)
            words["instruction"]["words"]["target"] = phrase
            for changed in (both, words):
                assert ReferringProxy.contradictions(target, changed), phrase


def test_a_changed_target_is_found(corpus: Path) -> None:
    for facts, target in facts_and_targets(corpus, "referring"):
        pixels = np.array(Image.open(io.BytesIO(target)))
        y, x = np.argwhere(pixels == 255)[0]
        pixels[y, x] = 0
        black = encoded(Image.fromarray(pixels), "PNG")
        assert ReferringProxy.contradictions(black, facts)
        pixels[y, x] = 128
        with pytest.raises(CorpusError, match="greys"):
            ReferringProxy.contradictions(encoded(Image.fromarray(pixels), "PNG"), facts)
        colour = encoded(Image.fromarray(pixels).convert("RGB"), "PNG")
        with pytest.raises(CorpusError):
            ReferringProxy.decode(colour, facts)


def test_verification_names_a_changed_phrase(corpus: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(corpus, tmp_path / "corpus"))
    tar = min((root / "referring").glob("*.tar"))
    data = tar.read_bytes()
    place = data.index(b'"phrase":"') + len(b'"phrase":"')
    tar.write_bytes(data[:place] + b"x" + data[place + 1 :])
    findings = [str(finding) for finding in verify_corpus(str(root), deep=True).findings]
    assert any("the instruction names" in finding for finding in findings), findings
    assert any("means the segments []" in finding for finding in findings), findings


def test_spoiled_facts_are_refused_or_found_and_never_crash(corpus: Path) -> None:
    rng = np.random.default_rng(12)
    samples = list(facts_and_targets(corpus, "referring"))
    for number in range(400):
        facts, target = samples[number % len(samples)]
        for check in (ReferringProxy.contradictions, ReferringProxy.decode):
            try:
                check(target, spoiled(rng, facts))
            except CorpusError:
                continue
    facts, target = samples[0]
    for damaged in (b"", b"no picture", jpeg(16, 16), target[:60]):
        with pytest.raises(CorpusError):
            ReferringProxy.contradictions(damaged, facts)


@pytest.mark.parametrize("layer", ["panoptic", "instances"])
def test_real_pictures_have_something_to_say(layer: str, real_data: Path, tmp_path: Path) -> None:
    source = {"type": "coco", "root": f"{real_data}/coco", "annotations": [layer]}
    pictures = {"min_side": 64, "max_side": 640, "multiple_of": 8}
    report = built(tmp_path, source, [{"type": "referring"}], pictures=pictures, shard_samples=64)
    totals = report.totals["referring"]
    kinds = Counter(
        facts["referring"]["kind"] for facts, _ in facts_and_targets(tmp_path, "referring")
    )
    print(f"{layer}: {totals['samples']} of {totals['inputs']} have a phrase: {dict(kinds)}")
    assert totals["damaged"] == 0
    assert totals["samples"] > (80 if layer == "panoptic" else 90)
    assert len(kinds) == 4
    verdict = verify_corpus(str(tmp_path), deep=True)
    assert verdict.sound, verdict.findings
