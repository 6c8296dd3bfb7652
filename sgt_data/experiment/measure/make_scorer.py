"""Make what scores drawings of captions, once for an experiment.

It is learnt from pictures that may be drawn, and kept in the experiment's folder: every run is
scored by the same.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import CorpusError
from sgt_data.experiment.measure import scene_segmenter
from sgt_data.experiment.measure.caption_lines import (
    CaptionLine,
    caption_lines,
    captions_file,
)
from sgt_data.experiment.measure.colour_names import (
    ColourExamples,
    enough_examples,
    median_colour,
)
from sgt_data.experiment.measure.generation_scorer import Scorer
from sgt_data.experiment.measure.scene_pictures import (
    ClassColours,
    ScenePictures,
    places_of,
    read_scene_pictures,
    some_keys,
)
from sgt_data.experiment.measure.scene_segmenter import (
    SceneSegmenter,
    category_ious,
    train_segmenter,
)
from sgt_data.experiment.measure.seen_things import thing_masks
from sgt_data.files.tensor_files import why_not_tensors
from sgt_data.files.writing import write_atomic
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.training.config import digest_of
from sgt_data.training.to_model import PICTURE

TRAINING_PICTURES = 4096
VALIDATION_PICTURES = 512
"""The most pictures from which the segmenter learns, and on which it is measured."""

_VERSION = 1
"""Changes when the same data give another scorer."""


@dataclass(frozen=True, slots=True)
class ScorerData:
    """What drawings of captions are scored with.

    Attributes:
        corpus: URL of the corpus, which has the validation pictures.
        training: URL of the corpus or subset whose pictures may be drawn; none is of a held-out
            split.
        captions: folders of `sgt-data captions` about the corpus: of pictures, of class maps.
        proxy: the proxy whose targets are class maps, such as `semantic`.
        picture: side of the model's pictures, pixels.
    """

    corpus: str
    training: str
    captions: tuple[str, ...]
    proxy: str
    picture: int


def make_scorer(data: ScorerData, folder: Path) -> Scorer:
    """The scorer of an experiment: learnt, or read where the folder has it.

    To learn it takes about a minute on one core. An experiment calls this once before its runs, and
    each run calls it again.

    Args:
        data: from what it is made.
        folder: of the experiment; it gets `generation-scorer-DIGEST.pt`.

    Raises:
        RequestError: the corpus, the proxy or the captions do not exist.
        CorpusError: a sample, a caption or the file is damaged.
    """
    corpus, training = open_corpus(data.corpus), open_corpus(data.training)
    keys = some_keys(places_of(training, data.proxy), TRAINING_PICTURES)
    held_out = _validation_keys(data, corpus)
    captions = _colour_captions(data, frozenset(keys))
    path = folder / f"generation-scorer-{_digest(data, [corpus, training], keys, held_out)}.pt"
    if not path.exists():
        known = read_scene_pictures(training, data.proxy, keys, data.picture)
        tested = read_scene_pictures(corpus, data.proxy, held_out, data.picture, known.classes)
        write_atomic(str(path), _encoded(_learnt(known, tested, captions)))
    return _read(path)


def _validation_keys(data: ScorerData, corpus: Corpus) -> list[str]:
    """Keys of validation pictures; none where no caption is drawn as a picture."""
    keys = {
        line.key
        for folder in data.captions
        for line in caption_lines(captions_file(folder, "val"))
        if line.draws == PICTURE
    }
    return some_keys(keys & places_of(corpus, data.proxy).keys(), VALIDATION_PICTURES)


def _colour_captions(data: ScorerData, keys: frozenset[str]) -> list[CaptionLine]:
    """Captions of training pictures that name the colour of a thing."""
    return [
        line
        for folder in data.captions
        for line in caption_lines(captions_file(folder, "train"))
        if line.key in keys
        and line.draws == PICTURE
        and any(thing.colour is not None for thing in line.things)
    ]


def _digest(
    data: ScorerData, corpora: Sequence[Corpus], keys: Sequence[str], held_out: Sequence[str]
) -> str:
    return digest_of({
        "version": _VERSION,
        "fingerprints": [corpus.stored_fingerprints.get(data.proxy) for corpus in corpora],
        "proxy": data.proxy,
        "picture": data.picture,
        "training": keys,
        "validation": held_out,
        "segmenter": scene_segmenter.SETTINGS,
    })  # fmt: skip


def _learnt(
    known: ScenePictures, tested: ScenePictures, captions: Sequence[CaptionLine]
) -> dict[str, Any]:
    """A scorer as plain data and tensors, from training and validation pictures."""
    classes = known.classes
    weights: Mapping[str, torch.Tensor] = {}
    ious: Mapping[str, float] = {}
    if tested.keys:
        network = train_segmenter(known.pictures, known.labels, len(classes.categories))
        weights = network.state_dict()
        ious = category_ious(network, tested.pictures, tested.labels, classes.categories)
    examples = _colour_examples(known, captions)
    return {
        "picture": known.pictures.shape[1],
        "categories": list(classes.categories),
        "colours": [list(colour) for colour in classes.colours],
        "weights": dict(weights),
        "ious": dict(ious),
        "named colours": examples.colours.tolist(),
        "names": list(examples.names),
    }


def _colour_examples(known: ScenePictures, captions: Sequence[CaptionLine]) -> ColourExamples:
    """Things whose colour a caption names, where its picture shows one thing of their category."""
    places = {key: place for place, key in enumerate(known.keys)}
    examples: dict[tuple[str, str], tuple[Any, str]] = {}
    for line in captions:
        place = places[line.key]
        masks = thing_masks(known.labels[place])
        for thing in line.things:
            if thing.colour is None or thing.category not in known.classes.categories:
                continue
            label = 1 + known.classes.categories.index(thing.category)
            of_category = [mask for number, mask in masks if number == label]
            if len(of_category) == 1:
                colour = median_colour(known.pictures[place], of_category[0])
                examples[line.key, thing.category] = colour, thing.colour
    colours, names = [colour for colour, _ in examples.values()], [n for _, n in examples.values()]
    return enough_examples(colours, names)


def _encoded(learnt: Mapping[str, Any]) -> bytes:
    content = io.BytesIO()
    torch.save(dict(learnt), content)
    return content.getvalue()


def _read(path: Path) -> Scorer:
    try:
        fields = torch.load(path, map_location="cpu", weights_only=True)
        classes = ClassColours(
            tuple(fields["categories"]),
            tuple((red, green, blue) for red, green, blue in fields["colours"]),
        )
        segmenter = None
        if fields["weights"]:
            segmenter = SceneSegmenter(len(classes.categories))
            segmenter.load_state_dict(fields["weights"])
            segmenter.eval()
        examples = ColourExamples(
            np.array(fields["named colours"], float).reshape(-1, 3), tuple(fields["names"])
        )
        return Scorer(fields["picture"], classes, segmenter, fields["ious"], examples)
    except Exception as why:  # torch raises many kinds, depending on the damage
        raise CorpusError(
            f"{path} holds no scorer of drawings: {why_not_tensors(str(path), why)}; remove it, "
            "and it is made again"
        ) from why
