"""What musubi-tuner's caching scripts read from an export of folders, before they encode it.

    read_musubi.py PROXY,... EXPORT ...

Prints by export, proxy and model: text, input and target of each sample, in the order of the list.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from arguments import print_what_is_read
from musubi_tuner.dataset import config_utils
from musubi_tuner.dataset.architectures import (
    ARCHITECTURE_FLUX_KONTEXT,
    ARCHITECTURE_QWEN_IMAGE_EDIT,
)
from pixels import of_picture

MODELS = {
    "FLUX.1 Kontext": ARCHITECTURE_FLUX_KONTEXT,
    "Qwen-Image-Edit": ARCHITECTURE_QWEN_IMAGE_EDIT,
}


def read(export: str, architecture: str) -> dict[str, list[list[str]]]:
    """The samples of each proxy, as `flux_kontext_cache_latents.py` and its kin get them."""
    user_config = config_utils.load_user_config(f"{export}/musubi.toml")
    generator = config_utils.BlueprintGenerator(config_utils.ConfigSanitizer())
    blueprint = generator.generate(
        user_config, argparse.Namespace(debug_dataset=False), architecture=architecture
    )
    group = config_utils.generate_dataset_group_by_blueprint(blueprint.dataset_group)
    found = {}
    for dataset in group.datasets:
        assert dataset.has_control
        items = {
            item.item_key: [
                item.caption, of_picture(item.control_content[0]), of_picture(item.content),
            ]
            for _, batch in dataset.retrieve_latent_cache_batches(num_workers=1)
            for item in batch
        }  # fmt: skip
        listed = Path(dataset.image_jsonl_file)
        order = [json.loads(line)["image_path"] for line in listed.read_text().splitlines()]
        found[listed.parent.name] = [items[path] for path in order]
    return found


def read_export(export: str, proxies: list[str]) -> dict[str, Any]:
    by_model = {name: read(export, architecture) for name, architecture in MODELS.items()}
    return {
        proxy: {name: samples[proxy] for name, samples in by_model.items()} for proxy in proxies
    }


if __name__ == "__main__":
    print_what_is_read(read_export)
