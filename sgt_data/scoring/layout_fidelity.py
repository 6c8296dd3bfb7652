"""Layout of generated targets: how much of a segmentation target a generated picture shows.

Each generated pixel takes the nearest of the stated colours or the background, which is unlabelled:
a drawing as `sgt_data.score` reads it by the settings `PLAIN`, so that both share the counts and
the measures. The target is sampled at the size of the generated picture, by the rule with which
targets are drawn. No pixel is void: colour where the target is background is wrong.

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

from sgt_data.facts import drawn_segments, has_category
from sgt_data.scoring.class_layout import class_counts
from sgt_data.scoring.class_measure import StatedClass, entry_numbers
from sgt_data.scoring.decoding_options import PLAIN
from sgt_data.scoring.intervals import (
    Estimate,
    as_share,
    bootstrap,
    divide_or_nan,
    mean_over_pictures,
)
from sgt_data.scoring.mask_measure import mask_row, row_iou
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Counts, Labels, at_one_size, shared_pixels
from sgt_data.scoring.panoptic_quality import (
    DRAWN_ALONE,
    MATCHED,
    MISSED,
    QUALITY,
    Segments,
    overlaps,
    panoptic_counts,
)
from sgt_data.scoring.segment_measure import segment_pairs
from sgt_data.scoring.stated_colours import BLACK, read_levels
from sgt_data.segmentation.target_png import DecodedSegmentation


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


def nearest_colours(
    picture: NDArray[np.floating], colours: Sequence[RGB], background: RGB = BLACK
) -> Labels:
    """Labels [S, S] of a generated picture [3, S, S] in -1 to 1, by the nearest colour.

    A label is 0 where the background is nearest, and k where `colours[k - 1]` is (Euclidean in RGB;
    ties go to the first).
    """
    return read_levels(picture, [background, *colours])


def class_overlap(
    generated: NDArray[np.floating], decoded: DecodedSegmentation, classes: Mapping[str, RGB]
) -> Counts:
    """Numbers of pixels [3, classes] of one picture: shared, in the target, in what is generated.

    Raises:
        CorpusError: a segment has no category, or a category without a colour.
    """
    entries = [StatedClass(name, colour) for name, colour in classes.items()]
    numbers = entry_numbers(decoded.segments, entries)
    labels = nearest_colours(generated, list(classes.values()))
    target, labels = at_one_size(numbers[decoded.labels], labels, PLAIN.compare_at)
    return class_counts(shared_pixels(target, labels, len(classes) + 1, len(classes) + 1))


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
    labels = nearest_colours(generated, colours, background)
    target, labels = at_one_size(decoded.labels, labels, PLAIN.compare_at)
    shared = shared_pixels(target, labels, len(colours) + 1, len(colours) + 1)
    one_class = np.zeros(len(colours), np.int64)
    segments = Segments(one_class, one_class, np.zeros(len(colours), np.bool_))
    counts = panoptic_counts(shared, segments, 1, is_void=False)[0]
    others = counts[DRAWN_ALONE] + counts[MISSED]
    pairs = segment_pairs(shared, overlaps(shared, is_void=False))
    return (*pairs, float(counts[QUALITY]), float(counts[MATCHED] + others / 2))


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
    red, green, blue = decoded.segments[0]["color"]
    labels = nearest_colours(generated, [(red, green, blue)], background)
    return row_iou(mask_row(labels, decoded.labels, PLAIN))


def mask_layout(ious: Sequence[float], seed: int) -> dict[str, Estimate]:
    """`IoU`: the mean over pictures, with its interval."""
    return {"IoU": as_share(mean_over_pictures(np.array(ious, float), seed))}
