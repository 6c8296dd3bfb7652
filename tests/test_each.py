"""Each: every individual of the named class is drawn in a colour of its own, and nothing else."""

from __future__ import annotations

import copy
import io
import json
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    SMALL,
    built,
    coco_annotation,
    coco_document,
    coco_image,
    encoded,
    jpeg,
    ledger_in,
    manifest_of,
    not_shown,
    proxy_of,
    run_lengths,
    shown,
    spoiled,
    write_coco,
)
from numpy.typing import NDArray
from PIL import Image
from subjects import facts_and_targets, subject_of, whole_facts

import sgt_data
from sgt_data import decode, verify_corpus
from sgt_data.errors import CorpusError, FilteredOut, ManifestError
from sgt_data.experiment.measure.fidelity import GeneratedTarget, layout_fidelity
from sgt_data.prompts.colour_words import parse_colour
from sgt_data.proxies.each import EachProxy
from sgt_data.proxies.each_classes import NamedClass, chosen_class, class_words
from sgt_data.records import Category, Segment
from sgt_data.referring.nouns import might_mean
from sgt_data.segmentation.colours import spread_around
from sgt_data.view.sample_document import sample_document

NAMES = [
    ("dog", True), ("hot dog", True), ("sheep", True), ("umbrella", True), ("skis", True),
    ("sky-other-merged", False), ("tv", True), ("laptop", True), ("dog (animal)", True),
]  # fmt: skip
RANDOM = EachProxy(background="random", negatives=0.3, min_area=0)


def rgb(target: bytes) -> NDArray[np.uint8]:
    with Image.open(io.BytesIO(target)) as image:
        assert image.format == "PNG"
        return np.asarray(image.convert("RGB"))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_target_shows_exactly_the_individuals_of_the_class_that_is_named(
    data: st.DataObject,
) -> None:
    """Against the map that the picture was made from, pixel by pixel."""
    ids = np.zeros((40, 60), np.int32)
    for number in range(1, data.draw(st.integers(1, 8)) + 1):
        left, top = data.draw(st.integers(0, 55)), data.draw(st.integers(0, 35))
        right, bottom = data.draw(st.integers(left + 1, 60)), data.draw(st.integers(top + 1, 40))
        ids[top:bottom, left:right] = number
    segments = []
    for number in np.unique(ids[ids > 0]).tolist():
        category = data.draw(st.integers(1, len(NAMES)))
        crowd = NAMES[category - 1][1] and data.draw(st.integers(0, 9)) == 0
        segments.append(Segment(number, category, crowd))
    subject = replace(subject_of(ids, segments, NAMES), key=str(data.draw(st.integers(0, 999))))
    try:
        drawn = RANDOM.draw(subject)
    except FilteredOut as why:
        assert "class" in str(why)
        return
    facts = whole_facts(subject, drawn)
    assert EachProxy.contradictions(drawn.target, facts) == []
    of_class = [
        segment.id for segment in segments if NAMES[segment.category_id - 1][0] == facts["category"]
    ]
    pixels, words = rgb(drawn.target), facts["instruction"]["words"]
    background = parse_colour(words["background"])
    assert (pixels[~np.isin(ids, of_class)] == background).all()
    colours = [np.unique(pixels[ids == number], axis=0).tolist() for number in of_class]
    assert all(len(colour) == 1 for colour in colours)
    assert len({tuple(colour[0]) for colour in colours} | {background}) == len(of_class) + 1
    assert sorted(fields["id"] for fields in shown(facts)) == of_class
    assert facts["negative"] == (not of_class)
    assert not any(segment.iscrowd for segment in segments if segment.id in of_class)
    others = {NAMES[segment.category_id - 1] for segment in segments} - {(facts["category"], True)}
    assert not any(might_mean(words["thing"], *other) for other in others)
    decoded = decode(drawn.target, {**facts, "type": "each"})
    for label, fields in enumerate(decoded.segments, 1):
        np.testing.assert_array_equal(decoded.labels == label, ids == fields["id"])


def test_a_class_is_named_in_all_forms_that_lines_have() -> None:
    assert class_words("umbrella") == {
        "thing": "umbrella", "a_thing": "an umbrella", "things": "umbrellas",
    }  # fmt: skip
    assert class_words("person") == {
        "thing": "person", "a_thing": "a person", "things": "people",
    }  # fmt: skip
    assert class_words("dog (animal)") is None


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("each") / "corpus"
    source = {
        "type": "coco", "root": f"{sample_sources}/coco", "annotations": ["instances", "panoptic"],
    }  # fmt: skip
    proxies = [
        {"type": "each", "negatives": 0.4, "background": "random"},
        {"type": "each", "name": "each-tab20", "palette": "tab20", "negatives": 0},
        proxy_of("instance"),
    ]
    pictures = {"min_side": 64, "max_side": 256, "multiple_of": 8}
    assert built(output, source, proxies, pictures=pictures).succeeded
    return output


def test_a_corpus_is_sound_and_lists_its_negatives(corpus: Path) -> None:
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound, verdict.findings
    facts = [facts for facts, _ in facts_and_targets(corpus, "each")]
    absent = [fields for fields in facts if fields["negative"]]
    assert absent and len(absent) < len(facts)
    for fields in absent:
        assert shown(fields) == []
        assert fields["category"] not in {other["category"] for other in not_shown(fields)}
    opened = sgt_data.open_corpus(str(corpus))
    rows = [
        row for shard in opened.shards("each") for row in opened.index("each", shard).to_pylist()
    ]
    assert {row["key"] for row in rows if row["segments"] == 0} == {row["key"] for row in absent}
    assert all(row["categories"] == [] for row in rows if row["segments"] == 0)


def test_negatives_pass_through_all_that_reads_a_corpus(corpus: Path, tmp_path: Path) -> None:
    """Subsets by a condition, contact sheets, exports, questions, the viewer and its report."""
    text = str(corpus)
    absent = [(f, target) for f, target in facts_and_targets(corpus, "each") if f["negative"]]
    keys = {facts["key"] for facts, _ in absent}
    rule = sgt_data.SubsetRule(where="segments = 0", described_by="each")
    sgt_data.subset(text, rule=rule, output=str(tmp_path / "subset"), cluster=sgt_data.IN_PROCESS)
    chosen = sgt_data.open_corpus(str(tmp_path / "subset"))
    assert {sample.key for sample in chosen.samples("each")} == keys
    for facts, target in absent:
        decoded = decode(target, facts)
        assert decoded.segments == () and not decoded.labels.any()
        document = sample_document(facts, "")
        assert document["reading"] == "labels" and document["segments"] == []
        assert ("negative", "yes") in document["about"]
    assert sgt_data.contact_sheet(text, keys=sorted(keys)[:1], proxies=["each"]).width > 0
    questions = sgt_data.write_questions(text, str(tmp_path / "questions"))
    assert questions.succeeded
    for form in ("bagel", "omnigen2"):
        exported = sgt_data.export_corpus(text, str(tmp_path / form), form, ["each"])
        assert exported.succeeded
    assert sgt_data.write_report(text, str(tmp_path / "report.html"), samples=40).succeeded


def test_a_perfect_drawing_scores_perfectly_on_any_background(corpus: Path) -> None:
    targets = []
    for facts, target in facts_and_targets(corpus, "each"):
        picture = rgb(target).transpose(2, 0, 1) / 127.5 - 1
        targets.append(GeneratedTarget(picture, picture, target, facts))
    layout = layout_fidelity(targets, {}, 0)
    assert layout["mIoU"].value == layout["PQ"].value == 1


def problems_of(facts: dict[str, Any], target: bytes, **fields: Any) -> str:
    """What is found where some fields, or words of the instruction, are others."""
    changed = copy.deepcopy(facts)
    words = changed["instruction"]["words"]
    for name, value in fields.items():
        (words if name in words else changed)[name] = value
    return "; ".join(EachProxy.contradictions(target, changed))


def test_what_does_not_fit_together_is_found(corpus: Path) -> None:
    """The class, its words, those of the background, colours, and what is drawn."""
    samples = list(facts_and_targets(corpus, "each"))
    for facts, target in samples:
        assert problems_of(facts, target) == ""
        other = next(f["category"] for f, _ in samples if f["category"] != facts["category"])
        assert "instruction names" in problems_of(facts, target, category=other)
        assert "instruction names" in problems_of(facts, target, things="zebras")
        assert "as the background" not in problems_of(facts, target)
        for wrong in ("#010203", "no colour"):
            assert "the background as" in problems_of(facts, target, background=wrong)
        assert problems_of(facts, target, negative=not facts["negative"])
        segments = copy.deepcopy(facts["segments"])
        if facts["negative"]:
            segments[0] |= {"category": facts["category"], "isthing": True}
            assert "stated as absent" in problems_of(facts, target, segments=segments)
            continue
        assert "min_distance" in problems_of(facts, target, min_distance=440.0)
        pixels = np.array(rgb(target))
        pixels[(pixels == segments[0]["color"]).all(-1)] = facts["unlabelled"]
        unpainted = encoded(Image.fromarray(pixels), "PNG")
        assert "pixels in box" in problems_of(facts, unpainted)
        for segment in segments:
            segment["label"] = max(segment["label"] - 1, 0)
        assert "is not drawn" in problems_of(facts, unpainted, segments=segments)


def test_spoiled_facts_are_refused_or_found_and_never_crash(corpus: Path) -> None:
    rng = np.random.default_rng(5)
    samples = list(facts_and_targets(corpus, "each"))
    for number in range(400):
        facts, target = samples[number % len(samples)]
        for check in (EachProxy.contradictions, EachProxy.decode):
            try:
                check(target, spoiled(rng, facts))
            except CorpusError:
                continue
    for damaged in (b"", jpeg(16, 16), samples[0][1][:60]):
        with pytest.raises(CorpusError):
            EachProxy.contradictions(damaged, samples[0][0])


def test_a_class_with_a_crowd_is_not_named(tmp_path: Path) -> None:
    """Of cats there is a crowd; a picture of cats alone is left out, also as a negative."""
    mask = np.zeros((48, 64), np.bool_)
    mask[:20, :20] = True
    crowd = {"size": [48, 64], "counts": [1500, 300, 48 * 64 - 1800]}
    cats = [
        coco_annotation(number, number, run_lengths(mask), category_id=1) for number in (1, 2)
    ] + [coco_annotation(number + 2, number, crowd, iscrowd=1) for number in (1, 2)]
    dog = coco_annotation(5, 2, run_lengths(np.roll(mask, (25, 40), (0, 1))), category_id=2)
    document = coco_document([coco_image(1), coco_image(2)], [*cats, dog])
    pictures = {f"{number:012d}.jpg": jpeg(64, 48, number) for number in (1, 2)}
    root = write_coco(tmp_path / "in", pictures, {"instances": document})
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    for seed in range(3):
        out = tmp_path / f"{seed}"
        built(out, source, [{"type": "each", "negatives": 0}], seed=seed)
        ((facts, _),) = facts_and_targets(out, "each")
        assert facts["category"] == "dog"
        (row,) = ledger_in(out, "each")
        assert row["kind"] == "filtered" and "a crowd region (1)" in row["reason"]
    built(tmp_path / "negatives", source, [{"type": "each", "negatives": 1}])
    assert len(ledger_in(tmp_path / "negatives", "each")) == 2, "no class is absent from the second"


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ({"min_instances": 3}, "fewer visible individuals than min_instances (1)"),
        ({"max_instances": 1}, "more individuals than max_instances (1)"),
        ({"min_area": 0.1}, "an individual smaller than min_area (1)"),
    ],
)
def test_a_class_beyond_a_limit_is_not_named(limit: dict[str, Any], reason: str) -> None:
    ids = np.zeros((40, 60), np.int32)
    ids[:30, :30], ids[:5, 40:45] = 1, 2
    subject = subject_of(ids, [Segment(1, 1), Segment(2, 1)], NAMES)
    EachProxy(negatives=0).draw(subject)
    with pytest.raises(FilteredOut, match="no class of its things can be drawn") as refused:
        EachProxy(negatives=0, **limit).draw(subject)
    assert reason in str(refused.value)


@pytest.mark.parametrize("background", [(0, 0, 0), (128, 128, 128), (250, 30, 60)])
@pytest.mark.parametrize("count", [1, 9, 70, 400])
def test_colours_keep_their_distance_to_any_background(
    background: tuple[int, int, int], count: int
) -> None:
    rng = np.random.default_rng(count)
    colours = spread_around(count, rng, np.array([background], np.uint8), 90).astype(int)
    assert len({tuple(colour) for colour in colours.tolist()}) == count
    assert (np.linalg.norm(colours - background, axis=1) >= 90).all()


def test_the_share_of_negatives_is_that_of_the_manifest() -> None:
    ids = np.zeros((8, 8), np.int32)
    ids[:4, :4] = 1
    subject = subject_of(ids, [Segment(1, 1)], NAMES)
    for share in (0.0, 0.1, 0.5, 1.0):
        proxy = EachProxy(negatives=share, colour_forms=("levels",))
        facts = [proxy.draw(replace(subject, key=str(key))).facts for key in range(600)]
        negative = sum(fields["negative"] for fields in facts)
        assert abs(negative - 600 * share) <= 3.3 * (600 * share * (1 - share)) ** 0.5
        named = {fields["category"] for fields in facts if fields["negative"]}
        assert named == (
            {"hot dog", "sheep", "umbrella", "skis", "tv", "laptop"} if share else set()
        )


def test_the_chance_of_a_class_follows_its_number_of_individuals() -> None:
    classes = [
        NamedClass(Category(number, str(count), True), {}, count)
        for number, count in enumerate((1, 3), 1)
    ]
    rng = np.random.default_rng(0)
    for power, share in ((0, 1 / 2), (1, 3 / 4), (-1, 1 / 4)):
        drawn = Counter(chosen_class(classes, power, rng).count for _ in range(2000))
        assert abs(drawn[3] / 2000 - share) < 0.04


def test_a_manifest_that_cannot_be_drawn_is_refused(sample_sources: Path) -> None:
    masks = {"type": "sa1b", "tars": f"{sample_sources}/sa1b/sa_*.tar"}
    with pytest.raises(ManifestError, match="masks without classes, as those of SA-1B"):
        manifest_of(masks, [{"type": "each"}])
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    for wrong, words in (
        ({"negatives": 1.5}, "negatives"),
        ({"min_instances": 3, "max_instances": 2}, "max_instances is 2, min_instances 3"),
        ({"palette": "tab20", "background": "red"}, "take distinct"),
        ({"palette": "category"}, "palette"),
        ({"background": "blak"}, "black"),
        ({"background": "(1, 2, 300)"}, "level above 255"),
        ({"colour_forms": []}, "colour_forms"),
    ):
        with pytest.raises(ManifestError, match="proxies") as refused:
            manifest_of(source, [{"type": "each"} | wrong], pictures=SMALL)
        assert words in str(refused.value)


def test_own_lines_name_the_class_in_some_form_and_the_background(
    sample_sources: Path, tmp_path: Path
) -> None:
    source = {"type": "coco", "root": f"{sample_sources}/coco", "annotations": ["panoptic"]}
    for line, problem in (
        ("Every {thing} on {background}.", None),
        ("The {things} on {background}.", None),
        ("The {things}.", "lacks {background}"),
        ("All on {background}.", "lacks {a_thing} or {thing} or {things}"),
        ("The {objects} on {background}.", "has {objects}"),
    ):
        file = tmp_path / "lines.txt"
        file.write_text(f"[train]\n{line}\n[held-out]\nOther {{things}} on {{background}}.\n")
        proxy = {"type": "each", "instructions": str(file)}
        if problem is None:
            manifest_of(source, [proxy])
            continue
        with pytest.raises(ManifestError) as refused:
            manifest_of(source, [proxy])
        assert problem in str(refused.value)


def test_the_share_of_negatives_and_the_individuals_are_those_of_real_pictures(
    real_data: Path, tmp_path: Path
) -> None:
    """Counted from COCO's own JSON."""
    document = json.loads((real_data / "coco/annotations/instances_train2017.json").read_bytes())
    names = {category["id"]: category["name"] for category in document["categories"]}
    counts: dict[int, Counter[str]] = defaultdict(Counter)
    crowds = set()
    for row in document["annotations"]:
        counts[row["image_id"]][names[row["category_id"]]] += 1
        if row["iscrowd"]:
            crowds.add((row["image_id"], names[row["category_id"]]))
    source = {"type": "coco", "root": f"{real_data}/coco", "annotations": ["instances"]}
    proxies = [
        {"type": "each", "name": f"each-{share * 100:.0f}", "negatives": share, "min_area": 0}
        for share in (0.1, 0.5)
    ]
    pictures = {"min_side": 32, "max_side": 640, "multiple_of": 8}
    built(tmp_path, source, proxies, pictures=pictures, shard_samples=128)
    for share in (0.1, 0.5):
        facts = [facts for facts, _ in facts_and_targets(tmp_path, f"each-{share * 100:.0f}")]
        absent = sum(fields["negative"] for fields in facts)
        bound = 3.3 * (share * (1 - share) * len(facts)) ** 0.5
        print(f"negatives {share}: {absent} of {len(facts)}")
        assert len(facts) > 115 and abs(absent - share * len(facts)) <= bound
        for fields in facts:
            picture = counts[int(fields["key"].rpartition("_")[2])]
            drawn_and_hidden = [
                segment
                for segment in fields["segments"]
                if segment["category"] == fields["category"]
            ]
            assert len(drawn_and_hidden) == picture[fields["category"]]
            assert fields["negative"] == (picture[fields["category"]] == 0)
            assert (int(fields["key"].rpartition("_")[2]), fields["category"]) not in crowds
    expected = [
        np.mean([number for name, number in picture.items() if (image, name) not in crowds])
        for image, picture in counts.items()
        if any((image, name) not in crowds for name in picture)
    ]
    drawn = [
        len(shown(fields))
        for fields, _ in facts_and_targets(tmp_path, "each-10")
        if not fields["negative"]
    ]
    print(f"individuals per sample: {np.mean(drawn):.2f}; by the JSON {np.mean(expected):.2f}")
    assert abs(np.mean(drawn) - np.mean(expected)) < 1.0


@pytest.mark.parametrize("negative", [False, True])
def test_what_a_map_is_stands_in_brackets_so_that_a_sentence_goes_on_after_it(
    negative: bool,
) -> None:
    """As in "From the {map} alone, paint a complete photo."."""
    words = {"things": "carrots", "background": "(0, 0, 0)"}
    told = EachProxy.map_words({"negative": negative, "instruction": {"words": words}})
    subject, bracket, rest = told.partition(" (")
    assert bracket and rest.endswith("(0, 0, 0))")
    assert subject in ("map of carrots", "map of all carrots")
