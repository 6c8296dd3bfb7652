"""Scenes for small models: few large things in plain colours, in one form or both."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from sgt_data import (
    IN_PROCESS,
    build_corpus,
    decode,
    open_corpus,
    verify_corpus,
)
from sgt_data.cli.app import app
from sgt_data.errors import RequestError
from sgt_data.manifest.manifest import Manifest, load_manifest
from sgt_data.scenes import Scene, draw_scene, write_samples
from sgt_data.scenes.categories import CATEGORY_NAME
from sgt_data.scenes.colours import NAMED_COLOURS
from sgt_data.scenes.draw_pictures import coco_scene
from sgt_data.scenes.materials import PLAIN
from sgt_data.scenes.sample_identity import Form
from sgt_data.scenes.scene_layout import plan_layout
from sgt_data.scenes.staging import SIMPLE

SEED, SIDE, PICTURES = 2, 48, 12


def write_simple(root: Path, forms: tuple[Form, ...] = ("coco",)) -> None:
    write_samples(str(root), PICTURES, seed=SEED, size=(SIDE, SIDE), scenes="simple", forms=forms)


def files_in(root: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and path.name != "sample.json"
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("simple") / "coco"
    write_simple(root)
    return root


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(SEED, index, SIDE, SIDE, "simple") for index in range(400)]


def test_varied_layouts_stay_as_they_are() -> None:
    """Whoever drew varied scenes draws the same ones again."""
    drawn = plan_layout(SEED, 1).things
    assert drawn == plan_layout(SEED, 1, "varied").things
    assert [(thing.kind, round(thing.x, 3), round(thing.z, 3)) for thing in drawn] == [
        ("mushroom", -1.175, 3.799),
        ("ring", 0.18, 3.373),
        ("snowman", 0.945, 2.687),
        ("tree", 0.834, 4.158),
        ("mug", -0.923, 2.633),
    ]


def test_simple_scenes_have_two_to_seven_things_of_every_kind(scenes: list[Scene]) -> None:
    counts = Counter(len(scene.things) for scene in scenes)
    assert sorted(counts) == [2, 3, 4, 5, 6, 7]
    assert min(counts.values()) > 0.08 * len(scenes)
    kinds = Counter(CATEGORY_NAME[t.category_id] for scene in scenes for t in scene.things)
    assert set(kinds) == set(SIMPLE.kinds)
    assert min(kinds.values()) > 0.7 * max(kinds.values())


def test_a_kind_is_repeated_in_most_simple_scenes_up_to_four_times(scenes: list[Scene]) -> None:
    groups = [Counter(t.category_id for t in scene.things) for scene in scenes]
    assert 0.6 < np.mean([max(group.values()) > 1 for group in groups]) < 0.9
    numbers = Counter(number for group in groups for number in group.values())
    assert sorted(numbers) == [1, 2, 3, 4]
    assert min(numbers[n] for n in (2, 3, 4)) > 0.15 * len(scenes)


def test_simple_things_are_whole_and_large_enough_for_48_pixels(scenes: list[Scene]) -> None:
    areas = np.array([t.area for scene in scenes for t in scene.things])
    assert areas.min() >= 0.005 * SIDE**2  # what questions are asked about
    assert 40 < np.median(areas) < 100
    cut = 0
    for scene in scenes:
        border = np.ones((SIDE, SIDE), bool)
        border[1:-1, 1:-1] = False
        cut += len(set(scene.segments[border].tolist()) & {t.segment for t in scene.things})
    assert cut < 0.01 * len(areas)


def test_simple_things_stand_above_each_other_as_often_as_beside(scenes: list[Scene]) -> None:
    apart = np.zeros(2)
    for scene in scenes:
        centres = np.array(
            [np.argwhere(scene.segments == thing.segment).mean(axis=0) for thing in scene.things]
        )
        gaps = np.abs(centres[:, None] - centres[None]) / SIDE
        apart += (gaps > 0.2).sum(axis=(0, 1))
    assert 0.6 < apart[0] / apart[1] < 1.2


def test_simple_things_have_one_named_colour_that_the_picture_shows(scenes: list[Scene]) -> None:
    """The nearest of the eight mean colours names a thing's colour."""
    assert set(NAMED_COLOURS) == {
        "red", "orange", "yellow", "green", "blue", "purple", "pink", "white",
    }  # fmt: skip
    shown = [
        (thing.colour, np.median(scene.picture[scene.segments == thing.segment], axis=0))
        for scene in scenes
        for thing in scene.things
    ]
    names = list(NAMED_COLOURS)
    means = np.array([np.mean([rgb for name, rgb in shown if name == n], axis=0) for n in names])
    gaps = np.linalg.norm(means[:, None] - means[None], axis=2)
    assert gaps[gaps > 0].min() > 60
    nearest = [names[np.argmin(np.linalg.norm(means - rgb, axis=1))] for _, rgb in shown]
    assert np.mean([a == b for (a, _), b in zip(shown, nearest, strict=True)]) > 0.985


def test_the_colour_does_not_tell_the_kind(scenes: list[Scene]) -> None:
    pairs = Counter((t.category_id, t.colour) for scene in scenes for t in scene.things)
    assert len(pairs) == len(SIMPLE.kinds) * len(NAMED_COLOURS)
    materials = plan_layout(SEED, 1, "simple").materials
    assert np.all(materials[:, 6] == PLAIN)
    np.testing.assert_array_equal(materials[:, 0:3], materials[:, 3:6])


def test_the_same_arguments_write_the_same_bytes(sample: Path, tmp_path: Path) -> None:
    for _ in range(2):  # repeating is safe
        write_simple(tmp_path / "again")
    assert files_in(tmp_path / "again") == files_in(sample)


def test_a_form_does_not_depend_on_the_other(sample: Path, tmp_path: Path) -> None:
    write_simple(tmp_path / "sa1b", ("sa1b",))
    write_simple(tmp_path / "both", ("coco", "sa1b"))
    alone = {**files_in(tmp_path / "sa1b"), **files_in(sample)}
    both = files_in(tmp_path / "both")
    folders = (tmp_path / "both", tmp_path / "sa1b", sample)
    cameras, *parts = (
        json.loads((folder / "intrinsics.json").read_bytes())["pictures"] for folder in folders
    )
    assert cameras == parts[0] | parts[1]
    assert {**both, "intrinsics.json": b""} == {**alone, "intrinsics.json": b""}
    assert not (sample / "sa1b").exists()
    assert not (tmp_path / "sa1b" / "coco").exists()


def test_what_was_asked_for_is_recorded(sample: Path, tmp_path: Path) -> None:
    marker = json.loads((sample / "sample.json").read_bytes())
    assert (marker["scenes"], marker["forms"]) == ("simple", ["coco"])
    write_samples(str(tmp_path / "a"), 1, size=(SIDE, SIDE))
    marker = json.loads((tmp_path / "a" / "sample.json").read_bytes())
    assert (marker["scenes"], marker["forms"]) == ("varied", ["sa1b", "coco"])


def test_a_sample_of_other_scenes_or_forms_is_refused(sample: Path) -> None:
    before = files_in(sample)
    with pytest.raises(RequestError, match="forms is coco there, sa1b, coco here"):
        write_simple(sample, ("sa1b", "coco"))
    with pytest.raises(RequestError, match="scenes is simple there, varied here"):
        write_samples(str(sample), PICTURES, seed=SEED, size=(SIDE, SIDE), forms=("coco",))
    with pytest.raises(RequestError, match="scenes: found 'hard'; allowed: varied, simple"):
        write_samples(str(sample), PICTURES, scenes="hard")  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="forms: found 'voc'; allowed: sa1b, coco"):
        write_samples(str(sample), PICTURES, forms=("voc",))  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="forms: found none"):
        write_samples(str(sample), PICTURES, forms=())
    assert files_in(sample) == before


def test_a_sample_that_says_neither_is_varied_and_of_both_forms(tmp_path: Path) -> None:
    marker = {"images": 1, "seed": 0, "width": SIDE, "height": SIDE, "pictures_per_tar": 1000}
    (tmp_path / "sample.json").write_text(json.dumps(marker))
    with pytest.raises(RequestError, match="scenes is varied there, simple here"):
        write_samples(str(tmp_path), 1, size=(SIDE, SIDE), scenes="simple")
    write_samples(str(tmp_path), 1, size=(SIDE, SIDE))
    assert (tmp_path / "coco").is_dir()


def test_simple_scenes_have_no_crowds(tmp_path: Path) -> None:
    size = (32, 32)
    simple = write_samples(
        str(tmp_path / "s"), 60, seed=SEED, size=size, scenes="simple", forms=("coco",)
    )
    assert simple.crowds == 0
    varied = write_samples(str(tmp_path / "v"), 60, seed=SEED, size=size, forms=("coco",))
    assert varied.crowds > 0


def test_the_command_draws_one_form(tmp_path: Path) -> None:
    options = "--images 2 --width 48 --height 48 --scenes simple --form coco --json"
    done = CliRunner().invoke(app, ["sample", str(tmp_path / "s"), *options.split()])
    assert done.exit_code == 0, done.stderr
    summary = json.loads(done.stdout)
    assert (summary["scenes"], summary["forms"], summary["tars"]) == ("simple", ["coco"], 0)
    assert {path.name for path in (tmp_path / "s").iterdir()} == {
        "coco", "depth", "normals", "intrinsics.json", "sample.json",
    }  # fmt: skip


@pytest.fixture(scope="module")
def manifest(sample: Path) -> Manifest:
    places = {"root": sample / "coco", "depth": sample / "depth"}
    return load_manifest(
        "experiment", [f"sources.coco.{name}={place}" for name, place in places.items()]
    )


@pytest.fixture(scope="module")
def corpus(manifest: Manifest, tmp_path_factory: pytest.TempPathFactory) -> str:
    output = str(tmp_path_factory.mktemp("experiment") / "corpus")
    assert build_corpus(manifest, output, cluster=IN_PROCESS).succeeded
    return output


def test_the_experiment_manifest_builds_every_proxy(manifest: Manifest, corpus: str) -> None:
    assert [proxy.name for proxy in manifest.proxies] == [
        "entity", "semantic", "instance", "referring", "depth", "edge", "reconstruction",
        "inpainting",
    ]  # fmt: skip
    assert verify_corpus(corpus, deep=True).sound
    keys = {
        proxy.name: [sample.key for sample in open_corpus(corpus).samples(proxy.name)]
        for proxy in manifest.proxies
    }
    assert all(len(keys_of_proxy) == PICTURES for keys_of_proxy in keys.values())
    assert all(keys_of_proxy == keys["semantic"] for keys_of_proxy in keys.values())


def test_nothing_in_the_experiment_is_resized(manifest: Manifest, corpus: str) -> None:
    for proxy in manifest.proxies:
        for sample in open_corpus(corpus).samples(proxy.name):
            assert sample.facts["size"] == {"width": SIDE, "height": SIDE}
            assert sample.facts["source"]["size"] == sample.facts["size"]


def test_the_experiments_targets_are_the_scenes_maps(corpus: str) -> None:
    colours: dict[int, set[tuple[int, ...]]] = {}
    opened = open_corpus(corpus)
    for semantic, instance in zip(
        opened.samples("semantic"), opened.samples("instance"), strict=True
    ):
        scene = coco_scene(SEED, int(semantic.key[-12:]) - 1, SIDE, SIDE, "simple")
        things = decode(instance.target, instance.facts).labels
        np.testing.assert_array_equal(things > 0, scene.segments <= len(scene.things))
        assert len(np.unique(things[things > 0])) == len(scene.things)  # none is too small
        labels = decode(semantic.target, semantic.facts).labels
        for segment in semantic.facts["segments"]:
            ids = {
                region.category_id
                for region in (*scene.things, *scene.stuff)
                if np.any(labels[scene.segments == region.segment] == segment["label"])
            }
            assert ids == {segment["category_id"]}
            colours.setdefault(segment["category_id"], set()).add(tuple(segment["color"]))
    assert all(len(categories) == 1 for categories in colours.values())
    assert len(set.union(*colours.values())) == len(colours)


def test_the_experiments_phrases_name_things(corpus: str) -> None:
    for sample in open_corpus(corpus).samples("referring"):
        referring = sample.facts["referring"]
        assert referring["category"] in SIMPLE.kinds
        assert referring["phrase"] in sample.instruction


def test_the_experiments_depth_is_the_scenes(corpus: str) -> None:
    for sample in open_corpus(corpus).samples("depth"):
        scene = coco_scene(SEED, int(sample.key[-12:]) - 1, SIDE, SIDE, "simple")
        depth = decode(sample.target, sample.facts)
        exact = np.clip(0.5 / scene.depth.astype(np.float64), depth.low, depth.high)
        assert np.abs(depth.inverse_depth - exact).max() <= depth.step
