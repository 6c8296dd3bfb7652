"""A training loop with Accelerate: exact batches, whole optimizer steps, and resumption."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from corpora import both_sources_document

from sgt_data import IN_PROCESS, Stream, build_corpus, open_corpus
from sgt_data.annotators.torchvision_operators import provide_torchvision_operators
from sgt_data.errors import RequestError, StreamError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.stream.options import Ordering, Reading, Topology
from sgt_data.trainers.omnigen2 import loader
from sgt_data.trainers.train_loader import TrainLoader, moved

provide_torchvision_operators()

SAMPLES = 24
BATCH = 5
STEPS = 5
"""Batches until every sample has come; of 25 samples, one is the next epoch's."""


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("loaders")
    document = both_sources_document(sample_sources, shard_samples=3)
    document["proxies"] = document["proxies"][:1]
    assert build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS).succeeded
    return str(root)


def key_of(sample: Any) -> str:
    return str(sample.key)


def collated(keys: list[str]) -> dict[str, Any]:
    return {"keys": keys, "lengths": torch.tensor([len(key) for key in keys]), "none": None}


def stream_of(corpus: str, topology: Topology | None = None, **options: Any) -> Stream:
    options = {"batch_size": BATCH, "transform": key_of, "seed": 2, **options}
    return Stream({corpus: ["entity"]}, topology=topology or Topology(), **options)


def accelerator_of(accumulation: int) -> Any:
    accelerate = pytest.importorskip("accelerate")
    return accelerate.Accelerator(cpu=True, gradient_accumulation_steps=accumulation)


def keys_by_step(stream: Stream, steps: int) -> list[list[str]]:
    """What the stream itself gives."""
    return [stream.batch(step)["samples"] for step in range(steps)]


def keys(batches: Any) -> list[list[str]]:
    return [batch["keys"] for batch in batches]


@pytest.mark.parametrize("workers", [0, 2])
@pytest.mark.parametrize(("accumulation", "length"), [(1, 5), (2, 6), (3, 6), (5, 5), (7, 7)])
def test_iterations_go_on_where_the_one_before_ended_in_whole_optimizer_steps(
    accumulation: int, length: int, workers: int, corpus: str
) -> None:
    batches = loader(accelerator_of(accumulation), stream_of(corpus), collated, num_workers=workers)
    assert len(batches) == length and len(batches.dataset) == SAMPLES
    given = []
    for _ in range(3):
        given += keys(batches)
        assert len(given) % length == 0
    assert given == keys_by_step(stream_of(corpus), 3 * length)
    in_a_row = list(itertools.chain.from_iterable(given))
    for start in range(0, len(in_a_row) - SAMPLES, SAMPLES):
        assert len(set(in_a_row[start : start + SAMPLES])) == SAMPLES


def test_a_loop_resumes_after_any_optimizer_step(corpus: str) -> None:
    accelerator = accelerator_of(3)
    whole = loader(accelerator, stream_of(corpus), collated)
    expected = [batch for _ in range(4) for batch in keys(whole)]
    for done in range(6):
        resumed = loader(accelerator, stream_of(corpus), collated, num_workers=done % 2)
        resumed.resume(done)
        # the loop's own first_epoch: the iteration that the step lies in; its rest is given
        first_epoch = done // (len(resumed) // 3)
        rest = keys(resumed)
        assert len(rest) == (first_epoch + 1) * len(resumed) - 3 * done
        assert (rest + keys(resumed))[:6] == expected[3 * done : 3 * done + 6]


@pytest.mark.parametrize("workers", [0, 2])
def test_what_a_loop_that_was_left_did_not_take_comes_next(workers: int, corpus: str) -> None:
    batches = loader(accelerator_of(1), stream_of(corpus), collated, num_workers=workers)
    first = keys(itertools.islice(batches, 2))
    assert first + keys(batches) == keys_by_step(stream_of(corpus), STEPS)


def test_ranks_divide_every_batch_among_them(corpus: str) -> None:
    parts = []
    for rank in range(2):
        accelerator = SimpleNamespace(
            device="cpu", process_index=rank, num_processes=2, gradient_accumulation_steps=2
        )
        stream = stream_of(corpus, Topology(rank, 2), batch_size=4)
        parts.append(keys(loader(accelerator, stream, collated)))
    assert [len(part) for batches in parts for part in batches] == [2] * 12
    together = [sorted(first + second) for first, second in zip(*parts, strict=True)]
    whole = keys_by_step(stream_of(corpus, batch_size=4), 6)
    assert together == [sorted(batch) for batch in whole]


def trained(corpus: str, steps: int, resumed_after: int = 0) -> tuple[list[int], list[list[str]]]:
    """A loop as OmniGen2's: `prepare`, `accumulate`, epochs, and a number of optimizer steps.

    Returns:
        The batch after which each optimizer step was done, and the keys of all batches.
    """
    accelerator = accelerator_of(3)
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batches = loader(accelerator, stream_of(corpus), collated)
    model, optimizer, prepared = accelerator.prepare(model, optimizer, batches)
    assert prepared is batches
    updates_per_epoch = -(-len(batches) // 3)
    global_step = resumed_after
    prepared.resume(global_step)
    done, seen = [], []
    for _ in range(global_step // updates_per_epoch, 100):
        if global_step >= steps:
            break
        for batch in prepared:
            seen.append(batch["keys"])
            with accelerator.accumulate(model):
                accelerator.backward(model(batch["lengths"].float()[:, None]).mean())
                optimizer.step()
                optimizer.zero_grad()
            if accelerator.sync_gradients:
                global_step += 1
                done.append(len(seen))
            if global_step >= steps:
                break
    return done, seen


def test_a_loop_with_accelerate_counts_what_the_loader_gives(corpus: str) -> None:
    done, seen = trained(corpus, 7)
    assert done == [3, 6, 9, 12, 15, 18, 21]
    assert seen == keys_by_step(stream_of(corpus), 21)
    for resumed_after in range(7):
        assert trained(corpus, 7, resumed_after)[1] == seen[3 * resumed_after :]


def test_tensors_move_wherever_they_lie_and_nothing_else_changes() -> None:
    tensor = torch.ones(2)
    batch = {
        "text_ids": tensor,
        "input_images": [[tensor, tensor], None],
        "output_image": (tensor, None),
        "nested": {"answer": ["yes"], "labels": [tensor], "number": 3},
        "labels": None,
    }
    sent = moved(batch, torch.device("meta"))

    def leaves(value: Any) -> Iterator[Any]:
        if isinstance(value, dict | list | tuple):
            for item in value.values() if isinstance(value, dict) else value:
                yield from leaves(item)
        else:
            yield value

    before, after = list(leaves(batch)), list(leaves(sent))
    assert [value for value in after if not isinstance(value, torch.Tensor)] == [
        value for value in before if not isinstance(value, torch.Tensor)
    ]
    assert all(value.is_meta for value in after if isinstance(value, torch.Tensor))
    assert not tensor.is_meta
    assert type(sent["output_image"]) is tuple and type(sent["input_images"]) is list


def test_batches_are_on_the_accelerators_device(corpus: str) -> None:
    accelerator = SimpleNamespace(
        device=torch.device("meta"), process_index=0, num_processes=1,
        gradient_accumulation_steps=1,
    )  # fmt: skip
    for batch in loader(accelerator, stream_of(corpus), collated, num_workers=1):
        assert batch["lengths"].is_meta and batch["none"] is None


@pytest.fixture
def damaged(corpus: str, sample_sources: Path, tmp_path: Path) -> tuple[str, str]:
    """A corpus with one flipped byte in a target, and the key of its sample."""
    document = both_sources_document(sample_sources, shard_samples=3)
    document["proxies"] = document["proxies"][:1]
    build_corpus(parse_manifest(document), str(tmp_path), cluster=IN_PROCESS)
    opened = open_corpus(str(tmp_path))
    row = opened.index("entity", opened.shards("entity")[2]).to_pylist()[1]
    tar = tmp_path / "entity" / f"{opened.shards('entity')[2]}.tar"
    data = bytearray(tar.read_bytes())
    data[row["target_offset"] + 40] ^= 1
    tar.write_bytes(data)
    return str(tmp_path), row["key"]


def test_a_batch_of_which_a_sample_is_skipped_is_as_large_as_every_other(
    damaged: tuple[str, str], corpus: str
) -> None:
    """Ranks whose batches differ in size would wait for each other for ever."""
    root, key = damaged
    whole = keys_by_step(stream_of(corpus), STEPS)
    stream = stream_of(root, reading=Reading(on_error="skip"))
    for given, expected in zip(
        keys(loader(accelerator_of(1), stream, collated)), whole, strict=True
    ):
        rest = [other for other in expected if other != key]
        assert given == (rest + rest)[:BATCH]


def test_a_batch_of_which_nothing_is_left_names_what_was_skipped(damaged: tuple[str, str]) -> None:
    root, key = damaged
    stream = stream_of(root, batch_size=1, reading=Reading(on_error="skip"))
    with pytest.raises(StreamError, match=rf"all are damaged and skipped.*{key}"):
        list(loader(accelerator_of(1), stream, collated))


def test_what_does_not_fit_is_named(corpus: str) -> None:
    accelerator = SimpleNamespace(
        device="cpu", process_index=1, num_processes=2, gradient_accumulation_steps=1
    )
    with pytest.raises(RequestError, match=r"rank 0 of 1, .* of rank 1 of 2.*topology"):
        loader(accelerator, stream_of(corpus), collated)
    with pytest.raises(RequestError, match=r"batch_size is 5, and 2 ranks.*a multiple of 2"):
        loader(accelerator, stream_of(corpus, Topology(1, 2)), collated)
    with pytest.raises(RequestError, match="stream: found"):
        TrainLoader(accelerator, [1, 2], collated)  # type: ignore[arg-type]
    with pytest.raises(RequestError, match="collate: found"):
        loader(accelerator_of(1), stream_of(corpus), None)  # type: ignore[arg-type]
    batches = loader(accelerator_of(1), stream_of(corpus), collated)
    with pytest.raises(RequestError, match="global_step: found -1"):
        batches.resume(-1)


def test_epochs_of_other_policies_are_followed_too(corpus: str) -> None:
    stream = stream_of(corpus, order=Ordering(last="drop"))
    batches = loader(accelerator_of(2), stream, collated)
    assert len(batches) == 4
    assert keys(batches) + keys(batches) == keys_by_step(stream, 8)
