"""Reads an export of the format bagel-edit with the data code of a trainer, and prints JSON.

    read_bagel_edit.py {bagel,automodel} EXPORT RANKS WORKERS

BAGEL's own code is on PYTHONPATH, with the line in its `data/dataset_info.py` that the export asks
for; NeMo Automodel's is in the environment. Printed: what every worker of every rank gets in one
round of its row groups, and what the first packed sequence holds, as digests of RGB pixels and
texts, and how many tokens of answers. Its tokenizer is a small one, with one token for each byte.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow.parquet as pq
import torch
import yaml
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from transformers import PreTrainedTokenizerFast

SEED = 42
_OPERATORS = torch.library.Library("torchvision", "DEF")


def let_torchvision_load() -> None:
    """torchvision of another build of torch lacks its operators, of which pictures need none."""
    try:
        import torchvision  # noqa: F401
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        for name in ("nms", "qnms"):
            _OPERATORS.define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


def tokenizer_of_bytes() -> PreTrainedTokenizerFast:
    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE({letter: number for number, letter in enumerate(letters)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(tokenizer_object=words)


def bagel(export: Path, tokenizer: Any, rank: int, ranks: int, workers: int) -> Any:
    """As train/pretrain_unified_navit.py makes it, but that no condition is dropped."""
    sys.modules.setdefault("decord", SimpleNamespace())  # type: ignore[arg-type] # of videos
    from data.data_utils import add_special_tokens
    from data.dataset_base import DataConfig, PackedDataset

    tokenizer, special, _ = add_special_tokens(tokenizer)
    config = DataConfig(
        yaml.safe_load((export / "bagel-edit.yaml").read_text()), max_latent_size=64,
        text_cond_dropout_prob=0, vit_cond_dropout_prob=0, vae_cond_dropout_prob=0,
    )  # fmt: skip
    packed = PackedDataset(config, tokenizer, special, rank, ranks, workers)
    packed.set_epoch(SEED)
    return packed


def automodel(export: Path, tokenizer: Any, rank: int, ranks: int, workers: int) -> Any:
    """As the recipe's `dataset` section is built, but that no condition is dropped."""
    from nemo_automodel.components.datasets.multimodal.datasets import BagelDatasetConfig
    from nemo_automodel.components.datasets.multimodal.utils import add_special_tokens

    tokenizer, special, _ = add_special_tokens(tokenizer)
    config = BagelDatasetConfig(
        dataset_info_path=str(export / "dataset_info.json"),
        grouped_datasets_path=str(export / "bagel-edit.yaml"), max_latent_size=64,
        text_cond_dropout_prob=0, vit_cond_dropout_prob=0, vae_cond_dropout_prob=0,
    )  # fmt: skip
    return config.build(
        tokenizer=tokenizer, special_tokens=special, rank=rank, world_size=ranks,
        num_workers=workers, global_seed=SEED,
    )  # fmt: skip


class OneRound(IterableDataset):  # type: ignore[misc]
    """A group's samples of one round through the row groups of each worker."""

    def __init__(self, group: Any) -> None:
        self.group = group

    def __iter__(self) -> Iterator[Any]:
        places, _ = self.group.get_data_paths_per_worker()
        rows = sum(pq.read_metadata(path).row_group(number).num_rows for path, number in places)
        for sample in itertools.islice(iter(self.group), rows):
            yield get_worker_info().id, sample


def described(sample: Any, tokenizer: Any) -> list[Any]:
    """Input and target as the VAE gets them, and the instruction."""
    given, _, drawn = sample["image_tensor_list"]
    (text,) = sample["text_ids_list"]
    kinds = [(step["type"], step["loss"]) for step in sample["sequence_plan"]]
    assert kinds == [("vae_image", 0), ("vit_image", 0), ("text", 0), ("vae_image", 1)]
    return [digest(given), digest(drawn), tokenizer.decode(text)]


def digest(pixels: torch.Tensor) -> str:
    """SHA-256 of the size and the RGB bytes of normalised pixels [3, H, W]."""
    rgb = ((pixels * 0.5 + 0.5) * 255).round().to(torch.uint8).permute(1, 2, 0).contiguous()
    size = f"{rgb.shape[1]}x{rgb.shape[0]}".encode()
    return hashlib.sha256(size + rgb.numpy().tobytes()).hexdigest()


def unpacked(batch: Any) -> list[list[str]]:
    """Input and target of each sample of a packed sequence."""
    sizes = [(height * 16, width * 16) for height, width in batch["patchified_vae_latent_shapes"]]
    pictures = [
        digest(picture[:, :height, :width])
        for picture, (height, width) in zip(batch["padded_images"], sizes, strict=True)
    ]
    drawings = [sample["dataset_name"] == "unified_edit" for sample in batch["batch_data_indexes"]]
    assert len(pictures) == 2 * sum(drawings)
    return [pictures[place : place + 2] for place in range(0, len(pictures), 2)]


def main(code: str, export: str, ranks: str, workers: str) -> dict[str, Any]:
    let_torchvision_load()
    make = {"bagel": bagel, "automodel": automodel}[code]
    tokenizer = tokenizer_of_bytes()
    topology = int(ranks), int(workers)
    dealt = []
    for rank in range(topology[0]):
        group, *_ = make(Path(export), tokenizer, rank, *topology).grouped_datasets
        loader = DataLoader(OneRound(group), batch_size=None, num_workers=topology[1])
        dealt += [[rank, worker, *described(sample, tokenizer)] for worker, sample in loader]
    packed = next(iter(make(Path(export), tokenizer, 0, 1, 1)))
    return {
        "dealt": dealt, "packed": unpacked(packed), "tokens": sum(packed["sample_lens"]),
        "answered": len(packed["packed_label_ids"]),
    }  # fmt: skip


if __name__ == "__main__":
    result = main(*sys.argv[1:])
    print()
    print(json.dumps(result))
