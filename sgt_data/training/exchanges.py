"""Conversations as what a model learns: one question and its answer, or a caption.

A conversation is a list of exchanges, each a turn of `human` and the turn of `gpt` after it; a turn
of `system` may stand before them. A visit of a conversation learns one exchange. The first pass of
a stream takes the exchange that a hash of the key chooses, each later pass the next one, and after
the last one the first: so n passes over a conversation of n exchanges learn each of them once, the
first pass learns all places of conversations alike, and a resumed run learns what it would have.

The text of the first exchange is its question. The text of a later one has the exchanges before it:

    Question: What is on the table?
    Answer: A cup.
    Question: What colour is it?

The text of `system` comes first, on lines of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sgt_data.errors import CorpusError
from sgt_data.seeds import derive_seed
from sgt_data.stream.conversations import PICTURE_WORD, Conversation
from sgt_data.value_text import counted, cut

_SPEAKERS = ("human", "gpt")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its answer.

    Attributes:
        question: text without the placeholder of a picture.
        answer: text; the placeholder of a picture where the answer is the picture.
    """

    question: str
    answer: str


def question_and_answer(sample: Conversation) -> tuple[str, str]:
    """The text of the exchange that this visit of a conversation learns, and its answer.

    Raises:
        CorpusError: the turns are no questions with answers, or an answer is a picture.
    """
    system, exchanges = _exchanges(sample)
    for exchange in exchanges:
        if PICTURE_WORD in exchange.answer:
            raise CorpusError(
                f"{_place(sample)}: the answer {cut(exchange.answer, 60)} is a picture, in a file "
                "of questions; list the file in data.captions"
            )
    first = derive_seed(0, "exchange", sample.key)
    number = (first + sample.visit) % len(exchanges)
    return _text(system, exchanges[:number], exchanges[number].question), exchanges[number].answer


def caption_of(sample: Conversation) -> str:
    """The text of a caption, whose answer is the picture.

    Raises:
        CorpusError: the conversation is no text with its picture as the answer.
    """
    system, exchanges = _exchanges(sample)
    exchange = exchanges[0]
    if len(exchanges) > 1 or exchange.answer != PICTURE_WORD or not sample.has_picture:
        stated = cut(exchange.answer, 60) if sample.has_picture else "no picture"
        raise CorpusError(
            f"{_place(sample)}: no caption: found {counted(len(exchanges), 'answer')}, the first "
            f"{stated}; a line of data.captions has one turn of human, the text, one turn of gpt, "
            f"{PICTURE_WORD}, and the field image"
        )
    return _text(system, (), exchange.question)


def _exchanges(sample: Conversation) -> tuple[str, list[Exchange]]:
    """The text of `system`, and the exchanges in order, at least one."""
    turns = sample.turns
    system = ""
    if turns[0].get("from") == "system":
        system, turns = turns[0]["value"].strip(), turns[1:]
    speakers = [turn.get("from") for turn in turns]
    expected = [_SPEAKERS[number % 2] for number in range(len(turns))]
    if not turns or speakers != expected or len(turns) % 2:
        raise CorpusError(
            f"{_place(sample)}: found turns from {cut(speakers, 60)}; allowed: questions of "
            f"{_SPEAKERS[0]}, each with an answer of {_SPEAKERS[1]}, and a turn of system before "
            "them"
        )
    texts = [turn["value"] for turn in turns]
    return system, [
        Exchange(question.replace(PICTURE_WORD, "").strip(), answer.strip())
        for question, answer in zip(texts[::2], texts[1::2], strict=True)
    ]


def _text(system: str, earlier: Sequence[Exchange], question: str) -> str:
    lines = [system] if system else []
    for exchange in earlier:
        lines += [f"Question: {exchange.question}", f"Answer: {exchange.answer}"]
    return "\n".join([*lines, f"Question: {question}" if earlier else question])


def _place(sample: Conversation) -> str:
    return f"{sample.source}, {sample.key}"
