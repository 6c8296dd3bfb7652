"""The stream of a run: questions and drawings in exact shares, as tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.pictures.decode import rgb_pixels
from sgt_data.stream.batch import Batch
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.options import Reading, Topology
from sgt_data.stream.stream import Stream
from sgt_data.stream.transforms import target_filter
from sgt_data.training.config import TrainConfig
from sgt_data.training.learner import Drawings, Questions, TrainingBatch

QUESTIONS = "questions"
"""The component of all questions."""

_GREY = 127
_KEPT_BYTES = 256 * 1024**2
_PICTURE_WORD = "<image>"


def questions_file(questions: str, split: str = "train") -> str:
    """The file of a split: of a folder of questions its own, else the file named itself."""
    if questions.endswith(".jsonl"):
        return questions
    return str(Path(questions) / f"{split}.jsonl")


@dataclass(frozen=True, slots=True)
class ToModel:
    """Samples as a model of this picture size takes them, uint8. Targets of labels are resized by
    the nearest pixel.

    Pictures are kept, by what their bytes are, until they take up `_KEPT_BYTES`: a small model sees
    the same ones many times, and decoding a photograph takes longer than learning from it.
    """

    picture: int
    blind: bool
    kept: dict[tuple[bytes, int], np.ndarray] = field(default_factory=dict, repr=False)

    def __call__(self, sample: Any) -> dict[str, Any]:
        cubic = Image.Resampling.BICUBIC
        if isinstance(sample, Conversation):
            question, answer = question_and_answer(sample)
            seen = np.full((self.picture, self.picture, 3), _GREY, np.uint8)
            if not self.blind:
                seen = self._picture(sample.image or b"", cubic, lambda data: _decoded(sample))
            return {"picture": seen, "text": question, "answer": answer}
        assert isinstance(sample, Sample)
        resampling = target_filter(sample.facts)
        return {
            "picture": self._picture(sample.input, cubic, sample.decoded),
            "target": self._picture(sample.target, resampling, sample.decoded),
            "text": sample.instruction,
            "proxy": sample.proxy,
            "key": sample.key,
        }

    def _picture(
        self, data: bytes, resampling: Image.Resampling, decoded: Callable[[bytes], np.ndarray]
    ) -> np.ndarray:
        name = blake2b(data, digest_size=16).digest(), int(resampling)
        if (found := self.kept.get(name)) is not None:
            return found
        size = (self.picture, self.picture)
        pixels = decoded(data)
        if pixels.shape[:2] != size:
            pixels = np.asarray(Image.fromarray(pixels).resize(size, resampling))
        if (1 + len(self.kept)) * pixels.nbytes <= _KEPT_BYTES:
            self.kept[name] = pixels
        return pixels


def question_and_answer(sample: Conversation) -> tuple[str, str]:
    """The first question of a conversation about a picture, and its answer.

    Raises:
        CorpusError: it has none.
    """
    said = [turn["value"] for turn in sample.turns[:2]]
    if len(said) < 2 or sample.fields.get("image") is None:
        raise CorpusError(f"{sample.source}, {sample.key}: no question about a picture")
    return said[0].replace(_PICTURE_WORD, "").strip(), said[1].strip()


def _decoded(sample: Conversation) -> np.ndarray:
    try:
        return rgb_pixels(sample.image or b"")
    except ValueError as why:
        raise CorpusError(f"{sample.source}, {sample.key}: its picture: {why}") from why


def open_stream(config: TrainConfig, rank: int, world: int) -> Stream:
    """The stream of a run.

    Raises:
        RequestError: the corpus, a proxy or the questions are not there.
    """
    data = config.data
    sources: dict[str, Sequence[str] | str] = {}
    mixture: dict[str, float] = {}
    if config.questions:
        for url in [questions_file(data.questions), *data.more_questions]:
            sources[url] = QUESTIONS
        mixture[QUESTIONS] = config.questions
    if config.drawings:
        if QUESTIONS in data.proxies:
            raise RequestError(f"data.proxies: {QUESTIONS} is the name of the questions' part")
        sources[data.corpus] = list(data.proxies)
        for proxy in data.proxies:
            mixture[proxy] = config.drawings / len(data.proxies)
    return Stream(
        sources,
        mixture=mixture,
        batch_size=config.questions + config.drawings,
        seed=config.seed,
        transform=ToModel(config.model.picture, data.blind),
        reading=Reading(fraction=data.fraction),
        topology=Topology(rank, world),
    )


def answers_of(config: TrainConfig) -> tuple[str, ...]:
    """Every answer that the training questions have, sorted: what a model chooses from."""
    from sgt_data.stream.conversations import ConversationFile

    found: set[str] = set()
    for url in [questions_file(config.data.questions), *config.data.more_questions]:
        file = ConversationFile(url)
        lines = (file.read("", line, with_picture=False) for line in range(len(file)))
        found |= {question_and_answer(one)[1] for one in lines}
    return tuple(sorted(found))


class Collation:
    """Batches of the stream -> tensors."""

    def __init__(self, answers: Sequence[str]) -> None:
        self._numbers: Mapping[str, int] = {one: number for number, one in enumerate(answers)}

    def __call__(self, batch: Batch) -> TrainingBatch:
        asked = [one for one in batch["samples"] if "answer" in one]
        drawn = [one for one in batch["samples"] if "target" in one]
        return TrainingBatch(
            self.questions(asked) if asked else None, self.drawings(drawn) if drawn else None
        )

    def questions(self, samples: Sequence[Mapping[str, Any]]) -> Questions:
        numbers = [self._numbers.get(one["answer"], -1) for one in samples]
        pictures = as_pictures([one["picture"] for one in samples])
        return Questions(pictures, [one["text"] for one in samples], torch.tensor(numbers))

    def drawings(self, samples: Sequence[Mapping[str, Any]]) -> Drawings:
        pictures, targets = (
            as_pictures([one[name] for one in samples]) for name in ("picture", "target")
        )
        return Drawings(pictures, [one["text"] for one in samples], targets)


def as_pictures(pixels: Sequence[np.ndarray]) -> Tensor:
    """n pictures [S, S, 3] uint8 -> [n, 3, S, S] float in -1 to 1."""
    stacked = torch.from_numpy(np.stack(pixels))
    return stacked.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def parts_of(batch: TrainingBatch, count: int) -> Iterator[tuple[TrainingBatch, dict[str, float]]]:
    """A batch cut into `count` parts for accumulated gradients, and what share of the whole batch's
    losses each part's are."""
    for number in range(count):
        cut = slice(number, None, count)
        asked, drawn, shares = batch.questions, batch.drawings, {}
        if asked is not None:
            whole = len(asked.texts)
            asked = Questions(asked.pictures[cut], asked.texts[cut], asked.answers[cut])
            shares["answers"] = shares["accuracy"] = len(asked.texts) / whole
        if drawn is not None:
            whole = len(drawn.texts)
            drawn = Drawings(drawn.pictures[cut], drawn.texts[cut], drawn.targets[cut])
            shares["drawings"] = len(drawn.texts) / whole
        yield TrainingBatch(asked, drawn), shares
