"""Measures of generated targets for any proxy, chosen by the proxy's type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.errors import CorpusError
from sgt_data.proxies.decoding import decode
from sgt_data.scoring.class_layout import class_layout
from sgt_data.scoring.depth_fidelity import depth_error, depth_layout
from sgt_data.scoring.edge_fidelity import (
    edge_counts,
    edge_layout,
    picture_distance,
    picture_layout,
)
from sgt_data.scoring.intervals import Estimate
from sgt_data.scoring.layout_fidelity import (
    class_overlap,
    mask_iou,
    mask_layout,
    segment_layout,
    segment_overlap,
)
from sgt_data.scoring.nearest_colours import RGB


@dataclass(frozen=True, slots=True)
class GeneratedTarget:
    """The target that a model generated for one picture, with the stored target.

    Attributes:
        generated: generated target [3, S, S] in -1 to 1.
        target: stored target at the same size [3, S, S] in -1 to 1.
        stored: bytes of the stored target.
        facts: the sample's JSON.
    """

    generated: NDArray[np.floating]
    target: NDArray[np.floating]
    stored: bytes
    facts: Mapping[str, Any]

    def decoded(self) -> Any:
        """The stored target, decoded by its proxy."""
        return decode(self.stored, self.facts)

    @property
    def background(self) -> RGB:
        """The colour of what belongs to no segment."""
        red, green, blue = self.facts.get("unlabelled", (0, 0, 0))
        return red, green, blue


def layout_fidelity(
    targets: Sequence[GeneratedTarget], classes: Mapping[str, RGB], seed: int
) -> dict[str, Estimate]:
    """Measures of generated targets by name, each with its interval over pictures.

    Segmentation: `mIoU` and `PQ`, by class where the palette is `category`, else by segment;
    each: by segment. Referring: `IoU`. Depth: `AbsRel`, and that of a flat picture. Edge: `edge F`
    and `L1`. Others: `L1`.

    Args:
        targets: generated targets of one proxy, one for each picture of the split.
        classes: colours of the corpus' categories, from `class_colours`; used for the palette
            `category` only.
        seed: seed of the bootstrap.

    Raises:
        CorpusError: there are no targets, or they are of several proxies.
    """
    kinds = {(target.facts.get("type"), target.facts.get("palette")) for target in targets}
    if len(kinds) != 1:
        raise CorpusError(f"generated targets are of {len(kinds)} kinds of proxies; one is needed")
    ((kind, palette),) = kinds
    if kind == "depth":
        errors = [
            depth_error(target.generated, target.decoded(), target.facts["colormap"])
            for target in targets
        ]
        return depth_layout(errors, seed)
    if kind == "edge":
        counts = [edge_counts(target.generated, target.target) for target in targets]
        return {**edge_layout(counts, seed), **_distances(targets, seed)}
    if kind == "referring":
        ious = [
            mask_iou(target.generated, target.decoded(), target.background) for target in targets
        ]
        return mask_layout(ious, seed)
    if kind not in ("segmentation", "each"):
        return _distances(targets, seed)
    if palette == "category":
        overlaps = [
            class_overlap(target.generated, target.decoded(), classes) for target in targets
        ]
        return class_layout(overlaps, seed)
    overlaps_of_segments = [
        segment_overlap(target.generated, target.decoded(), target.background) for target in targets
    ]
    return segment_layout(overlaps_of_segments, seed)


def _distances(targets: Sequence[GeneratedTarget], seed: int) -> dict[str, Estimate]:
    distances = [picture_distance(target.generated, target.target) for target in targets]
    return picture_layout(distances, seed)
