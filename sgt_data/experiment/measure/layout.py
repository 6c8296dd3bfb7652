"""Layout fidelity: how much of a segmentation target a generated picture shows.

Each generated pixel takes the nearest of the stated colours or black, which counts as unlabelled;
so a generated picture is judged as a label map. Truth is sampled at the size of the generated
picture, by the rule that targets are drawn with. Nothing is void: colour where the target is black
is wrong.

- Where a class has one colour in every picture, the colours are those of all classes of the corpus,
  so that classes which are not there cost as they should. A class's region in a picture counts as
  one segment, whether or not it is connected.
- Where colours mean nothing beyond their picture (class-blind targets), they are the picture's own:
  their number is given away. Regions are paired with segments by overlap, not by colour.

PQ is Kirillov et al.'s (Panoptic Segmentation, CVPR 2019): pairs count from IoU > 0.5 on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.intervals import (
    Estimate,
    Floats,
    as_share,
    bootstrap,
    divided,
    mean,
)
from sgt_data.segmentation.sampling import centre_samples
from sgt_data.segmentation.target_png import DecodedSegmentation

RGB = tuple[int, int, int]
Counts = NDArray[np.int64]


def class_colours(facts: Iterable[Mapping[str, Any]]) -> dict[str, RGB]:
    """The colour of each category in a corpus, from its samples' facts; where shades tell touching
    individuals apart, the commonest. Samples without categories have no say."""
    seen: dict[str, Counter[RGB]] = defaultdict(Counter)
    for one in facts:
        for segment in one.get("segments", ()):
            if "category" in segment and "color" in segment:
                red, green, blue = segment["color"]
                seen[segment["category"]][red, green, blue] += 1
    return {
        name: min(counts, key=lambda colour: (-counts[colour], colour))
        for name, counts in sorted(seen.items())
    }


def sampled(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A map [H, W] at another size: each place takes the value under its centre."""
    rows = centre_samples(values.shape[0], height)
    columns = centre_samples(values.shape[1], width)
    return values[np.ix_(rows, columns)]


def nearest_colours(picture: NDArray[np.floating], colours: Sequence[RGB]) -> NDArray[np.int64]:
    """Labels [S, S] of a generated picture [3, S, S] in -1 to 1: 0 where black is nearest, k where
    `colours[k - 1]` is (Euclidean in RGB; ties go to the first)."""
    levels = (np.clip(picture, -1, 1).transpose(1, 2, 0).astype(float) + 1) * 127.5
    table = np.array([(0, 0, 0), *colours], float)
    distances = (levels**2).sum(-1, keepdims=True) - 2 * levels @ table.T + (table**2).sum(-1)
    # what lies equally near but for the rounding of floats goes to the first
    nearest: NDArray[np.int64] = np.argmin(np.round(distances, 6), axis=-1)
    return nearest


def overlaps(truth: NDArray[Any], found: NDArray[Any], rows: int, columns: int) -> Counts:
    """Pixels [rows, columns] that two label maps [S, S] share, label by label."""
    pairs = truth.astype(np.int64) * columns + found
    return np.bincount(pairs.ravel(), minlength=rows * columns).reshape(rows, columns)


def class_overlap(
    generated: NDArray[np.floating], decoded: DecodedSegmentation, classes: Mapping[str, RGB]
) -> Counts:
    """Pixels [3, classes] of one picture: shared, in the target, in the generated picture.

    Raises:
        CorpusError: a segment has no category, or one without a colour.
    """
    numbers = {name: number for number, name in enumerate(classes, 1)}
    try:
        table = np.array([0, *(numbers[one["category"]] for one in decoded.segments)])
    except KeyError as why:
        raise CorpusError(f"a segment's category has no colour in the corpus: {why}") from why
    truth = sampled(table[decoded.labels], generated.shape[1], generated.shape[2])
    found = nearest_colours(generated, list(classes.values()))
    shared = overlaps(truth, found, len(classes) + 1, len(classes) + 1)
    return np.stack((np.diag(shared), shared.sum(axis=1), shared.sum(axis=0)))[:, 1:]


def class_layout(pictures: Sequence[Counts], seed: int) -> dict[str, Estimate]:
    """`mIoU` and `PQ` of `class_overlap` of many pictures.

    mIoU: intersections and unions are summed over pictures, then averaged over the classes that
    occur in any target or generated picture. PQ: averaged over the same classes.
    """
    counts = np.stack(pictures).astype(float)
    shared, unions = counts[:, 0], counts[:, 1] + counts[:, 2] - counts[:, 0]
    ious = np.nan_to_num(divided(shared, unions))
    matched = ious > 0.5
    quality = np.where(matched, ious, 0)
    halves = ((counts[:, 1] > 0) & ~matched) / 2 + ((counts[:, 2] > 0) & ~matched) / 2
    below = matched + halves

    def over_classes(above: Floats, under: Floats, weights: Floats) -> Floats:
        shares = divided(weights @ above, weights @ under)
        present = np.isfinite(shares)
        return divided(np.where(present, shares, 0).sum(1), present.sum(1).astype(float))

    return {
        "mIoU": bootstrap(lambda w: over_classes(shared, unions, w), len(counts), seed),
        "PQ": bootstrap(lambda w: over_classes(quality, below, w), len(counts), seed),
    }


def segment_overlap(
    generated: NDArray[np.floating], decoded: DecodedSegmentation
) -> tuple[float, int, float, float]:
    """One picture of a class-blind target: segments and regions are paired, the largest IoU first,
    each once.

    Returns:
        Sum of IoU over pairs; pairs and all that is left alone on either side; sum of IoU over
        pairs above 0.5; these pairs, and half of all others on either side.
    """
    colours = [tuple(one["color"]) for one in decoded.segments]
    truth = sampled(decoded.labels, generated.shape[1], generated.shape[2])
    found = nearest_colours(generated, colours)
    shared = overlaps(truth, found, len(colours) + 1, len(colours) + 1)
    sizes, regions = shared.sum(axis=1)[1:], shared.sum(axis=0)[1:]
    shared = shared[1:, 1:]
    ious = shared / np.maximum(sizes[:, None] + regions - shared, 1)
    pairs = _paired(ious)
    good = [one for one in pairs if one > 0.5]
    segments, drawn = int((sizes > 0).sum()), int((regions > 0).sum())
    alone = segments + drawn - 2 * len(good)
    return sum(pairs), segments + drawn - len(pairs), sum(good), len(good) + alone / 2


def segment_layout(
    pictures: Sequence[tuple[float, int, float, float]], seed: int
) -> dict[str, Estimate]:
    """`mIoU` (mean over segments, and regions that have none, of all pictures) and `PQ` of
    `segment_overlap` of many pictures."""
    sums = np.array(pictures, float).T
    size = sums.shape[1]
    return {
        "mIoU": bootstrap(lambda w: divided(w @ sums[0], w @ sums[1]), size, seed),
        "PQ": bootstrap(lambda w: divided(w @ sums[2], w @ sums[3]), size, seed),
    }


def mask_iou(generated: NDArray[np.floating], decoded: DecodedSegmentation) -> float:
    """IoU of a referring target, white on black, with what was generated; 0 to 1."""
    truth = sampled(decoded.labels, generated.shape[1], generated.shape[2]) > 0
    found = nearest_colours(generated, [(255, 255, 255)]) > 0
    both = int((truth | found).sum())
    return int((truth & found).sum()) / both if both else 1.0


def mask_layout(ious: Sequence[float], seed: int) -> dict[str, Estimate]:
    """`IoU`, the mean over pictures."""
    return {"IoU": as_share(mean(np.array(ious, float), seed))}


def _paired(ious: Floats) -> list[float]:
    """Values of the pairs (row, column), greedily by value, each row and column once."""
    rest = ious.copy()
    pairs = []
    while rest.size and rest.max() > 0:
        row, column = np.unravel_index(int(rest.argmax()), rest.shape)
        pairs.append(float(rest[row, column]))
        rest[row, :] = rest[:, column] = 0
    return pairs
