"""Read a held-out split: its questions, its samples of each proxy, and what its pictures show."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError
from sgt_data.experiment.measure.accuracy import AskedQuestion
from sgt_data.experiment.measure.run_result import Split
from sgt_data.proxies.decoding import decode
from sgt_data.segmentation.target_png import DecodedSegmentation
from sgt_data.stream.conversations import Conversation, ConversationFile
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.training.batches import questions_file
from sgt_data.training.config import TrainConfig
from sgt_data.training.exchanges import question_and_answer
from sgt_data.training.letterbox import letterboxed_labels
from sgt_data.training.to_model import ToModel

Pixels = NDArray[np.uint8]

QUESTION_FILES: Mapping[Split, str] = {"validation": "val", "test": "test"}
"""By split, the name of its file of questions, without `.jsonl`."""

DRAWN_PICTURES = 256
"""Most pictures of a split whose targets are drawn and measured; they are evenly spread."""


@dataclass(frozen=True, slots=True)
class HeldOutQuestion:
    """A question with its picture at the model's size.

    Attributes:
        text: the question.
        picture: picture [S, S, 3] uint8 RGB; grey where the question has none.
        asked: key, task, right answer and choices.
    """

    text: str
    picture: Pixels
    asked: AskedQuestion


@dataclass(frozen=True, slots=True)
class HeldOutSample:
    """A sample of a proxy at the model's size, and as it is stored.

    Attributes:
        key: key of the sample.
        picture: input picture [S, S, 3] uint8 RGB.
        target: target picture [S, S, 3] uint8 RGB.
        text: the instruction.
        stored: the sample with its stored bytes and facts.
    """

    key: str
    picture: Pixels
    target: Pixels
    text: str
    stored: Sample


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Everything on one split that a trained model is measured on.

    Attributes:
        split: name of the split.
        questions: questions of all tasks.
        samples: by proxy, samples of the split's pictures, of `DRAWN_PICTURES` at most.
        segmentations: by key, the individual things of a picture, for probes.
        others: by name, further sets of questions.
    """

    split: Split
    questions: tuple[HeldOutQuestion, ...]
    samples: Mapping[str, tuple[HeldOutSample, ...]]
    segmentations: Mapping[str, DecodedSegmentation]
    others: Mapping[str, tuple[HeldOutQuestion, ...]]


def read_held_out(
    corpus: str,
    split: Split,
    config: TrainConfig,
    *,
    proxies: Sequence[str] = (),
    instance_proxy: str | None = None,
    others: Mapping[str, str] | None = None,
) -> HeldOut:
    """Read a split for a model.

    Args:
        corpus: fsspec URL of the corpus that has the targets of the split's pictures.
        split: split to read.
        config: configuration of a run: folder of questions, size of the model's pictures, and
            whether questions come with grey pictures.
        proxies: proxies whose generated targets are measured.
        instance_proxy: a segmentation proxy that tells individuals apart, for probes; None for no
            probes.
        others: by name of a further set, its folder of questions.

    Raises:
        CorpusError: a question was not made by `sgt-data questions`, or a sample is damaged.
        RequestError: the corpus, a proxy or the questions do not exist.
    """
    questions = read_questions(questions_file(config.data.questions, QUESTION_FILES[split]), config)
    keys = sorted({question.asked.key for question in questions})
    drawn = {keys[number * len(keys) // DRAWN_PICTURES] for number in range(DRAWN_PICTURES)}
    opened, to_model = open_corpus(corpus), _to_model(config)
    samples = {
        proxy: tuple(
            _at_model_size(stored, to_model) for stored in _read_samples(opened, proxy, drawn)
        )
        for proxy in proxies
    }
    segmentations = {}
    if instance_proxy is not None:
        for sample in _read_samples(opened, instance_proxy, set(keys)):
            decoded = decode(sample.target, sample.facts)
            if not isinstance(decoded, DecodedSegmentation):
                raise CorpusError(f"{corpus}: {instance_proxy} is no segmentation proxy")
            segmentations[sample.key] = _in_square(decoded)
    further = {
        name: read_questions(questions_file(folder, QUESTION_FILES[split]), config)
        for name, folder in (others or {}).items()
    }
    return HeldOut(split, questions, samples, segmentations, further)


def read_questions(
    url: str, config: TrainConfig, most: int | None = None
) -> tuple[HeldOutQuestion, ...]:
    """Read the questions of a file at a model's size.

    Args:
        url: the file.
        config: size of the model's pictures, and whether they are grey.
        most: the most questions, evenly spread over the file; None for all.

    Raises:
        CorpusError: a question was not made by `sgt-data questions`.
        RequestError: the file does not exist.
    """
    file, to_model = ConversationFile(url), _to_model(config)
    count = len(file) if most is None else min(most, len(file))
    questions = []
    for number in range(count):
        conversation = file.read("", number * len(file) // count)
        text, answer = question_and_answer(conversation)
        picture = to_model(conversation)["picture"]
        questions.append(HeldOutQuestion(text, picture, _asked(conversation, answer)))
    return tuple(questions)


def _to_model(config: TrainConfig) -> ToModel:
    return ToModel(config.model.picture, config.data.blind)


def _asked(conversation: Conversation, answer: str) -> AskedQuestion:
    key, task, choices = (conversation.fields.get(name) for name in ("key", "task", "choices"))
    if not (isinstance(key, str) and isinstance(task, str) and isinstance(choices, list)):
        raise CorpusError(
            f"{conversation.source}, {conversation.key}: it has no key, task and choices"
        )
    return AskedQuestion(key, task, answer, tuple(map(str, choices)))


def _read_samples(corpus: Corpus, proxy: str, keys: Collection[str]) -> list[Sample]:
    return [
        corpus.sample(proxy, shard, key)
        for shard in corpus.shards(proxy)
        for key in corpus.index(proxy, shard)["key"].to_pylist()
        if key in keys
    ]


def _at_model_size(stored: Sample, to_model: ToModel) -> HeldOutSample:
    sample: dict[str, Any] = to_model(stored)
    return HeldOutSample(stored.key, sample["picture"], sample["target"], sample["text"], stored)


def _in_square(decoded: DecodedSegmentation) -> DecodedSegmentation:
    """A segmentation that covers the field of a picture in its square, as features do."""
    height, width = decoded.labels.shape
    if height == width:
        return decoded
    return replace(decoded, labels=letterboxed_labels(decoded.labels, max(height, width)))
