"""Runs the data set of OmniGen2, of a checkout on PYTHONPATH, on a list, and prints its items.

    read_omnigen2_export.py CONFIG

Stand-ins: the tokenizer, and the processor of Qwen2.5-VL that SGT's release loads by its name.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import sys
from typing import Any

import torch
from stand_ins import with_torchvision

LIBRARY = with_torchvision()
from omnigen2.dataset import omnigen2_train_dataset as module  # noqa: E402


class Words:
    padding_side = "right"

    def __call__(self, text: str, **_: Any) -> Any:
        return Fields(input_ids=torch.tensor([list(text.encode())]),
                      attention_mask=torch.ones(1, len(text.encode())))  # fmt: skip

    def apply_chat_template(self, chat: list[dict[str, str]], **_: Any) -> str:
        return chat[-1]["content"]


class Fields(dict[str, Any]):
    def __getattr__(self, name: str) -> Any:
        return self[name]


class Processor:
    tokenizer = Words()

    @classmethod
    def from_pretrained(cls, *_: Any, **__: Any) -> Processor:
        return cls()

    def __call__(self, text: str, images: list[Any], **_: Any) -> Fields:
        count = len(images)
        return Fields(self.tokenizer(text), pixel_values=torch.zeros(count, 1),
                      image_grid_thw=torch.ones(count, 3))  # fmt: skip


def digest(tensor: Any) -> Any:
    """SHA-256 of the RGB bytes of a normalised picture [1, 3, H, W]."""
    if tensor is None:
        return None
    rgb = ((tensor[0] * 0.5 + 0.5) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    return hashlib.sha256(rgb.numpy().tobytes()).hexdigest()


def main(config: str) -> list[Any]:
    if hasattr(module, "AutoProcessor"):
        module.AutoProcessor = Processor
    data = module.OmniGen2TrainDataset(
        config, Words(), True, max_input_pixels=[1048576] * 4, max_output_pixels=1048576,
        max_side_length=2048,
    )  # fmt: skip
    # the bank that the release draws from, to compare with
    known = set(getattr(data, "get_segment_prompt_list", []))
    items = []
    for number in range(len(data)):
        item = data[number]
        items.append(
            {
                "task": item["task_type"],
                "instruction": item["instruction"],
                "input": [digest(picture) for picture in item["input_images"] or []],
                "output": digest(item["output_image"]),
                "answer": item.get("answer"),
                "of_bank": any(line in item["instruction"] for line in known),
            }
        )
    assert inspect.getfile(module).startswith(tuple(sys.path))
    return items


if __name__ == "__main__":
    result = main(sys.argv[1])
    print()
    print(json.dumps(result))
