"""What OmniGen2's collator makes of our feeder's items, and of its own data set's items.

    read_omnigen2.py {published,sgt} CORPUS QUESTIONS PROCESSOR CONFIG

Runs with a checkout of OmniGen2's training code and with this repository in PYTHONPATH: a feeder is
code of ours that runs in the trainer. Prints {"ours": {key: fields}, "own": {key: fields}}.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sgt_data import Ordering, Stream
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

provide_torchvision_operators()

import torch  # noqa: E402  (torchvision's operators come first)
from accelerate import Accelerator  # noqa: E402
from omnigen2.dataset.omnigen2_train_dataset import (  # noqa: E402
    OmniGen2Collator,
    OmniGen2TrainDataset,
)
from omnigen2.pipelines.image_processor import OmniGen2ImageProcessor  # noqa: E402
from transformers import AutoProcessor, AutoTokenizer  # noqa: E402

from sgt_data.trainers.omnigen2 import (  # noqa: E402
    QWEN_MAX_PIXELS,
    QWEN_MIN_PIXELS,
    loader,
    to_omnigen2,
    to_sgt_omnigen2,
)

AREA = 1024 * 1024


def digest(values: torch.Tensor) -> str:
    return hashlib.sha256(values.contiguous().numpy().tobytes()).hexdigest()


def pixels(picture: torch.Tensor | None) -> str | None:
    """SHA-256 of the RGB bytes [H, W, 3] of a picture from -1 to 1."""
    if picture is None:
        return None
    image = picture.reshape(picture.shape[-3:]).permute(1, 2, 0)
    return digest(((image * 0.5 + 0.5) * 255).round().to(torch.uint8))


def fields_by_key(batches: Iterable[dict[str, Any]], tokenizer: Any) -> dict[str, dict[str, Any]]:
    """The collated fields of batches of one sample, each by the sample's key."""
    found = {}
    for batch in batches:
        path = (batch["output_image_path"] or [None])[0]
        key = re.findall(r"(coco_\d+)", path)[-1] if path else batch["ids"][0]
        pictures = (batch["input_images"] or [None])[0] or [None]
        target = (batch["output_image"] or [None])[0]
        length = int(batch["text_mask"].sum())
        fields = {
            "task": batch["task_type"][0],
            "text": tokenizer.decode(batch["text_ids"][0][:length]),
            "input": pixels(pictures[0]),
            "target": pixels(target),
        }
        for name in ("pixel_values", "labels"):
            if batch.get(name) is not None:
                fields[name] = digest(batch[name])
        if batch.get("image_grid_thw") is not None:
            fields["grid"] = batch["image_grid_thw"].tolist()
        fields["answer"] = (batch.get("answer") or [None])[0]
        found[key] = fields
    return found


def main(version: str, corpus: str, questions: str, processor: str, config: str) -> None:
    random.seed(0)
    os.environ["OMNIGEN2_QWEN_PROCESSOR_PATH"] = processor
    os.environ["OMNIGEN2_SFT_IMAGE_ROOT"] = str(Path(questions).parent)
    tokenizer = AutoTokenizer.from_pretrained(processor)
    collate = OmniGen2Collator(tokenizer=tokenizer, max_token_len=888)
    common = {
        "image_processor": OmniGen2ImageProcessor(vae_scale_factor=16, do_resize=True),
        "system": OmniGen2TrainDataset.SYSTEM_PROMPT,
    }
    sources: dict[str, Any] = {corpus: ["panoptic"]}
    order = Ordering(pattern=["panoptic"])
    transform = functools.partial(to_omnigen2, tokenizer=tokenizer, **common)
    if version == "sgt":
        sources[questions] = "vqa"
        order = Ordering(pattern=["panoptic", "vqa"])
        qwen = AutoProcessor.from_pretrained(
            processor, min_pixels=QWEN_MIN_PIXELS, max_pixels=QWEN_MAX_PIXELS
        )
        transform = functools.partial(to_sgt_omnigen2, processor=qwen, **common)
    stream = Stream(sources, batch_size=1, order=order, transform=transform)
    ours = fields_by_key(loader(Accelerator(cpu=True), stream, collate, num_workers=1), tokenizer)
    own = OmniGen2TrainDataset(
        config, tokenizer, True,
        max_input_pixels=[AREA] * 4, max_output_pixels=AREA, max_side_length=2048,
    )  # fmt: skip
    items = (collate([own[number]]) for number in range(len(own)))
    print(json.dumps({"ours": ours, "own": fields_by_key(items, tokenizer)}))


if __name__ == "__main__":
    main(*sys.argv[1:])
