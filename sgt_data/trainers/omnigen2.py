"""Samples and batches for OmniGen2's training, as published and as SGT released it.

`to_omnigen2` and `to_sgt_omnigen2` make the items that the two collators take; `loader` gives the
training loop its batches. docs/omnigen2.md has the whole change of each `train.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from sgt_data import checks
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.decode_stored import rgb_pixels
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.stream import Stream
from sgt_data.trainers.export_layouts import OMNIGEN2_TASK
from sgt_data.trainers.omnigen2_chat import drawing_prompt, question_and_answer
from sgt_data.trainers.train_loader import Collate, TrainLoader
from sgt_data.value_text import cut

QWEN_MIN_PIXELS = 256 * 28 * 28
"""Smallest area in pixels that the text encoder is shown in SGT's release: `min_pixels` of Qwen's
processor there. Smaller pictures are enlarged to it."""

QWEN_MAX_PIXELS = 1280 * 28 * 28
"""Largest area in pixels that the text encoder is shown in SGT's release: `max_pixels` of Qwen's
processor there, 1,280 tokens. Larger pictures are shrunk to it."""

SFT_TASK = "sft"
"""`task_type` of questions with answers, by which SGT's training loop tells them from drawings."""

QWEN_TOKENS_MAX = 3072
"""Most tokens of question and answer together in SGT's release."""


@dataclass(frozen=True, slots=True)
class SizeLimits:
    """To which size OmniGen2 shrinks pictures; its own defaults.

    Attributes:
        max_input_pixels: greatest area of the input picture in pixels. This is the first number of
            OmniGen2's list, as there is one input picture.
        max_output_pixels: greatest area of the target in pixels.
        max_side_length: greatest length of the longer side of both in pixels.
    """

    max_input_pixels: int = 1024 * 1024
    max_output_pixels: int = 1024 * 1024
    max_side_length: int = 2048

    def __post_init__(self) -> None:
        for name in ("max_input_pixels", "max_output_pixels", "max_side_length"):
            checks.whole_number(name, getattr(self, name), 1)


DEFAULT_LIMITS = SizeLimits()


def loader(
    accelerator: Any, stream: Stream, collate: Collate, *, num_workers: int = 0
) -> TrainLoader:
    """The batches of a stream, for the training loops of OmniGen2 in place of their `DataLoader`.

    It has what these loops ask for: a length, another order in each epoch, tensors on the
    accelerator's device, and `resume(global_step)`. It may go through `accelerator.prepare`, which
    leaves it as it is.

    Args:
        accelerator: the loop's `accelerate.Accelerator`.
        stream: the stream of this rank; its `batch_size` is `args.train.batch_size` times the number
            of ranks, and its transform `to_omnigen2` or `to_sgt_omnigen2`.
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
        return _answered(sample, processor, image_processor, system, limits, max_tokens)
    picture, target = sample.pictures()
    text = drawing_prompt(system, "" if drop_instruction else sample.instruction)
    return (
        _fields(sample, text)
        | _processed(picture, target, image_processor, limits)
        | _shown(processor, text, picture)
    )


def _answered(
    conversation: Conversation,
    processor: Any,
    image_processor: Any,
    system: str,
    limits: SizeLimits,
    max_tokens: int,
) -> dict[str, Any]:
    """A conversation as an item of the task `sft`."""
    place = f"{conversation.source}, conversation {cut(conversation.key, 40)}"
    prompt, answer = question_and_answer(conversation, system)
    picture = _picture(conversation, place)
    tensors = _shown(processor, prompt, picture)
    labels = processor.tokenizer(answer, return_tensors="pt", add_special_tokens=False)["input_ids"]
    lengths = tensors["input_ids"].shape[-1], labels.shape[-1]
    if not answer or sum(lengths) > max_tokens:
        raise CorpusError(
            f"{place}: found {lengths[0]} tokens of prompt and {lengths[1]} of answer; allowed: at "
            f"least one of answer, and {max_tokens} together. Reading(on_error='skip') leaves such "
            "conversations out; max_tokens allows more"
        )
    pictures = None
    if picture is not None:
        pictures = [_preprocessed(picture, image_processor, limits.max_input_pixels, limits)]
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


def _picture(conversation: Conversation, place: str) -> Image.Image | None:
    if conversation.image is None:
        return None
    try:
        return Image.fromarray(rgb_pixels(conversation.image))
    except ValueError as why:
        raise CorpusError(f"{place}: its picture: {in_words(why)}") from why


def _shown(processor: Any, text: str, picture: Image.Image | None) -> dict[str, Any]:
    """What the text encoder gets: the tokens of a text, and a picture's patches and their grid."""
    names = ["input_ids", "attention_mask", "pixel_values", "image_grid_thw"]
    if picture is None:
        tensors = processor.tokenizer(text, padding=True, return_tensors="pt")
        return {name: tensors[name] for name in names[:2]} | dict.fromkeys(names[2:])
    tensors = processor(text=text, images=[picture], padding=True, return_tensors="pt")
    return {name: tensors[name] for name in names}


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
        "input_images": [_preprocessed(picture, image_processor, limits.max_input_pixels, limits)],
        "output_image": _preprocessed(target, image_processor, limits.max_output_pixels, limits),
    }


def _preprocessed(
    picture: Image.Image, image_processor: Any, max_pixels: int, limits: SizeLimits
) -> Any:
    return image_processor.preprocess(
        picture, max_pixels=max_pixels, max_side_length=limits.max_side_length
    )
