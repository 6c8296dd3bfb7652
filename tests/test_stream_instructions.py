"""Instructions of a stream: drawn anew each epoch, exactly, and never from the other split."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stream_options import grouped

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.corpus.sample import Sample
from sgt_data.errors import CorpusError, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.prompts.bank import load_bank
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.instructions import with_instruction
from sgt_data.stream.options import Topology
from sgt_data.stream.stream import Stream
from sgt_data.stream.testing import check_exact

PROXIES = ["panoptic", "instance", "referring"]


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    document = {
        "name": "instructions",
        "shard_samples": 4,
        "pictures": {"min_side": 64, "max_side": 96, "multiple_of": 8},
        "sources": [
            {
                "type": "coco",
                "root": f"{sample_sources}/coco",
                "annotations": ["instances", "panoptic"],
            }
        ],
        "proxies": [
            {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
            {"type": "segmentation", "name": "instance", "variant": "instance"},
            {"type": "referring"},
        ],
    }
    root = tmp_path_factory.mktemp("instructions")
    build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS)
    return str(root)


def stream_of(corpus: str, instructions: Any, **options: Any) -> Stream:
    return Stream(
        {corpus: PROXIES},
        **grouped(**{"batch_size": 4, "seed": 3, "instructions": instructions, **options}),
    )


def samples_of(stream: Stream, epochs: int) -> Iterator[tuple[int, Sample]]:
    """Samples with their batch's epoch."""
    for _ in range(epochs):
        for batch in stream:
            for sample in batch["samples"]:
                yield batch["epoch"], sample


def filled(sample: Sample, lines: tuple[str, ...]) -> set[str]:
    """What a sample's instruction may be, by lines of its bank."""
    words = sample.facts["instruction"].get("words", {"target": ""})
    return {line.replace("{target}", words["target"]) for line in lines}


def test_stored_instructions_stay(corpus: str) -> None:
    stored = {
        (sample.proxy, sample.key): sample
        for _, sample in samples_of(stream_of(corpus, "stored"), 1)
    }
    default = Stream({corpus: PROXIES}, batch_size=4, seed=3, topology=Topology(0, 1))
    assert {(sample.proxy, sample.key): sample for _, sample in samples_of(default, 1)} == stored


@pytest.mark.parametrize(("how", "split"), [("resampled", "train"), ("held-out", "held_out")])
def test_lines_are_of_their_split_alone(how: str, split: str, corpus: str) -> None:
    other_split = {"train": "held_out", "held_out": "train"}[split]
    numbers = set()
    for _, sample in samples_of(stream_of(corpus, how), 12):
        record = sample.facts["instruction"]
        bank = load_bank(record["bank"])
        assert sample.instruction in filled(sample, getattr(bank, split))
        assert sample.instruction not in filled(sample, getattr(bank, other_split))
        assert record["split"] == split.replace("_", "-")
        line = getattr(bank, split)[record["line"]]
        assert sample.instruction in filled(sample, (line,))
        if sample.facts["type"] == "referring":
            assert record["words"] == {"target": sample.facts["referring"]["phrase"]}
            assert sample.facts["referring"]["phrase"] in sample.instruction
        numbers.add((bank.name, record["line"]))
    banks = {name for name, _ in numbers}
    assert banks == {"segmentation_panoptic", "segmentation_instance", "referring"}
    assert len(numbers) > (100 if split == "train" else 20), "all over the bank"


def test_an_epoch_has_one_line_for_each_sample_and_the_next_another(corpus: str) -> None:
    stream = stream_of(corpus, "resampled", last="drop")
    of_epoch: dict[tuple[str, str], dict[int, str]] = {}
    for epoch, sample in samples_of(stream, 6):
        lines = of_epoch.setdefault((sample.proxy, sample.key), {})
        assert lines.setdefault(epoch, sample.instruction) == sample.instruction
    different = [len(set(lines.values())) / len(lines) for lines in of_epoch.values()]
    assert sum(different) / len(different) > 0.95


def test_the_epoch_is_the_batchs(corpus: str) -> None:
    """Also where a component goes through its samples several times in it."""
    mixture = {"panoptic": 1, "instance": 5}
    stream = stream_of(corpus, "resampled", mixture=mixture, batch_size=6, epoch_of="panoptic")
    lines_of_sample: dict[tuple[int, str], set[str]] = {}
    counts: dict[tuple[int, str], int] = {}
    for epoch, sample in samples_of(stream, 2):
        if sample.component == "instance":
            lines_of_sample.setdefault((epoch, sample.key), set()).add(sample.instruction)
            counts[epoch, sample.key] = counts.get((epoch, sample.key), 0) + 1
    assert max(counts.values()) > 1
    assert all(len(lines) == 1 for lines in lines_of_sample.values())


def test_held_out_lines_are_the_same_in_every_epoch(corpus: str) -> None:
    of_sample: dict[tuple[str, str], set[str]] = {}
    for _, sample in samples_of(stream_of(corpus, "held-out"), 4):
        of_sample.setdefault((sample.proxy, sample.key), set()).add(sample.instruction)
    assert all(len(lines) == 1 for lines in of_sample.values())


def test_all_else_is_as_stored(corpus: str) -> None:
    stored = {
        (sample.proxy, sample.key): sample
        for _, sample in samples_of(stream_of(corpus, "stored"), 1)
    }
    for _, sample in samples_of(stream_of(corpus, "resampled"), 1):
        before = stored[sample.proxy, sample.key]
        facts = {**sample.facts, "instruction": before.facts["instruction"]}
        assert replace(sample, instruction=before.instruction, facts=facts) == before


def said_by(sample: Sample) -> tuple[str, str, str]:
    return sample.component, sample.key, sample.instruction


@pytest.mark.parametrize("last", ["carry", "drop"])
def test_instructions_are_the_same_in_every_topology_and_after_every_restart(
    last: Any, corpus: str
) -> None:
    def make(topology: Topology) -> Stream:
        return stream_of(
            corpus, "resampled", mixture={"panoptic": 2, "referring": 1}, batch_size=5,
            last=last, transform=said_by, topology=topology,
        )  # fmt: skip

    check_exact(make, steps=8, topologies=[(1, 2), (2, 0), (3, 2)], identify=lambda item: item)


def test_seeds_draw_apart(corpus: str) -> None:
    first, second = (
        {(sample.proxy, sample.key): sample.instruction for _, sample in samples_of(stream, 1)}
        for stream in (stream_of(corpus, "resampled"), stream_of(corpus, "resampled", seed=4))
    )
    assert first.keys() == second.keys()
    assert sum(first[place] != second[place] for place in first) > 0.9 * len(first)


def test_a_state_with_other_instructions_is_refused(corpus: str) -> None:
    state = stream_of(corpus, "stored").state_dict()
    with pytest.raises(RequestError, match="instructions is 'stored' there, 'resampled' here"):
        stream_of(corpus, "resampled").load_state_dict(state)
    mixture = {"panoptic": 1, "instance": 1}
    state = stream_of(corpus, "resampled", mixture=mixture).state_dict()
    with pytest.raises(RequestError, match="epoch_of is 'panoptic' there, 'instance' here"):
        stream_of(
            corpus, "resampled", mixture=mixture, epoch_of="instance"
        ).load_state_dict(state)  # fmt: skip
    with pytest.raises(RequestError, match="found 'new'; allowed: stored, resampled, held-out"):
        stream_of(corpus, "new")


@pytest.mark.parametrize(
    "record",
    [
        None,
        "panoptic",
        {"line": 3},
        {"bank": 7},
        {"bank": "nobodys"},
        {"bank": "../../secrets"},
        {"bank": "referring"},
        {"bank": "referring", "words": {"target": 3}},
        {"bank": "referring", "words": {"other": "dog"}},
    ],
)
def test_facts_from_which_nothing_can_be_drawn_are_named(record: Any, corpus: str) -> None:
    _, sample = next(samples_of(stream_of(corpus, "stored"), 1))
    spoiled = replace(sample, facts={**sample.facts, "instruction": record})
    assert with_instruction(spoiled, "stored", 0, 0) is spoiled
    with pytest.raises(CorpusError, match=rf"sample {sample.key}: its facts state no instruction"):
        with_instruction(spoiled, "resampled", 0, 0)


def test_conversations_keep_their_words() -> None:
    conversation = Conversation(
        "vqa", "1", "a.jsonl", ({"from": "human", "value": "Hm?"},), None, {}
    )
    assert with_instruction(conversation, "resampled", 0, 0) is conversation
