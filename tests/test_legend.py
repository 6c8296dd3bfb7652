"""Legends: the target has the colours that the text states, and the text alone says which."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    SMALL,
    built,
    coco_annotation,
    coco_category,
    coco_document,
    coco_image,
    jpeg,
    ledger_in,
    not_shown,
    run_lengths,
    shown,
    spoiled,
    write_coco,
)
from numpy.typing import NDArray
from PIL import Image

from sgt_data import decode, open_corpus, verify_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, ManifestError, RequestError
from sgt_data.legends.colours import colours_at_most, draw_legend_colours
from sgt_data.legends.reader import read_instruction
from sgt_data.legends.text import (
    STRUCTURES,
    LegendForm,
    Scope,
    Written,
    name_problem,
    write_legend,
)
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.prompts.bank import fill, load_bank
from sgt_data.prompts.colour_words import ColourForm
from sgt_data.proxies.legend import LegendProxy
from sgt_data.stream.sample_views import allows_crop, mirrored_instruction

VARIANTS = ("semantic", "panoptic", "instance")
BANK = load_bank("legend")
LINES = (*BANK.train, *BANK.held_out)
HARD_NAMES = (
    "dog", "wooden floor", "orange", "bow (decorative ribbons)", 'a "quoted" name', "tool, red",
    "ratio 3:4", "犬", "Hülle", "the rest", "background", "in", "all", "dog and cat", "#804080",
    "(1, 2, 3)", "every", "red", "{background}", "{legend}", "a = b; c -> d", "- dash", "it's",
    "back\\slash", "hot-dog", "[1, 2]", "means", "नमस्ते", "x" * 100, "Paint", "the leftmost dog",
)  # fmt: skip

names = st.one_of(
    st.sampled_from(HARD_NAMES),
    st.text(min_size=1, max_size=30),
    st.text("ab ,:.;=->\"\\in'", min_size=1, max_size=20),
)
colours = st.tuples(*[st.integers(0, 255)] * 3)
scopes: st.SearchStrategy[Scope] = st.sampled_from(get_args(Scope))
colour_forms: st.SearchStrategy[ColourForm] = st.sampled_from(get_args(ColourForm))


def levels_of(text: str) -> tuple[int, int, int]:
    """A colour by Pillow, which reads CSS without our code."""
    from PIL import ImageColor

    red, green, blue = ImageColor.getrgb(
        text if text.startswith("#") else f"rgb{text}" if "(" in text else text.replace(" ", "")
    )[:3]
    return red, green, blue


# --- text


@settings(max_examples=400)
@given(
    st.lists(st.tuples(names, scopes, colour_forms), min_size=1, max_size=8),
    st.lists(colours, min_size=9, max_size=9, unique=True),
    st.sampled_from(list(STRUCTURES)),
    st.sampled_from(LINES),
    colour_forms,
)
def test_whatever_is_written_is_read_back_from_the_text_alone(
    named: list[tuple[str, Scope, ColourForm]],
    drawn: list[tuple[int, int, int]],
    form: LegendForm,
    line: str,
    background_form: ColourForm,
) -> None:
    from sgt_data.prompts.colour_words import colour_text

    entries = {
        name: Written(name, scope, colour, colour_form)
        for (name, scope, colour_form), colour in zip(named, drawn[1:], strict=False)
        if name_problem(name) is None
    }
    if not entries:
        return
    words = {
        "legend": write_legend(form, list(entries.values())),
        "background": colour_text(drawn[0], background_form),
    }
    for text in (fill(line, words), fill(line, words).strip()):
        read = read_instruction(text)
        assert read.colours == {name: entry.colour for name, entry in entries.items()}
        assert (read.background, read.form) == (drawn[0], form)


def test_every_line_of_the_bank_can_be_read_with_every_structure() -> None:
    assert [line for line in LINES if LegendProxy().line_problem(line)] == []


@pytest.mark.parametrize(
    "text",
    [
        "", "Paint it.", "dog: #804080.", "dog: #804080. cat = black.",
        "dog: #804080. cat = #804081. The rest is black.",
        "dog: #804080. The rest is black, or red.", "dog: #804080, dog: #000001. Rest: black.",
        "dog: #804080, cat: #804080. Rest: black.", "dog: #80408. Rest: black.",
        "dog: (1, 2, 256). Rest: black.", '{"dog": "#804080". Rest: black.',
    ],
)  # fmt: skip
def test_a_text_with_no_legend_or_with_two_readings_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"legend|colour|level"):
        read_instruction(text)


def test_long_texts_are_read_in_short_time() -> None:
    for text in (
        "a " * 60_000,
        "a: " * 50_000,
        '"' * 150_000,
        "dog: #804080, " * 10_000,
        "x" * 200_001,
    ):
        with pytest.raises(ValueError, match=r"legend|characters|twice"):
            read_instruction(text)


# --- colours


@settings(max_examples=150)
@given(
    st.floats(16, 250),
    st.integers(1, 60),
    st.lists(colour_forms, min_size=61, max_size=61),
    st.sampled_from(["random", "black", "white"]),
    st.integers(0, 2**32),
)
def test_as_many_colours_as_a_manifest_may_ask_for_are_always_far_enough_apart(
    distance: float, count: int, forms: list[ColourForm], background: Any, seed: int
) -> None:
    count = min(count, colours_at_most(distance) - 1)
    rng = np.random.default_rng(seed)
    drawn = draw_legend_colours(forms[: count + 1], background, distance, rng)
    points = np.array([colour.rgb for colour in drawn], float)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
    assert gaps[~np.eye(len(points), dtype=bool)].min() >= distance
    fixed = {"black": (0, 0, 0), "white": (255, 255, 255)}
    assert drawn[0].rgb == fixed.get(background, drawn[0].rgb)


# --- corpora


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn scenes in the three variants; half of the legends name absent classes."""
    out = tmp_path_factory.mktemp("legend")
    proxies = [
        {"type": "legend", "name": variant, "variant": variant, "negatives": {"share": 0.5}}
        for variant in VARIANTS
    ]
    assert built(
        out, coco_of(sample_sources), proxies, pictures=SMALL | {"max_side": 160}
    ).succeeded
    return out


def coco_of(sources: Path, *kinds: str) -> dict[str, Any]:
    kinds = kinds or ("instances", "panoptic")
    return {"type": "coco", "root": f"{sources}/coco", "annotations": list(kinds)}


def samples_of(corpus: Path, proxy: str) -> Iterator[Sample]:
    return open_corpus(str(corpus)).samples(proxy)


def pixels_of(target: bytes) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(target)).convert("RGB"))


def panoptic_maps(sources: Path) -> dict[str, tuple[NDArray[np.int64], dict[int, str]]]:
    """By stem of the picture: COCO's ids at the picture's size, and category names by id."""
    document = json.loads(next((sources / "coco/annotations").glob("panoptic_*.json")).read_text())
    category = {each["id"]: each["name"] for each in document["categories"]}
    maps = {}
    for annotation in document["annotations"]:
        png = next((sources / "coco/annotations").glob(f"panoptic_*/{annotation['file_name']}"))
        rgb = np.asarray(Image.open(png).convert("RGB")).astype(np.int64)
        of_id = {each["id"]: category[each["category_id"]] for each in annotation["segments_info"]}
        ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
        maps[Path(annotation["file_name"]).stem] = ids, of_id
    return maps


@pytest.mark.parametrize("variant", ["semantic", "panoptic"])
def test_the_target_is_what_the_text_and_cocos_own_map_give(
    variant: str, corpus: Path, sample_sources: Path
) -> None:
    """Painted here from the instruction, with Pillow's reading of colours."""
    maps = panoptic_maps(sample_sources)
    painted_singly = 0
    for sample in samples_of(corpus, variant):
        ids, category_of = maps[Path(sample.facts["source"]["member"]).stem]
        height, width = sample.facts["size"]["height"], sample.facts["size"]["width"]
        rows = ((np.arange(height) + 0.5) * ids.shape[0] / height).astype(int)
        columns = ((np.arange(width) + 0.5) * ids.shape[1] / width).astype(int)
        ids = ids[np.ix_(rows, columns)]
        read = read_instruction(sample.instruction)
        right = np.zeros((height, width, 3), np.uint8)
        right[:] = levels_of(sample.facts["instruction"]["words"]["background"])
        for entry in sample.facts["legend"]["entries"]:
            stated = read.colours[entry["name"]]
            if entry["individual"]:
                mine = shown(sample.facts)[entry["label"] - 1]["ids"]
                painted_singly += 1
            else:
                mine = [id_ for id_, name in category_of.items() if name == entry["category"]]
            right[np.isin(ids, mine)] = stated
        assert (pixels_of(sample.target) == right).all(), sample.key
    assert (painted_singly > 0) == (variant == "panoptic")


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_decoded_is_what_the_facts_list(variant: str, corpus: Path) -> None:
    for sample in samples_of(corpus, variant):
        decoded = decode(sample.target, sample.facts)
        background = tuple(sample.facts["legend"]["background"]["color"])
        table = np.array(
            [background, *(segment["color"] for segment in decoded.segments)], np.uint8
        )
        assert (table[decoded.labels] == pixels_of(sample.target)).all()
        assert len(decoded.segments) == sum(
            entry["present"] for entry in sample.facts["legend"]["entries"]
        )


def test_an_instance_legend_names_things_alone(corpus: Path) -> None:
    for sample in samples_of(corpus, "instance"):
        assert all(segment["isthing"] for segment in shown(sample.facts))


def test_absent_classes_are_absent_from_every_annotation(
    corpus: Path, sample_sources: Path
) -> None:
    maps = panoptic_maps(sample_sources)
    count = 0
    for variant in VARIANTS:
        for sample in samples_of(corpus, variant):
            _, category_of = maps[Path(sample.facts["source"]["member"]).stem]
            for entry in sample.facts["legend"]["entries"]:
                assert entry["present"] or entry["category"] not in category_of.values()
                count += not entry["present"]
    assert count > 5


def test_every_check_of_a_corpus_holds(corpus: Path) -> None:
    verdict = verify_corpus(str(corpus), deep=True)
    assert verdict.sound, verdict.findings


def damaged(corpus: Path, proxy: str, suffix: str, old: bytes, new: bytes) -> str:
    """The findings of `verify --deep` where a member's bytes are replaced by as many others."""
    tar = next(
        place for place in sorted((corpus / proxy).glob("*.tar")) if old in place.read_bytes()
    )
    data = tar.read_bytes()
    assert len(old) == len(new) and data.count(old) == 1, suffix
    try:
        tar.write_bytes(data.replace(old, new))
        return "\n".join(map(str, verify_corpus(str(corpus), deep=True).findings))
    finally:
        tar.write_bytes(data)


def swapped(text: str, one_colour: str, other_colour: str) -> bytes:
    marked = text.replace(one_colour, "\0").replace(other_colour, one_colour)
    return marked.replace("\0", other_colour).encode()


def test_verify_finds_two_colours_that_were_swapped(sample_sources: Path, tmp_path: Path) -> None:
    """In the text alone, in the legend of the JSON alone, and in all of the JSON."""
    proxy = {
        "type": "legend", "forms": {"colons": 1}, "colour_forms": {"hex": 1},
        "negatives": {"share": 0},
    }  # fmt: skip
    assert built(tmp_path, coco_of(sample_sources, "panoptic"), [proxy]).succeeded
    sample = next(
        each for each in samples_of(tmp_path, "legend") if len(each.facts["legend"]["entries"]) > 1
    )
    first, second = sample.facts["legend"]["entries"][:2]
    codes = ["#{:02x}{:02x}{:02x}".format(*entry["color"]) for entry in (first, second)]
    text = sample.instruction
    found_in_text = damaged(tmp_path, "legend", ".txt", text.encode(), swapped(text, *codes))
    assert f"the instruction says that '{first['name']}' is" in found_in_text

    document = json.dumps(sample.facts, separators=(",", ":"), ensure_ascii=False)
    levels = [json.dumps(entry["color"], separators=(",", ":")) for entry in (first, second)]
    legend = document[document.index('"legend":{"form"') : document.index('"segments":')]
    found_in_legend = damaged(
        tmp_path, "legend", ".json", legend.encode(), swapped(legend, *levels)
    )
    assert f"the legend says that '{first['name']}' is" in found_in_legend
    segments = document[document.index('"legend":{"form"') : document.index('"dropped":')]
    everywhere = damaged(tmp_path, "legend", ".json", segments.encode(), swapped(segments, *levels))
    assert f"the instruction says that '{first['name']}' is" in everywhere
    assert "has" in everywhere and "pixels in box" in everywhere


def test_wrong_legends_are_found(corpus: Path) -> None:
    sample = next(
        each
        for each in samples_of(corpus, "semantic")
        if any(not entry["present"] for entry in each.facts["legend"]["entries"])
    )

    def found(change: Any) -> str:
        facts = json.loads(json.dumps(sample.facts))
        change(facts)
        return " ".join(LegendProxy.contradictions(sample.target, facts))

    def near(facts: Any) -> None:
        facts["legend"]["distance"] = 400.0

    def present_after_all(facts: Any) -> None:
        absent = next(each for each in facts["legend"]["entries"] if not each["present"])
        absent["category_id"] = facts["segments"][0]["category_id"]

    def unlisted(facts: Any) -> None:
        entries = facts["legend"]["entries"]
        entries.remove(next(each for each in entries if each["present"]))

    assert found(lambda facts: None) == ""
    assert "levels apart" in found(near)
    assert "is absent; a segment is of its category" in found(present_after_all)
    assert "has entries for the labels" in found(unlisted)


def test_phrases_of_individuals_are_checked(corpus: Path) -> None:
    for sample in samples_of(corpus, "panoptic"):
        singles = [each for each in sample.facts["legend"]["entries"] if each["individual"]]
        if len(singles) < 2:
            continue
        facts = json.loads(json.dumps(sample.facts))
        one, other = [e for e in facts["legend"]["entries"] if e["individual"]][:2]
        one["name"], other["name"] = other["name"], one["name"]
        problems = " ".join(LegendProxy.contradictions(sample.target, facts))
        assert "does not mean the segment" in problems
        return
    pytest.fail("no legend names individuals")


def test_spoiled_facts_are_refused_or_found_and_never_crash(corpus: Path) -> None:
    rng = np.random.default_rng(5)
    samples = [each for variant in VARIANTS for each in samples_of(corpus, variant)]
    for number in range(400):
        sample = samples[number % len(samples)]
        facts = spoiled(rng, sample.facts)
        for check in (LegendProxy.contradictions, LegendProxy.decode):
            try:
                check(sample.target, facts)
            except CorpusError:
                continue
        try:
            LegendProxy.instruction_contradictions(sample.instruction, facts)
        except CorpusError:
            continue
    for target in (b"", b"no picture", jpeg(16, 16), samples[0].target[:60]):
        with pytest.raises(CorpusError):
            LegendProxy.contradictions(target, samples[0].facts)


# --- what is listed


def one_picture(
    root: Path, masks: list[tuple[int, tuple[slice, slice]]], categories: list[dict[str, Any]]
) -> dict[str, Any]:
    """A COCO source of one picture with rectangular masks of these categories."""
    annotations = []
    for number, (category, place) in enumerate(masks, 1):
        mask = np.zeros((48, 64), bool)
        mask[place] = True
        annotations.append(coco_annotation(number, 1, run_lengths(mask), category_id=category))
    document = coco_document([coco_image(1)], annotations) | {"categories": categories}
    write_coco(root, {f"{1:012d}.jpg": jpeg(64, 48, 1)}, {"instances": document})
    return {"type": "coco", "root": str(root), "annotations": ["instances"]}


WHOLE, INNER = (slice(4, 44), slice(4, 60)), (slice(12, 28), slice(12, 40))


def only_sample(tmp_path: Path, source: dict[str, Any], **fields: Any) -> Sample:
    proxy = {"type": "legend", "negatives": {"share": 0}} | fields
    assert built(tmp_path / "out", source, [proxy]).succeeded
    (sample,) = samples_of(tmp_path / "out", "legend")
    return sample


def test_what_is_not_listed_leaves_a_hole_in_what_lies_below_it(tmp_path: Path) -> None:
    categories = [coco_category(1, "cat"), coco_category(2, "dog")]
    source = one_picture(tmp_path / "in", [(1, WHOLE), (2, INNER)], categories)
    sample = only_sample(tmp_path, source, max_classes=1, background="white")
    assert [entry["name"] for entry in sample.facts["legend"]["entries"]] == ["cat"]
    pixels = pixels_of(sample.target)
    assert (pixels[12:28, 12:40] == 255).all() and (pixels[:4] == 255).all()
    assert (pixels[30, 6] == sample.facts["segments"][0]["color"]).all()
    assert [each["category"] for each in not_shown(sample.facts)] == ["dog"]


def test_a_class_of_which_a_filter_drops_a_segment_is_not_listed(tmp_path: Path) -> None:
    categories = [coco_category(1, "cat"), coco_category(2, "dog")]
    small = (slice(0, 3), slice(0, 3))
    source = one_picture(tmp_path / "in", [(1, WHOLE), (2, INNER), (1, small)], categories)
    sample = only_sample(tmp_path, source, filters={"min_area": 0.02})
    assert [entry["name"] for entry in sample.facts["legend"]["entries"]] == ["dog"]


def test_a_name_that_might_mean_an_unlisted_class_is_not_listed(tmp_path: Path) -> None:
    categories = [coco_category(1, "bear"), coco_category(2, "teddy bear"), coco_category(3, "cup")]
    top = (slice(0, 10), slice(0, 30))
    source = one_picture(
        tmp_path / "in", [(1, WHOLE), (2, (slice(20, 22), slice(20, 22))), (3, top)], categories
    )
    sample = only_sample(tmp_path, source, max_classes=2)
    assert [entry["name"] for entry in sample.facts["legend"]["entries"]] == ["cup"]


def test_stuff_beside_a_narrower_name_is_what_remains(tmp_path: Path) -> None:
    from sgt_data.legends.names import class_names
    from sgt_data.records import Category

    walls = [Category(1, "wall-other-merged", False), Category(2, "wall-tile", False)]
    assert class_names(walls) == {1: "remaining wall", 2: "tiled wall"}
    assert class_names(walls[:1]) == {1: "wall"}


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("x" * 101, "dog"), "it has 101 characters; at most 100"),
        (("a\u0007b", "dog"), "characters that cannot be printed"),
        (("", "dog"), "it is empty"),
        (("dog", "Dog "), "two categories of this picture are called"),
    ],
)
def test_names_that_cannot_be_written_cost_their_picture_alone(
    names: tuple[str, str], reason: str, tmp_path: Path
) -> None:
    categories = [coco_category(number, name) for number, name in enumerate(names, 1)]
    try:
        source = one_picture(tmp_path / "in", [(1, WHOLE), (2, INNER)], categories)
        built(tmp_path / "out", source, [{"type": "legend"}])
    except RequestError as why:  # the source itself refuses some names
        assert "name" in str(why)
        return
    assert reason in " ".join(row["reason"] for row in ledger_in(tmp_path / "out", "legend"))


def test_a_large_vocabulary_of_hard_names_is_written_and_read(tmp_path: Path) -> None:
    hard = [name for name in HARD_NAMES if name_problem(name) is None]
    categories = [
        coco_category(number, name)
        for number, name in enumerate([*hard, *(f"class_{n}" for n in range(1200))], 1)
    ]
    places = [(slice(y, y + 6), slice(x, x + 6)) for y in range(0, 48, 6) for x in range(0, 60, 6)]
    masks = [(number, place) for number, place in enumerate(places[: len(hard)], 1)]
    source = one_picture(tmp_path / "in", masks, categories)
    sample = only_sample(tmp_path, source, max_classes=60, min_distance=40, negatives={"share": 1})
    listed = {entry["category"] for entry in sample.facts["legend"]["entries"] if entry["present"]}
    assert listed == set(hard)
    assert verify_corpus(str(tmp_path / "out"), deep=True).sound


# --- manifests


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"min_distance": 120, "max_classes": 40}, "at most 26 colours beside the background"),
        ({"max_classes": 3}, "no entry is left"),
        ({"forms": {"colons": 0}}, "weights are 0 to 1,000,000, and one is above 0"),
        ({"colour_forms": {"hex": -1}}, "weights are 0"),
        ({"forms": {"tables": 1}}, "tables"),
        ({"variant": "entity"}, "entity"),
    ],
)
def test_a_manifest_that_cannot_be_kept_is_refused(fields: dict[str, Any], why: str) -> None:
    source = {"type": "coco", "root": "/d", "annotations": ["panoptic"]}
    with pytest.raises(ManifestError, match=why):
        parse_manifest({"name": "a", "sources": [source], "proxies": [{"type": "legend"} | fields]})


def test_sources_without_classes_are_refused_when_the_manifest_is_read() -> None:
    source = {"type": "sa1b", "tars": "/d/*.tar"}
    with pytest.raises(ManifestError, match="masks without classes cannot have a legend"):
        parse_manifest({"name": "a", "sources": [source], "proxies": [{"type": "legend"}]})


def test_own_lines_from_which_no_legend_could_be_read_are_refused() -> None:
    def parsed(line: str) -> object:
        lines = {"bank": "mine", "train": [line], "held_out": ["{legend} Sonst {background}."]}
        proxy = {"type": "legend", "instructions": lines}
        source = {"type": "coco", "root": "/d", "annotations": ["panoptic"]}
        return parse_manifest({"name": "a", "sources": [source], "proxies": [proxy]})

    assert parsed("Male eine Karte: {legend} Alles andere ist {background}.")
    for line in (
        "Paint {legend} on {background}.",
        "{legend} Hintergrund: {background}.",
        "No red anywhere. {legend} Else {background}.",
    ):
        with pytest.raises(ManifestError, match="cannot be read back"):
            parsed(line)


# --- streams


def test_classes_stay_right_in_every_part_of_a_picture_and_places_do_not(corpus: Path) -> None:
    for sample in samples_of(corpus, "semantic"):
        assert allows_crop(sample.facts)
        assert mirrored_instruction(sample.instruction, sample.facts) == sample.instruction
    for sample in samples_of(corpus, "panoptic"):
        assert not allows_crop(sample.facts)
        sided = re.search(r"left|right", sample.facts["instruction"]["words"]["legend"])
        assert (mirrored_instruction(sample.instruction, sample.facts) is None) == bool(sided)


# --- real pictures


def test_legends_of_real_pictures_are_as_the_manifest_says(real_data: Path, tmp_path: Path) -> None:
    """Number of classes, least distance and share of negatives of the hold-in COCO sample."""
    proxy = {"type": "legend", "negatives": {"share": 0.4, "at_most": 2}, "min_distance": 70}
    source = {"type": "coco", "root": f"{real_data}/coco", "annotations": ["panoptic"]}
    pictures = {"min_side": 64, "max_side": 160, "multiple_of": 16}
    assert built(tmp_path, source, [proxy], pictures=pictures, shard_samples=64).succeeded
    classes_of = {
        Path(each["file_name"]).stem: len({info["category_id"] for info in each["segments_info"]})
        for each in json.loads(
            (real_data / "coco/annotations/panoptic_train2017.json").read_text()
        )["annotations"]
    }
    present, absent, least = [], [], []
    for sample in samples_of(tmp_path, "legend"):
        entries = sample.facts["legend"]["entries"]
        present.append(sum(entry["present"] for entry in entries))
        assert present[-1] <= classes_of[Path(sample.facts["source"]["member"]).stem]
        absent.append(len(entries) - present[-1])
        read = read_instruction(sample.instruction)
        points = np.array([read.background, *read.colours.values()], float)
        gaps = np.linalg.norm(points[:, None] - points[None], axis=2)
        least.append(gaps[~np.eye(len(points), dtype=bool)].min())
    print(
        f"{len(present)} legends: {np.mean(present):.2f} classes shown, {np.mean(absent):.2f} "
        f"absent, share with absent ones {np.mean(np.array(absent) > 0):.2f}, least distance "
        f"{min(least):.1f}, mean {np.mean(least):.1f}"
    )
    assert len(present) == 100
    assert np.mean(present) == pytest.approx(np.mean(list(classes_of.values())), abs=0.2)
    assert abs(np.mean(np.array(absent) > 0) - 0.4) < 0.15  # three standard errors of 100 draws
    assert max(absent) == 2 and min(least) >= 70
