"""Patterns of a stream: one component a step, with every law of the stream."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from corpora import both_sources_document
from hypothesis import given, settings
from hypothesis import strategies as st
from stream_options import grouped

from sgt_data import IN_PROCESS, Stream, build_corpus
from sgt_data.errors import RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.stream.options import Ordering, Topology
from sgt_data.stream.pattern import PATTERN_MAX, Pattern
from sgt_data.stream.testing import check_exact

TWO_TO_ONE = ["entity", "entity", "panoptic"]


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """24 samples of `entity`, 12 of `panoptic`."""
    root = tmp_path_factory.mktemp("patterns")
    document = both_sources_document(sample_sources, shard_samples=3)
    assert build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS).succeeded
    return str(root)


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> str:
    """10 conversations without pictures."""
    turns = [{"from": "human", "value": "How many?"}, {"from": "gpt", "value": "two"}]
    lines = [json.dumps({"id": f"q{number}", "conversations": turns}) for number in range(10)]
    file = tmp_path_factory.mktemp("texts") / "vqa.jsonl"
    file.write_text("\n".join(lines))
    return str(file)


def name_of(item: Any) -> tuple[str, str]:
    return item.component, item.key


def patterned(corpus: str, texts: str, pattern: list[str], **options: Any) -> Stream:
    sources = {corpus: ["entity", "instance", "panoptic"], texts: "vqa"}
    options = {"batch_size": 4, "transform": name_of, "window": 2, **options}
    return Stream(sources, **grouped(pattern=pattern, **options))


@settings(max_examples=100, deadline=None)
@given(steps=st.lists(st.sampled_from("abc"), min_size=1, max_size=7), batch_size=st.integers(1, 9))
def test_each_batch_is_all_of_one_component(steps: list[str], batch_size: int) -> None:
    pattern = Pattern(steps, batch_size)
    total: Counter[str] = Counter()
    for step in range(3 * len(steps) + 2):
        before = dict(zip(pattern.components, pattern.counts_before(step).tolist(), strict=True))
        assert {name: count for name, count in before.items() if count} == total
        counts = dict(zip(pattern.components, pattern.counts(step).tolist(), strict=True))
        name = steps[step % len(steps)]
        assert {name: count for name, count in counts.items() if count} == {name: batch_size}
        total[name] += batch_size


def test_no_rank_ever_has_two_components_in_a_batch(corpus: str, texts: str) -> None:
    pattern = ["entity", "vqa", "entity", "panoptic"]
    for rank in range(2):
        stream = patterned(corpus, texts, pattern, rank=rank, world=2)
        for step in range(12):
            components = {component for component, _ in stream.batch(step)["samples"]}
            assert components == {pattern[step % 4]}


@pytest.mark.parametrize("last", ["carry", "drop", "pad"])
def test_batches_are_the_same_in_every_topology_and_after_every_restart(
    last: Any, corpus: str, texts: str
) -> None:
    """8 steps fill an epoch of 24 in batches of 5, and 10 with the vqa between them."""

    def make(topology: Topology) -> Stream:
        return patterned(
            corpus, texts, ["entity", "vqa", "entity"], batch_size=5, last=last, topology=topology
        )

    check_exact(
        make, steps=14, identify=lambda sample: sample, topologies=[(1, 0), (2, 2), (3, 1), (5, 4)]
    )


def test_every_component_gives_each_sample_once_before_any_comes_again(
    corpus: str, texts: str
) -> None:
    stream = patterned(corpus, texts, [*TWO_TO_ONE, "vqa"])
    given: dict[str, list[str]] = {}
    for step in range(60):
        for component, key in stream.batch(step)["samples"]:
            given.setdefault(component, []).append(key)
    for component, size in {"entity": 24, "panoptic": 12, "vqa": 10}.items():
        keys = given[component]
        assert len(keys) >= 3 * size
        orders = [tuple(keys[start : start + size]) for start in range(0, 3 * size, size)]
        assert all(len(set(order)) == size for order in orders)
        assert len(set(orders)) == 3


@pytest.mark.parametrize(
    ("last", "batch_size", "steps", "once", "given"),
    [
        ("drop", 4, 9, 24, 24),  # three whole patterns hold the 24 samples exactly
        ("pad", 4, 9, 24, 24),
        ("drop", 5, 6, 20, 20),  # a third pattern would need 30
        ("pad", 5, 9, 24, 30),
    ],
)
def test_an_epoch_that_carries_nothing_is_a_number_of_whole_patterns(
    last: Any, batch_size: int, steps: int, once: int, given: int, corpus: str, texts: str
) -> None:
    stream = patterned(corpus, texts, TWO_TO_ONE, batch_size=batch_size, last=last)
    for epoch in range(3):
        assert len(stream) == steps and stream.epoch_start(epoch) == epoch * steps
        batches = list(stream)
        assert [batch["samples"][0][0] for batch in batches] == TWO_TO_ONE * (steps // 3)
        keys = [key for batch in batches for name, key in batch["samples"] if name == "entity"]
        assert (len(keys), len(set(keys))) == (given, once)


def test_epochs_are_of_the_component_that_epoch_of_names(corpus: str, texts: str) -> None:
    stream = patterned(corpus, texts, TWO_TO_ONE, epoch_of="panoptic")
    assert len(stream) == 9  # 12 samples in batches of 4, one in three steps
    assert len(patterned(corpus, texts, TWO_TO_ONE)) == 8  # 24 samples: 6 of 8 steps


@pytest.mark.parametrize("last", ["carry", "drop", "pad"])
def test_shards_of_every_component_are_fetched_ahead_in_every_step(
    last: Any, corpus: str, texts: str
) -> None:
    stream = patterned(corpus, texts, TWO_TO_ONE, batch_size=5, last=last)
    for step in range(12):
        upcoming = {name for name, _ in stream._schedule.upcoming_shards(step)}
        assert upcoming == {"entity", "panoptic"}


def test_a_state_names_its_pattern(corpus: str, texts: str) -> None:
    state = patterned(corpus, texts, TWO_TO_ONE).state_dict()
    with pytest.raises(RequestError, match=r"the state is of another stream: pattern"):
        patterned(corpus, texts, ["entity", "panoptic", "entity"]).load_state_dict(state)
    with pytest.raises(RequestError, match="the state is of another stream"):
        Stream({corpus: ["entity"]}, batch_size=4, order=Ordering(window=2)).load_state_dict(state)
    assert json.loads(json.dumps(state)) == state


def test_states_from_before_there_were_patterns_are_taken(corpus: str) -> None:
    stream = Stream({corpus: ["entity"]}, batch_size=4)
    state = stream.state_dict() | {"step": 3}
    del state["stream"]["pattern"]
    stream.load_state_dict(state)
    assert stream.state_dict()["step"] == 3


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pattern": ["entity", "panoptik"]}, "pattern: .*'panoptik'.*did you mean panoptic"),
        ({"pattern": "entity"}, "pattern: found 'entity'; allowed: a list of components' names"),
        ({"pattern": []}, "pattern: found"),
        ({"pattern": ["entity", 3]}, "pattern: found 3"),
        ({"pattern": ["entity"] * (PATTERN_MAX + 1)}, "allowed: 1 to 10,000"),
        ({"pattern": TWO_TO_ONE, "mixture": {"entity": 1}}, "pattern and mixture are both given"),
        ({"pattern": ["panoptic"], "epoch_of": "entity"}, "epoch_of: .*'entity'"),
        ({"pattern": TWO_TO_ONE, "last": "drop", "batch_size": 13}, "in each step of the pattern"),
    ],
)
def test_what_is_no_pattern_is_named(options: dict[str, Any], message: str, corpus: str) -> None:
    with pytest.raises(RequestError, match=message):
        Stream({corpus: ["entity", "panoptic"]}, **grouped(**{"batch_size": 4, **options}))
