"""The measure of a proxy whose targets are maps of segments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.errors import CorpusError
from sgt_data.scoring.box_measure import BoxMeasure
from sgt_data.scoring.class_measure import ClassMeasure
from sgt_data.scoring.decoding_options import ROBUST, Decoding
from sgt_data.scoring.mask_measure import MaskMeasure
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.segment_measure import SegmentMeasure
from sgt_data.value_text import cut

SEGMENTATION_TYPES = frozenset({"segmentation", "legend", "each", "referring", "boxes", "paired"})
"""Types of proxies that `segmentation_measure` knows; of `boxes`, the look `black`; of `paired`,
targets whose colours are labels."""


def segmentation_measure(
    facts: Mapping[str, Any],
    classes: Mapping[str, RGB] | None = None,
    decoding: Decoding = ROBUST,
) -> Measure[Any]:
    """The measure for the samples of a proxy, by the facts of any of them.

    Semantic maps and legends are measured by class, referring masks as masks, all others by
    segment: by class and segment where the palette is `category`.

    Args:
        facts: the JSON of a sample of the proxy.
        classes: the colours of all classes of the corpus, from `class_colours` over the facts of
            all samples; used where the palette is `category`. Without it a semantic map is read by
            the colours of its own sample, so that a class which the sample lacks costs less than
            it should.
        decoding: how drawings are read.

    Raises:
        CorpusError: no measure of segments fits the proxy.
    """
    kind, palette = facts.get("type"), facts.get("palette")
    by_class, are_alike = palette == "category", palette in ("category", "position", "tab20")
    if kind == "legend":
        return ClassMeasure(decoding=decoding)
    if kind == "referring":
        return MaskMeasure(decoding)
    if kind == "boxes" and facts.get("look") == "black":
        return BoxMeasure(decoding)
    if kind == "each":
        return SegmentMeasure(has_absent=True, are_alike=are_alike, decoding=decoding)
    if kind == "segmentation":
        if facts.get("variant") == "semantic":
            return ClassMeasure(classes or {}, decoding)
        is_void = facts.get("variant") == "panoptic"
        of_corpus = (classes or {}) if by_class else {}
        return SegmentMeasure(of_corpus, is_void, False, are_alike, decoding)
    if kind == "paired":
        return SegmentMeasure(are_alike=True, decoding=decoding, by_area=True)
    raise CorpusError(f"drawings of the proxy type {cut(kind, 60)} are not measured by segments")
