"""The texts that Qwen2.5-VL reads in OmniGen2's training as SGT released it."""

from __future__ import annotations

from typing import Any

from sgt_data.errors import CorpusError
from sgt_data.stream.conversations import PICTURE_WORD, Conversation
from sgt_data.value_text import cut

_PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"
"""Where Qwen's processor puts the tokens of a picture."""

_QUESTION, _ANSWER = "human", "gpt"


def drawing_prompt(system: str, instruction: str) -> str:
    """An instruction to draw, after one picture, up to where the assistant speaks."""
    return f"{_turn('system', system)}{_turn('user', f'<img1>: {_PICTURE}{instruction}')}{_OPENING}"


def question_and_answer(conversation: Conversation, system: str) -> tuple[str, str]:
    """A conversation as a prompt, up to where the assistant speaks, and what it says there.

    The last answer is what is learnt. The turns before it are part of the prompt. Where the text
    does not say where the picture stands, it stands before the first question; of several places,
    the first one counts, as a conversation has at most one picture.

    Raises:
        CorpusError: the turns are no questions of `human` with answers of `gpt`.
    """
    turns = _checked_turns(conversation)
    *before, last = turns
    text = "".join(_turn(_ROLES[speaker], value) for speaker, value in before)
    return f"{_turn('system', system)}{text}{_OPENING}", last[1]


def _checked_turns(conversation: Conversation) -> list[tuple[str, str]]:
    """Speakers and texts of a conversation, question and answer in turn, with the place of its
    picture in them."""
    turns = [(turn.get("from"), turn["value"]) for turn in conversation.turns]
    for number, (speaker, _) in enumerate(turns):
        expected = (_QUESTION, _ANSWER)[number % 2]
        if speaker != expected:
            raise _wrong(
                conversation, f"turn {number + 1} is from {cut(speaker, 40)}, not {expected}"
            )
    if len(turns) % 2:
        raise _wrong(conversation, "the last question has no answer")
    has_picture = conversation.image is not None
    if has_picture and not any(PICTURE_WORD in text for _, text in turns):
        turns[0] = _QUESTION, f"{PICTURE_WORD}{turns[0][1]}"
    placed = []
    for speaker, text in turns:
        text = text.replace(f"{PICTURE_WORD}\n", PICTURE_WORD)
        if has_picture and PICTURE_WORD in text:
            text, has_picture = text.replace(PICTURE_WORD, _PICTURE, 1), False
        placed.append((speaker, text.replace(PICTURE_WORD, "")))
    return placed


def _wrong(conversation: Conversation, found: str) -> CorpusError:
    return CorpusError(
        f"{conversation.source}, conversation {cut(conversation.key, 40)}: {found}; OmniGen2 reads "
        f"questions of {_QUESTION}, each with an answer of {_ANSWER}"
    )


def _turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"


_ROLES: dict[Any, str] = {_QUESTION: "user", _ANSWER: "assistant"}
_OPENING = "<|im_start|>assistant\n"
