"""Layout of generated targets, against slow counts of the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import COLOURS, decoded_of, painted, rng

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.fidelity import GeneratedTarget, layout_fidelity
from sgt_data.proxies.depth import DecodedDepth
from sgt_data.proxies.inferno import inferno
from sgt_data.scoring.class_layout import class_layout
from sgt_data.scoring.depth_fidelity import depth_error
from sgt_data.scoring.edge_fidelity import THRESHOLDS, edge_counts, edge_layout
from sgt_data.scoring.layout_fidelity import (
    class_colours,
    class_overlap,
    mask_iou,
    nearest_colours,
    segment_layout,
    segment_overlap,
)
from sgt_data.scoring.overlap import resampled
from sgt_data.segmentation.target_png import DecodedSegmentation, encode_target


def test_pixels_go_to_the_nearest_stated_colour() -> None:
    colours = list(COLOURS.values())
    picture = rng(4).uniform(-1.2, 1.2, (3, 9, 9))
    labels = nearest_colours(picture, colours)
    table = [(0, 0, 0), *colours]
    for row in range(9):
        for column in range(9):
            pixel = (np.clip(picture[:, row, column], -1, 1) + 1) * 127.5
            distances = [float(np.sum((pixel - np.array(colour)) ** 2)) for colour in table]
            assert labels[row, column] == distances.index(min(distances))


def test_colours_of_classes_come_from_the_whole_corpus_and_outvote_shades() -> None:
    def facts(*pairs: tuple[str, list[int]]) -> dict[str, Any]:
        return {"segments": [{"category": name, "color": colour} for name, colour in pairs]}

    colours = class_colours(
        [
            facts(("ring", [9, 0, 0]), ("ball", [0, 9, 0])),
            facts(("ball", [0, 9, 0]), ("ball", [0, 8, 0])),
            facts(("cone", [1, 1, 1])),
            {"type": "depth"},
            {"segments": [{"color": [5, 5, 5]}]},
        ]
    )
    assert colours == {"ball": (0, 9, 0), "cone": (1, 1, 1), "ring": (9, 0, 0)}


def scenes(count: int, seed: int) -> list[tuple[NDArray[np.float32], DecodedSegmentation]]:
    """Generated pictures of drawn targets with class colours; blocks of them are wrong, some in
    classes that are not in the target."""
    draws = rng(seed)
    pairs = []
    for _ in range(count):
        names = sorted(draws.choice(list(COLOURS), 2, replace=False).tolist())
        labels = np.zeros((24, 24), int)
        for label in (1, 2):
            top, left = draws.integers(0, 12, 2)
            labels[top : top + 10, left : left + 9] = label
        classes = np.array([0, *(list(COLOURS).index(name) + 1 for name in names)])
        shown = np.kron(classes[labels][1::2, 1::2], np.ones((2, 2), int))
        top, left = draws.integers(0, 16, 2)
        shown[top : top + 8, left : left + 8] = draws.integers(0, 5)
        picture = painted(shown, list(COLOURS.values())) + draws.normal(scale=0.1, size=(3, 24, 24))
        pairs.append((picture.astype(np.float32), decoded_of(labels, names)))
    return pairs


def slow_classes(pairs: Sequence[tuple[NDArray[Any], DecodedSegmentation]]) -> tuple[float, float]:
    """mIoU and PQ of classes, pixel by pixel."""
    colours = np.array([(0, 0, 0), *COLOURS.values()], float)
    shared, union = dict.fromkeys(COLOURS, 0), dict.fromkeys(COLOURS, 0)
    quality: dict[str, list[float]] = {name: [0.0, 0, 0, 0] for name in COLOURS}
    for picture, decoded in pairs:
        truth, drawn = {}, {}
        for row in range(24):
            for column in range(24):
                label = int(decoded.labels[row, column])
                if label:
                    name = decoded.segments[label - 1]["category"]
                    truth.setdefault(name, set()).add((row, column))
                pixel = (np.clip(picture[:, row, column].astype(float), -1, 1) + 1) * 127.5
                label_drawn = int(np.argmin(((colours - pixel) ** 2).sum(1)))
                if label_drawn:
                    drawn.setdefault(list(COLOURS)[label_drawn - 1], set()).add((row, column))
        for name in COLOURS:
            true_pixels, drawn_pixels = truth.get(name, set()), drawn.get(name, set())
            shared[name] += len(true_pixels & drawn_pixels)
            union[name] += len(true_pixels | drawn_pixels)
            iou = (
                len(true_pixels & drawn_pixels) / len(true_pixels | drawn_pixels)
                if true_pixels | drawn_pixels
                else 0
            )
            if iou > 0.5:
                quality[name][0] += iou
                quality[name][1] += 1
            else:
                quality[name][2] += bool(drawn_pixels)
                quality[name][3] += bool(true_pixels)
    ious = [shared[name] / union[name] for name in COLOURS if union[name]]
    return float(np.mean(ious)), float(
        np.mean([q[0] / (q[1] + q[2] / 2 + q[3] / 2) for q in quality.values()])
    )


def test_class_layout_is_that_of_a_slow_count() -> None:
    pairs = scenes(12, 1)
    layout = class_layout([class_overlap(*pair, COLOURS) for pair in pairs], seed=0)
    assert (layout["mIoU"].value, layout["PQ"].value) == pytest.approx(slow_classes(pairs))
    assert layout["mIoU"].low < layout["mIoU"].value < layout["mIoU"].high
    assert layout["mIoU"].count == 12


def test_a_faultless_picture_scores_one_and_a_black_one_nothing() -> None:
    pairs = scenes(4, 2)
    classes = list(COLOURS)
    for perfect in (True, False):
        shown = []
        for _, decoded in pairs:
            table = [0, *(classes.index(segment["category"]) + 1 for segment in decoded.segments)]
            labels = np.array(table)[decoded.labels] * perfect
            shown.append(class_overlap(painted(labels, list(COLOURS.values())), decoded, COLOURS))
        layout = class_layout(shown, seed=0)
        assert (layout["mIoU"].value, layout["PQ"].value) == (perfect, perfect)


def test_a_class_that_is_not_there_costs() -> None:
    labels = np.zeros((8, 8), int)
    labels[:4] = 1
    decoded = decoded_of(labels, ["ball"])
    honest = painted(labels, [COLOURS["ball"]])
    invented = painted(np.where(labels, 1, 2), [COLOURS["ball"], COLOURS["mug"]])
    scores = [
        class_layout([class_overlap(picture, decoded, COLOURS)], seed=0)["mIoU"].value
        for picture in (honest, invented)
    ]
    assert scores == [1.0, 0.5]
    with pytest.raises(CorpusError, match="'ball'"):
        class_overlap(honest, decoded, {"mug": COLOURS["mug"]})


def test_class_blind_segments_are_paired_by_overlap_whatever_their_colours() -> None:
    from scipy.optimize import linear_sum_assignment

    draws = rng(5)
    overlaps = []
    expected = np.zeros(4)
    for _ in range(8):
        labels = np.kron(draws.integers(0, 4, (4, 4)), np.ones((6, 6), int))
        swapped = np.array([0, 2, 3, 1])[labels]
        swapped[draws.integers(0, 20) :, draws.integers(0, 20) :] = draws.integers(0, 4)
        decoded = decoded_of(labels, ["ball", "cone", "ring"])
        picture = painted(swapped, [COLOURS[name] for name in ("ball", "cone", "ring")])
        overlaps.append(segment_overlap(picture, decoded))
        ious = np.array(
            [
                [
                    ((labels == a) & (swapped == b)).sum()
                    / max(1, ((labels == a) | (swapped == b)).sum())
                    for b in (1, 2, 3)
                ]
                for a in (1, 2, 3)
            ]
        )
        rows, columns = linear_sum_assignment(-ious)
        best = ious[rows, columns]
        sides = sum(
            int((side_labels == k).any()) for side_labels in (labels, swapped) for k in (1, 2, 3)
        )
        hits = (ious > 0.5).sum()
        good = ious[ious > 0.5].sum()
        expected += (best.sum(), sides - (best > 0).sum(), good, hits + (sides - 2 * hits) / 2)
    sums = np.array(overlaps).sum(axis=0)
    assert sums[2:] == pytest.approx(expected[2:])  # above one half there is but one way to pair
    assert sums[0] <= expected[0] + 1e-9
    assert sums[0] == pytest.approx(expected[0], rel=0.03)
    layout = segment_layout(overlaps, seed=0)
    assert layout["PQ"].value == pytest.approx(expected[2] / expected[3])


def test_truth_is_sampled_as_targets_are_drawn() -> None:
    labels = rng().integers(0, 5, (10, 15))
    small = resampled(labels, 4, 6)
    for row in range(4):
        for column in range(6):
            at = int((row + 0.5) * 10 / 4), int((column + 0.5) * 15 / 6)
            assert small[row, column] == labels[at]


def test_a_referring_mask_is_measured_by_iou() -> None:
    truth, shown = np.zeros((2, 8, 8), bool)
    truth[2:6, 2:6], shown[2:6, 4:8] = True, True
    decoded = DecodedSegmentation(truth.astype(np.uint16), ({"label": 1, "color": [255] * 3},))
    assert mask_iou(painted(shown.astype(int), [(255, 255, 255)]), decoded) == 8 / 24


def slow_depth(levels: NDArray[Any], truth: NDArray[Any], low: float, high: float) -> float:
    design = np.stack((levels.ravel(), np.ones(levels.size)), axis=1)
    (scale, shift), *_ = np.linalg.lstsq(design, truth.ravel(), rcond=None)
    depth = 1 / np.clip(scale * levels + shift, low, high)
    return float(np.mean(np.abs(depth - 1 / truth) * truth))


@pytest.mark.parametrize("low", [0.5, 0.0])
def test_depth_error_is_that_after_least_squares(low: float) -> None:
    inverse = rng().uniform(low, 4.0, (12, 12)).astype(np.float32)
    decoded = DecodedDepth(inverse, low, 4.0, 0.01)
    levels = np.clip(inverse / 5 + rng(1).normal(scale=0.05, size=(12, 12)), 0, 1)
    picture = np.repeat(levels[None] * 2 - 1, 3, axis=0)
    floor = max(low, 4.0 / 100)
    truth = np.clip(inverse.astype(float), floor, 4.0)
    ours, flat = depth_error(picture, decoded)
    assert ours == pytest.approx(slow_depth(levels, truth, floor, 4.0))
    assert flat == pytest.approx(np.mean(np.abs(truth / truth.mean() - 1)))
    assert ours < flat


def test_scale_and_shift_of_generated_depth_do_not_matter_and_flat_depth_is_no_better() -> None:
    inverse = rng().uniform(1.0, 4.0, (12, 12)).astype(np.float32)
    decoded = DecodedDepth(inverse, 1.0, 4.0, 0.01)
    picture = np.repeat((inverse[None] / 8 - 0.3), 3, axis=0)
    assert depth_error(picture, decoded)[0] == pytest.approx(0, abs=1e-6)
    ours, flat = depth_error(np.full((3, 12, 12), 0.2), decoded)
    assert ours == flat
    with pytest.raises(CorpusError, match="inverse depth of -1"):
        depth_error(picture, DecodedDepth(inverse, -2.0, -1.0, 0.01))


def test_depth_in_inferno_is_read_by_its_colours() -> None:
    levels = np.arange(256).reshape(16, 16)
    decoded = DecodedDepth((1 + levels / 255).astype(np.float32), 1.0, 2.0, 1 / 255)
    picture = (inferno()[levels] / 127.5 - 1).transpose(2, 0, 1)
    assert depth_error(picture, decoded, "inferno")[0] == pytest.approx(0, abs=1e-6)


def test_edges_are_scored_within_a_pixel_against_a_distance_map() -> None:
    from scipy.ndimage import distance_transform_cdt

    draws = rng(8)
    pairs = [(draws.random((20, 20)), draws.random((20, 20)) < 0.1) for _ in range(3)]
    counts = [
        edge_counts(np.repeat(strength[None] * 2 - 1, 3, 0), np.repeat(truth[None] * 2.0 - 1, 3, 0))
        for strength, truth in pairs
    ]
    scores = []
    for threshold in THRESHOLDS:
        hits, edges, true_hits, true_edges = 0, 0, 0, 0
        for strength, truth in pairs:
            shown = strength >= threshold - 1e-12
            hits += (shown & (distance_transform_cdt(~truth, "chessboard") <= 1)).sum()
            true_hits += (
                truth & (distance_transform_cdt(~shown, "chessboard") <= 1) & shown.any()
            ).sum()
            edges, true_edges = edges + shown.sum(), true_edges + truth.sum()
        precision, recall = hits / edges, true_hits / true_edges
        scores.append(2 * precision * recall / (precision + recall))
    assert edge_layout(counts, seed=0)["edge F"].value == pytest.approx(max(scores))
    black = [edge_counts(np.full((3, 20, 20), -1.0), np.full((3, 20, 20), 1.0))]
    assert edge_layout(black, seed=0)["edge F"].value == 0


def test_a_stored_target_is_measured_by_its_proxys_own_measure() -> None:
    labels = np.zeros((16, 16), np.uint16)
    labels[4:12, 4:12] = 1
    facts = {
        "type": "segmentation", "palette": "category", "size": {"width": 16, "height": 16},
        "segments": [{"label": 1, "color": [255, 0, 0], "category": "ball", "isthing": True}],
    }  # fmt: skip
    picture = painted(labels, [COLOURS["ball"]])
    target = encode_target(labels, np.array([[255, 0, 0]], np.uint8))
    by_class = GeneratedTarget(picture, picture, target, facts)
    assert layout_fidelity([by_class], COLOURS, 0)["mIoU"].value == 1
    blind = GeneratedTarget(picture, picture, target, {**facts, "palette": "distinct"})
    assert layout_fidelity([blind], {}, 0)["PQ"].value == 1
    plain = GeneratedTarget(picture, -picture, target, {"type": "denoise"})
    assert layout_fidelity([plain], {}, 0)["L1"].value == pytest.approx(1)
    with pytest.raises(CorpusError, match="2 kinds"):
        layout_fidelity([by_class, plain], COLOURS, 0)
