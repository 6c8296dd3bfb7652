"""What DiffSynth-Studio's data set reads from an export of folders.

    read_diffsynth.py PROXY,... EXPORT ...

Prints by export, proxy and model: text, input and target of each sample.
"""

from __future__ import annotations

import argparse
from typing import Any

import torchvision_operators  # noqa: F401 - before torchvision is imported
from arguments import arguments_of, print_what_is_read
from diffsynth.core.data import UnifiedDataset
from diffsynth.diffusion.parsers import add_dataset_base_config, add_image_size_config
from pixels import of_picture

MODELS = {
    "Qwen-Image-Edit": "DiffSynth-Studio, Qwen-Image-Edit",
    "FLUX.1-Kontext-dev": "DiffSynth-Studio, FLUX.1-Kontext-dev",
}


def read(line: list[str]) -> list[list[str]]:
    """The samples, by the data set that the training scripts of both models make."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--extra_inputs")
    args = add_image_size_config(add_dataset_base_config(parser)).parse_args(line)
    dataset = UnifiedDataset(
        base_path=args.dataset_base_path,
        metadata_path=args.dataset_metadata_path,
        repeat=args.dataset_repeat,
        data_file_keys=args.data_file_keys.split(","),
        main_data_operator=UnifiedDataset.default_image_operator(
            base_path=args.dataset_base_path,
            max_pixels=args.max_pixels,
            height=args.height,
            width=args.width,
            height_division_factor=16,
            width_division_factor=16,
        ),
    )
    rows: Any = (dataset[number] for number in range(len(dataset)))
    return [
        [row["prompt"], of_picture(row[args.extra_inputs]), of_picture(row["image"])]
        for row in rows
    ]


def read_export(export: str, proxies: list[str]) -> dict[str, Any]:
    return {
        proxy: {name: read(arguments_of(export, proxy, line)) for name, line in MODELS.items()}
        for proxy in proxies
    }


if __name__ == "__main__":
    print_what_is_read(read_export)
