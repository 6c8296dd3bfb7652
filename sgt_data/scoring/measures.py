"""Which measures belong to the samples of a proxy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sgt_data.errors import CorpusError, RequestError
from sgt_data.proxies.taken_facts import stated_decoding
from sgt_data.scoring.dense_measures import MEASURES, PICTURES, dense_measure
from sgt_data.scoring.measure import Measure
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.segmentation_measures import SEGMENTATION_TYPES, segmentation_measure
from sgt_data.value_text import cut

MEASURED_TYPES = frozenset(SEGMENTATION_TYPES | PICTURES | MEASURES.keys())
"""Types of proxies whose drawings have measures; a plug-in's have none."""


def measure_for(facts: Mapping[str, Any], classes: Mapping[str, RGB] | None = None) -> Measure[Any]:
    """The measures of a proxy, with the parameters of decoding that are usual for it.

    Args:
        facts: the JSON of any of its samples.
        classes: the colours of all classes of the corpus, where `has_class_colours` holds.

    Raises:
        RequestError: there are no measures for its type, such as one of a plug-in.
    """
    try:
        if facts.get("type") == "paired":
            _check_decodable(facts)
        if _is_dense(facts):
            return dense_measure(facts)
        return segmentation_measure(facts, classes)
    except CorpusError as why:
        raise RequestError(
            f"{why}; those that are measured: {', '.join(sorted(MEASURED_TYPES))}"
        ) from why


def has_class_colours(facts: Mapping[str, Any]) -> bool:
    """Whether a class has one colour in every picture of the proxy."""
    return facts.get("palette") == "category" and not _is_dense(facts)


def _check_decodable(facts: Mapping[str, Any]) -> None:
    """Check that a target which was made elsewhere has labels.

    Raises:
        RequestError: it has none; says why.
    """
    how, why = stated_decoding(facts)
    if how == "no":
        raise RequestError(
            f"the targets of {cut(facts.get('proxy'), 60)} were made elsewhere, and the first is "
            f"not decoded, so nothing can be compared: {why}. Targets whose colours are labels are "
            'scored: choose them by a subset (sgt-data scale CORPUS --where "segments > 0")'
        )


def _is_dense(facts: Mapping[str, Any]) -> bool:
    """Whether a target has a value for every pixel, or is a picture."""
    return facts.get("type") not in SEGMENTATION_TYPES or facts.get("look") == "overlay"
