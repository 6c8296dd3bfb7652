"""The export for BAGEL as SGT released it: `bagel.yaml` holds the lines for its configuration."""

from __future__ import annotations

import json
from typing import Any

import yaml

from sgt_data.exports.export_format import Export
from sgt_data.exports.sgt_format import SgtFormat


class Bagel(SgtFormat):
    """Folders and lists of BAGEL as SGT released it."""

    name = form = "bagel"
    trainers = "BAGEL as SGT released it"
    min_side = 512

    def row(self, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
        return {"image": picture, "generation_prompt": instruction}

    def finish(self, export: Export) -> dict[str, str]:
        samples = {proxy: count for proxy, count in export.report.samples.items() if count}
        registry = [f"#     'sgt_{proxy}': SegmentDataset," for proxy in samples]
        paths = {
            proxy: {
                "data_dir": f"{export.root}/{proxy}/",
                "num_files": 1,
                "jsonl_path": f"{export.root}/{proxy}.jsonl",
            }
            for proxy in samples
        }
        info = [
            f"#     'sgt_{proxy}': {{'sgt_{proxy}': {json.dumps(entry)}}},"
            for proxy, entry in paths.items()
        ]
        groups = {f"sgt_{proxy}": _group(proxy, count) for proxy, count in samples.items()}
        head = [
            "# For BAGEL as SGT released it: a file of data/configs.",
            "# data/dataset_info.py, add to DATASET_REGISTRY:",
            *registry,
            "# and to DATASET_INFO:",
            *info,
            "# For its own prompts instead of the corpus' instructions: class Sam190KDataset with",
            "# the .txt list in place of the .jsonl.",
            "# Check in the class that the target stands before the input in image_tensor_list:",
            "# the second is what is learnt.",
        ]
        return {"bagel.yaml": "\n".join(head) + "\n" + yaml.safe_dump(groups, sort_keys=False)}


def _group(proxy: str, samples: int) -> dict[str, Any]:
    """A group of BAGEL's data configuration."""
    return {
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
        "num_used_data": [samples],
        "weight": 1.0,
    }
