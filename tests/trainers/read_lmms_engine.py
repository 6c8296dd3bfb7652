"""Reads an export of the format lmms-engine with its own code, and prints JSON.

    read_lmms_engine.py EXPORT FOLDER

Printed: for each sample that `bagel_iterable` gives, digests of the RGB pixels of the input and the
target as the VAE gets them, and the instruction. Its tokenizer, written into FOLDER, is a small one
with one token for each byte. What it imports for videos, sound and sharded training has stand-ins.
"""

from __future__ import annotations

import hashlib
import json
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import torch
from tokenizers import pre_tokenizers

_OPERATORS = torch.library.Library("torchvision", "DEF")
ABSENT = ("deepspeed", "librosa", "einops", "av", "soundfile", "decord", "qwen_vl_utils")


def let_it_load() -> None:
    for name in ABSENT:
        stand_in = MagicMock(__spec__=ModuleSpec(name, None), __path__=[])
        sys.modules.setdefault(name, stand_in)
    try:
        import torchvision  # noqa: F401
    except RuntimeError:  # of another build of torch: it lacks operators that pictures do not need
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for name in ("nms", "qnms"):
            _OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def write_tokenizer(folder: Path) -> None:
    """Files of a Qwen2 tokenizer that merges nothing."""
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    ids = {letter: number for number, letter in enumerate([*letters, "<|endoftext|>"])}
    (folder / "vocab.json").write_text(json.dumps(ids))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(
        json.dumps({"tokenizer_class": "Qwen2Tokenizer", "unk_token": "<|endoftext|>"})
    )


def digest(pixels: torch.Tensor) -> str:
    """SHA-256 of the size and the RGB bytes of normalised pixels [3, H, W]."""
    rgb = ((pixels * 0.5 + 0.5) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    size = f"{rgb.shape[1]}x{rgb.shape[0]}".encode()
    return hashlib.sha256(size + rgb.numpy().tobytes()).hexdigest()


def described(data: Any, processor: Any) -> list[str]:
    special = set(processor.new_token_ids.values())
    text = [token for token in data["packed_text_ids"].tolist() if token not in special]
    pictures = [
        digest(picture[:, : height * 16, : width * 16])
        for picture, (height, width) in zip(
            data["padded_images"], data["patchified_vae_latent_shapes"], strict=True
        )
    ]
    given, drawn = pictures
    height, width = data["patchified_vae_latent_shapes"][1]
    assert len(data["mse_loss_indexes"]) == height * width, "not the target alone is learnt"
    return [given, drawn, processor.processor.decode(text)]


def main(export: str, folder: str) -> list[list[str]]:
    let_it_load()
    from lmms_engine.datasets.config import DatasetConfig
    from lmms_engine.datasets.iterable.bagel_iterable_dataset import BagelIterableDataset

    write_tokenizer(Path(folder))
    config = DatasetConfig(
        dataset_type="bagel_iterable", dataset_format="yaml",
        dataset_path=f"{export}/lmms-engine.yaml",
        processor_config={"processor_name": folder, "processor_type": "bagel"},
    )  # fmt: skip
    data = BagelIterableDataset(config)
    data.build()
    return [described(sample, data.processor) for sample in data]


if __name__ == "__main__":
    result = main(*sys.argv[1:])
    print()
    print(json.dumps(result))
