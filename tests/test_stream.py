"""The stream: one order, exact in every topology and from every step on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from corpora import both_sources_document
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_options import grouped

from sgt_data import (
    IN_PROCESS,
    build_corpus,
    open_corpus,
    verify_corpus,
)
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError, StreamError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.stream.mixture import Mixture
from sgt_data.stream.options import Ordering, Reading, Topology
from sgt_data.stream.order import Order
from sgt_data.stream.stream import Stream
from sgt_data.stream.testing import check_exact, global_batches

COUNTS = st.lists(st.integers(0, 9), min_size=1, max_size=12).filter(any)
WEIGHTS = st.lists(st.sampled_from([0, 0.3, 0.5, 1, 2, 3, 7]), min_size=1, max_size=5).filter(any)


# --- order


@settings(max_examples=150, deadline=None)
@given(counts=COUNTS, window=st.sampled_from([None, 1, 2, 3, 20]), shuffle=st.booleans())
def test_every_epoch_holds_every_sample_once(
    counts: list[int], window: int | None, shuffle: bool
) -> None:
    order = Order(np.array(counts), "a", 5, window, shuffle)
    all_places = {(shard, row) for shard, count in enumerate(counts) for row in range(count)}
    orders = []
    for epoch in range(3):
        places = order.places(epoch * order.size, (epoch + 1) * order.size)
        places_of_epoch = list(zip(places.shards.tolist(), places.rows.tolist(), strict=True))
        assert len(places_of_epoch) == len(all_places) and set(places_of_epoch) == all_places
        orders.append(places_of_epoch)
    if not shuffle:
        assert orders[0] == orders[1] == sorted(all_places)


@settings(max_examples=100, deadline=None)
@given(counts=COUNTS, window=st.sampled_from([None, 1, 3]), data=st.data())
def test_any_stretch_is_what_it_is_within_the_whole(
    counts: list[int], window: int | None, data: Any
) -> None:
    order = Order(np.array(counts), "a", 5, window)
    whole = order.places(0, 3 * order.size)
    start = data.draw(st.integers(0, 3 * order.size))
    stop = data.draw(st.integers(start, 3 * order.size))
    part = Order(np.array(counts), "a", 5, window).places(start, stop)
    assert part.shards.tolist() == whole.shards[start:stop].tolist()
    assert part.rows.tolist() == whole.rows[start:stop].tolist()


def test_seeds_epochs_and_components_are_shuffled_apart() -> None:
    counts = np.full(20, 10)
    orders = {
        (name, seed, epoch): tuple(
            Order(counts, name, seed).places(epoch * 200, (epoch + 1) * 200).rows.tolist()
        )
        for name in "ab"
        for seed in (0, 1)
        for epoch in (0, 1)
    }
    assert len(set(orders.values())) == len(orders)


def test_a_window_needs_its_own_shards_alone() -> None:
    order = Order(np.full(20, 10), "a", 0, window=4)
    for start in range(0, 200, 40):
        assert len(set(order.places(start, start + 40).shards.tolist())) == 4
        assert set(order.places(start, start + 40).shards) <= set(
            order.upcoming_shards(start).tolist()
        )


# --- mixture


@settings(max_examples=150, deadline=None)
@given(weights=WEIGHTS, batch_size=st.integers(1, 40))
def test_shares_hold_to_within_a_sample_and_nothing_is_taken_back(
    weights: list[float], batch_size: int
) -> None:
    mixture = Mixture(
        {0: {str(number): weight for number, weight in enumerate(weights)}}, batch_size
    )
    shares = np.array(weights) / sum(weights)
    for step in range(60):
        assert mixture.counts(step).sum() == batch_size
        assert (mixture.counts(step) >= 0).all()
        assert np.abs(mixture.counts_before(step) - shares * step * batch_size).max() < 1 + 1e-6


def test_two_to_one_is_sixteen_and_eight_in_every_batch() -> None:
    mixture = Mixture({0: {"segmentation": 2, "vqa": 1}}, 24)
    assert {tuple(mixture.counts(step).tolist()) for step in range(1000)} == {(16, 8)}


def test_a_schedule_changes_at_its_step() -> None:
    mixture = Mixture({0: {"a": 1, "b": 0}, 5: {"a": 1, "b": 3}}, 8)
    counts = [mixture.counts(step).tolist() for step in range(10)]
    assert counts == [[8, 0]] * 5 + [[2, 6]] * 5
    assert mixture.counts_before(10).tolist() == [50, 30]


# --- the stream


@pytest.fixture(scope="module", params=["embedded", "shared"])
def corpus(
    request: pytest.FixtureRequest, sample_sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> str:
    root = tmp_path_factory.mktemp(request.param)
    document = both_sources_document(sample_sources, shard_samples=3)
    build_corpus(
        parse_manifest(document | {"inputs": request.param}), str(root), cluster=IN_PROCESS
    )
    return str(root)


def key_of(sample: Sample) -> tuple[str, str]:
    return sample.component, sample.key


def test_three_lines_give_every_sample_once(corpus: str) -> None:
    stream = Stream(
        {corpus: ["entity", "panoptic"]}, batch_size=6, order=Ordering(last="drop", window=2)
    )
    stored = {
        (sample.proxy, sample.key): (sample.input, sample.target, sample.instruction)
        for proxy in ("entity", "panoptic")
        for sample in open_corpus(corpus).samples(proxy)
    }
    batches = list(stream)
    assert len(batches) == len(stream) == len(stored) // 6
    streamed = {
        (sample.proxy, sample.key): (sample.input, sample.target, sample.instruction)
        for batch in batches
        for sample in batch["samples"]
    }
    assert streamed == stored
    assert stream.epoch == 1, "the next iteration is the next epoch"


@pytest.mark.parametrize(
    ("corpus", "last"),
    [("shared", "carry"), ("shared", "drop"), ("shared", "pad"), ("embedded", "carry")],
    indirect=["corpus"],
)
def test_batches_are_the_same_in_every_topology_and_after_every_restart(
    last: Any, corpus: str
) -> None:
    """The grid: {1, 2, 3, 8} ranks x {0, 1, 4} workers, a three-way mixture, through epochs."""
    proxies = ["entity", "instance", "panoptic"]
    mixture = {"entity": 3, "instance": 1.5, "panoptic": 1}

    def make(topology: Topology) -> Stream:
        return Stream(
            {corpus: proxies},
            batch_size=11,
            mixture=mixture,
            seed=4,
            transform=key_of,
            order=Ordering(window=2, last=last),
            topology=topology,
        )

    check_exact(make, steps=13, identify=lambda sample: sample)


@pytest.mark.parametrize(
    ("last", "steps", "given_once"), [("drop", 3, 21), ("pad", 4, 24), ("carry", 4, 24)]
)
def test_the_incomplete_last_batch_goes_by_its_policy(
    last: Any, steps: int, given_once: int, corpus: str
) -> None:
    """24 samples in batches of 7."""
    stream = Stream({corpus: ["entity"]}, batch_size=7, transform=key_of, order=Ordering(last=last))
    first = [batch["samples"] for batch in stream]
    assert len(first) == steps
    keys = [key for batch in first for key in batch]
    assert len(set(keys)) == given_once
    second = [key for batch in stream for key in batch["samples"]]
    if last == "carry":
        both_epochs = keys + second
        for start in (0, 24):
            assert len(set(both_epochs[start : start + 24])) == 24
    else:
        assert len(second) == len(keys) and second != keys


def test_ranks_have_alike_of_every_component(corpus: str) -> None:
    for rank in range(3):
        stream = Stream(
            {corpus: ["entity", "panoptic"]},
            batch_size=9,
            mixture={"entity": 2, "panoptic": 1},
            topology=Topology(rank, 3),
        )
        components = [sample.component for sample in stream.batch(0)["samples"]]
        assert sorted(components) == ["entity", "entity", "panoptic"]


def test_a_state_of_another_stream_is_refused(corpus: str) -> None:
    state = Stream({corpus: ["entity"]}, batch_size=4, seed=1).state_dict()
    with pytest.raises(RequestError, match="seed is 1 there, 2 here"):
        Stream({corpus: ["entity"]}, batch_size=4, seed=2).load_state_dict(state)
    with pytest.raises(RequestError, match="samples is"):
        Stream({corpus: ["entity", "panoptic"]}, batch_size=4, seed=1).load_state_dict(state)
    with pytest.raises(RequestError, match="no state of a stream"):
        Stream({corpus: ["entity"]}, batch_size=4).load_state_dict({"step": 3})


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"mixture": {"entity": 1, "vqa": 1}}, "found 'vqa'; allowed: entity"),
        ({"mixture": {"entity": -1}}, "found weight -1"),
        ({"mixture": {"entity": 0}}, "all weights are 0"),
        ({"mixture": {3: {"entity": 1}}}, "must begin at step 0"),
        ({"batch_size": 2, "rank": 0, "world": 3}, "3 ranks need at least one"),
        ({"rank": 3, "world": 3}, "rank: found 3 of 3"),
        ({"last": "drop", "batch_size": 100}, "fills no batch"),
        ({"epoch_of": "other"}, "allowed"),
    ],
)
def test_what_cannot_be_streamed_is_named(wrong: dict[str, Any], message: str, corpus: str) -> None:
    with pytest.raises(RequestError, match=message):
        Stream({corpus: ["entity"]}, **grouped(**{"batch_size": 4, **wrong}))
    with pytest.raises(RequestError, match="has no proxy 'depth'"):
        Stream({corpus: ["depth"]}, batch_size=4)


# --- damage


@pytest.fixture
def damaged(sample_sources: Path, tmp_path: Path) -> tuple[Path, str]:
    """A corpus with one flipped byte in a target, and the key of its sample."""
    document = both_sources_document(sample_sources, shard_samples=3)
    document["proxies"] = document["proxies"][:1]
    build_corpus(parse_manifest(document), str(tmp_path), cluster=IN_PROCESS)
    corpus = open_corpus(str(tmp_path))
    shard = corpus.shards("entity")[2]
    row = corpus.index("entity", shard).to_pylist()[1]
    tar = tmp_path / "entity" / f"{shard}.tar"
    data = bytearray(tar.read_bytes())
    data[row["target_offset"] + 40] ^= 1
    tar.write_bytes(data)
    return tmp_path, row["key"]


def test_a_flipped_byte_is_named(damaged: tuple[Path, str]) -> None:
    root, key = damaged
    with pytest.raises(CorpusError, match=rf"target of sample {key} has another CRC-32"):
        list(Stream({str(root): ["entity"]}, batch_size=4))
    unchecked = Stream({str(root): ["entity"]}, batch_size=4, reading=Reading(checksums=False))
    assert sum(len(batch["samples"]) for batch in unchecked) == 24


def test_skipping_leaves_out_the_same_samples_everywhere(damaged: tuple[Path, str]) -> None:
    root, key = damaged

    def make(topology: Topology) -> Stream:
        return Stream(
            {str(root): ["entity"]},
            batch_size=6,
            transform=key_of,
            reading=Reading(on_error="skip"),
            order=Ordering(last="drop"),
            topology=topology,
        )

    expected = global_batches(make, 1, 0, 4)
    assert sorted(len(batch) for batch in expected) == [5, 6, 6, 6]
    assert ("entity", key) not in [sample for batch in expected for sample in batch]
    stream = make(Topology(0, 1))
    list(stream)
    assert len(stream.skipped) == 1 and key in stream.skipped[0]


def test_more_damage_than_allowed_ends_the_stream(damaged: tuple[Path, str]) -> None:
    root, _ = damaged
    for tar in (root / "entity").glob("sa1b-*.tar"):
        tar.write_bytes(tar.read_bytes()[:2000])
    stream = Stream(
        {str(root): ["entity"]}, batch_size=4, reading=Reading(on_error="skip", skip_max=0.1)
    )
    with pytest.raises(StreamError, match=r"more than skip_max=0\.1 allows"):
        list(stream)


def test_a_vanished_shard_is_named(damaged: tuple[Path, str]) -> None:
    root, _ = damaged
    shard = next((root / "entity").glob("coco-*.tar"))
    shard.unlink()
    with pytest.raises(CorpusError, match=shard.name):
        list(Stream({str(root): ["entity"]}, batch_size=4, reading=Reading(checksums=False)))


def test_a_corpus_whose_header_lacks_counts_streams_all_the_same(
    corpus: str, tmp_path: Path
) -> None:
    """As those of the first builds do."""
    shutil.copytree(corpus, tmp_path / "old")
    place = tmp_path / "old" / "corpus.json"
    header = json.loads(place.read_text())
    del header["samples"]
    place.write_text(json.dumps(header))
    (old,) = list(Stream({str(tmp_path / "old"): ["entity"]}, batch_size=24, transform=key_of))
    (new,) = list(Stream({corpus: ["entity"]}, batch_size=24, transform=key_of))
    assert old["samples"] == new["samples"]
    assert verify_corpus(str(tmp_path / "old")).sound


def test_a_corpus_elsewhere_gives_the_same_batches(sample_sources: Path, corpus: str) -> None:
    """By ranges through fsspec, several samples at once."""
    document = both_sources_document(sample_sources, shard_samples=3)
    document["inputs"] = "shared"
    build_corpus(parse_manifest(document), "memory://stream-corpus", cluster=IN_PROCESS)

    def batches(url: str) -> list[list[tuple[str, bytes]]]:
        stream = Stream({url: ["entity", "panoptic"]}, batch_size=5, order=Ordering(window=2))
        return [[(sample.key, sample.input) for sample in batch["samples"]] for batch in stream]

    assert batches("memory://stream-corpus") == batches(corpus)


def test_the_stated_quality_of_the_shuffle_is_measured() -> None:
    """Pairs of neighbours from one shard: 1 / W of them; the place in an epoch: uniform."""
    order = Order(np.full(200, 50), "a", 7, window=8)
    same, places = [], []
    for epoch in range(8):
        shards = order.places(epoch * order.size, (epoch + 1) * order.size).shards
        same.append((shards[1:] == shards[:-1]).mean())
        places.append(np.flatnonzero(shards == 17).mean() / order.size)
    assert abs(float(np.mean(same)) - 1 / 8) < 0.01
    rough = [float(np.mean(np.array(places) < share)) for share in (0.25, 0.75)]
    assert rough[0] < 0.75 and rough[1] > 0.25


def flip(root: Path, shard: str, row: dict[str, Any]) -> None:
    tar = root / "entity" / f"{shard}.tar"
    data = bytearray(tar.read_bytes())
    data[row["input_offset"] + 100] ^= 0x40
    tar.write_bytes(data)


def truncate(root: Path, shard: str, row: dict[str, Any]) -> None:
    tar = root / "entity" / f"{shard}.tar"
    tar.write_bytes(tar.read_bytes()[: row["facts_offset"] + 3])


def vanish(root: Path, shard: str, row: dict[str, Any]) -> None:
    (root / "entity" / f"{shard}.tar").unlink()


def spoil_index(root: Path, shard: str, row: dict[str, Any]) -> None:
    (root / "index" / "entity" / f"{shard}.parquet").write_bytes(b"PAR1 no more")


def lose_index(root: Path, shard: str, row: dict[str, Any]) -> None:
    (root / "index" / "entity" / f"{shard}.parquet").unlink()


def shorten_index(root: Path, shard: str, row: dict[str, Any]) -> None:
    place = root / "index" / "entity" / f"{shard}.parquet"
    pq.write_table(pq.read_table(place).slice(0, 2), place)


def lose_member(root: Path, shard: str, row: dict[str, Any]) -> None:
    place = root / "index" / "entity" / f"{shard}.parquet"
    table = pq.read_table(place)
    sizes = pa.array([None, *table["target_size"].to_pylist()[1:]], pa.int64())
    at = table.schema.get_field_index("target_size")
    pq.write_table(table.set_column(at, "target_size", sizes), place)


@pytest.mark.parametrize(
    ("damage", "lost"),
    [(flip, 1), (truncate, 3), (vanish, 3), (spoil_index, 3), (lose_index, 3), (shorten_index, 1),
     (lose_member, 1)],
)  # fmt: skip
def test_each_kind_of_damage_is_named_or_skipped_and_never_ends_an_epoch_early(
    damage: Any, lost: int, sample_sources: Path, tmp_path: Path
) -> None:
    document = both_sources_document(sample_sources, shard_samples=3)
    document["proxies"] = document["proxies"][:1]
    build_corpus(parse_manifest(document), str(tmp_path), cluster=IN_PROCESS)
    corpus = open_corpus(str(tmp_path))
    shard = corpus.shards("entity")[3]
    damage(tmp_path, shard, corpus.index("entity", shard).to_pylist()[0])
    with pytest.raises(CorpusError, match=rf"entity/{shard}"):
        list(Stream({str(tmp_path): ["entity"]}, batch_size=4))

    def make(topology: Topology) -> Stream:
        return Stream(
            {str(tmp_path): ["entity"]},
            batch_size=4,
            transform=key_of,
            reading=Reading(on_error="skip", skip_max=0.5),
            topology=topology,
        )

    whole = global_batches(make, 1, 0, 6)
    assert sum(map(len, whole)) == 24 - lost
    for ranks, workers in ((2, 0), (1, 3)):
        batches = global_batches(make, ranks, workers, 6)
        assert [sorted(batch) for batch in batches] == [sorted(batch) for batch in whole]
