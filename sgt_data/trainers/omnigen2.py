"""Samples and batches for OmniGen2's training, as published and as SGT released it.

`to_omnigen2` and `to_sgt_omnigen2` make the items that the two collators take; `loader` gives the
training loop its batches. docs/omnigen2.md has the whole change of each `train.py`.
"""

from __future__ import annotations

from typing import Any

from PIL import Image

from sgt_data.corpus.sample import Sample
from sgt_data.errors import RequestError
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.stream import Stream
from sgt_data.trainers.omnigen2_answers import QWEN_TOKENS_MAX, AnswerItems
from sgt_data.trainers.omnigen2_chat import drawing_prompt
from sgt_data.trainers.omnigen2_pictures import (
    DEFAULT_LIMITS,
    QWEN_MAX_PIXELS,
    QWEN_MIN_PIXELS,
    SizeLimits,
    processed_input,
    processed_target,
    shown,
)
from sgt_data.trainers.train_loader import Collate, TrainLoader

__all__ = [
    "DEFAULT_LIMITS",
    "OMNIGEN2_TASK",
    "QWEN_MAX_PIXELS",
    "QWEN_MIN_PIXELS",
    "SizeLimits",
    "loader",
    "to_omnigen2",
    "to_sgt_omnigen2",
]

OMNIGEN2_TASK = "edit"
"""OmniGen2's word for "picture and instruction in, picture out"."""


def loader(
    accelerator: Any, stream: Stream, collate: Collate, *, num_workers: int = 0
) -> TrainLoader:
    """The batches of a stream, for the training loops of OmniGen2 in place of their `DataLoader`.

    It has what these loops ask for: a length, another order in each epoch, tensors on the
    accelerator's device, and `resume(global_step)`. It may go through `accelerator.prepare`, which
    leaves it as it is.

    Args:
        accelerator: the loop's `accelerate.Accelerator`.
        stream: the stream of this rank; its `batch_size` is `args.train.batch_size` times the
            number of ranks, and its transform `to_omnigen2` or `to_sgt_omnigen2`.
        collate: the `OmniGen2Collator` of the training code.
        num_workers: number of processes that make batches.

    Raises:
        RequestError: the stream is of another rank than the accelerator, or its batches do not
            divide among the ranks.
    """
    return TrainLoader(accelerator, stream, collate, num_workers=num_workers)


def to_omnigen2(
    sample: Sample,
    tokenizer: Any,
    image_processor: Any,
    *,
    system: str,
    limits: SizeLimits = DEFAULT_LIMITS,
    drop_instruction: bool = False,
    drop_picture: bool = False,
) -> dict[str, Any]:
    """A sample for the collator of OmniGen2 as published, which tokenizes the instruction itself.

    There is no loss of texts in that training, so it takes no conversations.

    Args:
        sample: a sample of a corpus.
        tokenizer: the text encoder's tokenizer; its chat template is applied.
        image_processor: `OmniGen2ImageProcessor`.
        system: the system prompt. The trainer's own data set holds it as a constant (and another
            constant for samples without an instruction).
        limits: to which size pictures are shrunk.
        drop_instruction: leave the instruction empty.
        drop_picture: leave the input picture out.

    Raises:
        CorpusError: a picture cannot be decoded.
        RequestError: the sample is a conversation.
    """
    if isinstance(sample, Conversation):
        raise RequestError(
            f"component {sample.component}: found conversations; OmniGen2 as published learns to "
            "draw alone, so take proxies of corpora. SGT's release learns answers too: see "
            "to_sgt_omnigen2"
        )
    picture, target = sample.pictures()
    instruction = "" if drop_instruction else sample.instruction
    chat = [{"role": "system", "content": system}, {"role": "user", "content": instruction}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
    fields = _fields(sample, text) | _processed(picture, target, image_processor, limits)
    if drop_picture:
        fields |= {"input_images": None, "input_images_path": None}
    return fields


def to_sgt_omnigen2(
    sample: Sample | Conversation,
    processor: Any,
    image_processor: Any,
    *,
    system: str,
    limits: SizeLimits = DEFAULT_LIMITS,
    drop_instruction: bool = False,
    max_tokens: int = QWEN_TOKENS_MAX,
) -> dict[str, Any]:
    """A sample or a conversation for the collator of OmniGen2 as SGT released it.

    There the text encoder sees the input picture too, so the tensors of its processor come with the
    sample, and the input picture is never left out. A conversation becomes an item of the task
    `sft`: its last answer is learnt, and what was said before it is the prompt.

    Args:
        sample: a sample of a corpus, or a conversation with one picture or none.
        processor: the processor of Qwen2.5-VL. SGT makes it with `min_pixels=QWEN_MIN_PIXELS` and
            `max_pixels=QWEN_MAX_PIXELS`.
        image_processor: `OmniGen2ImageProcessor`.
        system: the system prompt. The trainer's own data set holds it as a constant (and another
            constant for samples without an instruction).
        limits: to which size pictures are shrunk.
        drop_instruction: leave the instruction of a drawing empty.
        max_tokens: most tokens of a conversation's prompt and answer together.

    Raises:
        CorpusError: a picture cannot be decoded; or a conversation is no questions with answers, or
            has more tokens. SGT's own loader passes such items over; `Reading(on_error="skip")`
            does so and counts them.
    """
    if isinstance(sample, Conversation):
        items = AnswerItems(processor, image_processor, system, limits, max_tokens)
        return items.item(sample)
    picture, target = sample.pictures()
    text = drawing_prompt(system, "" if drop_instruction else sample.instruction)
    pictures = _processed(picture, target, image_processor, limits)
    return _fields(sample, text) | pictures | shown(processor, text, picture)


def _fields(sample: Sample, text: str) -> dict[str, Any]:
    """The fields beside pictures that both versions take; the paths are for logs."""
    place = f"{sample.corpus}/{sample.proxy}/{sample.shard}.tar/{sample.key}"
    return {
        "task_type": OMNIGEN2_TASK,
        "instruction": text,
        "input_images_path": [f"{place}.input"],
        "output_image_path": f"{place}.target",
    }


def _processed(
    picture: Image.Image, target: Image.Image, image_processor: Any, limits: SizeLimits
) -> dict[str, Any]:
    """Input and target as the image processor makes them."""
    return {
        "input_images": [processed_input(picture, image_processor, limits)],
        "output_image": processed_target(target, image_processor, limits),
    }
