"""The category of every pixel of a target, for runs that tell categories and do not draw.

A category's number is its place among the sorted names of all categories that the corpus' sources
have, from 1 on, so it is the same in every subset of the corpus. 0 is a pixel without a category.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.facts import drawn_segments, has_category
from sgt_data.foreign_errors import in_words
from sgt_data.value_text import counted, cut

CATEGORIES_MAX = 32_767
"""Largest number of categories: their numbers are kept in 16 bits."""


def category_numbers(corpus: Corpus, proxies: Sequence[str]) -> dict[str, int]:
    """The number of every category of a corpus, by name.

    Args:
        corpus: the corpus.
        proxies: the proxies whose targets are told by category; one sample of each is looked at.

    Raises:
        RequestError: a proxy's targets have no categories, or there are too many categories.
        CorpusError: a sample is damaged.
    """
    names = sorted(
        {category.name for source in corpus.header.vocabulary.values() for category in source}
    )
    if len(names) > CATEGORIES_MAX:
        raise RequestError(
            f"objective: classify reads at most {CATEGORIES_MAX:,} categories; {corpus.url} has "
            f"{counted(len(names), 'category')}"
        )
    for proxy in proxies:
        if not names or not _tells_categories(corpus, proxy):
            raise RequestError(
                f"objective: classify needs targets whose colours are categories, and those of "
                f"{proxy} are none; draw a segmentation proxy of variant semantic, instance or "
                "panoptic, or set objective to draw"
            )
    return {name: number for number, name in enumerate(names, 1)}


def _tells_categories(corpus: Corpus, proxy: str) -> bool:
    """Whether the colours of a proxy's targets are labels, and some have categories."""
    shards = corpus.shards(proxy)
    if not shards or "unlabelled" not in corpus.reader.facts(proxy, shards[0], 0):
        return False
    return any(
        any(
            names
            for names in corpus.index(proxy, shard, ["key", "categories"])["categories"].to_pylist()
        )
        for shard in shards
    )


def classes_of(
    target: NDArray[np.uint8], sample: Sample, numbers: Mapping[str, int]
) -> NDArray[np.int16]:
    """The category of every pixel of a target at any size.

    Args:
        target: [H, W, 3] uint8 RGB, resized by the nearest pixel.
        sample: the sample, whose facts say what the colours mean.
        numbers: number of every category by name, from 1 on.

    Returns:
        [H, W] int16; 0 where there is no label or its category is not stated.

    Raises:
        CorpusError: a colour is no label's, or a category is not in the corpus' list.
    """
    try:
        facts = sample.facts
        stated = [(tuple(facts["unlabelled"]), 0)]
        for segment in drawn_segments(facts["segments"]):
            name = segment["category"] if has_category(segment) else None
            stated.append((tuple(segment["color"]), 0 if name is None else numbers[name]))
        colours = np.array([colour for colour, _ in stated], np.int32).reshape(-1, 3)
    except (KeyError, TypeError, ValueError) as why:
        raise CorpusError(f"{sample.place}: its facts tell no categories: {in_words(why)}") from why
    packed = colours @ _SHIFTS
    order = np.argsort(packed, kind="stable")
    pixels = target.astype(np.int32) @ _SHIFTS
    places = np.minimum(np.searchsorted(packed[order], pixels), len(order) - 1)
    if (unknown := packed[order][places] != pixels).any():
        colour = target[unknown][0].tolist()
        raise CorpusError(f"{sample.place}: its target has the colour {cut(colour)}, of no segment")
    classes: NDArray[np.int16] = np.array([number for _, number in stated], np.int16)[order][places]
    return classes


_SHIFTS = np.array([1 << 16, 1 << 8, 1], np.int32)
"""By which three channels become one number."""
