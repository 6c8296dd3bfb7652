"""The embedded sample source: scenes are pure, exact and well formed as SA-1B and COCO."""

from __future__ import annotations

import io
import json
import tarfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from sgt_data.errors import RequestError
from sgt_data.scenes import CATEGORIES, draw_scene, write_samples
from sgt_data.scenes.categories import CATEGORY_ID, CATEGORY_NAME, OTHER_CATEGORY_ID
from sgt_data.scenes.draw_pictures import coco_scene, sa1b_scene
from sgt_data.scenes.masks import polygon, region
from sgt_data.scenes.scene import Scene, Stuff, Thing
from sgt_data.scenes.scene_layout import plan_layout

IMAGES = 24
SEED = 3
WIDTH, HEIGHT = 160, 120


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("sample")
    summary = write_samples(
        str(root / "a"), IMAGES, seed=SEED, size=(WIDTH, HEIGHT), pictures_per_tar=10
    )
    assert summary.tars == 3
    assert summary.crowds > 0
    return root / "a"


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return [draw_scene(SEED, index, 96, 96) for index in range(300)]


def _files(root: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()
    }


def test_a_scene_depends_on_seed_and_index_alone() -> None:
    first = draw_scene(5, 7, 128, 96)
    draw_scene(5, 8, 64, 64)
    again = draw_scene(5, 7, 128, 96)
    for name in ("picture", "segments", "parts", "depth"):
        np.testing.assert_array_equal(getattr(first, name), getattr(again, name))
    assert first.things == again.things
    assert not np.array_equal(first.picture, draw_scene(6, 7, 128, 96).picture)


def test_a_larger_picture_shows_the_same_scene() -> None:
    for index in range(12):
        small, large = draw_scene(1, index, 64, 64), draw_scene(1, index, 192, 192)
        centres = {thing.centre: thing.category_id for thing in large.things}
        assert all(centres[thing.centre] == thing.category_id for thing in small.things)
        # The centre of a small pixel is the centre of the middle one of its 3 x 3 large pixels.
        names_small = _category_map(small)
        np.testing.assert_array_equal(names_small, _category_map(large)[1::3, 1::3])
        np.testing.assert_allclose(small.depth, large.depth[1::3, 1::3], rtol=1e-5)


def _all_regions(scene: Scene) -> list[Thing | Stuff]:
    return [*scene.things, *scene.stuff]


def _category_map(scene: Scene) -> NDArray[np.int32]:
    table = np.zeros(len(scene.things) + len(scene.stuff) + 1, np.int32)
    for segment in _all_regions(scene):
        table[segment.segment] = segment.category_id
    return table[scene.segments]


def test_every_pixel_belongs_to_one_segment(scenes: list[Scene]) -> None:
    for scene in scenes:
        regions = _all_regions(scene)
        counts = Counter(scene.segments.ravel().tolist())
        assert [s.segment for s in regions] == list(range(1, len(regions) + 1))
        assert {s.segment: s.area for s in regions} == dict(counts)
        sky = [s.segment for s in scene.stuff if CATEGORY_NAME[s.category_id] == "sky"]
        np.testing.assert_array_equal(np.isinf(scene.depth), np.isin(scene.segments, sky))
        assert scene.depth.min() > 0.5


def test_parts_lie_within_their_thing(scenes: list[Scene]) -> None:
    for scene in scenes:
        inside = np.zeros(scene.parts.shape, bool)
        for thing in scene.things:
            for part in thing.parts:
                mask = scene.parts == part.part
                assert int(mask.sum()) == part.area
                assert np.all(scene.segments[mask] == thing.segment)
                inside |= mask
            if thing.parts:
                assert sum(part.area for part in thing.parts) == thing.area
        np.testing.assert_array_equal(inside, scene.parts > 0)


def test_things_hide_each_other(scenes: list[Scene]) -> None:
    occluded = 0
    for scene in scenes:
        things = np.where(scene.segments <= len(scene.things), scene.segments, 0)
        left, right = things[:, :-1], things[:, 1:]
        touching = (left > 0) & (right > 0) & (left != right)
        jump = np.abs(scene.depth[:, :-1][touching] - scene.depth[:, 1:][touching])
        occluded += bool(np.any(jump > 0.3))
    assert occluded > 0.5 * len(scenes)


def test_scenes_are_varied(scenes: list[Scene]) -> None:
    kinds = Counter(t.category_id for s in scenes for t in s.things)
    stuff = Counter(t.category_id for s in scenes for t in s.stuff)
    assert set(kinds) | set(stuff) == {category["id"] for category in CATEGORIES}
    assert min(kinds.values()) > 0.4 * max(kinds.values())
    assert all(1 <= len(s.things) <= 8 for s in scenes)
    assert np.mean([len(s.things) >= 2 for s in scenes]) > 0.97


def test_colour_does_not_tell_the_class(scenes: list[Scene]) -> None:
    """A nearest-class-mean guess from mean and spread of colour is close to chance."""
    features, kinds = [], []
    for scene in scenes:
        for thing in scene.things:
            if thing.area >= 60:
                pixels = scene.picture[scene.segments == thing.segment].astype(float)
                features.append(pixels.mean(axis=0))
                kinds.append(thing.category_id)
    x, y = np.array(features), np.array(kinds)
    half = len(y) // 2
    means = {k: x[:half][y[:half] == k].mean(axis=0) for k in np.unique(y)}
    distance = np.stack([np.linalg.norm(x[half:] - mean, axis=1) for mean in means.values()])
    guess = np.array(list(means))[distance.argmin(axis=0)]
    assert np.mean(guess == y[half:]) < 0.2


def test_the_fine_pair_differs_by_a_chimney_alone() -> None:
    layouts = [plan_layout(SEED, index) for index in range(200)]
    assert {"house", "cottage"} <= {t.kind for layout in layouts for t in layout.things}
    names: dict[int, set[str]] = {CATEGORY_ID["house"]: set(), CATEGORY_ID["cottage"]: set()}
    for index in range(120):
        for thing in draw_scene(SEED, index, 128, 128).things:
            if thing.category_id in names:
                names[thing.category_id] |= {part.name for part in thing.parts}
    assert names[CATEGORY_ID["cottage"]] - names[CATEGORY_ID["house"]] == {"chimney"}
    assert names[CATEGORY_ID["house"]] < names[CATEGORY_ID["cottage"]]


def test_the_same_arguments_write_the_same_bytes(sample: Path) -> None:
    other = sample.parent / "b"
    for _ in range(2):  # repeating is safe
        write_samples(str(other), IMAGES, seed=SEED, size=(WIDTH, HEIGHT), pictures_per_tar=10)
    assert _files(sample) == _files(other)


def test_a_directory_with_another_sample_is_refused(sample: Path) -> None:
    with pytest.raises(RequestError, match="images is 24 there, 25 here"):
        write_samples(str(sample), IMAGES + 1, seed=SEED, size=(WIDTH, HEIGHT), pictures_per_tar=10)
    with pytest.raises(RequestError, match="width: found 8"):
        write_samples(str(sample), IMAGES, size=(8, 480))


def test_a_foreign_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "coco").mkdir()
    with pytest.raises(RequestError, match="is no sample"):
        write_samples(str(tmp_path), 1)
    assert _files(tmp_path) == {}


def _sa1b_pictures(sample: Path) -> dict[int, tuple[bytes, dict[str, Any]]]:
    bodies: dict[str, bytes] = {}
    for path in sorted((sample / "sa1b").glob("sa_*.tar")):
        with tarfile.open(path) as tar:
            for member in tar:
                assert (member.mtime, member.uid, member.gid) == (0, 0, 0)
                stream = tar.extractfile(member)
                assert stream is not None
                bodies[member.name] = stream.read()
    return {
        position: (
            bodies[f"./sa_{position + 1}.jpg"],
            json.loads(bodies[f"./sa_{position + 1}.json"]),
        )
        for position in range(len(bodies) // 2)
    }


def test_sa1b_masks_are_the_scenes_maps(sample: Path) -> None:
    pictures = _sa1b_pictures(sample)
    assert len(pictures) == IMAGES
    nested, uncovered = 0, 0
    for position, (jpeg, record) in pictures.items():
        scene = sa1b_scene(SEED, position, WIDTH, HEIGHT)
        assert Image.open(io.BytesIO(jpeg)).size == (WIDTH, HEIGHT)
        maps = [scene.segments == s.segment for s in _all_regions(scene)]
        maps += [scene.parts == p.part for thing in scene.things for p in thing.parts]
        known = {m.tobytes() for m in maps}
        cover = np.zeros((HEIGHT, WIDTH), int)
        for annotation in record["annotations"]:
            mask = coco_mask.decode(annotation["segmentation"])
            assert mask.astype(bool).tobytes() in known
            assert annotation["area"] == int(mask.sum())
            rows, columns = np.nonzero(mask)
            x, y, w, h = annotation["bbox"]
            assert (x, y, x + w, y + h) == (
                columns.min(),
                rows.min(),
                columns.max(),
                rows.max(),
            )
            px, py = annotation["point_coords"][0]
            assert mask[int(py), int(px)]
            cover += mask
        nested += bool((cover > 1).any())
        uncovered += bool((cover == 0).any())
        areas = [a["area"] for a in record["annotations"]]
        assert len({a["id"] for a in record["annotations"]}) == len(areas)
    assert nested > IMAGES / 2
    assert uncovered > IMAGES / 4


def test_coco_instances_are_the_scenes_masks(sample: Path) -> None:
    coco = COCO(str(sample / "coco" / "annotations" / "instances_train2017.json"))
    forms: Counter[str] = Counter()
    for image_id in coco.getImgIds():
        scene = coco_scene(SEED, image_id - 1, WIDTH, HEIGHT)
        singles = {(scene.segments == t.segment).tobytes(): t.category_id for t in scene.things}
        things = np.zeros((HEIGHT, WIDTH), int)
        for annotation in coco.loadAnns(coco.getAnnIds(image_id)):
            mask = coco.annToMask(annotation).astype(bool)
            things += mask
            assert annotation["area"] == mask.sum()
            if annotation["iscrowd"]:
                forms["crowd"] += 1
                assert isinstance(annotation["segmentation"]["counts"], list)
                assert np.all(_category_map(scene)[mask] == annotation["category_id"])
            else:
                form = "polygon" if isinstance(annotation["segmentation"], list) else "runs"
                forms[form] += 1
                assert singles[mask.tobytes()] == annotation["category_id"]
        np.testing.assert_array_equal(things, scene.segments <= len(scene.things))
    assert forms["polygon"] > forms["runs"] > 0
    assert forms["crowd"] > 0


def test_panoptic_pictures_match_their_segments(sample: Path) -> None:
    folder = sample / "coco" / "annotations"
    document = json.loads((folder / "panoptic_train2017.json").read_bytes())
    assert document["categories"] == CATEGORIES
    for row in document["annotations"]:
        rgb = np.asarray(Image.open(folder / "panoptic_train2017" / row["file_name"])).astype(int)
        ids = rgb[:, :, 0] + 256 * rgb[:, :, 1] + 65536 * rgb[:, :, 2]
        scene = coco_scene(SEED, row["image_id"] - 1, WIDTH, HEIGHT)
        assert set(np.unique(ids)) == {info["id"] for info in row["segments_info"]}
        for info in row["segments_info"]:
            mask = ids == info["id"]
            rows, columns = np.nonzero(mask)
            x, y, w, h = info["bbox"]
            assert info["area"] == mask.sum()
            assert (x, y) == (columns.min(), rows.min())
            assert (x + w, y + h) == (columns.max() + 1, rows.max() + 1)
            assert np.all(_category_map(scene)[mask] == info["category_id"])


def test_stuff_maps_and_annotations_agree(sample: Path) -> None:
    folder = sample / "coco" / "annotations"
    coco = COCO(str(folder / "stuff_train2017.json"))
    for image_id in coco.getImgIds():
        picture = Image.open(folder / "stuff_train2017_pixelmaps" / f"{image_id:012d}.png")
        assert picture.mode == "P"
        pixels = np.asarray(picture)
        drawn = np.zeros_like(pixels)
        for annotation in coco.loadAnns(coco.getAnnIds(image_id)):
            drawn[coco.annToMask(annotation).astype(bool)] = annotation["category_id"]
        np.testing.assert_array_equal(drawn, pixels)
        categories = _category_map(coco_scene(SEED, image_id - 1, WIDTH, HEIGHT))
        things = categories < 92
        np.testing.assert_array_equal(np.where(things, OTHER_CATEGORY_ID, categories), pixels)


def test_depth_pngs_invert_to_the_depth(sample: Path) -> None:
    rule = json.loads((sample / "depth" / "depth.json").read_bytes())
    for position in range(IMAGES):
        for name, scene in (
            (f"sa_{position + 1}", sa1b_scene(SEED, position, WIDTH, HEIGHT)),
            (f"{position + 1:012d}", coco_scene(SEED, position, WIDTH, HEIGHT)),
        ):
            values = np.asarray(Image.open(sample / "depth" / f"{name}.png")).astype(np.float64)
            inverse = rule["near_m"] / scene.depth.astype(np.float64)
            assert np.abs(values / 65535.0 - inverse).max() <= 0.5001 / 65535.0
            np.testing.assert_array_equal(values == 0, inverse < 0.5 / 65535.0)


def test_polygons_fill_to_exactly_their_mask() -> None:
    rng = np.random.default_rng(0)
    exact = 0
    for _ in range(300):
        mask = np.zeros((20, 24), bool)
        for _ in range(rng.integers(1, 5)):
            y, x = rng.integers(0, 18), rng.integers(0, 22)
            mask[y : y + rng.integers(1, 9), x : x + rng.integers(1, 9)] = True
        ring = polygon(region(np.asfortranarray(mask)))
        if ring is not None:
            exact += 1
            filled = coco_mask.decode(coco_mask.frPyObjects([ring], 20, 24))[:, :, 0]
            np.testing.assert_array_equal(filled.astype(bool), mask)
    assert exact > 60
    ring_shaped = np.ones((9, 9), bool)
    ring_shaped[4, 4] = False
    assert polygon(region(np.asfortranarray(ring_shaped))) is None
