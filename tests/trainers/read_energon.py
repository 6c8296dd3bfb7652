"""Read data sets with Megatron Energon's own loader, and print every sample of an epoch.

    read_energon.py '[["PATH", {"workers": 2, "batch": 3, "split": "val"}], ...]'

PATH is a metadataset, or a folder of tars, whose samples a cooker makes. By default there are no
workers, samples come one by one, and the split is `train`.

Prints a list of samples for each: key, instruction, the facts' proxy and SHA-256 as JSON, size of
both pictures and SHA-256 of their pixels (RGB, 8 bits).
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import torch
from megatron.energon import (
    Cooker,
    DefaultTaskEncoder,
    WorkerConfig,
    get_loader,
    get_train_dataset,
)
from sgt_pairs import ImagePair, cook_pair

Samples = list[dict[str, Any]]


class Encoder(DefaultTaskEncoder):
    cookers = (Cooker(cook_pair),)


def pixels(picture: torch.Tensor) -> list[Any]:
    """Size and digest of a decoded picture; its numbers must be whole 255ths."""
    levels = picture * 255
    whole = levels.round()
    assert picture.dtype == torch.float32 and (levels - whole).abs().max() < 1e-4
    array = whole.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return [*array.shape, hashlib.sha256(array.tobytes()).hexdigest()]


def described(sample: ImagePair, row: int | None = None) -> dict[str, Any]:
    """A sample, or a row of a batch, whose fields are lists."""
    assert isinstance(sample, ImagePair)
    names = ("__key__", "instruction", "facts", "input", "target")
    fields = {name: getattr(sample, name) for name in names}
    if row is not None:
        fields = {name: values[row] for name, values in fields.items()}
    facts = json.dumps(fields["facts"], sort_keys=True).encode()
    return {
        "key": fields["__key__"],
        "instruction": fields["instruction"],
        "proxy": fields["facts"]["proxy"],
        "facts": hashlib.sha256(facts).hexdigest(),
        "input": pixels(fields["input"]),
        "target": pixels(fields["target"]),
    }


def epoch(path: str, workers: int = 0, batch: int = 0, split: str = "train") -> Samples:
    """All samples that one pass gives."""
    data = get_train_dataset(
        path, split_part=split,
        worker_config=WorkerConfig(rank=0, world_size=1, num_workers=workers),
        task_encoder=DefaultTaskEncoder() if path.endswith(".yaml") else Encoder(),
        batch_size=batch or None, shuffle_buffer_size=8, max_samples_per_sequence=4, repeat=False,
    )  # fmt: skip
    given = get_loader(data)
    if not batch:
        return [described(sample) for sample in given]
    return [described(whole, row) for whole in given for row in range(len(whole.instruction))]


def main() -> None:
    jobs = json.loads(sys.argv[1])
    print(json.dumps([epoch(path, **options) for path, options in jobs]))


if __name__ == "__main__":
    main()
