"""Faults of a real cluster over a real object store, made to happen: whatever happens, the corpus
is that of an undisturbed build, byte by byte.

The workers lie on nodes that come and go, and share nothing but the store.
"""

from __future__ import annotations

import copy
import os
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import own_code
import psutil
import pytest
import ray
from corpora import both_sources_document, file_digests
from drill_world import Trouble, World, world_of
from faulty_store import KINDS
from ray_nodes import process_at, seen

from sgt_data import IN_PROCESS, build_corpus
from sgt_data.errors import RequestError, SourceError
from sgt_data.manifest.manifest import parse_manifest

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

SOAK_FAULTS = 200


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world_of(tmp_path_factory.mktemp("drills")) as made:
        yield made


@pytest.fixture(autouse=True)
def two_nodes(world: World) -> None:
    """Every drill begins with two nodes, and a store without faults."""
    world.store.set()
    world.nodes.replace_all()


@contextmanager
def memory_group() -> Iterator[Path]:
    """A control group whose processes may take 256 kB more than they have."""
    version = 1 if Path("/sys/fs/cgroup/memory").is_dir() else 2
    parent = Path("/sys/fs/cgroup/memory" if version == 1 else "/sys/fs/cgroup")
    group = parent / f"sgt-drill-{os.getpid()}"
    try:
        group.mkdir()
        limit = "memory.limit_in_bytes" if version == 1 else "memory.max"
        (group / limit).write_text(str(256 << 10))
    except OSError:
        pytest.skip("no control group can be made here")
    try:
        yield group
    finally:
        seen(lambda: not (group / "cgroup.procs").read_text(), 30)
        group.rmdir()


def test_the_real_samples_on_two_nodes_over_a_faulty_store_are_those_of_a_local_disk(
    world: World, real_data: Path
) -> None:
    local = both_sources_document(real_data, shard_samples=12)
    remote = copy.deepcopy(local)
    reference = world.root / "real"
    assert build_corpus(parse_manifest(local), str(reference), cluster=IN_PROCESS).succeeded
    world.upload(real_data, "real", ("sa1b", "coco"))
    remote["sources"][0]["tars"] = "s3://bucket/real/sa1b/sa_*.tar"
    remote["sources"][1]["root"] = "s3://bucket/real/coco"
    world.store.set(share=0.2, seed=4)
    before = world.store.done().faults
    report = world.build("s3://bucket/of-real", document=remote)
    faults = world.store.done().faults - before
    assert report.succeeded
    assert set(faults) == set(KINDS)
    assert sum(report.troubles.values()) > 20
    assert any("requests to stores were made again (" in note for note in report.notes)
    world.check("bucket/of-real", file_digests(reference))


def at_request(world: World, pattern: str) -> tuple[Any, psutil.Process]:
    """A node and its worker that waits for the store's answer to a request of this pattern.

    The store answers no such request until it is set anew.
    """
    world.store.set(held=pattern)
    while True:
        # a request whose client has given up is held on; its process is not there
        ports = [port for _, port in seen(lambda: world.store.done().holding)]
        waiting = [process for process in map(process_at, ports) if process is not None]
        for process in waiting:
            if node := world.nodes.node_of(process):
                return node, process
        for process in waiting:  # on the head, which stays: its work goes elsewhere
            process.kill()
        time.sleep(0.2)


def kill_node_at_request(world: World, pattern: str) -> Trouble:
    """Kill the node that waits for the store's answer to a request of this pattern."""

    def trouble() -> None:
        node, _ = at_request(world, pattern)
        world.nodes.remove(node)
        world.store.set()
        world.nodes.add()

    return trouble


def kill_busy_node(world: World, stage: str) -> Trouble:
    """Kill a node that works on a stage."""

    def trouble() -> None:
        node, _ = seen(world.nodes.busy(stage))[0]
        world.nodes.remove(node)
        world.nodes.add()

    return trouble


@pytest.mark.parametrize("phase", ["reading", "rendering", "committing"])
def test_a_node_is_killed(world: World, phase: str) -> None:
    trouble = {
        "reading": kill_node_at_request(world, "GET /bucket/sources/sa1b/"),
        "rendering": kill_busy_node(world, "_finish"),
        "committing": kill_node_at_request(world, "PUT /bucket/committing/receipts/"),
    }[phase]
    assert world.build(f"s3://bucket/{phase}", trouble).succeeded
    world.check(f"bucket/{phase}")


def test_a_node_is_killed_while_it_annotates(world: World) -> None:
    pytest.importorskip("torch")
    file = own_code.written(
        "annotator", world.root / "own",
        ("            pixels = torch", "            import time; time.sleep(0.5)\n"
         "            pixels = torch"),
    )  # fmt: skip
    document = {
        "name": "annotated", "shard_samples": 2, "plugins": [str(file)],
        "pictures": world.document["pictures"], "annotators": [{"type": "guess", "device": "cpu"}],
        "sources": [{"type": "sa1b", "tars": "s3://bucket/sources/sa1b/sa_*.tar"}],
        "proxies": [{"type": "depth", "annotator": "guess"}],
    }  # fmt: skip
    reference = world.root / "annotated"
    assert build_corpus(parse_manifest(document), str(reference), cluster=IN_PROCESS).succeeded
    trouble = kill_busy_node(world, "_Annotate")
    assert world.build("s3://bucket/annotated", trouble, document).succeeded
    world.check("bucket/annotated", file_digests(reference))


@pytest.mark.parametrize("phase", ["reading", "committing"])
def test_a_worker_is_out_of_memory(world: World, phase: str) -> None:
    """The kernel ends it; the same work is done by another worker."""
    output = f"bucket/memory-{phase}"
    pattern = {
        "reading": "GET /bucket/sources/sa1b/",
        "committing": f"PUT /{output}/receipts/",
    }[phase]
    ended: list[psutil.Process] = []
    with memory_group() as group:

        def trouble() -> None:
            _, process = at_request(world, pattern)
            (group / "cgroup.procs").write_text(str(process.pid))
            ended.append(process)
            world.store.set()

        assert world.build(f"s3://{output}", trouble).succeeded
        psutil.wait_procs(ended, timeout=60)
        assert not ended[0].is_running()
    world.check(output)


def test_nodes_come_and_go_in_the_middle(world: World) -> None:
    """As an autoscaler adds and removes them."""

    def trouble() -> None:
        seen(world.nodes.busy("_finish"))
        world.nodes.add()
        seen(lambda: world.receipts("bucket/scaled"))
        world.nodes.remove(world.nodes.nodes[0], killed=False)

    assert world.build("s3://bucket/scaled", trouble).succeeded
    world.check("bucket/scaled")


def test_the_driver_is_killed_and_two_others_go_on_at_once(world: World) -> None:
    """The store lists late, so that the second run and the third one do not see all that is there.

    Both end in the same corpus: nothing is locked, and no order is needed.
    """
    killed = world.command("s3://bucket/driver")
    seen(lambda: len(world.receipts("bucket/driver")) > 3)
    killed.kill()
    killed.communicate()
    world.store.set(late_seconds=3.0, share=0.05, seed=2)
    drivers = [world.command("s3://bucket/driver") for _ in range(2)]
    for driver in drivers:
        out, messages = driver.communicate(timeout=400)
        assert driver.returncode == 0, messages
        assert "Traceback" not in messages
        assert "(raylet)" not in out + messages
        assert len(messages.splitlines()) < 30, messages
    assert world.store.done().hidden
    world.store.set()
    world.check("bucket/driver")


def test_a_node_that_does_not_share_the_output_is_named_before_a_build(
    world: World, tmp_path: Path
) -> None:
    output = tmp_path / "corpus"
    output.mkdir()
    with world.nodes.apart(output), pytest.raises(RequestError) as caught:
        world.build(str(output))
    assert re.search(r"\(node [0-9a-f]{8}\) of the 4 nodes", str(caught.value))
    assert "Give an --output on an object store" in str(caught.value)
    assert {path.name for path in output.rglob("*") if path.is_file()} <= {"corpus.json"}


def test_a_build_that_cannot_see_its_receipts_is_not_complete(world: World, tmp_path: Path) -> None:
    """They are removed here; a node that joined with a disk of its own takes them away as well."""
    output = tmp_path / "corpus"

    def trouble() -> None:
        for receipt in seen(lambda: list(output.glob("receipts/*/*.json")))[:2]:
            receipt.unlink()

    report = world.build(str(output), trouble)
    assert not report.complete
    (failure,) = report.failures
    assert re.search(r"^[12] of 40 receipts that were written cannot be seen", failure.message)
    assert "not all nodes that worked share the disk" in failure.message
    assert world.build(str(output)).succeeded
    assert file_digests(output) == world.reference


def test_two_hundred_faults_in_a_row_change_nothing(world: World) -> None:
    """Store and nodes fail at random; a driver that gives up is started again."""
    dice = random.Random(5)
    began = sum(world.store.done().faults.values())
    kills = 0

    def faults() -> int:
        return sum(world.store.done().faults.values()) - began + kills

    def trouble() -> None:
        nonlocal kills
        world.store.set(share=0.3, seed=dice.randrange(100), late_seconds=1.0, stall_seconds=3.0)
        for _ in range(3):
            time.sleep(dice.uniform(1, 3))
            victims = [each for node in world.nodes.nodes for each in world.nodes.workers(node)]
            if victims:
                dice.choice(victims).kill()
                kills += 1
        world.nodes.remove(dice.choice(world.nodes.nodes))
        world.nodes.add()
        kills += 1

    number = 0
    while faults() < SOAK_FAULTS:
        try:
            is_complete = world.build(f"s3://bucket/soak-{number}", trouble).succeeded
        except SourceError:  # a store that refuses three times in a row
            is_complete = False
        if not is_complete:
            assert world.build(f"s3://bucket/soak-{number}").succeeded
        world.check(f"bucket/soak-{number}")
        number += 1


def test_a_cluster_is_lost_with_its_head_and_another_one_goes_on(world: World) -> None:
    """Stands last: it takes the cluster away."""
    ray.shutdown()
    command = world.command("s3://bucket/head")
    seen(lambda: len(world.receipts("bucket/head")) > 3)
    world.nodes.stop()
    out, messages = command.communicate(timeout=120)
    assert command.returncode not in (0, 2), messages
    assert out == ""
    world.nodes.start()
    world.nodes.replace_all()
    again = world.command("s3://bucket/head")
    _, messages = again.communicate(timeout=200)
    assert again.returncode == 0, messages
    world.check("bucket/head")
