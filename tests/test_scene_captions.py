"""Captions of drawn scenes: in COCO's form, and true by the annotations of the same pictures."""

from __future__ import annotations

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from sgt_data.scenes import write_samples
from sgt_data.scenes.caption_wording import listed
from sgt_data.scenes.captions import VisibleThing, captions_of, relation_of
from sgt_data.scenes.colours import NAMED_COLOURS
from sgt_data.scenes.dice import Dice
from sgt_data.scenes.sample_identity import SampleIdentity
from sgt_data.scenes.write_samples import draw_sample
from sgt_data.seeds import generator

PICTURES, SIDE = 150, 48
NUMBERS = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6}
PLURALS = {"snowmen": "snowman"}

Row = dict[str, Any]


@pytest.fixture(scope="module")
def simple(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simple")
    size = (SIDE, SIDE)
    write_samples(str(root), PICTURES, seed=4, size=size, scenes="simple", forms="coco")
    return root / "coco"


@pytest.fixture(scope="module")
def varied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("varied")
    write_samples(str(root), PICTURES, seed=4, size=(96, 64), forms="coco")
    return root / "coco"


def captions_in(coco: Path) -> list[Row]:
    document = json.loads((coco / "annotations/captions_train2017.json").read_bytes())
    captions: list[Row] = document["annotations"]
    return captions


def things_shown(coco: Path) -> dict[int, list[tuple[str, int, list[float]]]]:
    """By picture: category, pixels and box of each thing, counted in the panoptic PNG."""
    annotations = coco / "annotations"
    document = json.loads((annotations / "panoptic_train2017.json").read_bytes())
    kinds = {category["id"]: category for category in document["categories"]}
    shown = {}
    for row in document["annotations"]:
        rgb = np.asarray(Image.open(annotations / "panoptic_train2017" / row["file_name"])).astype(
            int
        )
        ids = rgb @ np.array([1, 256, 65536])
        things = shown[row["image_id"]] = []
        for segment in row["segments_info"]:
            if kinds[segment["category_id"]]["isthing"]:
                y, x = np.nonzero(ids == segment["id"])
                box = [x.min(), y.min(), x.max() + 1, y.max() + 1]
                things.append((kinds[segment["category_id"]]["name"], len(x), box))
    return shown


def crowds(coco: Path) -> set[tuple[int, str]]:
    index = COCO(str(coco / "annotations/instances_train2017.json"))
    return {
        (row["image_id"], index.cats[row["category_id"]]["name"])
        for row in index.anns.values()
        if row["iscrowd"]
    }


def named_in(text: str) -> list[tuple[int, str | None, str]]:
    """Number, colour and kind of the things that a caption names."""
    colours = "|".join(NAMED_COLOURS)
    found = re.findall(rf"\b({'|'.join(NUMBERS)}) (?:({colours}) )?(\w+)", text)
    return [
        (NUMBERS[number], colour or None, PLURALS.get(noun, noun.removesuffix("s")))
        for number, colour, noun in found
        if noun not in ("scene", "picture")
    ]


def test_the_captions_file_is_one_of_coco(simple: Path) -> None:
    """pycocotools reads it, and finds the captions of every picture."""
    captions = COCO(str(simple / "annotations/captions_train2017.json"))
    instances = COCO(str(simple / "annotations/instances_train2017.json"))
    assert captions.imgs == instances.imgs
    assert sorted(captions.anns) == list(range(1, len(captions.anns) + 1))
    for number in captions.imgs:
        rows = captions.loadAnns(captions.getAnnIds(imgIds=[number]))
        assert 3 <= len(rows) <= 8
        assert {"scene", "one object", "counting"} <= {row["task"] for row in rows}


@pytest.mark.parametrize("kind", ["simple", "varied"])
def test_captions_are_true_by_the_panoptic_annotations(
    kind: str, request: pytest.FixtureRequest
) -> None:
    coco = request.getfixturevalue(kind)
    shown, in_crowds = things_shown(coco), crowds(coco)
    assert bool(in_crowds) == (kind == "varied")
    tasks = Counter()
    for row in captions_in(coco):
        things = shown[row["image_id"]]
        counts = Counter(name for name, _, _ in things)
        tasks[row["task"]] += 1
        stated = Counter()
        for named in row["things"]:
            assert counts[named["category"]] >= (named["count"] or 1)
            stated[named["category"]] += named["count"] or 0
        if row["task"] in ("scene", "things"):
            assert stated == counts
            is_coloured = row["task"] == "scene" and kind == "simple"
            assert all(bool(named["color"]) == is_coloured for named in row["things"])
        if row["task"] == "counting":
            assert stated[row["things"][0]["category"]] == counts[row["things"][0]["category"]]
            assert 1 <= row["things"][0]["count"] <= 4
        if row["task"] in ("scene", "things", "counting"):
            assert not {(row["image_id"], name) for name in stated} & in_crowds
        if row["task"] == "position":
            assert_relation(row, things)
        pixels = {name: min(p for n, p, _ in things if n == name) for name in counts}
        size = SIDE**2 if kind == "simple" else 96 * 64
        assert all(pixels[named["category"]] >= 0.005 * size for named in row["things"])
    expected = {"scene", "things", "one object", "two objects", "counting", "position"}
    assert set(tasks) == expected | ({"colour"} if kind == "simple" else set())
    assert min(tasks.values()) > 0.25 * PICTURES


def assert_relation(row: Row, things: list[tuple[str, int, list[float]]]) -> None:
    boxes = {}
    for named in row["things"]:
        (box,) = (box for name, _, box in things if name == named["category"])
        boxes[named["category"]] = box
    first, second = (np.array(boxes[named["category"]]) for named in row["things"])
    across, down = (first[:2] + first[2:] - second[:2] - second[2:]) / 2
    holds = {"left of": across < 0, "right of": across > 0, "above": down < 0, "below": down > 0}
    assert holds[row["relation"]]
    assert row["relation"].split()[0] in row["caption"]


def test_the_words_say_what_the_fields_say(simple: Path, varied: Path) -> None:
    for row in [*captions_in(simple), *captions_in(varied)]:
        fields = [(t["count"] or 1, t["color"], t["category"]) for t in row["things"]]
        assert named_in(row["caption"]) == fields, row
        assert (row["relation"] is not None) == (row["task"] == "position")


def test_the_colours_of_captions_are_those_that_the_picture_shows(simple: Path) -> None:
    """Of captions whose colour is that of all things of a kind: the median of their pixels."""
    seen = defaultdict(list)
    annotations = simple / "annotations"
    index = COCO(str(annotations / "instances_train2017.json"))
    numbers = {category["name"]: number for number, category in index.cats.items()}
    for row in captions_in(simple):
        if row["task"] == "colour":
            (thing,) = row["things"]
            picture = np.asarray(Image.open(simple / f"train2017/{row['image_id']:012d}.jpg"))
            for number in index.getAnnIds([row["image_id"]], [numbers[thing["category"]]]):
                mask = index.annToMask(index.anns[number]) > 0
                seen[thing["color"]].append(np.median(picture[mask], axis=0))
    assert set(seen) == set(NAMED_COLOURS)
    means = {name: np.mean(colours, axis=0) for name, colours in seen.items()}
    right = [
        min(means, key=lambda other: float(np.linalg.norm(means[other] - colour))) == name
        for name, colours in seen.items()
        for colour in colours
    ]
    assert np.mean(right) > 0.95


def test_counts_of_one_to_four_are_all_stated_in_several_sentences(simple: Path) -> None:
    counting = [row for row in captions_in(simple) if row["task"] == "counting"]
    counts = Counter(row["things"][0]["count"] for row in counting)
    assert sorted(counts) == [1, 2, 3, 4]
    assert min(counts.values()) > 0.1 * PICTURES
    beginnings = {row["caption"].split()[0] for row in counting}
    assert {"exactly", "a", "two"} <= beginnings
    relations = Counter(row["relation"] for row in captions_in(simple))
    assert min(relations[name] for name in ("left of", "right of", "above", "below")) >= 5


BALL = VisibleThing("ball", "red", 0.02, (0.1, 0.1, 0.3, 0.3))


def captions(*things: VisibleThing) -> dict[str, str]:
    return {caption.task: caption.text for caption in captions_of(things, Dice(generator(0, "c")))}


def test_what_is_not_certain_is_not_named() -> None:
    tiny = VisibleThing("cone", "blue", 0.004, (0.6, 0.6, 0.62, 0.62))
    told = captions(BALL, tiny)
    assert set(told) == {"one object", "counting", "colour"}  # no scene: a thing would be missing
    assert all("cone" not in text for text in told.values())
    in_crowd = VisibleThing("tree", None, 0.1, (0, 0, 0, 0), in_crowd=True)
    assert set(captions(in_crowd, in_crowd, in_crowd)) == {"one object"}
    house, cottage = (
        VisibleThing(name, None, 0.1, (left, 0.1, left + 0.2, 0.3))
        for name, left in (("house", 0.1), ("cottage", 0.6))
    )
    assert captions(house, cottage) == {}
    assert captions() == {}
    assert "colour" not in captions(BALL, VisibleThing("ball", "blue", 0.02, (0.5, 0.5, 0.7, 0.7)))


@pytest.mark.parametrize(
    ("box", "relation"),
    [
        ((0.5, 0.15, 0.7, 0.35), "left of"),
        ((0.15, 0.6, 0.35, 0.9), "above"),
        ((0.2, 0.2, 0.4, 0.4), None),  # too near
        ((0.05, 0.05, 0.9, 0.35), None),  # reaches beyond it on both sides
        ((0.5, 0.4, 0.7, 0.6), "left of"),  # below as well, but less
    ],
)
def test_a_relation_is_stated_where_it_is_clear(box: Any, relation: str | None) -> None:
    other = VisibleThing("cone", "blue", 0.02, box)
    opposite = {"left of": "right of", "above": "below", None: None}
    assert relation_of(BALL, other) == relation
    assert relation_of(other, BALL) == opposite[relation]


def test_lists_are_english() -> None:
    assert listed(["a ball"]) == "a ball"
    assert listed(["a ball", "a cone"]) == "a ball and a cone"
    assert listed(["a ball", "a cone", "a ring"]) == "a ball, a cone and a ring"


def test_bytes_do_not_depend_on_the_number_of_processes(tmp_path: Path) -> None:
    sample = SampleIdentity(40, 4, 32, 32, 17, "simple", ("sa1b", "coco"))
    for processes in (1, 2):
        draw_sample(str(tmp_path / str(processes)), sample, processes=processes)
    files = [
        {path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
        for root in (tmp_path / "1", tmp_path / "2")
    ]
    assert files[0] == files[1] and len(files[0]) > 200
