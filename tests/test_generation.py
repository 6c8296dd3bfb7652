"""What a drawing of a caption shows, on scenes made by hand and against slow counts of the same."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from making import encoded
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure.caption_checks import holds, shows
from sgt_data.experiment.measure.caption_lines import RELATIONS, CaptionLine, NamedThing
from sgt_data.experiment.measure.caption_prompts import Prompt, read_prompts
from sgt_data.experiment.measure.colour_names import ColourExamples
from sgt_data.experiment.measure.generation import (
    draw_prompts,
    drawing_scores,
    generation_scores,
    things_of_drawings,
)
from sgt_data.experiment.measure.generation_bounds import (
    generation_bounds,
    read_generation_bounds,
    write_generation_bounds,
)
from sgt_data.experiment.measure.generation_scorer import Scorer
from sgt_data.experiment.measure.generation_sheet import PER_TASK, write_generation_sheet
from sgt_data.experiment.measure.scene_pictures import ClassColours
from sgt_data.experiment.measure.seen_things import LEAST_AREA, SeenThing, seen_thing

SIDE = 24
CLASSES = ClassColours(
    ("ball", "cone", "ring"), ((0, 0, 0), (255, 255, 255), (255, 0, 102), (0, 102, 255))
)
MAPS = Scorer(SIDE, CLASSES, None, {}, ColourExamples(np.zeros((0, 3)), ()))
"""Reads class maps, and no pictures."""

BLOCK = 6
"""Side of the squares that stand for things, pixels."""


def class_map(*things: tuple[str, int, int]) -> NDArray[np.uint8]:
    """A class map with a square of each category at a row and a column of a 4 x 4 grid."""
    pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
    for name, row, column in things:
        top, left = row * BLOCK, column * BLOCK
        square = np.s_[top : top + BLOCK, left : left + BLOCK]
        pixels[square] = CLASSES.colours[1 + CLASSES.categories.index(name)]
    return pixels


def caption(task: str, *names: str, key: str = "k", **more: Any) -> CaptionLine:
    """A caption of categories; `count`, `colour` are those of the first."""
    relation = more.pop("relation", None)
    things = [NamedThing(name) for name in names]
    things[0] = NamedThing(names[0], more.pop("count", None), more.pop("colour", None))
    text = f"Draw the class map of: {task} {names}"
    return CaptionLine(key, task, more.pop("draws", "semantic"), text, tuple(things), relation, 0)


def seen_in(pixels: NDArray[np.uint8]) -> list[SeenThing]:
    return MAPS.things_of_maps([pixels])[0]


# --- what a class map shows


SCENE = class_map(
    ("ball", 0, 0), ("ball", 0, 2), ("ball", 3, 0), ("cone", 3, 3), ("ring", 1, 1)
)  # fmt: skip


@pytest.mark.parametrize(
    ("line", "is_shown"),
    [
        (caption("one object", "ball"), True),
        (caption("two objects", "cone", "ring"), True),
        (caption("counting", "ball", count=3), True),
        (caption("counting", "ball", count=2), False),
        (caption("counting", "ball", count=4), False),
        (caption("counting", "cone", count=1), True),
        (caption("position", "ring", "cone", relation="left of"), True),
        (caption("position", "ring", "cone", relation="above"), True),
        (caption("position", "ring", "cone", relation="right of"), False),
        (caption("position", "cone", "ring", relation="below"), True),
        (caption("position", "cone", "ring", relation="left of"), False),
    ],
)
def test_a_map_made_by_hand_shows_what_stands_in_it(line: CaptionLine, is_shown: bool) -> None:
    assert shows(line, seen_in(SCENE)) is is_shown


@pytest.mark.parametrize("missing", ["ball", "cone", "ring"])
def test_a_category_that_is_not_drawn_fails_every_task(missing: str) -> None:
    other = "cone" if missing == "ball" else "ball"
    seen = seen_in(class_map(*((name, 0, 2 * n) for n, name in enumerate(CLASSES.categories)
                               if name != missing)))  # fmt: skip
    assert not shows(caption("one object", missing), seen)
    assert not shows(caption("two objects", missing, other), seen)
    assert not shows(caption("two objects", other, missing), seen)
    assert not shows(caption("counting", missing, count=1), seen)
    for relation in RELATIONS:
        assert not shows(caption("position", missing, other, relation=relation), seen)


def test_things_of_a_kind_that_touch_are_one_and_specks_are_none() -> None:
    apart = class_map(("ball", 0, 0), ("ball", 0, 2))
    touching = class_map(("ball", 0, 0), ("ball", 0, 1))
    corner = class_map(("ball", 0, 0), ("ball", 1, 1))
    assert [len(seen_in(pixels)) for pixels in (apart, touching, corner)] == [2, 1, 2]
    speck = class_map(("ball", 0, 0))
    least = int(np.ceil(LEAST_AREA * SIDE**2))
    speck[12, 12 : 12 + least - 1] = CLASSES.colours[1]
    assert len(seen_in(speck)) == 1
    speck[12, 12 : 12 + least] = CLASSES.colours[1]
    assert len(seen_in(speck)) == 2


def test_a_thing_is_where_it_is_drawn_and_the_largest_stands_for_its_kind() -> None:
    pixels = class_map(("ball", 0, 0), ("ball", 3, 2), ("ball", 3, 3), ("cone", 2, 0))
    first, *_ = seen_in(pixels)
    assert (first.category, first.area) == ("ball", 2 * BLOCK**2 / SIDE**2)
    assert first.centre == (18 / SIDE, 21 / SIDE)
    assert first.extent == (12 / SIDE, 6 / SIDE)
    assert shows(caption("position", "ball", "cone", relation="right of"), seen_in(pixels))


def test_drawn_colours_need_not_be_exact() -> None:
    noise = np.random.default_rng(0).normal(0, 25, SCENE.shape)
    noisy = np.clip(SCENE + noise, 0, 255).astype(np.uint8)
    assert Counter(thing.category for thing in seen_in(noisy)) == {"ball": 3, "cone": 1, "ring": 1}


def relations_by_boxes(first: NDArray[Any], second: NDArray[Any]) -> set[str]:
    """What GenEval's paper says of two boxes [left, top, right, bottom]: a tenth of both sizes is
    taken from the distance of the centres, and a direction holds within 60 degrees."""
    offset = (first[:2] + first[2:] - second[:2] - second[2:]) / 2
    sizes = first[2:] - first[:2] + second[2:] - second[:2]
    reduced = np.sign(offset) * np.maximum(np.abs(offset) - 0.1 * sizes, 0)
    if not reduced.any():
        return set()
    across, down = reduced / np.linalg.norm(reduced)
    names = {"left of": across < -0.5, "right of": across > 0.5, "above": down < -0.5,
             "below": down > 0.5}  # fmt: skip
    return {name for name, is_so in names.items() if is_so}


def test_relations_are_those_of_geneval() -> None:
    draws = np.random.default_rng(3)
    counts: Counter[str] = Counter()
    for _ in range(300):
        places, sizes = draws.integers(0, 20, (2, 2)), draws.integers(2, 14, (2, 2))
        boxes, things = [], []
        for place, size in zip(places, sizes, strict=True):
            mask = np.zeros((40, 40), np.bool_)
            left, top = place
            mask[top : top + size[1], left : left + size[0]] = True
            boxes.append(np.array([*place, *(place + size)]) / 40)
            things.append(seen_thing("ball", mask))
        expected = relations_by_boxes(*boxes)
        assert {name for name in RELATIONS if holds(name, *things)} == expected
        counts.update(expected or {"none"})
    assert min(counts.values()) > 2 and len(counts) == 5


# --- which prompts are drawn


def write_lines(folder: Path, rows: Sequence[Mapping[str, Any]], split: str = "val") -> str:
    """A folder of captions in the form of `sgt-data captions`."""
    (folder / "images").mkdir(parents=True, exist_ok=True)
    lines = []
    for number, row in enumerate(rows):
        pixels = row.get("pixels", SCENE)
        name = f"images/{number}.png"
        (folder / name).write_bytes(encoded(Image.fromarray(pixels), "PNG"))
        turns = [
            {"from": "human", "value": f"Draw the class map of: {row['things']}"},
            {"from": "gpt", "value": "<image>"},
        ]
        fields = {name: value for name, value in row.items() if name != "pixels"}
        lines.append({"id": str(number), "image": name, "conversations": turns, **fields})
    (folder / f"{split}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(folder)


def thing(category: str, count: int | None = None, color: str | None = None) -> dict[str, Any]:
    return {"category": category, "count": count, "color": color}


def rows_of(draws: str, pictures: int = 40) -> list[dict[str, Any]]:
    """Captions of all tasks and two that are no prompts; small counts are frequent."""
    rows: list[dict[str, Any]] = []
    for number in range(pictures):
        common = {"key": f"p{number}", "draws": draws, "relation": None}
        count = 1 + (number % 10 == 0) + 2 * (number % 10 == 1) + 3 * (number % 10 == 2)
        names = CLASSES.categories[number % 3], CLASSES.categories[(number + 1) % 3]
        tasks: list[tuple[str, list[Any], str | None]] = [
            ("one object", [thing(names[0])], None),
            ("two objects", [thing(names[0]), thing(names[1])], None),
            ("counting", [thing(names[0], count)], None),
            ("counting", [thing(names[1], 1)], None),
            ("position", [thing(names[0]), thing(names[1])], RELATIONS[number % 4]),
            ("colour", [thing(names[0], None, ("red", "blue")[number % 2])], None),
            ("scene", [thing(names[0], 1), thing(names[1], 2)], None),
            ("caption", [], None),
        ]
        rows += [
            {**common, "task": task, "things": things, "relation": relation}
            for task, things, relation in tasks
        ]
    return rows


def said(prompts: Sequence[Prompt]) -> list[tuple[Any, ...]]:
    return [(p.line.key, p.line.task, p.line.things, p.line.relation) for p in prompts]


def test_prompts_are_even_of_different_pictures_and_the_same_for_both_kinds(
    tmp_path: Path,
) -> None:
    maps = write_lines(tmp_path / "maps", rows_of("semantic"))
    pictures = write_lines(tmp_path / "pictures", rows_of("picture"))
    prompts = read_prompts((pictures, maps), "validation", 12, SIDE)
    tasks = Counter((prompt.kind, prompt.line.task) for prompt in prompts)
    names = ("one object", "two objects", "counting", "position", "colour")
    assert tasks == {
        (kind, task): 12 for kind in ("class map", "picture") for task in names
        if (kind, task) != ("class map", "colour")
    }  # fmt: skip
    for kind, task in tasks:
        of_task = [p.line for p in prompts if (p.kind, p.line.task) == (kind, task)]
        assert len({line.key for line in of_task}) == 12
        if task == "counting":
            assert Counter(line.things[0].count for line in of_task) == dict.fromkeys(
                (1, 2, 3, 4), 3
            )
        if task == "position":
            assert set(Counter(line.relation for line in of_task).values()) == {3}
    of_maps = said([prompt for prompt in prompts if prompt.kind == "class map"])
    of_pictures = said([prompt for prompt in prompts if prompt.kind == "picture"])
    assert of_maps == [row for row in of_pictures if row[1] != "colour"]
    assert all(np.array_equal(prompt.true, SCENE) for prompt in prompts)


def test_the_order_of_captions_chooses_nothing(tmp_path: Path) -> None:
    rows = rows_of("semantic")
    first = read_prompts(write_lines(tmp_path / "a", rows), "validation", 7, SIDE)
    again = read_prompts(write_lines(tmp_path / "b", rows[::-1]), "validation", 7, SIDE)
    assert said(first) == said(again)
    fewer = read_prompts(write_lines(tmp_path / "c", rows[:16]), "validation", 7, SIDE)
    assert Counter(prompt.line.task for prompt in fewer) == {
        "one object": 2, "two objects": 2, "counting": 2, "position": 2
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"key": None}, "line 1: key is None, no text"),
        ({"draws": 3}, "line 1: draws is 3, no text"),
        ({"things": {"ball": 1}}, r"line 1: things is \{'ball': 1\}, no list"),
        ({"things": [{"category": "ball", "count": 0}]}, "right is a category with a count"),
        ({"things": [thing("ball")]}, "a caption of this task names one category and its count"),
        ({"relation": "beside"}, "relation is 'beside' between 1 things; right is one of left of"),
        ({"task": "position"}, "a caption of this task names two categories and a relation"),
        ({"conversations": [{"from": "human", "value": "a"}]}, "no caption|allowed"),
    ],
)
def test_a_wrong_caption_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    row = {"key": "a", "draws": "semantic", "task": "counting", "things": [thing("ball", 2)],
           "relation": None, **change}  # fmt: skip
    with pytest.raises(CorpusError, match=message):
        read_prompts(write_lines(tmp_path, [row]), "validation", 5, SIDE)


def test_captions_that_do_not_exist_are_named(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"there is no .*test\.jsonl"):
        read_prompts(str(tmp_path), "test", 5, SIDE)


# --- how models score


def drawn_prompts() -> list[Prompt]:
    """Prompts whose class maps show what they say, and what most others do not say."""
    prompts = []
    pairs = list(permutations(CLASSES.categories, 2))
    for number, (first, second) in enumerate(pairs):
        count = 1 + number % 4
        lines = [
            (caption("one object", first), [(first, 0, 0)]),
            (caption("counting", first, count=count),
             [(first, 2 * (n // 2), 2 * (n % 2)) for n in range(count)]),
            (caption("position", first, second, relation=RELATIONS[0]),
             [(first, 1, 0), (second, 1, 3)]),
        ]  # fmt: skip
        for line, things in lines:
            line = replace(line, key=f"{line.task} {number}", text=f"{number} {line.text}")
            prompts.append(Prompt(line, class_map(*things)))
    return prompts


class Drawer(nn.Module):
    """Draws of each text what it was given for it."""

    def __init__(self, pictures: Mapping[str, NDArray[np.uint8]]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.pictures = pictures

    def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
        assert pictures.shape == (len(texts), 3, SIDE, SIDE)
        assert pictures.unique().numel() == 1 and abs(float(pictures.unique())) < 0.01  # grey
        drawn = np.stack([self.pictures[text] for text in texts])
        return torch.from_numpy(drawn / 127.5 - 1).permute(0, 3, 1, 2)


def test_a_model_that_draws_the_truth_reaches_the_ceiling_and_every_picture_is_counted() -> None:
    prompts = drawn_prompts()
    oracle = Drawer({prompt.line.text: prompt.true for prompt in prompts})
    scores = generation_scores(oracle, prompts, MAPS, seed=0)
    bounds = generation_bounds(prompts, MAPS, "test")
    assert scores["class map"] == bounds.ceiling["class map"]
    assert {task: (score.value, score.count) for task, score in scores["class map"].items()} == {
        "one object": (1, 6), "counting": (1, 6), "position": (1, 6), "mean": (1, 18)
    }  # fmt: skip
    assert scores["class map, captions shuffled"] == bounds.floor["class map"]
    assert "picture" not in scores and bounds.picture_problem == "no caption is drawn as a picture"


def test_captions_shuffled_are_all_pairs_of_a_caption_and_another_picture() -> None:
    prompts = drawn_prompts()
    seen = things_of_drawings(prompts, [prompt.true for prompt in prompts], MAPS)
    shuffled = drawing_scores(prompts, seen, seed=0)["class map, captions shuffled"]
    by_task: dict[str, float] = {}
    for task in ("one object", "counting", "position"):
        places = [n for n, prompt in enumerate(prompts) if prompt.line.task == task]
        pairs = [(a, b) for a in places for b in places if a != b]
        by_task[task] = sum(shows(prompts[a].line, seen[b] or []) for a, b in pairs) / len(pairs)
        assert shuffled[task].value == pytest.approx(by_task[task])
        low, high = shuffled[task].low, shuffled[task].high
        assert low is not None and high is not None and low <= shuffled[task].value <= high
    assert 0 < by_task["one object"] < 1
    assert shuffled["mean"].value == pytest.approx(sum(by_task.values()) / 3)


def test_a_model_that_draws_everything_does_no_better_than_with_other_captions() -> None:
    prompts = drawn_prompts()
    all_things = class_map(*((name, n, 0) for n, name in enumerate(CLASSES.categories)))
    model = Drawer({prompt.line.text: all_things for prompt in prompts})
    scores = generation_scores(model, prompts, MAPS, seed=0)
    own, shuffled = scores["class map"], scores["class map, captions shuffled"]
    assert own["one object"].value == shuffled["one object"].value == 1
    for task in own:
        assert own[task].value == pytest.approx(shuffled[task].value)


def test_the_noise_of_a_prompt_is_the_same_for_all_models() -> None:
    class Noise(Drawer):
        def draw(self, pictures: Tensor, texts: Sequence[str]) -> Tensor:
            return torch.randn(pictures.shape).clamp(-1, 1)

    prompts = drawn_prompts()
    first = draw_prompts(Noise({}), prompts)
    torch.rand(7)
    again = draw_prompts(Noise({}), prompts)
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first[0], first[1])


def test_a_category_that_the_scorer_does_not_know_is_named() -> None:
    prompt = Prompt(caption("one object", "kite"), SCENE)
    with pytest.raises(
        CorpusError, match=r"names the category 'kite', which too few .* ball, cone"
    ):
        things_of_drawings([prompt], [SCENE], MAPS)


def test_bounds_come_back_from_their_file(tmp_path: Path) -> None:
    bounds = generation_bounds(drawn_prompts(), MAPS, "validation")
    file = tmp_path / "generation_bounds.json"
    assert read_generation_bounds(file) is None
    write_generation_bounds(file, bounds)
    assert read_generation_bounds(file) == bounds
    file.write_bytes(file.read_bytes().replace(b'"version": 1', b'"version": 2'))
    with pytest.raises(CorpusError, match="its version is not 1; remove it"):
        read_generation_bounds(file)


def test_the_sheet_has_a_row_for_each_chosen_caption(tmp_path: Path) -> None:
    prompts = drawn_prompts()
    drawings = [SCENE] * len(prompts)
    seen = things_of_drawings(prompts, drawings, MAPS)
    write_generation_sheet(tmp_path / "sheet.png", prompts, drawings, seen)
    sheet = np.asarray(Image.open(tmp_path / "sheet.png"))
    assert sheet.shape[0] == 22 + 3 * PER_TASK * 166
    for row, place in enumerate((0, 3, 1, 4, 2, 5)):  # two captions of each of three tasks
        top = 22 + 166 * row
        for left, shown in ((190, SCENE), (342, prompts[place].true)):
            cell = sheet[top : top + 144 : 6, left : left + 144 : 6]
            assert np.array_equal(cell, shown), (row, left)
