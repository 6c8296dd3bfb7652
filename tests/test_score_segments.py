"""Measures of drawn segments, against pycocotools, panopticapi and torchmetrics."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from painted import COLOURS, rng
from PIL import Image
from pycocotools import mask as coco_masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.scoring.average_precision import DETECTIONS_MAX, precision_statistics
from sgt_data.scoring.drawn_map import DrawnMap
from sgt_data.scoring.measure import ScoredSample
from sgt_data.scoring.panoptic_quality import DRAWN_ALONE, MATCHED, MISSED
from sgt_data.scoring.segment_measure import SegmentMeasure
from sgt_data.segmentation.target_png import encode_target

NAMES = tuple(COLOURS)
Map = NDArray[np.int64]
Pair = tuple[Map, list[int], Map, list[int]]
"""Label map of a target and the class number of each of its labels; those of a drawing."""


def pairs(count: int, seed: int) -> list[Pair]:
    """Targets of blocks, and drawings in which some are moved, missing, new or of another class."""
    draws = rng(seed)
    made = []
    for _ in range(count):
        target, drawn = np.zeros((2, 40, 48), np.int64)
        classes: list[int] = []
        drawn_classes: list[int] = []
        for label in range(1, int(draws.integers(3, 9))):
            top, left, down, right = draws.integers(0, (30, 36, 14, 14))
            target[top : top + down + 2, left : left + right + 2] = label
            classes.append(int(draws.integers(len(NAMES))))
            top, left = np.maximum((top, left) + draws.integers(-2, 3, 2), 0)
            if draws.random() < 0.85:
                drawn_classes.append(classes[-1] if draws.random() < 0.85 else 0)
                drawn[top : top + down + 2, left : left + right + 2] = len(drawn_classes)
        made.append((*closed(target, classes), *closed(drawn, drawn_classes)))
    return made


def closed(labels: Map, classes: Sequence[int]) -> tuple[Map, list[int]]:
    """A map whose labels are those that can be seen, 1 to n, with their classes."""
    seen = [label for label in range(1, len(classes) + 1) if (labels == label).any()]
    numbers = np.zeros(len(classes) + 1, np.int64)
    numbers[seen] = np.arange(1, len(seen) + 1)
    return numbers[labels], [classes[label - 1] for label in seen]


def shade(number: int, label: int) -> tuple[int, int, int]:
    """A colour of a class for a label, near the class' own."""
    red, green, blue = COLOURS[NAMES[number]]
    return abs(red - 3 * label), abs(green - 3 * label), abs(blue - 3 * label)


def sample_of(key: int, pair: Pair, crowds: Sequence[int] = ()) -> ScoredSample:
    labels, classes, _, _ = pair
    colours = [shade(number, label) for label, number in enumerate(classes, 1)]
    facts = {
        "type": "segmentation", "variant": "panoptic", "palette": "category",
        "size": {"width": labels.shape[1], "height": labels.shape[0]},
        "segments": [
            {"label": label, "color": list(colours[label - 1]), "category": NAMES[number],
             "category_id": number + 1, "isthing": True, "iscrowd": int(label in crowds)}
            for label, number in enumerate(classes, 1)
        ],
    }  # fmt: skip
    png = encode_target(labels.astype(np.uint16), np.array(colours, np.uint8).reshape(-1, 3))
    return ScoredSample(f"p{key:03}", png, facts)


def drawn_map(pair: Pair) -> DrawnMap:
    _, _, labels, classes = pair
    colours = [shade(number, label + 10) for label, number in enumerate(classes, 1)]
    return DrawnMap(labels.astype(np.int32), np.array(colours, np.uint8).reshape(-1, 3))


def rows_of(made: Sequence[Pair], measure: SegmentMeasure, crowds: Sequence[int] = ()) -> Any:
    return [measure.row(drawn_map(pair), sample_of(key, pair, crowds)) for key, pair in
            enumerate(made)]  # fmt: skip


def coco_numbers(made: Sequence[Pair], crowds: Sequence[int], by_class: bool) -> dict[str, float]:
    """`COCOeval` on encoded masks; the score is the share of the picture."""
    truth: list[dict[str, Any]] = []
    found: list[dict[str, Any]] = []
    for key, (labels, classes, drawn, drawn_classes) in enumerate(made):
        for place, (shown, numbers) in enumerate(((labels, classes), (drawn, drawn_classes))):
            for label, number in enumerate(numbers, 1):
                mask = coco_masks.encode(np.asfortranarray((shown == label).astype(np.uint8)))
                area = int((shown == label).sum())
                entry = {
                    "image_id": key, "category_id": number + 1 if by_class else 1, "area": area,
                    "segmentation": mask, "iscrowd": 0, "score": area / labels.size,
                    "id": len(truth) + 1, "bbox": [0, 0, 1, 1],
                }  # fmt: skip
                if place:
                    found.append({**entry, "id": len(found) + 1})
                else:
                    truth.append({**entry, "iscrowd": int(label in crowds)})
    sets = []
    for entries in (truth, found):
        stored = COCO()
        stored.dataset = {
            "images": [{"id": key, "height": 40, "width": 48} for key in range(len(made))],
            "categories": [{"id": number + 1} for number in range(len(NAMES))],
            "annotations": entries,
        }
        stored.createIndex()
        sets.append(stored)
    judge = COCOeval(*sets, "segm")
    judge.params.maxDets = [1, 10, DETECTIONS_MAX]
    judge.evaluate()
    judge.accumulate()
    precision, recall = judge.eval["precision"][..., 0, -1], judge.eval["recall"][..., 0, -1]
    return {
        name: float(values[values > -1].mean())
        for name, values in (
            ("AP", precision), ("AP50", precision[0]), ("AP75", precision[5]), ("AR", recall),
        )
    }  # fmt: skip


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("crowds", [(), (2, 3)])
def test_precision_and_recall_are_those_of_cocoeval(
    crowds: tuple[int, ...], by_class: bool
) -> None:
    made = pairs(12, 3)
    measure = SegmentMeasure(COLOURS if by_class else {})
    ours = measure.overall(rows_of(made, measure, crowds), 0)
    theirs = coco_numbers(made, crowds, by_class)
    assert {name: ours[name].value for name in theirs} == pytest.approx(theirs, abs=1e-9)
    assert 0 < ours["AP"].value < ours["AP50"].value < 1
    low, high = ours["AP"].low, ours["AP"].high
    assert low is not None and high is not None and low < ours["AP"].value < high


def test_a_picture_that_a_resample_leaves_out_has_no_effect_on_its_precision() -> None:
    matches = [row.matches for row in rows_of(pairs(9, 5), SegmentMeasure())]
    kept = [0, 2, 3, 7]
    weights = np.zeros((1, 9))
    weights[0, kept] = 1
    some = precision_statistics([matches[place] for place in kept])
    for name, statistic in precision_statistics(matches).items():
        assert statistic(weights) == pytest.approx(some[name](np.ones((1, 4))), abs=1e-12), name
        assert statistic(3 * weights) == pytest.approx(statistic(weights), abs=1e-12), name


def test_panoptic_quality_is_that_of_torchmetrics() -> None:
    """Without void pixels; torchmetrics also ignores what a drawing leaves empty, as panopticapi
    does not. It divides in single precision."""
    provide_torchvision_operators()
    torch = pytest.importorskip("torch")
    detection = pytest.importorskip("torchmetrics.detection")
    made, ground = pairs(14, 8), len(NAMES)
    judge = detection.PanopticQuality(
        things=set(range(ground)), stuffs={ground}, return_sq_and_rq=True, return_per_class=True
    )
    for labels, classes, drawn, drawn_classes in made:
        both = [
            torch.from_numpy(np.stack((np.array([*numbers, ground])[shown - 1], shown), -1)[None])
            for shown, numbers in ((labels, classes), (drawn, drawn_classes))
        ]
        judge.update(both[1], both[0])
    theirs = judge.compute()[:ground].double().mean(0).tolist()
    measure = SegmentMeasure(COLOURS)
    ours = measure.overall(rows_of(made, measure), 0)
    assert [ours[name].value for name in ("PQ", "SQ", "RQ")] == pytest.approx(theirs, abs=1e-7)


def slow_quality(made: Sequence[Pair], crowds: Sequence[int]) -> float:
    """PQ with void pixels, by sets of pixels (Kirillov et al. 2019, sections 4.1 and 4.2)."""
    sums = np.zeros((len(NAMES), 3))
    for labels, classes, drawn, drawn_classes in made:
        pixels = [[set(np.flatnonzero(shown == label)) for label in range(len(numbers) + 1)]
                  for shown, numbers in ((labels, classes), (drawn, drawn_classes))]  # fmt: skip
        truth, shown = pixels
        matched: set[tuple[str, int]] = set()
        for label, number in enumerate(classes, 1):
            for other, drawn_number in enumerate(drawn_classes, 1):
                union = truth[label] | (shown[other] - truth[0])
                iou = len(truth[label] & shown[other]) / len(union)
                if iou > 0.5 and number == drawn_number and label not in crowds:
                    sums[number, :2] += iou, 1
                    matched |= {("target", label), ("drawn", other)}
        for label, number in enumerate(classes, 1):
            if label not in crowds and ("target", label) not in matched:
                sums[number, 2] += 0.5
        for other, number in enumerate(drawn_classes, 1):
            same = [label for label in crowds if label <= len(classes)
                    and classes[label - 1] == number]  # fmt: skip
            ignored = truth[0].union(*(truth[label] for label in same)) & shown[other]
            if ("drawn", other) not in matched and len(ignored) <= len(shown[other]) / 2:
                sums[number, 2] += 0.5
    return float(np.mean(sums[:, 0] / (sums[:, 1] + sums[:, 2])))


@pytest.mark.parametrize("crowds", [(), (3,)])
def test_void_pixels_and_crowds_are_left_out_of_panoptic_quality(crowds: tuple[int, ...]) -> None:
    made = pairs(10, 11)
    measure = SegmentMeasure(COLOURS, is_void=True)
    ours = measure.overall(rows_of(made, measure, crowds), 0)["PQ"].value
    assert ours == pytest.approx(slow_quality(made, crowds), abs=1e-12)
    assert ours != pytest.approx(
        SegmentMeasure(COLOURS).overall(rows_of(made, SegmentMeasure(COLOURS)), 0)["PQ"].value
    )


@pytest.mark.parametrize("crowds", [(), (3,)])
def test_panoptic_quality_is_that_of_panopticapi(crowds: tuple[int, ...], tmp_path: Path) -> None:
    evaluation = pytest.importorskip("panopticapi.evaluation")
    made = pairs(10, 11)
    sets: list[list[dict[str, Any]]] = [[], []]
    for key, (labels, classes, drawn, drawn_classes) in enumerate(made):
        for place, (shown, numbers) in enumerate(((labels, classes), (drawn, drawn_classes))):
            folder = tmp_path / str(place)
            folder.mkdir(exist_ok=True)
            pixels = np.stack((shown, 0 * shown, 0 * shown), -1).astype(np.uint8)
            Image.fromarray(pixels).save(folder / f"{key}.png")
            segments = [
                {"id": label, "category_id": number + 1, "area": int((shown == label).sum()),
                 "iscrowd": int(not place and label in crowds)}
                for label, number in enumerate(numbers, 1)
            ]  # fmt: skip
            sets[place].append(
                {"image_id": key, "file_name": f"{key}.png", "segments_info": segments}
            )
    categories = [{"id": number + 1, "isthing": number % 2} for number in range(len(NAMES))]
    for place in (0, 1):
        document = {"annotations": sets[place], "categories": categories}
        (tmp_path / f"{place}.json").write_text(json.dumps(document))
    theirs = evaluation.pq_compute(
        str(tmp_path / "0.json"), str(tmp_path / "1.json"), str(tmp_path / "0"), str(tmp_path / "1")
    )["All"]
    measure = SegmentMeasure(COLOURS, is_void=True)
    ours = measure.overall(rows_of(made, measure, crowds), 0)
    assert [ours[name].value for name in ("PQ", "SQ", "RQ")] == pytest.approx(
        [theirs["pq"], theirs["sq"], theirs["rq"]], abs=1e-9
    )


def test_colour_on_a_black_target_counts_only_where_black_is_an_answer() -> None:
    target, drawn = np.zeros((2, 20, 20), np.int64)
    target[:10, :10], drawn[:10, :10], drawn[12:, :] = 1, 1, 2
    pair = (target, [0], drawn, [0, 1])
    counts = [
        SegmentMeasure({}, is_void).row(drawn_map(pair), sample_of(0, pair)).quality[0]
        for is_void in (False, True)
    ]
    assert [int(count[DRAWN_ALONE]) for count in counts] == [1, 0]
    assert {(count[MATCHED], count[MISSED]) for count in counts} == {(1, 0)}
