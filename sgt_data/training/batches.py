"""The batches of a run: questions, drawings and captions in exact shares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from sgt_data.errors import CorpusError, RequestError
from sgt_data.files.urls import is_local
from sgt_data.stream.conversations import Conversation, ConversationFile
from sgt_data.stream.options import Reading, Topology
from sgt_data.stream.stream import Stream
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.training.categories import category_numbers
from sgt_data.training.config import TrainConfig
from sgt_data.training.exchanges import caption_of, question_and_answer
from sgt_data.training.model_settings import ModelSettings
from sgt_data.training.to_model import CAPTIONS, DESCRIPTIONS, QUESTIONS, ToModel
from sgt_data.training.wrong_targets import check_wrong_targets
from sgt_data.value_text import counted

_CHECKED = 256
"""Conversations of a local file that are looked at before the first step; all others are when they
are read, so that a file of millions begins at once."""


def questions_file(questions: str, split: str = "train") -> str:
    """The file of a split in a folder of questions; a `.jsonl` file stands for itself."""
    if questions.endswith(".jsonl"):
        return questions
    return str(Path(questions) / f"{split}.jsonl")


def open_stream(config: TrainConfig, rank: int, world: int) -> Stream:
    """The stream of a run, as one rank reads it.

    Args:
        config: of the run.
        rank: number of the process, from 0.
        world: number of processes.

    Raises:
        RequestError: the corpus, a proxy, the questions or the captions do not exist or do not fit.
        CorpusError: one of the first conversations of a file cannot be learnt.
    """
    data = config.data
    sources: dict[str, Sequence[str] | str] = {}
    mixture: dict[str, float] = {}
    if config.questions:
        files = [questions_file(each) for each in (data.questions, *data.more_questions)]
        sources |= _checked_files(files, QUESTIONS)
        mixture[QUESTIONS] = config.questions
    if config.descriptions:
        files = [questions_file(each) for each in data.descriptions]
        sources |= _checked_files(files, DESCRIPTIONS)
        mixture[DESCRIPTIONS] = config.descriptions
    if config.drawings:
        if reserved := {QUESTIONS, DESCRIPTIONS, CAPTIONS}.intersection(data.proxies):
            raise RequestError(f"data.proxies: {min(reserved)} is the name of a part of the batch")
        if data.wrong_targets:
            check_wrong_targets(config.drawings, len(data.proxies), world)
        sources[data.corpus] = list(data.proxies)
        for proxy in data.proxies:
            mixture[proxy] = config.drawings / len(data.proxies)
    if config.captions:
        sources |= _checked_files(data.captions, CAPTIONS)
        mixture[CAPTIONS] = config.captions
    return Stream(
        sources,
        mixture=mixture,
        batch_size=config.samples,
        seed=config.seed,
        transform=ToModel(config.model.picture, data.blind, _categories(config)),
        reading=Reading(fraction=data.fraction, check_first=False),
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


def _categories(config: TrainConfig) -> dict[str, int] | None:
    """The numbers of categories of a run that classifies; None of one that draws."""
    if config.objective == "draw" or not config.drawings:
        return None
    numbers = category_numbers(open_corpus(config.data.corpus), config.data.proxies)
    told = config.model.settings.get("classes", ModelSettings.classes)
    if isinstance(told, int) and told < len(numbers):
        raise RequestError(
            f"model.settings.classes is {told}, and the corpus has "
            f"{counted(len(numbers), 'category')}; set it to {len(numbers)} or more"
        )
    return numbers


def _checked_files(urls: Sequence[str], part: str) -> dict[str, str]:
    """The component of each file, after a look at the first conversations of local ones."""
    for url in filter(is_local, urls):
        file = ConversationFile(url)
        for row in range(min(_CHECKED, len(file))):
            conversation = file.read(part, row, with_picture=row == 0)
            _check(conversation, file.where(row))
    return dict.fromkeys(urls, part)


def _check(conversation: Conversation, where: str) -> None:
    try:
        read = caption_of if conversation.component == CAPTIONS else question_and_answer
        read(conversation)
    except CorpusError as why:
        problem = str(why).removeprefix(f"{conversation.source}, ")
        raise CorpusError(f"{where}: {problem}") from why
