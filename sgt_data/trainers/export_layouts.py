"""File names, lists and configurations that SGT's released loaders (BAGEL, OmniGen2) expect.

The loaders get the path of an input picture and derive the path of its target: they replace the
name of a folder, and `jpg` by `png`, wherever these stand in the path. JPEG targets are therefore
named `.jpeg`, and so are their input pictures: `jpeg` does not contain `jpg`, so the rule leaves
the extension alone, and every extension names the real format. A reversed sample has a PNG as input
and a JPEG as target; no two names of their formats follow the rule, so both files end in `.image`,
and the loaders, which open pictures by their content, read them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import yaml

Form = Literal["bagel", "omnigen2"]
"""The trainer whose layout an export has."""

OMNIGEN2_TASK = "edit"
"""OmniGen2's word for "picture and instruction in, picture out"."""

_EXTENSIONS = {"png": ("jpg", "png"), "jpg": ("jpeg", "jpeg")}


@dataclass(frozen=True, slots=True)
class Layout:
    """Folders of a proxy's pictures, relative to the proxy's own folder.

    Attributes:
        pictures: folder of the input pictures.
        targets: folder of the targets.
    """

    pictures: str
    targets: str

    def names(self, key: str, extension: str, given: str = "jpg") -> tuple[str, str]:
        """Paths of a sample's input picture and target, relative to the proxy's folder.

        Args:
            key: key of the sample.
            extension: format of its target, `png` or `jpg`.
            given: format of its input, `png` or `jpg`.
        """
        picture, target = _EXTENSIONS[extension] if given == "jpg" else ("image", "image")
        return f"{self.pictures}/{key}.{picture}", f"{self.targets}/{key}.{target}"

    def target_of(self, picture: str) -> str:
        """Path at which the released loaders look for the target of an input picture."""
        return picture.replace(self.pictures, self.targets).replace("jpg", "png")


LAYOUTS: Mapping[Form, Layout] = {
    "bagel": Layout("sam_selection", "sam_mask"),
    "omnigen2": Layout("train2017", "annotations/panoptic_train2017"),
}


def row(form: Form, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
    """The row of a sample in the list with instructions, as JSON fields.

    Args:
        form: the trainer that reads the list.
        folder: absolute path of the proxy's folder.
        picture: path of the input picture, relative to the folder.
        target: path of the target, relative to the folder.
        instruction: the sample's instruction.
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
    """The configuration files of a trainer: their text by file name.

    Args:
        form: the trainer.
        output: absolute path of the export's folder.
        samples: number of samples by proxy; proxies without samples are left out.
    """
    counts = {proxy: count for proxy, count in samples.items() if count}
    return _bagel_configs(output, counts) if form == "bagel" else _omnigen2_configs(output, counts)


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
        f"#     'sgt_{proxy}': {{'sgt_{proxy}': {json.dumps(entry)}}},"
        for proxy, entry in paths.items()
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
    def config(head: str, extension: str) -> str:
        data = [
            {"path": f"{output}/{proxy}.{extension}", "type": proxy, "ratio": 1.0}
            for proxy in samples
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
