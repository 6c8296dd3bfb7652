"""A stream in DataLoaders that are left in mid-epoch and iterated again.

Nothing is lost or repeated without a word, whatever workers read ahead.
"""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from making import built, sa1b_members, tar_of

from sgt_data import Ordering, Stream, StreamError

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:This DataLoader will create", "ignore:'set_vital'")

SAMPLES, BATCH = 23, 2
EPOCH_STEPS = 12
"""Batches of the first epoch; the last of them has a sample of the second."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("persistence")
    (root / "sa_000000.tar").write_bytes(tar_of(sa1b_members(SAMPLES)))
    source = {"type": "sa1b", "tars": str(root / "sa_000000.tar")}
    assert built(root / "out", source, [{"type": "edge"}], shard_samples=5).succeeded
    return str(root / "out")


def key_of(sample: Any) -> str:
    return str(sample.key)


def stream_over(corpus: str) -> Stream:
    return Stream(
        {corpus: ["edge"]}, batch_size=BATCH, seed=5, transform=key_of, order=Ordering(window=2)
    )


def oracle(corpus: str, steps: int) -> list[list[str]]:
    """The keys of the first batches, each computed by itself."""
    stream = stream_over(corpus)
    return [stream.batch(step)["samples"] for step in range(steps)]


def loader_over(stream: Stream, kind: str, **options: Any) -> Any:
    if options["num_workers"] == 0:
        options = {"num_workers": 0}
    if kind == "stateful":
        stateful = pytest.importorskip("torchdata.stateful_dataloader")
        return stateful.StatefulDataLoader(stream, batch_size=None, **options)
    from torch.utils.data import DataLoader

    return DataLoader(stream, batch_size=None, **options)


def taken(loader: Any, count: int | None) -> list[tuple[int, list[str]]]:
    """The next batches of an iteration that is left after so many; None for all."""
    return [
        (batch["step"], list(batch["samples"])) for batch in itertools.islice(loader, count)
    ]  # fmt: skip


def check_case(corpus: str, kind: str, leave: bool, set_epoch: bool, **options: Any) -> None:
    """Three iterations, of which the second is left early or not, equal the order by step."""
    stream = stream_over(corpus)
    loader = loader_over(stream, kind, **options)
    given = taken(loader, 5 if leave else None)
    if set_epoch:
        stream.set_epoch(1)
        begin = EPOCH_STEPS
    else:
        begin = 5 if leave else EPOCH_STEPS
    expected = oracle(corpus, 3 * EPOCH_STEPS)
    assert given == list(enumerate(expected))[: len(given)]
    second = taken(loader, 3)
    assert second == [(step, expected[step]) for step in range(begin, begin + 3)]
    third = taken(loader, None)
    end = EPOCH_STEPS if begin < EPOCH_STEPS else 23
    assert third == [(step, expected[step]) for step in range(begin + 3, end)]
    assert stream.state_dict()["step"] == end
    del loader


FAST = [
    ("plain", True, 2, 4), ("plain", False, 2, 4), ("plain", True, 1, 16), ("plain", True, 0, None),
    ("stateful", True, 2, 4), ("stateful", False, 1, 2), ("stateful", True, 0, None),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "persistent", "workers", "prefetch"), FAST)
@pytest.mark.parametrize("leave", [True, False])
@pytest.mark.parametrize("set_epoch", [True, False])
def test_what_was_not_read_is_given_again_and_nothing_else(
    corpus: str, kind: str, persistent: bool, workers: int, prefetch: int, leave: bool,
    set_epoch: bool,
) -> None:  # fmt: skip
    check_case(
        corpus, kind, leave, set_epoch, num_workers=workers, prefetch_factor=prefetch,
        persistent_workers=persistent, multiprocessing_context="fork",
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn"])
def test_the_whole_grid_of_loaders_is_exact(corpus: str, start: str) -> None:
    cases = itertools.product(
        ("plain", "stateful"), (True, False), (True, False), (True, False), (1, 4), (1, 16)
    )
    for number, (kind, persistent, leave, set_epoch, workers, prefetch) in enumerate(cases):
        if start == "spawn" and (number % 11 or workers == 4 or not persistent):
            continue  # each start of a worker imports torch
        check_case(
            corpus, kind, leave, set_epoch, num_workers=workers, prefetch_factor=prefetch,
            persistent_workers=persistent, multiprocessing_context=start,
        )  # fmt: skip


def test_a_spawned_worker_hears_of_what_was_read(corpus: str) -> None:
    check_case(
        corpus, "plain", True, False, num_workers=1, prefetch_factor=4, persistent_workers=True,
        multiprocessing_context="spawn",
    )  # fmt: skip


def samples_alone(batch: Any) -> Any:
    return batch["samples"]


@pytest.mark.parametrize("kind", ["plain", "stateful"])
@pytest.mark.parametrize("persistent", [True, False])
def test_where_workers_collate_the_stream_asks_for_set_epoch(
    corpus: str, kind: str, persistent: bool
) -> None:
    """Nobody can know which of the tensors were used."""
    stream = stream_over(corpus)
    loader = loader_over(
        stream, kind, num_workers=2 if persistent else 1, persistent_workers=persistent,
        collate_fn=samples_alone, multiprocessing_context="fork",
    )  # fmt: skip
    expected = oracle(corpus, 2 * EPOCH_STEPS)
    assert list(itertools.islice(loader, 3)) == expected[:3]
    with pytest.raises(StreamError, match="set_epoch"):
        list(loader)
    stream.set_epoch(1)
    assert list(itertools.islice(loader, 5)) == expected[EPOCH_STEPS : EPOCH_STEPS + 5]
    stream.set_epoch(0)
    assert list(loader) == expected[:EPOCH_STEPS]
    with pytest.raises(StreamError, match="set_epoch"):
        list(loader)


def test_loaders_that_begin_with_the_same_seed_are_told_apart(corpus: str) -> None:
    stream = stream_over(corpus)
    given = []
    for count in (3, 4, None, None):
        generator = torch.Generator().manual_seed(0)
        loader = loader_over(
            stream, "plain", num_workers=2, generator=generator, multiprocessing_context="fork"
        )
        given += taken(loader, count)
    assert given == list(enumerate(oracle(corpus, 23)))


def test_a_batch_of_an_earlier_iteration_moves_nothing(corpus: str) -> None:
    stream = stream_over(corpus)
    loader = loader_over(
        stream, "plain", num_workers=1, persistent_workers=True, multiprocessing_context="fork"
    )
    batches = iter(loader)
    first, unread = next(batches), next(batches)
    assert first["step"] == 0 and "epoch 0" in repr(unread)
    stream.set_epoch(1)
    assert unread["step"] == 1 and stream.state_dict()["step"] == EPOCH_STEPS
    again = iter(loader)
    assert next(again)["step"] == EPOCH_STEPS
    del batches, again, loader


def test_a_position_in_a_plain_dataloader_can_be_stored_and_resumed(corpus: str) -> None:
    """On another number of workers."""
    stream = stream_over(corpus)
    loader = loader_over(
        stream, "plain", num_workers=3, prefetch_factor=3, multiprocessing_context="fork"
    )
    given = taken(loader, 4)
    state = stream.state_dict()
    resumed = stream_over(corpus)
    resumed.load_state_dict(state)
    given += taken(
        loader_over(resumed, "plain", num_workers=1, multiprocessing_context="fork"), None
    )
    assert given == list(enumerate(oracle(corpus, EPOCH_STEPS)))


def test_batches_that_were_passed_over_count_as_given(corpus: str) -> None:
    stream = stream_over(corpus)
    loader = loader_over(
        stream, "plain", num_workers=2, persistent_workers=True, multiprocessing_context="fork"
    )
    for number, batch in enumerate(loader):
        if number == 4:
            assert batch["step"] == 4
            break
    assert [step for step, _ in taken(loader, None)] == list(range(5, EPOCH_STEPS))


def test_an_iteration_that_was_begun_before_set_epoch_keeps_its_epoch(corpus: str) -> None:
    """`set_epoch` counts from the next iteration on, also for workers that begin late."""
    for persistent in (True, False):
        stream = stream_over(corpus)
        loader = loader_over(
            stream, "plain", num_workers=3, persistent_workers=persistent,
            multiprocessing_context="fork",
        )  # fmt: skip
        assert [step for step, _ in taken(loader, 2)] == [0, 1]
        for epoch in (1, 0, 1):
            stream.set_epoch(epoch)
            assert [step for step, _ in taken(loader, 2)] == [12 * epoch, 12 * epoch + 1]
        batches = iter(loader)
        first = next(batches)["step"]
        stream.set_epoch(0)
        assert [first, *(step for step, _ in taken(batches, 4))] == [14, 15, 16, 17, 18]
        assert stream.state_dict()["step"] == 0
        del batches
        assert [step for step, _ in taken(loader, None)] == list(range(12))


def test_a_position_with_a_gap_is_not_guessed() -> None:
    """A loader that does not keep the order gave step 3 and not yet step 2."""
    from sgt_data.stream.loader_worker import LoaderWorker
    from sgt_data.stream.position import Position

    position = Position()
    iteration, first = position.begin(LoaderWorker(0, 1, 5))
    assert first == 0
    for step in (0, 1, 3):
        position.arrive(iteration, step)
        position.read(iteration, step)
    assert position.step == 2
    with pytest.raises(StreamError, match="in_order=False"):
        position.begin(LoaderWorker(0, 1, 6))
    position.arrive(iteration, 2)
    position.read(iteration, 2)
    assert position.begin(LoaderWorker(0, 1, 7))[1] == 4
