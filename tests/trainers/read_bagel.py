"""Runs the data code of BAGEL, of a checkout on PYTHONPATH, and prints JSON.

    read_bagel.py pack CONFIG BATCHES [WORKERS] [option=value ...]
                                                 what its PackedDataset packs for a configuration
    read_bagel.py samples CONFIG COUNT [ROWS]    the first samples of each group before packing, and
                                                 those that its editing data set makes of JSON rows
                                                 of [input, target, instruction]
    read_bagel.py sizes SIZES ARGUMENTS          the sizes that its ImageTransform gives, for each
                                                 of several arguments
    read_bagel.py shares CONFIG READERS          how many items each worker of the first rank gets,
                                                 for pairs of ranks and workers

Its code imports decord (videos) and a torchvision with operators, of which its pictures use
nothing: both have stand-ins. Its tokenizer is a small one of the same kind: a token for each byte.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
import sys
from typing import Any

import torch
import yaml
from PIL import Image
from stand_ins import with_torchvision, without_videos
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from torch.utils.data import DataLoader, get_worker_info
from transformers import PreTrainedTokenizerFast

without_videos()
LIBRARY = with_torchvision()
from data import dataset_base  # noqa: E402
from data.data_utils import add_special_tokens, create_sparse_mask  # noqa: E402
from data.interleave_datasets.edit_dataset import UnifiedEditIterableDataset  # noqa: E402
from data.transforms import ImageTransform  # noqa: E402

NO_DROPOUT = ("text_cond_dropout_prob", "vit_cond_dropout_prob", "vae_cond_dropout_prob")


def tokens() -> tuple[Any, dict[str, int]]:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    words = Tokenizer(models.BPE({letter: number for number, letter in enumerate(alphabet)}, []))
    words.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words.decoder = decoders.ByteLevel()
    tokenizer, special, _ = add_special_tokens(PreTrainedTokenizerFast(tokenizer_object=words))
    return tokenizer, special


def packed_dataset(config: str, options: dict[str, Any]) -> tuple[Any, Any, dict[str, int]]:
    """As train/pretrain_unified_navit.py makes it, with the values of its scripts; nothing is left
    out at random, so that all can be compared."""
    with open(config) as file:
        data_config = dataset_base.DataConfig(grouped_datasets=yaml.safe_load(file))
    for name in NO_DROPOUT:
        setattr(data_config, name, 0.0)
    data_config.vae_image_downsample, data_config.max_latent_size = 16, 64
    tokenizer, special = tokens()
    arguments = {
        "local_rank": 0, "world_size": 1, "num_workers": 1, "expected_num_tokens": 32768,
        "max_num_tokens_per_sample": 16384, "max_num_tokens": 36864, "max_buffer_size": 50,
        "prefer_buffer_before": 16384, "interpolate_pos": False, "use_flex": True,
        "data_status": None,
    } | options  # fmt: skip
    dataset = dataset_base.PackedDataset(
        data_config, tokenizer=tokenizer, special_tokens=special, **arguments
    )
    dataset.set_epoch(42)
    return dataset, tokenizer, special


def pack(config: str, batches: str, workers: str = "0", *options: str) -> list[Any]:
    stated = {name: int(value) for name, value in (option.split("=") for option in options)}
    stated.setdefault("num_workers", max(1, int(workers)))
    dataset, tokenizer, special = packed_dataset(config, stated)
    loader = DataLoader(
        dataset, batch_size=1, num_workers=int(workers), collate_fn=dataset_base.collate_wrapper()
    )
    return [
        unpacked(batch.to_dict(), tokenizer, special)
        for batch in itertools.islice(loader, int(batches))
    ]


def unpacked(batch: dict[str, Any], tokenizer: Any, special: dict[str, int]) -> dict[str, Any]:
    lengths = batch["sample_lens"][: len(batch["batch_data_indexes"])]
    # the model makes its mask of these, and fails where more was packed than it has room for
    create_sparse_mask(batch["sample_lens"], batch["split_lens"], batch["attn_modes"], "cpu")
    ends = list(itertools.accumulate(lengths))
    parts: list[tuple[int, Any]] = [*pictures(batch), *texts(batch, tokenizer, special)]
    samples: list[dict[str, Any]] = [
        {**where, "parts": []} for where in batch["batch_data_indexes"]
    ]
    for position, part in sorted(parts, key=lambda item: item[0]):
        number = next(number for number, end in enumerate(ends) if position < end)
        samples[number]["parts"].append(part)
    return {"length": sum(lengths), "samples": samples}


def pictures(batch: dict[str, Any]) -> list[tuple[int, Any]]:
    learnt = set(batch.get("mse_loss_indexes", torch.empty(0)).tolist())
    placed: list[tuple[int, Any]] = []
    if "padded_images" in batch:
        starts = batch["packed_vae_token_indexes"].tolist()
        for image, (height, width) in zip(
            batch["padded_images"], batch["patchified_vae_latent_shapes"], strict=True
        ):
            pixels = image[:, : height * 16, : width * 16].permute(1, 2, 0)
            kind = "drawn" if starts[0] in learnt else "given"
            placed.append((starts[0], [kind, *digest(pixels)]))
            starts = starts[height * width :]
    if "packed_vit_tokens" in batch:
        starts = batch["packed_vit_token_indexes"].tolist()
        patches, places = batch["packed_vit_tokens"], batch["packed_vit_position_ids"]
        for count in batch["vit_token_seqlens"].tolist():
            height, width = (int(side.max()) + 1 for side in (places[:count] // 70,
                                                              places[:count] % 70))  # fmt: skip
            squares = patches[:count].reshape(height, width, 14, 14, 3).permute(0, 2, 1, 3, 4)
            pixels = squares.reshape(height * 14, width * 14, 3)
            placed.append((starts[0], ["seen", *digest(pixels)]))
            starts, patches, places = starts[count:], patches[count:], places[count:]
    return placed


def digest(pixels: torch.Tensor) -> tuple[str, int, int]:
    """SHA-256 of the RGB bytes of normalised pixels [H, W, 3], and their width and height."""
    rgb = ((pixels * 0.5 + 0.5) * 255).round().to(torch.uint8).contiguous()
    return hashlib.sha256(rgb.numpy().tobytes()).hexdigest(), rgb.shape[1], rgb.shape[0]


def texts(batch: dict[str, Any], tokenizer: Any, special: dict[str, int]) -> list[tuple[int, Any]]:
    learnt = set(batch.get("ce_loss_indexes", torch.empty(0)).tolist())
    placed, first, ids = [], 0, list[int]()
    for position, token in zip(
        batch["packed_text_indexes"].tolist(), batch["packed_text_ids"].tolist(), strict=True
    ):
        if token == special["bos_token_id"]:
            first, ids = position, []
        elif token == special["eos_token_id"]:
            kind = "answer" if first in learnt else "text"
            placed.append((first, [kind, tokenizer.decode(ids)]))
        elif token not in special.values():
            ids.append(token)
    return placed


def edit(rows: str) -> list[Any]:
    """The samples that BAGEL's own class for editing makes, tensors as digests."""
    data = UnifiedEditIterableDataset.__new__(UnifiedEditIterableDataset)
    data.transform = ImageTransform(max_image_size=1024, min_image_size=512, image_stride=16)
    data.vit_transform = ImageTransform(max_image_size=224, min_image_size=224, image_stride=14)
    data.tokenizer, _ = tokens()
    made = []
    with open(rows) as file:
        for shown, drawn, instruction in json.load(file):
            encoded = [open(path, "rb").read() for path in (shown, drawn)]  # noqa: SIM115
            assert all(Image.open(io.BytesIO(picture)) for picture in encoded)
            sample = data.parse_row({"image_list": encoded, "instruction_list": [[instruction]]})
            made.append(described(sample))
    return made


def described(sample: dict[str, Any]) -> dict[str, Any]:
    return {
        "pictures": [digest(tensor.permute(1, 2, 0)) for tensor in sample["image_tensor_list"]],
        "texts": sample["text_ids_list"],
        "tokens": sample["num_tokens"],
        "plan": sample["sequence_plan"],
    }


def samples(config: str, count: str, rows: str | None = None) -> dict[str, list[Any]]:
    """The first samples of each group, before they are packed; and of rows of editing data."""
    dataset, _, _ = packed_dataset(config, {})
    edited = {"edit": edit(rows)} if rows else {}
    return edited | {
        group.dataset_name: [described(sample) for sample in itertools.islice(iter(group),
                                                                              int(count))]
        for group in dataset.grouped_datasets
    }  # fmt: skip


def sizes(asked: str, arguments: str) -> list[Any]:
    made = []
    for stated in json.loads(arguments):
        transform = ImageTransform(**stated)
        shapes = [transform(Image.new("RGB", tuple(size))).shape for size in json.loads(asked)]
        made.append([(width, height) for _, height, width in shapes])
    return made


class Shares(torch.utils.data.IterableDataset):  # type: ignore[misc]
    def __init__(self, groups: list[Any]) -> None:
        self.groups = groups

    def __iter__(self) -> Any:
        assert get_worker_info() is not None
        yield [len(group.get_data_paths_per_worker()[0]) for group in self.groups]


def shares(config: str, readers: str) -> list[list[list[int]]]:
    given = []
    for ranks, workers in json.loads(readers):
        dataset, _, _ = packed_dataset(config, {"world_size": ranks, "num_workers": workers})
        items = Shares(dataset.grouped_datasets)
        given.append(list(DataLoader(items, batch_size=None, num_workers=workers)))
    return given


if __name__ == "__main__":
    commands = {"pack": pack, "samples": samples, "sizes": sizes, "shares": shares}
    command = commands[sys.argv[1]]
    result = command(*sys.argv[2:])  # type: ignore[operator]
    print()
    print(json.dumps(result))
