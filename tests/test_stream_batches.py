"""Batches come out of workers as they went in; memory still read is never used again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset

from sgt_data.stream.batch import Batch
from sgt_data.stream.shared_blocks import BlockPool, content


class Made(IterableDataset):
    """Batches made by number, each worker its own."""

    def __init__(self, count: int, samples_of: Any) -> None:
        self.count, self.samples_of = count, samples_of

    def __iter__(self) -> Iterator[Batch]:
        info = torch.utils.data.get_worker_info()
        first, step = (info.id, info.num_workers) if info else (0, 1)
        for number in range(first, self.count, step):
            yield Batch(number, 0, self.samples_of(number))


def kinds(number: int) -> list[Any]:
    rng = np.random.default_rng(number)
    pixels = rng.integers(0, 256, (5 + number, 7, 3), dtype=np.uint8)
    return [
        {"input": pixels, "facts": {"deep": [1, [2, {"x": "y"}]]}, "text": "words", "none": None},
        {"target": torch.from_numpy(pixels.copy()).permute(2, 0, 1), "list": [pixels, "a", 1.5]},
        (torch.arange(6, dtype=torch.float32).reshape(2, 3).t(), np.float64(number)),
        torch.ones(3, dtype=torch.bfloat16) * number,
        np.zeros((0, 4), np.int64),
        torch.tensor(7),
        torch.zeros(1, 5).expand(4, 5),
        np.array(["a", "b"]),
        b"bytes",
    ]


def same(value: Any, expected: Any) -> bool:
    assert type(value) is type(expected), (value, expected)
    if isinstance(value, dict):
        return value.keys() == expected.keys() and all(
            same(value[name], expected[name]) for name in value
        )
    if isinstance(value, list | tuple):
        return len(value) == len(expected) and all(map(same, value, expected))
    if isinstance(value, np.ndarray):
        return (
            value.dtype == expected.dtype
            and value.shape == expected.shape
            and bool((value == expected).all())
        )
    if isinstance(value, torch.Tensor):
        return value.dtype == expected.dtype and torch.equal(value, expected)
    return bool(value == expected)


@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_samples_of_any_form_come_out_of_workers_as_they_went_in(start: str) -> None:
    loader = DataLoader(
        Made(6, kinds), batch_size=None, num_workers=2, multiprocessing_context=start
    )
    batches = list(loader)
    assert [batch["step"] for batch in batches] == list(range(6))
    for number, batch in enumerate(batches):
        assert same(batch["samples"], kinds(number))


def test_channels_stay_last_in_memory() -> None:
    (batch,) = DataLoader(Made(1, kinds), batch_size=None, num_workers=1)
    assert batch["samples"][1]["target"].permute(1, 2, 0).is_contiguous()


def constant(number: int) -> list[Any]:
    return [{"input": np.full((64, 64), number, np.int32)}, torch.full((100,), number)]


def test_what_a_consumer_keeps_is_never_overwritten() -> None:
    """Views are kept of every third batch, of one sample only, while the workers go on."""
    views = {}
    for batch in DataLoader(Made(60, constant), batch_size=None, num_workers=2):
        number = batch["step"]
        if number % 3 == 0:
            views[number] = batch["samples"][0]["input"][10:20]
        elif number % 3 == 1:
            views[number] = batch["samples"][1][5:]
    assert len(views) == 40
    for number, view in views.items():
        assert (view == number).all()


def test_a_batch_is_no_mapping_for_a_loader_but_unpacks_like_one() -> None:
    batch = Batch(3, 1, ["a"])
    assert dict(batch) == {"step": 3, "epoch": 1, "samples": ["a"]}
    assert torch.utils.data.default_convert(batch) is batch
    assert "step 3" in repr(batch)


def test_blocks_are_used_again_once_their_content_has_died_and_not_before() -> None:
    pool = BlockPool(torch)
    first = pool.lease(1000)
    view = content(first)
    second = pool.lease(1000)
    assert second is not first
    part = view[10:20]
    del view
    gc.collect()
    assert pool.lease(1000) is not first, "a view of it is still there"
    del part
    gc.collect()
    assert pool.lease(900) is first


def test_a_worker_keeps_few_spare_blocks() -> None:
    pool = BlockPool(torch)
    blocks = [pool.lease(100) for _ in range(20)]
    for block in blocks:
        content(block)  # taken and dropped
    pool.lease(100)
    assert len(pool._blocks) <= 6
    pool.lease(5000)
    assert all(len(block) >= 5000 or block[0] for block in pool._blocks)
