"""The batches of a run: questions and drawings in exact shares, as tensors."""

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
from torch.utils.data import DataLoader

from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.pictures.resample import resized_pixels
from sgt_data.stream.batch import Batch
from sgt_data.stream.conversations import Conversation, ConversationFile
from sgt_data.stream.options import Reading, Topology
from sgt_data.stream.stream import Stream
from sgt_data.stream.transforms import input_filter, target_filter
from sgt_data.training.config import TrainConfig
from sgt_data.training.learner import Drawings, Questions, TrainingBatch
from sgt_data.value_text import counted

QUESTIONS = "questions"
"""The mixture's component of all questions."""

_GREY = 127
_CACHE_BYTES = 256 * 1024**2
_PICTURE_WORD = "<image>"


def questions_file(questions: str, split: str = "train") -> str:
    """The file of a split in a folder of questions; a `.jsonl` file stands for itself."""
    if questions.endswith(".jsonl"):
        return questions
    return str(Path(questions) / f"{split}.jsonl")


@dataclass(frozen=True, slots=True)
class ToModel:
    """A transform of the stream: resizes and decodes samples for a model, to uint8 [S, S, 3].

    Targets of labels are resized by the nearest pixel. Resized pictures are cached, up to 256 MiB:
    a small model reads the same pictures many times, and decoding a photograph takes longer than
    learning from it.

    Attributes:
        picture: side S of the model's pictures, pixels.
        blind: whether questions get a grey picture.
        cache: resized pictures by digest and resampling filter.
    """

    picture: int
    blind: bool
    cache: dict[tuple[bytes, int], np.ndarray] = field(default_factory=dict, repr=False)

    def __call__(self, sample: Any) -> dict[str, Any]:
        """The fields that the model reads.

        Of a question `picture`, `text` and `answer`; of a drawing `picture`, `target`, `text`,
        `proxy` and `key`.

        Raises:
            CorpusError: the sample is damaged.
        """
        cubic = Image.Resampling.BICUBIC
        if isinstance(sample, Conversation):
            question, answer = question_and_answer(sample)
            picture = np.full((self.picture, self.picture, 3), _GREY, np.uint8)
            if not self.blind:
                picture = self._resized(sample.image or b"", cubic, lambda data: _decoded(sample))
            return {"picture": picture, "text": question, "answer": answer}
        assert isinstance(sample, Sample)
        resampling = target_filter(sample.facts)
        return {
            "picture": self._resized(sample.input, input_filter(sample.facts), sample.decoded),
            "target": self._resized(sample.target, resampling, sample.decoded),
            "text": sample.instruction,
            "proxy": sample.proxy,
            "key": sample.key,
        }

    def _resized(
        self, data: bytes, resampling: Image.Resampling, decode: Callable[[bytes], np.ndarray]
    ) -> np.ndarray:
        name = blake2b(data, digest_size=16).digest(), int(resampling)
        if (cached := self.cache.get(name)) is not None:
            return cached
        size = (self.picture, self.picture)
        pixels = decode(data)
        if pixels.shape[:2] != size:
            pixels = resized_pixels(pixels, size, resampling)
        if (1 + len(self.cache)) * pixels.nbytes <= _CACHE_BYTES:
            self.cache[name] = pixels
        return pixels


def question_and_answer(sample: Conversation) -> tuple[str, str]:
    """The first question of a conversation about a picture, and its answer.

    Raises:
        CorpusError: the conversation has no question, no answer or no picture.
    """
    texts = [turn["value"] for turn in sample.turns[:2]]
    if len(texts) < 2 or not sample.has_picture:
        raise CorpusError(f"{sample.source}, {sample.key}: no question about a picture")
    return texts[0].replace(_PICTURE_WORD, "").strip(), texts[1].strip()


def _decoded(sample: Conversation) -> np.ndarray:
    try:
        return rgb_pixels(sample.image or b"")
    except ValueError as why:
        raise CorpusError(f"{sample.source}, {sample.key}: its picture: {in_words(why)}") from why


def open_stream(config: TrainConfig, rank: int, world: int) -> Stream:
    """The stream of a run, as one rank reads it.

    Args:
        config: of the run.
        rank: number of the process, from 0.
        world: number of processes.

    Raises:
        RequestError: the corpus, a proxy or the questions do not exist.
    """
    data = config.data
    sources: dict[str, Sequence[str] | str] = {}
    mixture: dict[str, float] = {}
    if config.questions:
        for url in _question_files(config):
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


def epoch_batches(stream: Stream, workers: int) -> Iterator[Any]:
    """Batches of the stream's epoch, loaded by so many worker processes; 0: in this process."""
    if workers == 0:
        return iter(stream)
    loader: DataLoader[Any] = DataLoader(
        stream,  # type: ignore[arg-type]
        batch_size=None,
        num_workers=workers,
    )
    return iter(loader)


def answers_of(config: TrainConfig) -> tuple[str, ...]:
    """All answers to the training questions, sorted; a model chooses from them.

    Raises:
        RequestError: a file of questions does not exist or is empty.
        CorpusError: a line is no question about a picture.
    """
    answers: set[str] = set()
    for url in _question_files(config):
        file = ConversationFile(url)
        without = []
        for row in range(len(file)):
            sample = file.read("", row, with_picture=False)
            if sample.has_picture:
                answers.add(question_and_answer(sample)[1])
            else:
                without.append(row)
        if without:
            raise CorpusError(
                f"{url}: {len(without)} of {counted(len(file), 'conversation')} have no picture, "
                "the first "
                f"at {file.where(without[0])}; the bundled trainer learns questions about "
                "pictures alone. Take them out of the file"
            )
    return tuple(sorted(answers))


def _question_files(config: TrainConfig) -> list[str]:
    return [questions_file(config.data.questions), *config.data.more_questions]


class Collator:
    """Makes tensors of the samples that `ToModel` gave."""

    def __init__(self, answers: Sequence[str]) -> None:
        """Number the answers.

        Args:
            answers: answers that the model chooses from, in order.
        """
        self._numbers: Mapping[str, int] = {answer: number for number, answer in enumerate(answers)}

    def __call__(self, batch: Batch) -> TrainingBatch:
        """The questions and the drawings of a batch, apart."""
        questions = [sample for sample in batch["samples"] if "answer" in sample]
        drawings = [sample for sample in batch["samples"] if "target" in sample]
        return TrainingBatch(
            self.questions(questions) if questions else None,
            self.drawings(drawings) if drawings else None,
        )

    def questions(self, samples: Sequence[Mapping[str, Any]]) -> Questions:
        """Questions as tensors; an answer that is not in the list has number -1."""
        numbers = [self._numbers.get(sample["answer"], -1) for sample in samples]
        pictures = as_pictures([sample["picture"] for sample in samples])
        return Questions(pictures, [sample["text"] for sample in samples], torch.tensor(numbers))

    def drawings(self, samples: Sequence[Mapping[str, Any]]) -> Drawings:
        """Pictures and their targets as tensors."""
        pictures, targets = (
            as_pictures([sample[name] for sample in samples]) for name in ("picture", "target")
        )
        return Drawings(pictures, [sample["text"] for sample in samples], targets)


def as_pictures(pixels: Sequence[np.ndarray]) -> Tensor:
    """n pictures [S, S, 3] uint8 as one tensor [n, 3, S, S], float in -1 to 1."""
    stacked = torch.from_numpy(np.stack(pixels))
    return stacked.permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def split_batch(
    batch: TrainingBatch, count: int
) -> Iterator[tuple[TrainingBatch, dict[str, float]]]:
    """Cut a batch into `count` parts, for gradients that are accumulated.

    Yields:
        A part, and by name of a loss the share that the part has in the loss of the whole batch.
    """
    for number in range(count):
        cut = slice(number, None, count)
        questions, drawings, shares = batch.questions, batch.drawings, {}
        if questions is not None:
            whole = len(questions.texts)
            questions = Questions(
                questions.pictures[cut], questions.texts[cut], questions.answers[cut]
            )
            shares["answers"] = shares["accuracy"] = len(questions.texts) / whole
        if drawings is not None:
            whole = len(drawings.texts)
            drawings = Drawings(drawings.pictures[cut], drawings.texts[cut], drawings.targets[cut])
            shares["drawings"] = len(drawings.texts) / whole
        yield TrainingBatch(questions, drawings), shares
