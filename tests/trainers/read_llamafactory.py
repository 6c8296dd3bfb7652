"""Reads an export of questions with LLaMA-Factory's own data code: `get_dataset` and a template.

python read_llamafactory.py EXPORT CACHE SPLIT ...
"""

from __future__ import annotations

import importlib.machinery
import json
import os
import sys
import types

os.environ["DISABLE_VERSION_CHECK"] = "1"  # it asks for older versions of transformers, datasets
export, cache, *splits = sys.argv[1:]
os.environ["HF_HOME"] = cache

from stand_ins import with_torchvision  # noqa: E402
from vision_parts import byte_tokenizer, digest  # noqa: E402

operators = with_torchvision()
sounds = types.ModuleType("torchaudio")  # imported for sounds alone; needs a GPU's libraries
sounds.__spec__ = importlib.machinery.ModuleSpec("torchaudio", None)
sys.modules["torchaudio"] = sounds

from llamafactory.data import get_dataset, get_template_and_fix_tokenizer  # noqa: E402
from llamafactory.extras.constants import IGNORE_INDEX  # noqa: E402
from llamafactory.hparams import DataArguments, ModelArguments  # noqa: E402
from transformers import (  # noqa: E402
    CLIPImageProcessor,
    LlavaProcessor,
    Seq2SeqTrainingArguments,
)

tokenizer = byte_tokenizer("<image>")
processor = LlavaProcessor(
    CLIPImageProcessor(), tokenizer, patch_size=14, vision_feature_select_strategy="default"
)
for name, value in (("image_max_pixels", 1 << 24), ("image_min_pixels", 1)):
    setattr(processor, name, value)
found = {}
for split in splits:
    data = DataArguments(
        template="llava", dataset=f"sgt_{split}", dataset_dir=export, cutoff_len=4096
    )
    template = get_template_and_fix_tokenizer(tokenizer, data)
    module = get_dataset(
        template, ModelArguments(model_name_or_path="none"), data,
        Seq2SeqTrainingArguments(output_dir=cache), "sft", tokenizer, processor,
    )  # fmt: skip
    found[split] = []
    for row in module["train_dataset"]:
        answer = [token for token in row["labels"] if token != IGNORE_INDEX]
        prompt = row["input_ids"][: len(row["input_ids"]) - len(answer)]
        seen = template.mm_plugin._regularize_images(
            row["images"], image_max_pixels=1 << 24, image_min_pixels=1
        )["images"]
        text = tokenizer.decode(prompt)
        found[split].append(
            {
                "marks": prompt.count(tokenizer.convert_tokens_to_ids("<image>")),
                "prompt": text.replace("<image>", ""),
                "answer": tokenizer.decode(answer, skip_special_tokens=True),
                "pictures": [digest(picture) for picture in seen],
            }
        )
print()
print(json.dumps(found))
