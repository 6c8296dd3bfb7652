"""The stream in the loaders that trainers use, and under torchrun with kills."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from corpora import both_sources_document
from making import jpeg, tar_of

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.errors import CorpusError, RequestError, SourceError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.stream.conversations import Conversation
from sgt_data.stream.options import Ordering, Reading, Topology
from sgt_data.stream.stream import Stream
from sgt_data.stream.testing import check_exact

torch = pytest.importorskip("torch")


@pytest.fixture(scope="module")
def corpus(sample_sources: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("loaders")
    document = both_sources_document(sample_sources, shard_samples=3)
    build_corpus(parse_manifest(document), str(root), cluster=IN_PROCESS)
    return str(root)


@pytest.fixture(scope="module")
def vqa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """30 lines in LLaVA's form, every third without a picture."""
    folder = tmp_path_factory.mktemp("vqa")
    (folder / "images").mkdir()
    rows = []
    for number in range(30):
        row: dict[str, Any] = {
            "id": f"q{number}",
            "conversations": [
                {"from": "human", "value": f"{'<image>' if number % 3 else ''}\nHow many?"},
                {"from": "gpt", "value": str(number)},
            ],
        }
        if number % 3:
            row["image"] = f"images/{number}.jpg"
            (folder / row["image"]).write_bytes(jpeg(32, 32, number))
        rows.append(json.dumps(row))
    (folder / "llava.jsonl").write_text("\n".join(rows))
    return folder / "llava.jsonl"


def name_of(item: Any) -> tuple[str, str]:
    return item.component, item.key


def make(corpus: str, **options: Any) -> Stream:
    return Stream(
        {corpus: ["entity", "panoptic"]},
        batch_size=6,
        mixture={"entity": 2, "panoptic": 1},
        seed=3,
        transform=name_of,
        order=Ordering(window=2),
        **options,
    )


def keys(batches: Any) -> list[tuple[int, list[tuple[str, str]]]]:
    return [
        (int(batch["step"]), [tuple(sample) for sample in batch["samples"]]) for batch in batches
    ]


@pytest.mark.parametrize(
    ("workers", "start"), [(0, "fork"), (1, "fork"), (3, "fork"), (2, "spawn")]
)
def test_a_dataloader_gives_the_same_batches_with_any_workers(
    workers: int, start: str, corpus: str
) -> None:
    from torch.utils.data import DataLoader

    stream = make(corpus)
    loader = DataLoader(
        stream, batch_size=None, num_workers=workers,
        multiprocessing_context=start if workers else None,
    )  # fmt: skip
    expected = [keys(make(corpus)), []]
    again = make(corpus)
    again.set_epoch(1)
    expected[1] = keys(again)
    for epoch in range(2):
        stream.set_epoch(epoch)
        assert keys(loader) == expected[epoch]


@pytest.mark.parametrize("workers", [0, 2])
def test_torchdatas_stateful_dataloader_resumes_with_the_next_batch(
    workers: int, corpus: str
) -> None:
    stateful = pytest.importorskip("torchdata.stateful_dataloader")
    expected = keys(make(corpus))
    for stop in (1, 2, 3, 5):
        loader = stateful.StatefulDataLoader(make(corpus), batch_size=None, num_workers=workers)
        batches = iter(loader)
        first = keys([next(batches) for _ in range(stop)])
        state = loader.state_dict()
        del batches
        resumed = stateful.StatefulDataLoader(make(corpus), batch_size=None, num_workers=workers)
        resumed.load_state_dict(state)
        assert first + keys(resumed) == expected


def test_plain_iteration_needs_no_torch(corpus: str) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import sgt_data\n"
        f"stream = sgt_data.Stream({{{corpus!r}: ['entity']}}, batch_size=4)\n"
        "print(sum(len(batch['samples']) for batch in stream))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "24"


# --- instruction data


def test_conversations_are_mixed_in_exactly(corpus: str, vqa: Path) -> None:
    def mixed(topology: Topology) -> Stream:
        return Stream(
            {corpus: ["entity"], str(vqa): "vqa"},
            batch_size=6,
            mixture={"entity": 2, "vqa": 1},
            transform=name_of,
            topology=topology,
        )

    for batch in mixed(Topology()):
        assert [name for name, _ in batch["samples"]] == ["entity"] * 4 + ["vqa"] * 2
    check_exact(mixed, steps=7, topologies=[(1, 2), (2, 0), (3, 4)], identify=lambda item: item)


def test_a_conversation_comes_whole(vqa: Path) -> None:
    stream = Stream({str(vqa): "vqa"}, batch_size=30, order=Ordering(shuffle=False))
    (batch,) = list(stream)
    for number, conversation in enumerate(batch["samples"]):
        assert isinstance(conversation, Conversation)
        assert (conversation.key, conversation.turns[1]["value"]) == (f"q{number}", str(number))
        assert (conversation.image is None) == (number % 3 == 0)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("no json", "line 2 is not JSON"),
        ('{"id": 1}', "line 2: no conversation"),
        ('{"conversations": []}', "line 2: no conversation"),
        ('{"conversations": [{"value": 3}]}', "line 2: no conversation"),
        ('{"conversations": [{"value": ""}], "image": "../x.jpg"}', "leaves its folder"),
        ('{"conversations": [{"value": ""}], "image": "/etc/passwd"}', "absolute path"),
        ('{"conversations": [{"value": ""}], "image": "gone.jpg"}', "gone.jpg"),
    ],
)
def test_a_bad_line_is_named_or_skipped(line: str, message: str, tmp_path: Path) -> None:
    good = '{"id": "a", "conversations": [{"from": "human", "value": "x"}]}'
    file = tmp_path / "v.jsonl"
    file.write_text(f"{good}\n{line}\n{good}\n\n")
    with pytest.raises(CorpusError, match=message):
        list(Stream({str(file): "vqa"}, batch_size=3))
    stream = Stream({str(file): "vqa"}, batch_size=3, reading=Reading(on_error="skip"))
    (batch,) = list(stream)
    assert len(batch["samples"]) == 2 and message in stream.skipped[0]


def test_no_file_and_no_line_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("\n\n")
    for name, message in (("gone.jsonl", "there is no"), ("empty.jsonl", "holds no line")):
        with pytest.raises(RequestError, match=message):
            Stream({str(tmp_path / name): "vqa"}, batch_size=1)
    with pytest.raises(RequestError, match=r"goes with a \.jsonl file or"):
        Stream({str(tmp_path): "vqa"}, batch_size=1)


@pytest.fixture
def tars(tmp_path: Path) -> Path:
    """Two tars of five conversations each, with members that would do harm if they were loaded."""
    evil = pickle.dumps(Evil(str(tmp_path / "executed")))
    for number in range(2):
        members: list[tuple[str, bytes]] = []
        for row in range(5):
            key = f"{number}{row}"
            turns = {"conversations": [{"from": "human", "value": key}]}
            members += [(f"{key}.pyd", evil), (f"{key}.pkl", evil), (f"{key}.pth", evil)]
            members += [(f"{key}.json", json.dumps(turns).encode())]
            if row % 2:
                members.append((f"{key}.jpg", jpeg(16, 16, row)))
        (tmp_path / f"sft-{number}.tar").write_bytes(tar_of(members))
    return tmp_path


class Evil:
    """What a pickle can do."""

    def __init__(self, place: str) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (self.place,)


def test_tars_of_conversations_stream_and_nothing_in_them_is_executed(tars: Path) -> None:
    stream = Stream({f"{tars}/sft-*.tar": "sft"}, batch_size=10, order=Ordering(shuffle=False))
    (batch,) = list(stream)
    conversations = [
        (conversation.key, conversation.turns[0]["value"], conversation.image is None)
        for conversation in batch["samples"]
    ]
    assert conversations == [
        (f"{number}{row}", f"{number}{row}", row % 2 == 0)
        for number in range(2)
        for row in range(5)
    ]
    assert not (tars / "executed").exists()


def test_a_broken_conversation_of_a_tar_is_skipped_or_named(tars: Path) -> None:
    place = tars / "sft-1.tar"
    data = bytearray(place.read_bytes())
    data[data.index(b"13.json") + 150] ^= 0x55
    place.write_bytes(bytes(data))
    stream = Stream(
        {f"{tars}/sft-*.tar": "sft"}, batch_size=3, reading=Reading(on_error="skip", skip_max=0.5)
    )
    read_keys = {conversation.key for batch in stream for conversation in batch["samples"]}
    assert read_keys == {"00", "01", "02", "03", "04", "10", "11", "12", "14"}
    assert "sft-1.tar" in stream.skipped[0]
    with pytest.raises(CorpusError, match=r"sft-1\.tar"):
        list(Stream({f"{tars}/sft-*.tar": "sft"}, batch_size=5))


def test_a_truncated_tar_of_conversations_is_refused(tars: Path) -> None:
    """Nobody knows how many conversations are missing."""
    place = tars / "sft-1.tar"
    data = place.read_bytes()
    place.write_bytes(data[: data.index(b"13.jpg") + 700])
    with pytest.raises(SourceError, match=r"sft-1\.tar, byte .*cut off.*fetch the tar again"):
        Stream({f"{tars}/sft-*.tar": "sft"}, batch_size=5)


# --- torchrun, killed


TRAINER = """
import json, os, sys, time
import torch.distributed as dist
import sgt_data
dist.init_process_group("gloo")
corpus, state, log, steps = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
stream = sgt_data.Stream({corpus: ["entity", "panoptic"]}, batch_size=6, seed=3,
                         order=sgt_data.Ordering(window=2), mixture={"entity": 2, "panoptic": 1})
if os.path.exists(state):
    stream.load_state_dict(json.load(open(state)))
done = 0
while done < steps:
    for batch in stream:
        with open(f"{log}.{stream.topology.rank}.{stream.topology.world}", "a") as file:
            names = [[one.component, one.key] for one in batch["samples"]]
            file.write(json.dumps([batch["step"], names]) + "\\n")
        dist.barrier()
        if stream.topology.rank == 0:
            with open(state + ".part", "w") as file:
                json.dump(stream.state_dict(), file)
            os.replace(state + ".part", state)
        dist.barrier()
        time.sleep(0.05)
        done += 1
        if done == steps:
            break
dist.destroy_process_group()
"""


def torchrun(script: Path, processes: int, *arguments: Any) -> subprocess.Popen[bytes]:
    command = [
        sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node",
        str(processes), str(script), *map(str, arguments),
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip


def logged(log: Path, world: int) -> dict[int, list[list[str]]]:
    """Global batches by step, put together from every rank's log."""
    parts: dict[int, dict[int, Any]] = {}
    for rank in range(world):
        for line in Path(f"{log}.{rank}.{world}").read_text().splitlines():
            step, names = json.loads(line)
            parts.setdefault(step, {})[rank] = names
    batches = {}
    for step, of_rank in parts.items():
        if len(of_rank) == world:
            together: list[Any] = [None] * sum(map(len, of_rank.values()))
            for rank, names in of_rank.items():
                together[rank::world] = names
            batches[step] = together
    return batches


@pytest.mark.slow
def test_a_killed_job_of_two_resumes_as_three_and_sees_exactly_the_rest(
    corpus: str, tmp_path: Path
) -> None:
    script, state, log = tmp_path / "train.py", tmp_path / "state.json", tmp_path / "log"
    script.write_text(TRAINER)
    first = torchrun(script, 2, corpus, state, log, 1000)
    began = time.monotonic()
    while not state.exists() or json.loads(state.read_text())["step"] < 5:
        assert first.poll() is None and time.monotonic() - began < 120
        time.sleep(0.05)
    family = psutil.Process(first.pid).children(recursive=True)
    for process in (psutil.Process(first.pid), *family):
        process.kill()
    first.wait()
    psutil.wait_procs(family, timeout=30)
    stopped = json.loads(state.read_text())["step"]
    assert torchrun(script, 3, corpus, state, log, 9).wait(timeout=120) == 0
    after = logged(log, 3)
    assert sorted(after) == list(range(stopped, stopped + 9))
    expected = {
        step: [list(name) for name in make(corpus, topology=Topology(0, 1)).batch(step)["samples"]]
        for step in range(stopped + 9)
    }
    before = logged(log, 2)
    assert {step: before[step] for step in range(stopped)} == {
        step: expected[step] for step in range(stopped)
    }
    assert after == {step: expected[step] for step in after}
