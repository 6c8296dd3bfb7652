"""Configurations of image-editing trainers for an export of folders, with sizes at which they leave
pictures as they are."""

from __future__ import annotations

import json
import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from sgt_data.exports.trainer_sizes import (
    Sizes,
    covering_side,
    diffusers_buckets,
    most_pixels,
    simpletuner_side,
    square_side,
)

INPUT, CAPTION, TARGET = "input_image", "edit_prompt", "edited_image"
"""Columns of `metadata.jsonl`: the defaults of diffusers' instruct-pix2pix."""

_ARGUMENTS_HEAD = """\
# Arguments for scripts that train on one proxy; copy a line behind the script's own.
"""

_AI_TOOLKIT_HEAD = """\
# For ai-toolkit: python run.py ai_toolkit.yaml
# For Qwen-Image-Edit change name_or_path and arch: Qwen/Qwen-Image-Edit, qwen_image_edit.
"""


@dataclass(frozen=True, slots=True)
class ProxyFolder:
    """The exported folder of a proxy.

    Attributes:
        proxy: its name.
        place: path of the folder, as configurations name it.
        sizes: how many of its samples have each size.
        pictures: patterns of its pictures' paths, each of which matches something.
    """

    proxy: str
    place: str
    sizes: Sizes
    pictures: tuple[str, ...]


def configs(folders: Sequence[ProxyFolder]) -> dict[str, str]:
    """The configurations of all proxies, by file name."""
    return {
        "arguments.txt": _ARGUMENTS_HEAD + "".join(map(_arguments, folders)),
        "musubi.toml": _toml(folders),
        "ai_toolkit.yaml": _AI_TOOLKIT_HEAD + yaml.safe_dump(_ai_toolkit(folders), sort_keys=False),
        "simpletuner.json": json.dumps(list(_simpletuner(folders)), indent=2) + "\n",
    }


def card(folder: ProxyFolder) -> str:
    """The `README.md` of a proxy's folder: by it clients of Hugging Face `datasets` know which of
    its files are pictures."""
    files = [{"split": "train", "path": ["metadata.jsonl", *folder.pictures]}]
    stated = {"configs": [{"config_name": "default", "data_files": files}]}
    head = yaml.safe_dump(stated, sort_keys=False)
    return f"---\n{head}---\n\n# {folder.proxy}\n\nInputs, targets and instructions.\n"


def _arguments(folder: ProxyFolder) -> str:
    """Lines for the scripts of diffusers and DiffSynth-Studio."""
    place, sizes = shlex.quote(folder.place), folder.sizes
    listed = shlex.quote(f"{folder.place}/diffsynth.csv")
    columns = f"--image_column {TARGET} --cond_image_column {INPUT} --caption_column {CAPTION}"
    buckets = ";".join(f"{height},{width}" for width, height in diffusers_buckets(sizes))
    synth = f"--dataset_base_path {place} --dataset_metadata_path {listed}"
    pixels = f"--max_pixels {most_pixels(sizes)}"
    lines = {
        "diffusers, instruct_pix2pix": f"--dataset_name {place} --resolution {square_side(sizes)}",
        "diffusers, train_dreambooth_lora_flux_kontext": (
            f"--dataset_name {place} {columns} --use_aspect_ratio_buckets --center_crop "
            f"--aspect_ratio_buckets '{buckets}'"
        ),
        "DiffSynth-Studio, Qwen-Image-Edit": (
            f"{synth} --data_file_keys image,edit_image --extra_inputs edit_image {pixels}"
        ),
        "DiffSynth-Studio, FLUX.1-Kontext-dev": (
            f"{synth} --data_file_keys image,kontext_images --extra_inputs kontext_images {pixels}"
        ),
    }
    return "".join(f"\n# {folder.proxy}: {name}\n{line}\n" for name, line in lines.items())


def _toml(folders: Iterable[ProxyFolder]) -> str:
    """musubi-tuner's `--dataset_config`, for FLUX.1 Kontext and Qwen-Image-Edit."""
    lines = ["[general]", "batch_size = 1", "enable_bucket = true", "bucket_no_upscale = true"]
    for folder in folders:
        side = covering_side(folder.sizes)
        lines += [
            "",
            "[[datasets]]",
            f"image_jsonl_file = {_toml_text(f'{folder.place}/musubi.jsonl')}",
            f"cache_directory = {_toml_text(f'{folder.place}/musubi_cache')}",
            f"resolution = [{side}, {side}]",
        ]
    return "\n".join(lines) + "\n"


def _toml_text(text: str) -> str:
    """A text as TOML writes it: as JSON does, but without escapes in pairs (emoji)."""
    return json.dumps(text, ensure_ascii=False)


def _ai_toolkit(folders: Iterable[ProxyFolder]) -> dict[str, Any]:
    """A whole configuration of ai-toolkit: a LoRA of FLUX.1 Kontext."""
    datasets = [
        {
            "folder_path": f"{folder.place}/target",
            "control_path": f"{folder.place}/input",
            "caption_ext": "txt",
            "caption_dropout_rate": 0.0,
            "cache_latents_to_disk": True,
            "resolution": [covering_side(folder.sizes)],
        }
        for folder in folders
    ]
    process = {
        "type": "sd_trainer",
        "training_folder": "output",
        "device": "cuda:0",
        "network": {"type": "lora", "linear": 16, "linear_alpha": 16},
        "save": {"dtype": "float16", "save_every": 250, "max_step_saves_to_keep": 4},
        "datasets": datasets,
        "train": {
            "batch_size": 1,
            "steps": 3000,
            "gradient_accumulation_steps": 1,
            "train_unet": True,
            "train_text_encoder": False,
            "gradient_checkpointing": True,
            "noise_scheduler": "flowmatch",
            "optimizer": "adamw8bit",
            "lr": 1e-4,
            "disable_sampling": True,
            "dtype": "bf16",
        },
        "model": {
            "name_or_path": "black-forest-labs/FLUX.1-Kontext-dev",
            "arch": "flux_kontext",
            "quantize": True,
        },
    }
    return {"job": "extension", "config": {"name": "sgt", "process": [process]}}


def _simpletuner(folders: Iterable[ProxyFolder]) -> Iterable[Mapping[str, Any]]:
    """SimpleTuner's `--data_backend_config`: an edit data set and its references for each proxy."""
    folders = list(folders)
    side = simpletuner_side(sum((Counter(folder.sizes) for folder in folders), Counter()))
    for folder in folders:
        shared = {
            "type": "huggingface",
            "dataset_name": folder.place,
            "metadata_backend": "huggingface",
            "caption_strategy": "huggingface",
            "huggingface": {"caption_column": CAPTION},
            "resolution": side,
            "resolution_type": "pixel_area",
            "crop": False,
            "crop_style": "center",
        }
        edits, references = f"{folder.proxy}-targets", f"{folder.proxy}-inputs"
        yield {
            "id": edits,
            **shared,
            "image_column": TARGET,
            "conditioning_data": [references],
            "cache_dir": f"{folder.place}/simpletuner_cache/{edits}",
            "cache_dir_vae": f"{folder.place}/simpletuner_cache/{edits}-vae",
        }
        yield {
            "id": references,
            **shared,
            "dataset_type": "conditioning",
            "conditioning_type": "reference_strict",
            "source_dataset_id": edits,
            "image_column": INPUT,
            "cache_dir": f"{folder.place}/simpletuner_cache/{references}",
            "cache_dir_vae": f"{folder.place}/simpletuner_cache/{references}-vae",
        }
    yield {
        "id": "texts",
        "type": "local",
        "dataset_type": "text_embeds",
        "default": True,
        "cache_dir": "cache/simpletuner/texts",
    }
