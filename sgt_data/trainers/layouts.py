"""How the released code of SGT (BAGEL, OmniGen2) finds pictures and targets: names, lists, configs.

Its loaders are told where a picture is and work out the target's path by replacing a folder's name
and `jpg` by `png`, wherever they stand in the path. Targets that are JPEG are therefore named
`.jpeg`, and so are their pictures: `jpg` is not in it, so the rule leaves it alone, and no file has
a name that lies about what it holds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Form = Literal["bagel", "omnigen2"]

OMNIGEN2_TASK = "edit"
"""OmniGen2's word for "picture and instruction in, picture out"."""

_ENDINGS = {"png": ("jpg", "png"), "jpg": ("jpeg", "jpeg")}


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of pictures and targets, below that of their proxy."""

    pictures: str
    targets: str

    def names(self, key: str, extension: str) -> tuple[str, str]:
        """Paths of a sample's picture and target, relative to the proxy's folder.

        Args:
            key: of the sample.
            extension: of its target in the corpus, `png` or `jpg`.
        """
        picture, target = _ENDINGS[extension]
        return f"{self.pictures}/{key}.{picture}", f"{self.targets}/{key}.{target}"

    def target_of(self, picture: str) -> str:
        """Where the released loaders look for the target of a picture."""
        return picture.replace(self.pictures, self.targets).replace("jpg", "png")


LAYOUTS: Mapping[Form, Layout] = {
    "bagel": Layout("sam_selection", "sam_mask"),
    "omnigen2": Layout("train2017", "annotations/panoptic_train2017"),
}


def row(form: Form, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
    """A sample's row in the list that carries instructions.

    Args:
        folder: of the proxy, absolute.
        picture, target: relative to it.
    """
    if form == "bagel":
        return {"image": picture, "generation_prompt": instruction}
    return {
        "task_type": OMNIGEN2_TASK,
        "instruction": instruction,
        "input_images": [f"{folder}/{picture}"],
        "output_image": f"{folder}/{target}",
    }


def configs(form: Form, output: str, samples: Mapping[str, int]) -> dict[str, str]:
    """The configurations of a trainer, by file name.

    Args:
        output: folder of the export, absolute.
        samples: how many there are, by proxy.
    """
    held = {proxy: count for proxy, count in samples.items() if count}
    return _bagel_configs(output, held) if form == "bagel" else _omnigen2_configs(output, held)


def _bagel_configs(output: str, samples: Mapping[str, int]) -> dict[str, str]:
    registry = [f"#     'sgt_{proxy}': SegmentDataset," for proxy in samples]
    paths = {
        proxy: {
            "data_dir": f"{output}/{proxy}/",
            "num_files": 1,
            "jsonl_path": f"{output}/{proxy}.jsonl",
        }
        for proxy in samples
    }
    info = [
        f"#     'sgt_{proxy}': {{'sgt_{proxy}': {json.dumps(place)}}},"
        for proxy, place in paths.items()
    ]
    groups = {
        f"sgt_{proxy}": {
            "dataset_names": [f"sgt_{proxy}"],
            "image_transform_args": {
                "image_stride": 16,
                "max_image_size": 1024,
                "min_image_size": 512,
            },
            "vit_image_transform_args": {
                "image_stride": 14,
                "max_image_size": 224,
                "min_image_size": 224,
            },
            "is_mandatory": True,
            "num_used_data": [count],
            "weight": 1.0,
        }
        for proxy, count in samples.items()
    }
    head = [
        "# For BAGEL as SGT released it: a file of data/configs.",
        "# data/dataset_info.py, add to DATASET_REGISTRY:",
        *registry,
        "# and to DATASET_INFO:",
        *info,
        "# For its own prompts instead of the corpus' instructions: class Sam190KDataset with the",
        "# .txt list in place of the .jsonl.",
        "# Check in the class that the target stands before the input in image_tensor_list: the",
        "# second is what is learnt.",
    ]
    return {"bagel.yaml": "\n".join(head) + "\n" + yaml.safe_dump(groups, sort_keys=False)}


def _omnigen2_configs(output: str, samples: Mapping[str, int]) -> dict[str, str]:
    def config(head: str, ending: str) -> str:
        data = [
            {"path": f"{output}/{proxy}.{ending}", "type": proxy, "ratio": 1.0} for proxy in samples
        ]
        return head + yaml.safe_dump({"data": data}, sort_keys=False)

    return {
        "omnigen2.yml": config(
            "# For OmniGen2: data.data_path in options/ft.yml; with the corpus' instructions.\n",
            "jsonl",
        ),
        "omnigen2_sgt.yml": config(
            "# For OmniGen2 as SGT released it: data.data_path in options/*.yml. Its loader draws\n"
            "# instructions from its own bank of segmentation prompts.\n",
            "txt",
        ),
    }
