"""The export for OmniGen2, as published (`omnigen2.yml`) and as SGT released it
(`omnigen2_sgt.yml`)."""

from __future__ import annotations

from typing import Any

import yaml

from sgt_data.exports.export_format import Export
from sgt_data.exports.sgt_format import SgtFormat
from sgt_data.trainers.omnigen2 import OMNIGEN2_TASK


class OmniGen2(SgtFormat):
    """Folders and lists of OmniGen2, as published and as SGT released it."""

    name = form = "omnigen2"
    trainers = "OmniGen2, as published and as SGT released it"
    min_side = 0

    def row(self, folder: str, picture: str, target: str, instruction: str) -> dict[str, Any]:
        return {
            "task_type": OMNIGEN2_TASK,
            "instruction": instruction,
            "input_images": [f"{folder}/{picture}"],
            "output_image": f"{folder}/{target}",
        }

    def finish(self, export: Export) -> dict[str, str]:
        samples = {proxy: count for proxy, count in export.report.samples.items() if count}

        def config(head: str, extension: str) -> str:
            data = [
                {"path": f"{export.root}/{proxy}.{extension}", "type": proxy, "ratio": 1.0}
                for proxy in samples
            ]
            return head + yaml.safe_dump({"data": data}, sort_keys=False)

        return {
            "omnigen2.yml": config(
                "# For OmniGen2: data.data_path in options/ft.yml; with the corpus' "
                "instructions.\n",
                "jsonl",
            ),
            "omnigen2_sgt.yml": config(
                "# For OmniGen2 as SGT released it: data.data_path in options/*.yml. Its loader "
                "draws\n# instructions from its own bank of segmentation prompts.\n",
                "txt",
            ),
        }
