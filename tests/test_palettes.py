"""Colours: none twice in one picture, none black, touching ones apart, classes constant."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    CATEGORIES,
    coco_annotation,
    coco_document,
    coco_image,
    jpeg,
    manifest_of,
    proxy_of,
    rendered,
    run_lengths,
    shown,
    tar_members,
    write_coco,
)
from numpy.typing import NDArray
from PIL import Image

from sgt_data.seeds import generator
from sgt_data.segmentation import palettes
from sgt_data.segmentation.colours import category_colours
from sgt_data.segmentation.palettes import TOUCHING_DISTANCE
from sgt_data.segmentation.target_png import decode_target, encode_target

# matplotlib.colormaps["tab20"].colors * 255
MATPLOTLIB_TAB20 = np.array(
    [
        (0x1F, 0x77, 0xB4), (0xAE, 0xC7, 0xE8), (0xFF, 0x7F, 0x0E), (0xFF, 0xBB, 0x78),
        (0x2C, 0xA0, 0x2C), (0x98, 0xDF, 0x8A), (0xD6, 0x27, 0x28), (0xFF, 0x98, 0x96),
        (0x94, 0x67, 0xBD), (0xC5, 0xB0, 0xD5), (0x8C, 0x56, 0x4B), (0xC4, 0x9C, 0x94),
        (0xE3, 0x77, 0xC2), (0xF7, 0xB6, 0xD2), (0x7F, 0x7F, 0x7F), (0xC7, 0xC7, 0xC7),
        (0xBC, 0xBD, 0x22), (0xDB, 0xDB, 0x8D), (0x17, 0xBE, 0xCF), (0x9E, 0xDA, 0xE5),
    ]
)  # fmt: skip

COUNTS = (1, 2, 7, 8, 26, 27, 63, 64, 124, 125, 215, 216, 255, 256, 342, 343, 400, 1000)
Touching = NDArray[np.bool_]


def no_touching(count: int) -> Touching:
    return np.zeros((count + 1, count + 1), np.bool_)


def star(count: int, centre: int) -> Touching:
    """One label touches all the others."""
    touching = no_touching(count)
    touching[centre, 1:] = touching[1:, centre] = True
    touching[centre, centre] = False
    return touching


def grid(rows: int, columns: int) -> Touching:
    """Labels in a chessboard, sides and corners."""
    touching = no_touching(rows * columns)
    numbers = np.arange(1, rows * columns + 1).reshape(rows, columns)
    for dy, dx in ((0, 1), (1, 0), (1, 1), (1, -1)):
        for y in range(rows - dy):
            for x in range(max(0, -dx), columns - max(0, dx)):
                label, neighbour = numbers[y, x], numbers[y + dy, x + dx]
                touching[label, neighbour] = touching[neighbour, label] = True
    return touching


def random_graph(count: int, share: float, seed: int) -> Touching:
    rng = np.random.default_rng(seed)
    touching = no_touching(count)
    upper = np.triu(rng.random((count, count)) < share, 1)
    touching[1:, 1:] = upper | upper.T
    return touching


GRAPHS = {
    "alone": no_touching(30),
    "chessboard": grid(20, 20),
    "one-touches-60-others-first": star(61, 1),
    "one-touches-60-others-last": star(61, 61),
    "one-in-the-middle": star(61, 30),
    "all-touch": ~np.eye(41, dtype=np.bool_) & (np.arange(41) > 0) & (np.arange(41) > 0)[:, None],
    "dense": random_graph(120, 0.3, 1),
    "sparse": random_graph(400, 0.02, 2),
}


def distances(colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    wide = colours.astype(np.float64)
    return np.sqrt(((wide[:, None] - wide[None]) ** 2).sum(2))


def check(colours: NDArray[np.uint8], touching: Touching) -> None:
    assert colours.dtype == np.uint8
    assert len({tuple(colour) for colour in colours.tolist()}) == len(colours) == len(touching) - 1
    assert colours.any(axis=1).all(), "black"
    touching_pairs = touching[1:, 1:]
    assert (distances(colours)[touching_pairs] >= TOUCHING_DISTANCE).all()


@pytest.mark.parametrize("count", COUNTS)
def test_distinct_colours_keep_the_distance_of_the_smallest_sufficient_lattice(count: int) -> None:
    side = next(k for k in range(2, 99) if k**3 - 1 >= count)
    for seed in range(3):
        colours = palettes.distinct(count, np.random.default_rng(seed))
        check(colours, no_touching(count))
        everything = np.concatenate((np.zeros((1, 3), np.uint8), colours))
        gaps = distances(everything)[~np.eye(count + 1, dtype=bool)]
        assert gaps.min() >= 255 / (side - 1) - 1


def test_distinct_colours_depend_on_seed_and_key_alone() -> None:
    def drawn(seed: int, key: str) -> list[list[int]]:
        return palettes.distinct(40, generator(seed, "palette", key)).tolist()

    first = drawn(3, "sa1b_1")
    drawn(9, "other")
    assert drawn(3, "sa1b_1") == first
    assert drawn(4, "sa1b_1") != first
    assert drawn(3, "sa1b_2") != first


@pytest.mark.parametrize("name", GRAPHS)
def test_touching_segments_never_look_alike_in_tab20(name: str) -> None:
    for seed in range(3):
        check(palettes.tab20(GRAPHS[name], np.random.default_rng(seed)), GRAPHS[name])


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("classes", [1, 3, 200])
def test_touching_segments_never_look_alike_by_category(name: str, classes: int) -> None:
    touching = GRAPHS[name]
    ids = np.random.default_rng(0).integers(1, classes + 1, len(touching) - 1)
    check(palettes.by_category(ids, 200, touching), touching)


@pytest.mark.parametrize("name", GRAPHS)
def test_touching_segments_never_look_alike_by_position(name: str) -> None:
    touching = GRAPHS[name]
    rng = np.random.default_rng(0)
    count = len(touching) - 1
    corners = rng.integers(0, [620, 470], (count, 2))
    sizes = rng.integers(1, [20, 10], (count, 2))
    check(palettes.by_position(np.concatenate((corners, sizes), 1), 480, 640, touching), touching)
    same_place = np.tile(np.array([[300, 200, 40, 40]]), (count, 1))
    check(palettes.by_position(same_place, 480, 640, touching), touching)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 90), st.floats(0, 0.6), st.integers(0, 2**31))
def test_no_graph_makes_two_labels_share_a_colour(count: int, share: float, seed: int) -> None:
    touching = random_graph(count, share, seed)
    check(palettes.tab20(touching, np.random.default_rng(seed)), touching)
    ids = np.random.default_rng(seed).integers(1, 9, count)
    check(palettes.by_category(ids, 9, touching), touching)


@pytest.mark.parametrize("name", ["alone", "chessboard", "sparse"])
def test_tab20_stays_within_two_levels_of_matplotlibs_colours(name: str) -> None:
    """In these graphs nobody has to leave them: no label has twenty neighbours."""
    assert GRAPHS[name].sum(1).max() < 20
    colours = palettes.tab20(GRAPHS[name], np.random.default_rng(0)).astype(int)
    off = np.abs(colours[:, None] - MATPLOTLIB_TAB20[None]).max(2).min(1)
    assert off.max() <= 2


def test_tab20_is_matplotlibs_own_while_twenty_suffice() -> None:
    colours = palettes.tab20(no_touching(20), np.random.default_rng(0))
    assert sorted(colours.tolist()) == sorted(MATPLOTLIB_TAB20.tolist())


def test_position_gives_each_cell_of_16_by_13_its_own_colour() -> None:
    width, height = 16 * 20, 13 * 20
    cells = np.array([[20 * x + 5, 20 * y + 5, 10, 10] for y in range(13) for x in range(16)])
    colours = palettes.by_position(cells, height, width, no_touching(len(cells)))
    check(colours, no_touching(len(cells)))
    moved = palettes.by_position(cells + [3, -3, 0, 0], height, width, no_touching(len(cells)))
    np.testing.assert_array_equal(colours, moved)
    edge = palettes.by_position(
        np.array([[width - 1, height - 1, 1, 1]]), height, width, no_touching(1)
    )
    np.testing.assert_array_equal(edge[0], colours[-1])


@pytest.mark.parametrize("largest", [1, 90, 200, 215, 216, 1203, 3000])
def test_every_category_has_its_own_colour_and_none_is_black(largest: int) -> None:
    colours = category_colours(largest)
    assert len(colours) >= largest
    check(colours, no_touching(len(colours)))


def test_the_vocabularies_of_coco_share_one_table_of_colours() -> None:
    np.testing.assert_array_equal(category_colours(90), category_colours(200))


@pytest.mark.parametrize("count", [1, 255, 256, 400, 3000])
def test_any_number_of_segments_decodes(count: int) -> None:
    labels = np.random.default_rng(0).integers(0, count + 1, (80, 120)).astype(np.uint16)
    colours = palettes.distinct(count, np.random.default_rng(1))
    png = encode_target(labels, colours)
    assert Image.open(io.BytesIO(png)).mode == ("P" if count <= 255 else "RGB")
    segments = [
        {"label": label, "color": colour} for label, colour in enumerate(colours.tolist(), 1)
    ]
    facts = {"size": {"width": 120, "height": 80}, "segments": segments}
    np.testing.assert_array_equal(decode_target(png, facts).labels, labels)


def _classes_over(tmp_path: Path, variant: str, categories: list[dict[str, object]]) -> list[dict]:  # type: ignore[type-arg]
    """Sample JSONs of pictures that hold the categories in ever other order and neighbourhood."""
    rng = np.random.default_rng(0)
    images, annotations = [], []
    for number in range(1, 9):
        images.append(coco_image(number))
        order = rng.permutation(len(categories))[:6]
        for place, index in enumerate(order.tolist()):
            mask = np.zeros((48, 64), np.bool_)
            mask[:, 10 * place : 10 * place + 10] = True
            annotations.append(
                coco_annotation(
                    len(annotations) + 1, number, run_lengths(mask),
                    category_id=categories[index]["id"],
                )
            )  # fmt: skip
    document = coco_document(images, annotations) | {"categories": categories}
    pictures = {f"{number:012d}.jpg": jpeg(64, 48) for number in range(1, 9)}
    root = write_coco(tmp_path / "coco", pictures, {"instances": document})
    source = {"type": "coco", "root": str(root), "annotations": ["instances"]}
    return [
        json.loads(body)
        for shard in rendered(manifest_of(source, [proxy_of(variant)]))
        for name, body in tar_members(shard.tar or b"").items()
        if name.endswith(".json")
    ]


def closest_ids(largest: int) -> list[int]:
    """Categories whose own colours are nearest to one another."""
    gaps = distances(category_colours(largest)[:largest])
    np.fill_diagonal(gaps, np.inf)
    first = int(gaps.min(1).argmin())
    return sorted((np.argsort(gaps[first])[:7] + 1).tolist() + [first + 1])


@pytest.mark.parametrize(
    "ids", [[1, 2, 5], list(range(1, 40)), closest_ids(200), closest_ids(2000)]
)
def test_a_class_has_one_colour_in_all_pictures(tmp_path: Path, ids: list[int]) -> None:
    """Also in vocabularies so large that some colours must be near one another."""
    categories = [CATEGORIES[0] | {"id": number, "name": f"kind {number}"} for number in ids]
    colours: dict[int, set[tuple[int, ...]]] = {}
    for facts in _classes_over(tmp_path, "semantic", categories):
        for segment in shown(facts):
            colours.setdefault(segment["category_id"], set()).add(tuple(segment["color"]))
    assert len(colours) >= 3
    assert {len(colours_of_class) for colours_of_class in colours.values()} == {1}
    assert len(set.union(*colours.values())) == len(colours)
