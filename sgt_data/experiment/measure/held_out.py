"""What a trained model is measured on: the questions and pictures of a split it never saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.accuracy import Asked
from sgt_data.proxies.decoding import decode
from sgt_data.segmentation.target_png import DecodedSegmentation
from sgt_data.stream.conversations import Conversation, ConversationFile
from sgt_data.subsets.opening import open_corpus
from sgt_data.training.batches import ToModel, question_and_answer, questions_file

Pixels = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, the picture [S, S, 3] that it is about, and what is right."""

    text: str
    picture: Pixels
    asked: Asked


@dataclass(frozen=True, slots=True)
class Shown:
    """A sample of a proxy at the model's size: input and target [S, S, 3], instruction, and as it
    is stored."""

    key: str
    picture: Pixels
    target: Pixels
    text: str
    stored: Sample


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A split.

    Attributes:
        questions: of all tasks.
        drawn: samples by proxy, of the split's pictures.
        things: by key: which things are where, for probes.
    """

    questions: tuple[AskedQuestion, ...]
    drawn: Mapping[str, tuple[Shown, ...]]
    things: Mapping[str, DecodedSegmentation]


def read_held_out(
    corpus: str, questions: str, split: str, picture: int, proxies: Sequence[str],
    things: str | None, blind: bool = False,
) -> HeldOut:  # fmt: skip
    """Read a split.

    Args:
        corpus: that has the targets of its pictures.
        questions: a folder of `sgt-data questions`.
        split: `val` or `test`.
        picture: side at which a model sees, pixels.
        proxies: whose targets are compared with drawn ones.
        things: a segmentation proxy that tells individuals apart, for the probes.
        blind: questions show a grey picture.

    Raises:
        CorpusError: a question is none of a folder of questions, or a sample is damaged.
        RequestError: something is not there.
    """
    form = ToModel(picture, blind)
    asked = tuple(_questions(questions_file(questions, split), form))
    keys = {one.asked.key for one in asked}
    opened = open_corpus(corpus)
    drawn = {
        proxy: tuple(_shown(opened, one, form) for one in _of_keys(opened, proxy, keys))
        for proxy in proxies
    }
    decoded = {}
    if things is not None:
        for sample in _of_keys(opened, things, keys):
            found = decode(sample.target, sample.facts)
            if not isinstance(found, DecodedSegmentation):
                raise CorpusError(f"{corpus}: {things} is no segmentation proxy")
            decoded[sample.key] = found
    return HeldOut(asked, drawn, decoded)


def _questions(url: str, form: ToModel) -> list[AskedQuestion]:
    file = ConversationFile(url)
    found = []
    for line in range(len(file)):
        one = file.read("", line)
        text, answer = question_and_answer(one)
        found.append(AskedQuestion(text, form(one)["picture"], _asked(one, answer)))
    return found


def _asked(one: Conversation, answer: str) -> Asked:
    key, task, choices = (one.fields.get(name) for name in ("key", "task", "choices"))
    if not (isinstance(key, str) and isinstance(task, str) and isinstance(choices, list)):
        raise CorpusError(f"{one.source}, {one.key}: it has no key, task and choices")
    return Asked(key, task, answer, tuple(map(str, choices)))


def _of_keys(corpus: Corpus, proxy: str, keys: set[str]) -> list[Sample]:
    return [
        corpus.sample(proxy, shard, key)
        for shard in corpus.shards(proxy)
        for key in corpus.index(proxy, shard)["key"].to_pylist()
        if key in keys
    ]


def _shown(corpus: Corpus, one: Sample, form: ToModel) -> Shown:
    sample: dict[str, Any] = form(one)
    return Shown(one.key, sample["picture"], sample["target"], sample["text"], one)
