"""A gallery's samples: read in any order, seen in that of the corpus, in memory once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from sgt_data.view import sample_table
from sgt_data.view.sample_table import SampleTable
from sgt_data.view.shard_columns import ShardColumns

CATEGORIES = [[0, 1], [], [2]]


def shard_of(number: int) -> ShardColumns:
    """Three samples, which the shard's number tells apart from others."""
    same = np.full(3, number, np.int32)
    return ShardColumns(
        pa.chunked_array([pa.array([f"k{number}-{row}" for row in range(3)])]),
        np.arange(3, dtype=np.int32), same.astype(np.int16), same.astype(np.int16), same, same,
        same, np.cumsum([len(codes) for codes in CATEGORIES], dtype=np.int32),
        np.array([code + number for codes in CATEGORIES for code in codes], np.int32), same,
    )  # fmt: skip


@pytest.mark.parametrize("at_once", [2, 256])
def test_samples_are_seen_in_corpus_order_whenever_they_came(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sample_table, "_SHARDS_AT_ONCE", at_once)
    shards = 9
    table = SampleTable(tuple(f"s{number}" for number in range(shards)), (3,) * shards)
    added: list[int] = []
    for number in (4, 0, 7, 1, 2, 8, 3, 6, 5):
        table.add(number, shard_of(number))
        added.append(number)
        if len(added) % 3 == 0:  # somebody looks meanwhile
            check(table, sorted(added))
    check(table, list(range(shards)))
    assert table.complete


def check(table: SampleTable, numbers: list[int]) -> None:
    columns = table.seen().columns
    expected = [f"k{number}-{row}" for number in numbers for row in range(3)]
    assert columns.keys.to_pylist() == expected
    assert columns.shard.tolist() == np.repeat(numbers, 3).tolist()
    assert [columns.categories_of(place).tolist() for place in range(len(columns))] == [
        [code + number for code in codes] for number in numbers for codes in CATEGORIES
    ]
    for number in numbers:
        part = table.of_shard(number)
        assert part is not None
        assert part.keys.to_pylist() == shard_of(number).keys.to_pylist()
        assert part.categories_of(2).tolist() == [2 + number]
    assert table.done == 3 * len(numbers)
