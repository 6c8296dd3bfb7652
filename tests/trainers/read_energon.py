"""Read metadatasets with Megatron Energon's own loader, and print every sample of an epoch.

    read_energon.py WORKERS METADATASET ...

Prints a list of samples for each metadataset: key, proxy, instruction, SHA-256 of the facts as JSON
and of the pixels of both pictures (RGB, 8 bits), and their sizes.
"""

from __future__ import annotations

import hashlib
import json
import sys
from typing import Any

import torch
from megatron.energon import WorkerConfig, get_loader, get_train_dataset


def pixels(picture: torch.Tensor) -> list[Any]:
    """Size and digest of a decoded picture; its numbers must be whole 255ths."""
    levels = picture * 255
    whole = levels.round()
    assert picture.dtype == torch.float32 and (levels - whole).abs().max() < 1e-4
    array = whole.to(torch.uint8).permute(1, 2, 0).contiguous().numpy()
    return [*array.shape, hashlib.sha256(array.tobytes()).hexdigest()]


def described(sample: Any) -> dict[str, Any]:
    facts = json.dumps(sample.facts, sort_keys=True).encode()
    return {
        "key": sample.__key__,
        "proxy": sample.facts["proxy"],
        "instruction": sample.instruction,
        "facts": hashlib.sha256(facts).hexdigest(),
        "input": pixels(sample.input),
        "target": pixels(sample.target),
    }


def epoch(path: str, workers: int) -> list[dict[str, Any]]:
    """All samples that one pass gives."""
    data = get_train_dataset(
        path,
        worker_config=WorkerConfig(rank=0, world_size=1, num_workers=workers),
        batch_size=None, shuffle_buffer_size=None, max_samples_per_sequence=None, repeat=False,
    )  # fmt: skip
    return [described(sample) for sample in get_loader(data)]


def main() -> None:
    workers, *paths = sys.argv[1:]
    print(json.dumps([epoch(path, int(workers)) for path in paths]))


if __name__ == "__main__":
    main()
