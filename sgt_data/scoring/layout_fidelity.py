"""Layout of generated targets: how much of a segmentation target a generated picture shows.

Each generated pixel takes the nearest of the stated colours or the background, which counts as
unlabelled; so a generated picture is judged as a label map. The target is sampled at the size of
the generated picture, by the rule with which targets are drawn. No pixel is void: colour where the
target is background is wrong.

- Where a class has one colour in every picture, the colours are those of all classes of the corpus,
  so that classes which are not in the picture cost as they should. A class's region in a picture
  counts as one segment, whether or not it is connected.
- Where colours mean nothing beyond their picture (class-blind targets), the picture's own colours
  are used: their number is given away. Regions are matched with segments by overlap, not by colour.

PQ is panoptic quality (Kirillov et al., Panoptic Segmentation, CVPR 2019): a match counts from
IoU > 0.5 on.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.facts import drawn_segments, has_category
from sgt_data.foreign_errors import in_words
from sgt_data.scoring.intervals import (
    Estimate,
    Floats,
    as_share,
    bootstrap,
    divide_or_nan,
    mean_over_pictures,
)
from sgt_data.segmentation.pixel_sampling import centre_samples
from sgt_data.segmentation.target_png import DecodedSegmentation

RGB = tuple[int, int, int]
Counts = NDArray[np.int64]
BLACK: RGB = (0, 0, 0)


def class_colours(facts: Iterable[Mapping[str, Any]]) -> dict[str, RGB]:
    """The colour of each category in a corpus, from the facts of its samples.

    Where shades tell touching individuals apart, the most frequent colour is taken. Samples without
    categories have no effect.
    """
    counts_by_category: dict[str, Counter[RGB]] = defaultdict(Counter)
    for sample_facts in facts:
        for segment in drawn_segments(sample_facts.get("segments", ())):
            if has_category(segment) and "color" in segment:
                red, green, blue = segment["color"]
                counts_by_category[segment["category"]][red, green, blue] += 1
    return {
        name: min(counts, key=lambda colour: (-counts[colour], colour))
        for name, counts in sorted(counts_by_category.items())
    }


def resampled(values: NDArray[Any], height: int, width: int) -> NDArray[Any]:
    """A map [H, W] at another size: each pixel takes the value under its centre."""
    rows = centre_samples(values.shape[0], height)
    columns = centre_samples(values.shape[1], width)
    return values[np.ix_(rows, columns)]


def nearest_colours(
    picture: NDArray[np.floating], colours: Sequence[RGB], background: RGB = BLACK
) -> NDArray[np.int64]:
    """Labels [S, S] of a generated picture [3, S, S] in -1 to 1, by the nearest colour.

    A label is 0 where the background is nearest, and k where `colours[k - 1]` is (Euclidean in RGB;
    ties go to the first).
    """
    levels = (np.clip(picture, -1, 1).transpose(1, 2, 0).astype(float) + 1) * 127.5
    table = np.array([background, *colours], float)
    distances = (levels**2).sum(-1, keepdims=True) - 2 * levels @ table.T + (table**2).sum(-1)
    # distances that differ by the rounding of floats only are a tie, which goes to the first
    nearest: NDArray[np.int64] = np.argmin(np.round(distances, 6), axis=-1)
    return nearest


def shared_pixels(
    first: NDArray[Any], second: NDArray[Any], first_labels: int, second_labels: int
) -> Counts:
    """Numbers of pixels [first_labels, second_labels] that labels of two maps [S, S] share."""
    codes = first.astype(np.int64) * second_labels + second
    return np.bincount(codes.ravel(), minlength=first_labels * second_labels).reshape(
        first_labels, second_labels
    )


def class_overlap(
    generated: NDArray[np.floating], decoded: DecodedSegmentation, classes: Mapping[str, RGB]
) -> Counts:
    """Numbers of pixels [3, classes] of one picture: shared, in the target, in what is generated.

    Raises:
        CorpusError: a segment has no category, or a category without a colour.
    """
    numbers = {name: number for number, name in enumerate(classes, 1)}
    try:
        table = np.array([0, *(numbers[segment["category"]] for segment in decoded.segments)])
    except KeyError as why:
        raise CorpusError(
            f"a segment's category has no colour in the corpus: {in_words(why)}"
        ) from why
    target = resampled(table[decoded.labels], generated.shape[1], generated.shape[2])
    labels = nearest_colours(generated, list(classes.values()))
    shared = shared_pixels(target, labels, len(classes) + 1, len(classes) + 1)
    return np.stack((np.diag(shared), shared.sum(axis=1), shared.sum(axis=0)))[:, 1:]


def class_layout(pictures: Sequence[Counts], seed: int) -> dict[str, Estimate]:
    """Mean IoU and panoptic quality over classes, from `class_overlap` of each picture.

    Returns:
        `mIoU`: intersections and unions summed over pictures, then averaged over the classes that
        occur in any target or generated picture. `PQ`: averaged over the same classes.
    """
    counts = np.stack(pictures).astype(float)
    shared, unions = counts[:, 0], counts[:, 1] + counts[:, 2] - counts[:, 0]
    ious = np.nan_to_num(divide_or_nan(shared, unions))
    matched = ious > 0.5
    quality = np.where(matched, ious, 0)
    halves = ((counts[:, 1] > 0) & ~matched) / 2 + ((counts[:, 2] > 0) & ~matched) / 2
    denominators = matched + halves

    def mean_over_classes(numerators: Floats, below: Floats, weights: Floats) -> Floats:
        shares = divide_or_nan(weights @ numerators, weights @ below)
        present = np.isfinite(shares)
        return divide_or_nan(np.where(present, shares, 0).sum(1), present.sum(1).astype(float))

    return {
        "mIoU": bootstrap(lambda w: mean_over_classes(shared, unions, w), len(counts), seed),
        "PQ": bootstrap(lambda w: mean_over_classes(quality, denominators, w), len(counts), seed),
    }


def segment_overlap(
    generated: NDArray[np.floating], decoded: DecodedSegmentation, background: RGB = BLACK
) -> tuple[float, int, float, float]:
    """Overlap of segments and generated regions in one picture of a class-blind target.

    Segments and regions are matched greedily, the largest IoU first, each once.

    Returns:
        Sum of IoU over matches; number of matches and of unmatched segments and regions; sum of IoU
        over matches above 0.5; number of these, plus half of all other segments and regions.
    """
    colours = [tuple(segment["color"]) for segment in decoded.segments]
    target = resampled(decoded.labels, generated.shape[1], generated.shape[2])
    labels = nearest_colours(generated, colours, background)
    shared = shared_pixels(target, labels, len(colours) + 1, len(colours) + 1)
    segment_sizes, region_sizes = shared.sum(axis=1)[1:], shared.sum(axis=0)[1:]
    shared = shared[1:, 1:]
    ious = shared / np.maximum(segment_sizes[:, None] + region_sizes - shared, 1)
    matches = _greedy_matches(ious)
    good = [iou for iou in matches if iou > 0.5]
    segments, regions = int((segment_sizes > 0).sum()), int((region_sizes > 0).sum())
    others = segments + regions - 2 * len(good)
    return sum(matches), segments + regions - len(matches), sum(good), len(good) + others / 2


def segment_layout(
    pictures: Sequence[tuple[float, int, float, float]], seed: int
) -> dict[str, Estimate]:
    """Mean IoU and panoptic quality over segments, from `segment_overlap` of each picture.

    Returns:
        `mIoU`: mean over the segments, and the regions without a segment, of all pictures. `PQ`.
    """
    sums = np.array(pictures, float).T
    count = sums.shape[1]
    return {
        "mIoU": bootstrap(lambda w: divide_or_nan(w @ sums[0], w @ sums[1]), count, seed),
        "PQ": bootstrap(lambda w: divide_or_nan(w @ sums[2], w @ sums[3]), count, seed),
    }


def mask_iou(
    generated: NDArray[np.floating], decoded: DecodedSegmentation, background: RGB = BLACK
) -> float:
    """IoU, 0 to 1, of a referring target and what was generated."""
    target = resampled(decoded.labels, generated.shape[1], generated.shape[2]) > 0
    colour = tuple(decoded.segments[0]["color"])
    mask = nearest_colours(generated, [colour], background) > 0
    union = int((target | mask).sum())
    return int((target & mask).sum()) / union if union else 1.0


def mask_layout(ious: Sequence[float], seed: int) -> dict[str, Estimate]:
    """`IoU`: the mean over pictures, with its interval."""
    return {"IoU": as_share(mean_over_pictures(np.array(ious, float), seed))}


def _greedy_matches(ious: Floats) -> list[float]:
    """IoU of the matches (row, column), the largest first, each row and column once.

    Greedy by definition; `scipy.optimize.linear_sum_assignment` gives the largest sum instead.
    """
    rest = ious.copy()
    matches = []
    while rest.size and rest.max() > 0:
        row, column = np.unravel_index(int(rest.argmax()), rest.shape)
        matches.append(float(rest[row, column]))
        rest[row, :] = rest[:, column] = 0
    return matches
