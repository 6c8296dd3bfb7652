"""What diffusers' scripts make of an export of folders.

    read_diffusers.py PROXY,... EXPORT ...

instruct_pix2pix runs from its command line to its data loader, on models of a few weights; of the
Kontext script the data set runs, as the script makes it. PYTHONPATH has the folders of both. Prints
by export, proxy and script: text, input and target of each sample.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
import torchvision_operators  # noqa: F401 - before torchvision is imported
from arguments import arguments_of, print_what_is_read
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from pixels import of_range
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

INSTRUCT_PIX2PIX, KONTEXT = "instruct_pix2pix", "train_dreambooth_lora_flux_kontext"


class Loading(Exception):
    """A script has come to its data loader."""

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset


def stop_at_loader(dataset: Any, **_: Any) -> None:
    raise Loading(dataset)


def small_models(folder: Path) -> str:
    """A pipeline that instruct_pix2pix begins with; it has no part in reading data."""
    DDPMScheduler().save_pretrained(folder / "scheduler")
    (folder / "tokenizer").mkdir()
    words = {"<|startoftext|>": 0, "<|endoftext|>": 1, "a</w>": 2}
    (folder / "tokenizer/vocab.json").write_text(json.dumps(words))
    (folder / "tokenizer/merges.txt").write_text("#version: 0.2\n")
    CLIPTokenizer(
        vocab=str(folder / "tokenizer/vocab.json"), merges=str(folder / "tokenizer/merges.txt"),
        model_max_length=77,
    ).save_pretrained(folder / "tokenizer")  # fmt: skip
    text = CLIPTextConfig(
        vocab_size=3, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=1
    )
    CLIPTextModel(text).save_pretrained(folder / "text_encoder")
    AutoencoderKL(block_out_channels=(8,), norm_num_groups=2).save_pretrained(folder / "vae")
    UNet2DConditionModel(
        block_out_channels=(8,), down_block_types=("DownBlock2D",), up_block_types=("UpBlock2D",),
        layers_per_block=1, norm_num_groups=2, cross_attention_dim=8, attention_head_dim=2,
    ).save_pretrained(folder / "unet")  # fmt: skip
    return str(folder)


def read_instruct_pix2pix(line: list[str], models: str, scratch: str) -> list[list[str]]:
    import train_instruct_pix2pix as script

    script.torch.utils.data.DataLoader = stop_at_loader
    sys.argv = [
        "script", "--pretrained_model_name_or_path", models, "--seed", "0", "--output_dir", scratch,
        "--cache_dir", f"{scratch}/cache", *line,
    ]  # fmt: skip
    try:
        script.main()
    except Loading as loading:
        dataset = loading.dataset
    rows = (dataset[number] for number in range(len(dataset)))
    columns = "original_pixel_values", "edited_pixel_values"
    return [[row["edit_prompt"], *(of_range(row[name]) for name in columns)] for row in rows]


def read_kontext(line: list[str], scratch: str) -> list[list[str]]:
    import train_dreambooth_lora_flux_kontext as script

    args = script.parse_args(
        ["--pretrained_model_name_or_path", "none", "--instance_prompt", "none", "--output_dir",
         scratch, "--cache_dir", f"{scratch}/cache", *line]
    )  # fmt: skip
    dataset = script.DreamBoothDataset(
        instance_data_root=args.instance_data_dir,
        instance_prompt=args.instance_prompt,
        class_prompt=args.class_prompt,
        center_crop=args.center_crop,
        buckets=script.parse_buckets_string(args.aspect_ratio_buckets),
        args=args,
        use_aspect_ratio_buckets=False,
    )
    rows = (dataset[number] for number in range(len(dataset)))
    return [
        [row["instance_prompt"], of_range(row["cond_images"]), of_range(row["instance_images"])]
        for row in rows
    ]


def read_export(export: str, proxies: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as scratch:
        models = small_models(Path(scratch) / "models")
        for proxy in proxies:
            pix2pix = arguments_of(export, proxy, f"diffusers, {INSTRUCT_PIX2PIX}")
            kontext = arguments_of(export, proxy, f"diffusers, {KONTEXT}")
            found[proxy] = {
                INSTRUCT_PIX2PIX: read_instruct_pix2pix(pix2pix, models, scratch),
                KONTEXT: read_kontext(kontext, scratch),
            }
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    print_what_is_read(read_export)
