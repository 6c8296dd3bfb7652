"""Generated targets of any proxy, measured by what the proxy is about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.intervals import Estimate
from sgt_data.experiment.measure.layout import (
    RGB,
    class_layout,
    class_overlap,
    mask_iou,
    mask_layout,
    segment_layout,
    segment_overlap,
)
from sgt_data.experiment.measure.layout_depth import depth_error, depth_layout
from sgt_data.experiment.measure.layout_edges import (
    edge_counts,
    edge_layout,
    picture_distance,
    picture_layout,
)
from sgt_data.proxies.decoding import decode


@dataclass(frozen=True, slots=True)
class Generated:
    """One picture's generated target.

    Attributes:
        picture: [3, S, S] in -1 to 1, as it was generated.
        wanted: [3, S, S], what a trainer would have asked for.
        target: the stored target's bytes.
        facts: the sample's JSON.
    """

    picture: NDArray[np.floating]
    wanted: NDArray[np.floating]
    target: bytes
    facts: Mapping[str, Any]


def layout_fidelity(
    pictures: Sequence[Generated], classes: Mapping[str, RGB], seed: int
) -> dict[str, Estimate]:
    """Measures by name, each with its interval over pictures.

    Segmentation: `mIoU` and `PQ`, by class where the palette is `category`, else segment by
    segment. Referring: `IoU`. Depth: `AbsRel`, beside that of a flat picture. Edge: `edge F` and
    `L1`. Others: `L1`.

    Args:
        pictures: of one proxy, one for each picture of the split.
        classes: colours of the corpus' categories (`class_colours`); not used where there is no
            palette of categories.
        seed: of the intervals.

    Raises:
        CorpusError: there are none, or they are of several proxies.
    """
    kinds = {(one.facts.get("type"), one.facts.get("palette")) for one in pictures}
    if len(kinds) != 1:
        raise CorpusError(f"generated targets are of {len(kinds)} kinds of proxies; one is needed")
    ((kind, palette),) = kinds
    if kind == "depth":
        return depth_layout(
            [
                depth_error(one.picture, decode(one.target, one.facts), one.facts["colormap"])
                for one in pictures
            ],
            seed,
        )
    if kind == "edge":
        counts = [edge_counts(one.picture, one.wanted) for one in pictures]
        return {**edge_layout(counts, seed), **_distances(pictures, seed)}
    if kind not in ("segmentation", "referring"):
        return _distances(pictures, seed)
    pairs = [(one.picture, decode(one.target, one.facts)) for one in pictures]
    if kind == "referring":
        return mask_layout([mask_iou(*pair) for pair in pairs], seed)
    if palette == "category":
        return class_layout([class_overlap(*pair, classes) for pair in pairs], seed)
    return segment_layout([segment_overlap(*pair) for pair in pairs], seed)


def _distances(pictures: Sequence[Generated], seed: int) -> dict[str, Estimate]:
    return picture_layout([picture_distance(one.picture, one.wanted) for one in pictures], seed)
