"""Reads an export of questions with LLaVA-NeXT's own `LazySupervisedDataset`, of a checkout.

python read_llava.py EXPORT

What its module imports for training and for models is replaced by empty modules.
"""

from __future__ import annotations

import importlib.machinery
import json
import sys
import types
from typing import Any

from stand_ins import with_torchvision
from vision_parts import byte_tokenizer, digest

operators = with_torchvision()


class Unused(types.ModuleType):
    """A module of what reading data does not use."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        self.__path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return object


for unused in ("deepspeed", "decord", "av", "llava.model", "llava.train.llava_trainer"):
    sys.modules[unused] = Unused(unused)

from llava import conversation  # noqa: E402
from llava.train import train  # noqa: E402
from PIL import Image  # noqa: E402
from transformers import CLIPImageProcessor  # noqa: E402

(export,) = sys.argv[1:]
conversation.default_conversation = conversation.conv_templates["v1"]
tokenizer = byte_tokenizer()
tokenizer.model_max_length = 4096
processor = CLIPImageProcessor()
opened: list[str] = []


class Processor:
    """The processor, which notes what it is given."""

    image_mean = processor.image_mean

    def preprocess(self, picture: Image.Image, return_tensors: str) -> Any:
        opened.append(digest(picture))
        return processor.preprocess(picture, return_tensors=return_tensors)


arguments = train.DataArguments(
    data_path=f"{export}/llava.yaml",
    is_multimodal=True,
    image_folder="",
    image_aspect_ratio="square",
)
arguments.image_processor = Processor()
arguments.mm_use_im_start_end = False
data = train.LazySupervisedDataset(arguments.data_path, tokenizer, arguments)
found = []
for number in range(len(data)):
    opened.clear()
    row = data._get_item(number)
    learnt = row["labels"] != train.IGNORE_INDEX
    is_text = row["input_ids"] != train.IMAGE_TOKEN_INDEX
    found.append(
        {
            "id": row["id"],
            "marks": int((row["input_ids"] == train.IMAGE_TOKEN_INDEX).sum()),
            "prompt": tokenizer.decode(row["input_ids"][~learnt & is_text]),
            "answer": tokenizer.decode(row["input_ids"][learnt]),
            "pictures": list(opened),
        }
    )
print()
print(json.dumps(found))
