"""Reads an export of questions with ms-swift's own data code, its templates' loader of pictures
included.

python read_ms_swift.py EXPORT CACHE SPLIT ...
"""

from __future__ import annotations

import json
import os
import sys

export, cache, *splits = sys.argv[1:]
os.environ["MODELSCOPE_CACHE"] = os.environ["HF_HOME"] = cache

from stand_ins import with_torchvision  # noqa: E402
from vision_parts import digest  # noqa: E402

operators = with_torchvision()

from swift.dataset import load_dataset  # noqa: E402
from swift.template import Template  # noqa: E402
from swift.template.template_inputs import StdTemplateInputs  # noqa: E402

found = {}
for split in splits:
    rows, _ = load_dataset(f"{export}/{split}.jsonl", strict=True)
    found[split] = []
    for row in rows:
        inputs = StdTemplateInputs.from_dict(row)
        inputs = inputs[0] if isinstance(inputs, tuple) else inputs
        (question, answer) = inputs.messages
        found[split].append(
            {
                "roles": [question["role"], answer["role"]],
                "prompt": question["content"],
                "answer": answer["content"],
                "pictures": [
                    digest(Template._load_image(picture, load_images=True))
                    for picture in inputs.images
                ],
            }
        )
print()
print(json.dumps(found))
