"""True pictures with their class maps, at a model's size: what scorers of drawings learn from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import RequestError
from sgt_data.scoring.decoding_options import PLAIN, Decoding
from sgt_data.scoring.layout_fidelity import class_colours
from sgt_data.scoring.nearest_colours import RGB
from sgt_data.scoring.overlap import Labels
from sgt_data.scoring.stated_colours import BLACK, background_of, read_stated
from sgt_data.seeds import derive_seed
from sgt_data.training.to_model import ToModel

_SEED = 0


@dataclass(frozen=True, slots=True)
class ClassColours:
    """The colours of a corpus' class maps.

    Attributes:
        categories: names of the categories, by label from 1 on.
        colours: the background's colour, label 0, then those of the categories.
    """

    categories: tuple[str, ...]
    colours: tuple[RGB, ...]

    def labels(self, pixels: NDArray[np.uint8], decoding: Decoding) -> Labels:
        """Label map [H, W] of a class map [H, W, 3]; -1 where no colour is near."""
        return read_stated(pixels, self.colours, decoding, is_kept=True)


@dataclass(frozen=True, slots=True)
class ScenePictures:
    """Pictures with their class maps.

    Attributes:
        keys: n keys.
        pictures: [n, S, S, 3] uint8 RGB.
        labels: [n, S, S] int32, 0 for the background, else the category's place from 1 on.
        classes: colours of the class maps.
    """

    keys: tuple[str, ...]
    pictures: NDArray[np.uint8]
    labels: NDArray[np.int32]
    classes: ClassColours


def places_of(corpus: Corpus, proxy: str) -> dict[str, str]:
    """The shard of every key of a proxy.

    Raises:
        RequestError: the corpus has no such proxy.
    """
    return {
        key: shard
        for shard in corpus.shards(proxy)
        for key in corpus.index(proxy, shard, ["key"])["key"].to_pylist()
    }


def some_keys(keys: Iterable[str], count: int) -> list[str]:
    """So many keys, by a seeded hash: the same whatever their order."""
    return sorted(keys, key=lambda key: (derive_seed(_SEED, "scene pictures", key), key))[:count]


def read_scene_pictures(
    corpus: Corpus,
    proxy: str,
    keys: Sequence[str],
    side: int,
    classes: ClassColours | None = None,
) -> ScenePictures:
    """Read pictures and class maps at the model's size.

    Args:
        corpus: that has them.
        proxy: a segmentation proxy in which a category has one colour in all pictures.
        keys: of the pictures.
        side: of the model's pictures, pixels.
        classes: the colours; None takes them from these pictures.

    Raises:
        RequestError: the proxy is no such proxy.
        CorpusError: a sample is damaged.
    """
    places = places_of(corpus, proxy)
    samples = [corpus.sample(proxy, places[key], key) for key in keys]
    for sample in samples:
        _check(sample, corpus, proxy)
    if classes is None:
        colours = class_colours(sample.facts for sample in samples)
        background = background_of(samples[0].facts) if samples else BLACK
        classes = ClassColours(tuple(colours), (background, *colours.values()))
    to_model = ToModel(side, False)
    pictures = np.zeros((len(keys), side, side, 3), np.uint8)
    labels = np.zeros((len(keys), side, side), np.int32)
    for place, sample in enumerate(samples):
        pixels: dict[str, Any] = to_model(sample)
        pictures[place] = pixels["picture"]
        labels[place] = classes.labels(pixels["target"], PLAIN)
    return ScenePictures(tuple(keys), pictures, labels, classes)


def _check(sample: Sample, corpus: Corpus, proxy: str) -> None:
    kind, palette = sample.facts.get("type"), sample.facts.get("palette")
    if (kind, palette) != ("segmentation", "category"):
        raise RequestError(
            f"{corpus.url}: {proxy} is of type {kind} with palette {palette}; captions are drawn "
            "as class maps of a segmentation proxy whose palette is category, such as semantic"
        )
