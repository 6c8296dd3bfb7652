"""Samples for OmniGen2's training: what its collator takes, in both forms of its code.

What to change in OmniGen2's train.py:

    from functools import partial
    from sgt_data.stream.omnigen2 import to_omnigen2            # as published
    from sgt_data.stream.omnigen2 import to_sgt_omnigen2        # as SGT released it
    collate = OmniGen2Collator(tokenizer=text_tokenizer, max_token_len=...)
    stream = Stream({'s3://bucket/corpus': ['segmentation']},
        batch_size=args.train.batch_size * accelerator.num_processes,
        topology=Topology(accelerator.process_index, accelerator.num_processes),
        transform=partial(to_omnigen2, tokenizer=text_tokenizer, system=...,
            image_processor=OmniGen2ImageProcessor(vae_scale_factor=16, do_resize=True)))
    train_dataloader = DataLoader(stream, batch_size=None,
        collate_fn=lambda batch: collate(batch['samples']), num_workers=...)

in place of `OmniGen2TrainDataset`, its sampler and its `DataLoader`; leave `train_dataloader` out
of `accelerator.prepare`, which would divide it among the ranks once more. Classifier-free guidance
needs some samples without instruction or picture: `drop_instruction` and `drop_picture` make them,
and the transform decides which.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from sgt_data.corpus.sample import Sample

PIXELS = 1024 * 1024
SIDE = 2048
"""OmniGen2's limits by default, in pixels: of a picture's area, and of its longer side."""

TASK = "edit"
"""OmniGen2's word for "picture and instruction in, picture out"."""


def to_omnigen2(
    sample: Sample,
    tokenizer: Any,
    image_processor: Any,
    *,
    system: str,
    max_input_pixels: int = PIXELS,
    max_output_pixels: int = PIXELS,
    max_side_length: int = SIDE,
    drop_instruction: bool = False,
    drop_picture: bool = False,
) -> dict[str, Any]:
    """For the collator of OmniGen2 as published, which tokenizes the instruction itself.

    Args:
        tokenizer: the text encoder's; its chat template is applied.
        image_processor: `OmniGen2ImageProcessor`.
        system: the system prompt, which the trainer's own data set holds as a constant (it has
            another one for samples without an instruction).
        max_input_pixels, max_output_pixels, max_side_length: what it shrinks pictures to. The first
            is the first of OmniGen2's list, as there is one input.
        drop_instruction, drop_picture: leave them out.

    Raises:
        CorpusError: a picture cannot be decoded.
    """
    picture, target = sample.pictures()
    words = "" if drop_instruction else sample.instruction
    chat = [{"role": "system", "content": system}, {"role": "user", "content": words}]
    template = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=False)
    prepare = partial(image_processor.preprocess, max_side_length=max_side_length)
    found = {
        **_described(sample, template),
        "input_images": [prepare(picture, max_pixels=max_input_pixels)],
        "output_image": prepare(target, max_pixels=max_output_pixels),
    }
    if drop_picture:
        found |= {"input_images": None, "input_images_path": None}
    return found


def to_sgt_omnigen2(
    sample: Sample,
    processor: Any,
    image_processor: Any,
    *,
    system: str,
    max_input_pixels: int = PIXELS,
    max_output_pixels: int = PIXELS,
    max_side_length: int = SIDE,
    drop_instruction: bool = False,
) -> dict[str, Any]:
    """For the collator of OmniGen2 as SGT released it: the text encoder sees the picture too, so
    its processor's tensors come with the sample. (There the picture is never left out.)

    Args:
        processor: of Qwen2.5-VL.
        image_processor: `OmniGen2ImageProcessor`.
        system: the system prompt, which the trainer's own data set holds as a constant (it has
            another one for samples without an instruction).
        max_input_pixels, max_output_pixels, max_side_length: as in `to_omnigen2`.
        drop_instruction: leave it out.

    Raises:
        CorpusError: a picture cannot be decoded.
    """
    picture, target = sample.pictures()
    instruction = _with_picture(system, "" if drop_instruction else sample.instruction)
    tensors = processor(text=instruction, images=[picture], padding=True, return_tensors="pt")
    prepare = partial(image_processor.preprocess, max_side_length=max_side_length)
    return {
        **_described(sample, instruction),
        "input_images": [prepare(picture, max_pixels=max_input_pixels)],
        "output_image": prepare(target, max_pixels=max_output_pixels),
        **{
            name: tensors[name]
            for name in ("input_ids", "attention_mask", "pixel_values", "image_grid_thw")
        },
    }


def _with_picture(system: str, words: str) -> str:
    """An instruction in Qwen's chat format, after one picture."""
    seen = "<img1>: <|vision_start|><|image_pad|><|vision_end|>"
    return (
        f"<|im_start|>system\n{system}<|im_end|>\n"
        f"<|im_start|>user\n{seen}{words}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def _described(sample: Sample, instruction: str) -> dict[str, Any]:
    """What both forms say beside pictures; their paths are for logs."""
    place = f"{sample.corpus}/{sample.proxy}/{sample.shard}.tar/{sample.key}"
    return {
        "task_type": TASK,
        "instruction": instruction,
        "input_images_path": [f"{place}.input"],
        "output_image_path": f"{place}.target",
    }
