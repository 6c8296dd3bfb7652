"""Samples in the form that OmniGen2's collator takes, for both versions of its training code.

What to change in OmniGen2's train.py:

    from functools import partial
    from sgt_data import Stream, Topology
    from sgt_data.trainers.omnigen2 import to_omnigen2            # as published
    from sgt_data.trainers.omnigen2 import to_sgt_omnigen2        # as SGT released it
    collate = OmniGen2Collator(tokenizer=text_tokenizer, max_token_len=...)
    stream = Stream({'s3://bucket/corpus': ['segmentation']},
        batch_size=args.train.batch_size * accelerator.num_processes,
        transform=partial(to_omnigen2, tokenizer=text_tokenizer, system=...,
            image_processor=OmniGen2ImageProcessor(vae_scale_factor=16, do_resize=True)),
        topology=Topology(accelerator.process_index, accelerator.num_processes))
    train_dataloader = DataLoader(stream, batch_size=None,
        collate_fn=lambda batch: collate(batch['samples']), num_workers=...)

At the beginning of each epoch, call `stream.set_epoch(epoch)`: the collator runs in the workers, so
the stream does not see which batches are used.

This replaces `OmniGen2TrainDataset`, its sampler and its `DataLoader`. Do not pass
`train_dataloader` to `accelerator.prepare`, which would divide it among the ranks once more.

Classifier-free guidance needs some samples without instruction or input picture: a transform of
your own decides which, and calls `to_omnigen2` with `drop_instruction` or `drop_picture`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PIL import Image

from sgt_data import checks
from sgt_data.corpus.sample import Sample

OMNIGEN2_TASK = "edit"
"""OmniGen2's word for "picture and instruction in, picture out"."""


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
    """
    picture, target = sample.pictures()
    instruction = "" if drop_instruction else sample.instruction
    chat = [{"role": "system", "content": system}, {"role": "user", "content": instruction}]
    text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
    fields = _fields(sample, text) | _processed(picture, target, image_processor, limits)
    if drop_picture:
        fields |= {"input_images": None, "input_images_path": None}
    return fields


def to_sgt_omnigen2(
    sample: Sample,
    processor: Any,
    image_processor: Any,
    *,
    system: str,
    limits: SizeLimits = DEFAULT_LIMITS,
    drop_instruction: bool = False,
) -> dict[str, Any]:
    """A sample for the collator of OmniGen2 as SGT released it.

    There the text encoder sees the input picture too, so the tensors of its processor come with the
    sample, and the input picture is never left out.

    Args:
        sample: a sample of a corpus.
        processor: the processor of Qwen2.5-VL.
        image_processor: `OmniGen2ImageProcessor`.
        system: the system prompt. The trainer's own data set holds it as a constant (and another
            constant for samples without an instruction).
        limits: to which size pictures are shrunk.
        drop_instruction: leave the instruction empty.

    Raises:
        CorpusError: a picture cannot be decoded.
    """
    picture, target = sample.pictures()
    text = _qwen_chat(system, "" if drop_instruction else sample.instruction)
    tensors = processor(text=text, images=[picture], padding=True, return_tensors="pt")
    names = ("input_ids", "attention_mask", "pixel_values", "image_grid_thw")
    return (
        _fields(sample, text)
        | _processed(picture, target, image_processor, limits)
        | {name: tensors[name] for name in names}
    )


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
    side = limits.max_side_length
    return {
        "input_images": [
            image_processor.preprocess(
                picture, max_pixels=limits.max_input_pixels, max_side_length=side
            )
        ],
        "output_image": image_processor.preprocess(
            target, max_pixels=limits.max_output_pixels, max_side_length=side
        ),
    }


def _qwen_chat(system: str, instruction: str) -> str:
    """An instruction in Qwen's chat format, after one picture."""
    picture = "<img1>: <|vision_start|><|image_pad|><|vision_end|>"
    return (
        f"<|im_start|>system\n{system}<|im_end|>\n"
        f"<|im_start|>user\n{picture}{instruction}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )
