"""What reads drawings of captions, made from drawn scenes and from pictures made by hand."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from making import built
from numpy.typing import NDArray

from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.measure import make_scorer as making_scorer
from sgt_data.experiment.measure import scene_segmenter
from sgt_data.experiment.measure.caption_lines import CaptionLine, NamedThing
from sgt_data.experiment.measure.caption_prompts import Prompt, read_prompts
from sgt_data.experiment.measure.colour_names import ColourExamples, ColourNames, median_colour
from sgt_data.experiment.measure.generation import drawing_scores, things_of_drawings
from sgt_data.experiment.measure.generation_bounds import generation_bounds
from sgt_data.experiment.measure.generation_scorer import GATE, Scorer
from sgt_data.experiment.measure.make_scorer import ScorerData, make_scorer
from sgt_data.experiment.measure.scene_pictures import ClassColours, read_scene_pictures
from sgt_data.experiment.measure.scene_segmenter import category_ious, segmented, train_segmenter
from sgt_data.experiment.measure.seen_things import thing_masks
from sgt_data.questions.caption_plan import CaptionPlan
from sgt_data.questions.splits import exact_shares, split_of
from sgt_data.questions.write_captions import write_captions
from sgt_data.scenes.write_samples import write_samples
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys

SHARES = {"train": 0.7, "val": 0.15, "test": 0.15}
SIDE = 48


@dataclass(frozen=True)
class Scenes:
    """Drawn scenes with their captions."""

    data: ScorerData
    folder: Path


@pytest.fixture(scope="module")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Scenes:
    root = tmp_path_factory.mktemp("captioned")
    write_samples(str(root / "scenes"), 260, size=(SIDE, SIDE), forms="coco", scenes="simple")
    source = {"type": "coco", "root": f"{root}/scenes/coco", "annotations": ["instances"]}
    proxies = [
        {"type": "segmentation", "name": name, "variant": name} for name in ("semantic", "instance")
    ]
    corpus = str(root / "corpus")
    more = {"pictures": {"min_side": 32, "max_side": 64}, "shard_samples": 512}
    built(root / "corpus", source, proxies, **more)
    texts = f"{root}/scenes/coco/annotations/captions_train2017.json"
    folders = []
    for name, draw in (("pictures", None), ("maps", "semantic")):
        folders.append(str(root / name))
        write_captions(corpus, texts, folders[-1], CaptionPlan(draw=draw, shares=SHARES))
    opened, exact = open_corpus(corpus), exact_shares(SHARES)
    keys = [sample.key for sample in opened.samples("semantic")]
    training = str(root / "training.subset.parquet")
    write_subset_file(
        subset_of_keys(opened, [key for key in keys if split_of(key, exact, 0) == "train"]),
        training,
    )
    return Scenes(ScorerData(corpus, training, tuple(folders), "semantic", SIDE), root)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A segmenter that has learnt next to nothing."""
    monkeypatch.setattr(scene_segmenter, "STEPS", 2)


@pytest.mark.usefixtures("hasty")
def test_true_class_maps_show_what_their_captions_say(scenes: Scenes) -> None:
    scorer = make_scorer(scenes.data, scenes.folder)
    prompts = read_prompts(scenes.data.captions, "test", 40, SIDE)
    bounds = generation_bounds(prompts, scorer, "test")
    ceiling, floor = bounds.ceiling["class map"], bounds.floor["class map"]
    assert set(ceiling) == {"one object", "two objects", "counting", "position", "mean"}
    for task, score in ceiling.items():
        assert score.value >= (0.9 if task == "counting" else 0.97), task
        assert floor[task].value < 0.7, task


@pytest.mark.usefixtures("hasty")
def test_pictures_are_not_scored_by_a_segmenter_that_is_not_good_enough(scenes: Scenes) -> None:
    scorer = make_scorer(scenes.data, scenes.folder)
    assert scorer.segmenter is not None and scorer.mean_iou < GATE
    prompts = read_prompts(scenes.data.captions, "validation", 20, SIDE)
    bounds = generation_bounds(prompts, scorer, "validation")
    assert set(bounds.ceiling) == set(bounds.floor) == {"class map"}
    assert bounds.picture_problem == (
        f"the segmenter that scores pictures has mIoU {scorer.mean_iou:.3f} on validation "
        "pictures, 0.8 is needed"
    )
    with pytest.raises(RequestError, match="pictures are not scored: the segmenter"):
        scorer.things_of_pictures([prompts[0].true])


@pytest.mark.usefixtures("hasty")
def test_a_scorer_is_learnt_once_for_the_same_data(
    scenes: Scenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = make_scorer(scenes.data, tmp_path)

    def never(*_: object) -> None:
        raise AssertionError("learnt again")

    monkeypatch.setattr(making_scorer, "train_segmenter", never)
    again = make_scorer(scenes.data, tmp_path)
    assert (again.ious, again.classes, again.picture) == (first.ious, first.classes, SIDE)
    assert again.colours.names == first.colours.names and first.colours.names
    with pytest.raises(AssertionError, match="learnt again"):
        make_scorer(replace(scenes.data, picture=40), tmp_path)
    (file,) = tmp_path.glob("generation-scorer-*.pt")
    file.write_bytes(file.read_bytes()[:300])
    with pytest.raises(CorpusError, match=r"scorer-.*holds no scorer of drawings.*remove it"):
        make_scorer(scenes.data, tmp_path)


def test_held_out_pictures_teach_the_scorer_nothing(
    scenes: Scenes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[tuple[str, ...]] = []

    def noted(corpus: object, proxy: str, keys: list[str], *more: object) -> object:
        read.append(tuple(keys))
        return read_scene_pictures(corpus, proxy, keys, *more)  # type: ignore[arg-type]

    monkeypatch.setattr(scene_segmenter, "STEPS", 1)
    monkeypatch.setattr(making_scorer, "read_scene_pictures", noted)
    make_scorer(scenes.data, tmp_path)
    exact = exact_shares(SHARES)
    assert [{split_of(key, exact, 0) for key in keys} for keys in read] == [{"train"}, {"val"}]


def test_a_proxy_without_categories_is_refused(scenes: Scenes, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="instance is of type segmentation with palette"):
        make_scorer(replace(scenes.data, proxy="instance"), tmp_path)


@pytest.mark.usefixtures("hasty")
def test_colours_of_things_have_the_names_that_captions_give_them(scenes: Scenes) -> None:
    """Learnt on training pictures, asked about test pictures through their true masks."""
    scorer = make_scorer(scenes.data, scenes.folder)
    assert len(set(scorer.colours.names)) == 8
    prompts = [
        prompt
        for prompt in read_prompts(scenes.data.captions[0], "test", 40, SIDE)
        if prompt.line.task == "colour"
    ]
    true = read_scene_pictures(
        open_corpus(scenes.data.corpus), "semantic", [p.line.key for p in prompts], SIDE,
        scorer.classes,
    )  # fmt: skip
    colours = []
    for prompt, pixels, labels in zip(prompts, true.pictures, true.labels, strict=True):
        label = 1 + scorer.classes.categories.index(prompt.line.things[0].category)
        mask = next(mask for number, mask in thing_masks(labels) if number == label)
        colours.append(median_colour(pixels, mask))
    named = ColourNames(scorer.colours).names(colours)
    right = [name == p.line.things[0].colour for name, p in zip(named, prompts, strict=True)]
    assert len(right) > 20 and np.mean(right) > 0.9


# --- pictures made by hand: squares and bars of two colours on grey


COLOURS = {"red": (200, 30, 30), "blue": (40, 60, 210)}
CLASSES = ClassColours(("square", "bar"), ((0, 0, 0), (255, 255, 255), (255, 0, 102)))


def made(
    draws: np.random.Generator, *things: tuple[str, str]
) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    """A picture [24, 24, 3] of things with their colours, from left to right, and its labels."""
    picture = draws.normal(128, 8, (24, 24, 3))
    labels = np.zeros((24, 24), np.int32)
    for number, (name, colour) in enumerate(things):
        top, left = int(draws.integers(2, 12)), 1 + 8 * number
        size = (6, 6) if name == "square" else (11, 3)
        part = np.s_[top : top + size[0], left : left + size[1]]
        picture[part] = draws.normal(COLOURS[colour], 8, (*size, 3))
        labels[part] = 1 + CLASSES.categories.index(name)
    return np.clip(picture, 0, 255).astype(np.uint8), labels


def several(count: int, seed: int) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
    draws = np.random.default_rng(seed)
    names, colours = list(CLASSES.categories), list(COLOURS)
    pairs = []
    for _ in range(count):
        things = [(draws.choice(names), draws.choice(colours)) for _ in range(draws.integers(1, 4))]
        pairs.append(made(draws, *things))
    return np.stack([pair[0] for pair in pairs]), np.stack([pair[1] for pair in pairs])


@pytest.fixture(scope="module")
def segmenter() -> scene_segmenter.SceneSegmenter:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_segmenter, "STEPS", 120)
        return train_segmenter(*several(200, 1), 2)


def test_a_segmenter_finds_things_of_new_pictures(
    segmenter: scene_segmenter.SceneSegmenter,
) -> None:
    pictures, labels = several(30, 2)
    ious = category_ious(segmenter, pictures, labels, CLASSES.categories)
    drawn = segmented(segmenter, pictures)
    for label, name in enumerate(CLASSES.categories, 1):
        both = ((drawn == label) & (labels == label)).sum()
        either = ((drawn == label) | (labels == label)).sum()
        assert ious[name] == both / either > 0.9


def test_a_segmenter_depends_on_its_data_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scene_segmenter, "STEPS", 3)
    data = several(20, 1)
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first = train_segmenter(*data, 2).state_dict()
    assert torch.equal(torch.get_rng_state(), before) and torch.get_num_threads() == threads
    torch.rand(3)
    again = train_segmenter(*data, 2).state_dict()
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_pictures_are_scored_through_the_segmenter_with_colours(
    segmenter: scene_segmenter.SceneSegmenter,
) -> None:
    draws = np.random.default_rng(7)
    examples = [
        (draws.normal(colour, 10), name) for name, colour in COLOURS.items() for _ in range(20)
    ]
    scorer = Scorer(
        24, CLASSES, segmenter, {"square": 0.9, "bar": 0.9},
        ColourExamples(np.stack([colour for colour, _ in examples]),
                       tuple(name for _, name in examples)),
    )  # fmt: skip
    prompts = []
    for number in range(8):
        first, second = ("square", "bar") if number % 2 else ("bar", "square")
        hue, other = ("red", "blue") if number % 4 < 2 else ("blue", "red")
        lines: list[tuple[str, tuple[NamedThing, ...], list[tuple[str, str]]]] = [
            ("one object", (NamedThing(first),), [(first, hue)]),
            ("two objects", (NamedThing(second), NamedThing(first)), [(first, hue), (second, hue)]),
            ("counting", (NamedThing(first, 2),), [(first, hue), (second, hue), (first, other)]),
            ("colour", (NamedThing(first, None, hue),), [(first, hue), (second, other)]),
        ]
        for task, things, shown in lines:
            key = f"{task} {number}"
            line = CaptionLine(key, task, "picture", key, things, None, 0)
            prompts.append(Prompt(line, made(draws, *shown)[0]))
    seen = things_of_drawings(prompts, [prompt.true for prompt in prompts], scorer)
    scores = drawing_scores(prompts, seen, seed=0)
    assert {task: score.value for task, score in scores["picture"].items()} == dict.fromkeys(
        ("one object", "two objects", "counting", "colour", "mean"), 1.0
    )
    shuffled = scores["picture, captions shuffled"]
    assert shuffled["colour"].value < 0.5 < shuffled["two objects"].value
    assert Counter(t.colour for things in seen for t in things or ()).keys() == set(COLOURS)
