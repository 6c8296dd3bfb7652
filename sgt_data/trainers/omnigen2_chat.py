"""The texts that Qwen2.5-VL reads in OmniGen2's training as SGT released it."""

from __future__ import annotations

from sgt_data.errors import CorpusError
from sgt_data.stream.conversations import PICTURE_WORD, Conversation
from sgt_data.value_text import cut

_PICTURE = "<|vision_start|><|image_pad|><|vision_end|>"
"""Where Qwen's processor puts the tokens of a picture."""

_SPEAKERS = ("human", "gpt")
_ROLES = ("user", "assistant")
_OPENING = "<|im_start|>assistant\n"


def drawing_prompt(system: str, instruction: str) -> str:
    """An instruction to draw, after one picture, up to where the assistant speaks."""
    return _turn("system", system) + _turn("user", f"<img1>: {_PICTURE}{instruction}") + _OPENING


def question_and_answer(conversation: Conversation, place: str, system: str) -> tuple[str, str]:
    """A conversation as a prompt, up to where the assistant speaks, and what it says there.

    The last answer is what is learnt; the turns before it are part of the prompt. The picture
    stands at the first place that a text names for it, else before the first question.

    Args:
        conversation: with one picture or none.
        place: of the conversation, for messages.
        system: the system prompt.

    Raises:
        CorpusError: the turns are no questions of `human` with answers of `gpt`.
    """
    *before, answer = _with_picture(_checked_texts(conversation, place), conversation)
    turns = [_turn(_ROLES[number % 2], text) for number, text in enumerate(before)]
    return _turn("system", system) + "".join(turns) + _OPENING, answer


def _checked_texts(conversation: Conversation, place: str) -> list[str]:
    """The texts of a conversation: a question, its answer, and so on."""
    speakers = [turn.get("from") for turn in conversation.turns]
    expected = [_SPEAKERS[number % 2] for number in range(len(speakers))]
    if speakers != expected or len(speakers) % 2:
        raise CorpusError(
            f"{place}: found turns from {cut(speakers)}; OmniGen2 reads questions of "
            f"{_SPEAKERS[0]}, each with an answer of {_SPEAKERS[1]}"
        )
    return [turn["value"] for turn in conversation.turns]


def _with_picture(texts: list[str], conversation: Conversation) -> list[str]:
    """Texts in which the picture has its one place."""
    placed = [text.replace(f"{PICTURE_WORD}\n", PICTURE_WORD) for text in texts]
    if conversation.image is not None:
        if not any(PICTURE_WORD in text for text in placed):
            placed[0] = PICTURE_WORD + placed[0]
        first = next(number for number, text in enumerate(placed) if PICTURE_WORD in text)
        placed[first] = placed[first].replace(PICTURE_WORD, _PICTURE, 1)
    return [text.replace(PICTURE_WORD, "") for text in placed]


def _turn(role: str, text: str) -> str:
    return f"<|im_start|>{role}\n{text}<|im_end|>\n"
