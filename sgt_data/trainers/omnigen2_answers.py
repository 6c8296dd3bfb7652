"""Conversations as OmniGen2's training learns them in SGT's release: items of the task `sft`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from sgt_data.errors import CorpusError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.stream.conversations import Conversation
from sgt_data.trainers.omnigen2_chat import question_and_answer
from sgt_data.trainers.omnigen2_pictures import SizeLimits, processed_input, shown
from sgt_data.value_text import cut

SFT_TASK = "sft"
"""`task_type` of questions with answers, by which the training loop tells them from drawings."""

QWEN_TOKENS_MAX = 3072
"""Most tokens of prompt and answer together in SGT's release."""


@dataclass(frozen=True, slots=True)
class AnswerItems:
    """Makes items of conversations.

    Attributes:
        processor: of Qwen2.5-VL.
        image_processor: `OmniGen2ImageProcessor`.
        system: the system prompt.
        limits: to which size pictures are shrunk.
        max_tokens: most tokens of prompt and answer together.
    """

    processor: Any
    image_processor: Any
    system: str
    limits: SizeLimits
    max_tokens: int

    def item(self, conversation: Conversation) -> dict[str, Any]:
        """An item for the collator.

        Raises:
            CorpusError: it is no questions with answers, it has too many tokens or no answer, or
                its picture cannot be decoded.
        """
        place = f"{conversation.source}, conversation {cut(conversation.key, 40)}"
        prompt, answer = question_and_answer(conversation, place, self.system)
        picture = _picture(conversation, place)
        tensors = shown(self.processor, prompt, picture)
        labels = self._tokens(answer, tensors["input_ids"].shape[-1], place)
        pictures = None
        if picture is not None:
            pictures = [processed_input(picture, self.image_processor, self.limits)]
        return tensors | {
            "task_type": SFT_TASK,
            "id": conversation.key,
            "category": conversation.fields.get("category", ""),
            "dataset": conversation.fields.get("dataset", ""),
            "instruction": prompt,
            "input_images_path": None if picture is None else [f"{place}: its picture"],
            "input_images": pictures,
            "output_image": None,
            "output_image_path": None,
            "answer": answer,
            "labels": labels,
        }

    def _tokens(self, answer: str, prompt_length: int, place: str) -> Any:
        """The tokens [1, n] of an answer."""
        if not answer:
            raise CorpusError(f"{place}: the last answer is empty, so there is nothing to learn")
        tokenizer = self.processor.tokenizer
        labels = tokenizer(answer, return_tensors="pt", add_special_tokens=False)["input_ids"]
        length = int(labels.shape[-1])
        if prompt_length + length > self.max_tokens:
            raise CorpusError(
                f"{place}: found {prompt_length} tokens of prompt and {length} of answer; allowed: "
                f"{self.max_tokens} together. Reading(on_error='skip') leaves such conversations "
                "out, a larger max_tokens takes them"
            )
        return labels


def _picture(conversation: Conversation, place: str) -> Image.Image | None:
    if conversation.image is None:
        return None
    try:
        return Image.fromarray(rgb_pixels(conversation.image))
    except ValueError as why:
        raise CorpusError(f"{place}: its picture: {in_words(why)}") from why
