"""One order of keys: its beginnings are exact, nested, and fair to every stratum."""

from __future__ import annotations

import hashlib
from collections import Counter
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sgt_data.errors import RequestError
from sgt_data.subsets.key_categories import CategoryCollector
from sgt_data.subsets.ranking import count_of, keyed_hashes, ranked
from sgt_data.subsets.shard_likeness import shard_likeness
from sgt_data.subsets.strata import KeyFacts, stratify

SIZES = st.lists(st.integers(1, 40), min_size=1, max_size=30) | st.lists(
    st.sampled_from([1, 1, 1, 2, 300]), min_size=1, max_size=60
)


def order_of(sizes: list[int], seed: int) -> tuple[list[str], NDArray[np.int64], NDArray[np.int64]]:
    """Names, strata and order of keys in strata of these sizes."""
    strata = np.repeat(np.arange(len(sizes)), sizes)
    names = [f"key-{number:05d}" for number in range(len(strata))]
    order = ranked(names, keyed_hashes(names, seed), strata, np.array(sizes))
    return names, strata, order


@settings(deadline=None, max_examples=60)
@given(sizes=SIZES, seed=st.integers(0, 2**63 - 1))
def test_every_beginning_has_each_stratum_within_one_of_its_share(
    sizes: list[int], seed: int
) -> None:
    _, strata, order = order_of(sizes, seed)
    assert sorted(order.tolist()) == list(range(len(strata)))
    held: Counter[int] = Counter()
    for count, place in enumerate(order.tolist(), 1):
        held[int(strata[place])] += 1
        for stratum, size in enumerate(sizes):
            assert abs(held[stratum] - Fraction(count * size, len(strata))) < 1


@settings(deadline=None, max_examples=60)
@given(sizes=SIZES, seed=st.integers(0, 1000), data=st.data())
def test_the_order_of_a_beginning_is_that_of_the_whole(
    sizes: list[int], seed: int, data: st.DataObject
) -> None:
    """Given the sizes that strata had: so a subset of a subset is one of the whole."""
    names, strata, order = order_of(sizes, seed)
    count = data.draw(st.integers(1, len(names)))
    kept = np.array(data.draw(st.permutations(order[:count].tolist())))
    some = [names[place] for place in kept]
    again = ranked(some, keyed_hashes(some, seed), strata[kept], np.array(sizes))
    assert [some[place] for place in again] == [names[place] for place in order[:count]]


@given(seed=st.integers(0, 1000), data=st.data())
@settings(deadline=None, max_examples=30)
def test_the_order_does_not_depend_on_that_of_the_keys(seed: int, data: st.DataObject) -> None:
    names, strata, order = order_of([7, 20, 3], seed)
    mixed = data.draw(st.permutations(range(len(names))))
    shuffled = [names[place] for place in mixed]
    again = ranked(shuffled, keyed_hashes(shuffled, seed), strata[mixed], np.array([7, 20, 3]))
    assert [shuffled[place] for place in again] == [names[place] for place in order]


def test_within_a_stratum_keys_go_by_their_keyed_hash() -> None:
    names, _, order = order_of([200], 5)
    expected = sorted(
        names,
        key=lambda name: int.from_bytes(
            hashlib.blake2b(name.encode(), digest_size=8, key=(5).to_bytes(8, "little")).digest(),
            "little",
        ),
    )
    assert [names[place] for place in order] == expected
    assert order_of([200], 6)[2].tolist() != order.tolist()


@given(sizes=SIZES, data=st.data())
@settings(deadline=None, max_examples=40)
def test_at_each_place_the_most_urgent_of_all_keys_comes(
    sizes: list[int], data: st.DataObject
) -> None:
    """The rule, key by key as it is stated; also for the first keys of a larger order."""
    strata = np.repeat(np.arange(len(sizes)), sizes)
    whole = np.array([size + data.draw(st.integers(0, 5)) for size in sizes])
    names = [f"key-{number:05d}" for number in range(len(strata))]
    hashes = keyed_hashes(names, 3)
    by_hash = sorted(range(len(names)), key=lambda place: int(hashes[place]))
    total, seen = int(whole.sum()), Counter[int]()
    keys = []  # earliest and latest place, stratum, place by hash, and position
    for rank, position in enumerate(by_hash):
        stratum = int(strata[position])
        j, size = seen[stratum], int(whole[stratum])
        earliest, latest = j * total // size, -(-(j + 1) * total // size)
        keys.append((earliest, latest, stratum, rank, position))
        seen[stratum] += 1
    expected = []
    for place in range(len(names)):
        ready = [key for key in keys if key[0] <= place] or [
            min(keys, key=lambda key: (key[0], key[2]))
        ]
        chosen = min(ready, key=lambda key: (key[1], key[3]))
        keys.remove(chosen)
        expected.append(chosen[4])
    assert ranked(names, hashes, strata, whole).tolist() == expected


def test_equal_hashes_are_told_apart_by_key() -> None:
    names = ["b", "c", "a"]
    hashes = np.array([1, 0, 1], np.uint64)
    assert ranked(names, hashes, np.zeros(3, np.int64), np.array([3])).tolist() == [1, 2, 0]


@pytest.mark.parametrize(
    ("fraction", "total", "count"),
    [(0.25, 10, 3), (0.35, 10, 4), (0.15, 10, 2), (0.05, 10, 1), (0.29, 100, 29), (1, 7, 7)],
)
def test_a_fraction_is_rounded_half_up_as_it_is_written(
    fraction: float, total: int, count: int
) -> None:
    assert count_of(fraction, total) == count


@pytest.mark.parametrize("fraction", [0, -0.1, 1.01, float("nan"), float("inf")])
def test_what_is_no_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(RequestError, match="above 0, at most 1"):
        count_of(fraction, 10)


def test_strata_by_segments_are_magnitudes_within_sources() -> None:
    facts = KeyFacts(np.array([0, 1, 2, 3, 4, 200], np.int32))
    source = np.array([0, 0, 0, 1, 1, 1])
    strata = stratify("segments", ("a", "b"), source, facts)
    labels = [strata.labels[number] for number in strata.numbers]
    assert labels == ["a/0", "a/1", "a/2 to 3", "b/2 to 3", "b/4 to 7", "b/128 to 255"]


def test_a_picture_is_of_its_rarest_category() -> None:
    collector = CategoryCollector()
    for block in ([["dog", "cat"], ["dog"]], [[], ["dog", "bat", "cat"]]):
        collector.add(pa.array(block, pa.list_(pa.string())))
    facts = KeyFacts(categories=collector.collected())
    strata = stratify("category", ("a",), np.zeros(4, np.int64), facts)
    assert [strata.labels[number] for number in strata.numbers] == [
        "a/cat", "a/dog", "a/none", "a/bat",
    ]  # fmt: skip
    assert strata.categories == {"dog": 3, "cat": 2, "bat": 1}


def test_shards_of_like_pictures_are_told_from_mixed_ones() -> None:
    """Known variances: shard means of variance 9, pictures around them of variance 1: 0.9."""
    chance = np.random.default_rng(0)
    counts = np.full(400, 25)
    alike = np.repeat(chance.normal(0, 3, 400), 25) + chance.normal(0, 1, 10_000)
    mixed = chance.normal(0, 3, 10_000)
    source = np.arange(400) % 2
    for values, correlation in ((alike + 100 * np.repeat(source, counts), 0.9), (mixed, 0.0)):
        effect = shard_likeness("it", (1000 * values).astype(np.int64), counts, source)
        assert effect is not None
        assert effect.correlation == pytest.approx(correlation, abs=0.03)
        assert effect.design_effect == pytest.approx(1 + 24 * correlation, abs=0.5)
    same = np.ones(10_000, np.int64)
    assert shard_likeness("it", same, counts, source) is None
    assert (
        shard_likeness("it", np.arange(10), np.ones(10, np.int64), np.zeros(10, np.int64)) is None
    )
