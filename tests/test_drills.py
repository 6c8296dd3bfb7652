"""Faults of a real cluster over a real object store, made to happen: whatever happens, the corpus
is that of an undisturbed build, byte by byte.

The workers lie on nodes that come and go, and share nothing but the store.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pytest
import ray
from corpora import both_sources_document, file_digests
from faulty_store import Store, running_store
from ray_nodes import Nodes, process_at, running_nodes, seen

from sgt_data import IN_PROCESS, build_corpus, verify_corpus
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.cluster import Cluster
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import Progress
from sgt_data.scenes.write_samples import write_samples

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

Trouble = Callable[[], None]


@dataclass
class World:
    """A cluster, a store with sources, and the corpus as it has to become.

    Attributes:
        root: a folder of the test's own.
        store: the server.
        nodes: of the cluster.
        document: a manifest whose sources lie in the store.
        reference: digests of the files of the undisturbed corpus.
    """

    root: Path
    store: Store
    nodes: Nodes
    document: dict[str, Any]
    reference: dict[str, str]

    def build(self, name: str, trouble: Trouble, **more: Any) -> BuildReport:
        """Build into the store, while the trouble goes on from when the workers start."""
        begun = threading.Event()
        faults: list[BaseException] = []

        def make() -> None:
            begun.wait()
            try:
                trouble()
            except BaseException as fault:
                faults.append(fault)
                self.store.set()

        def watch(progress: Progress) -> None:
            if progress.phase.startswith("starting workers"):
                begun.set()

        thread = threading.Thread(target=make, daemon=True)
        thread.start()
        try:
            report = build_corpus(
                parse_manifest(self.document | more), f"s3://bucket/{name}",
                cluster=Cluster(self.nodes.address), progress=watch,
            )  # fmt: skip
        finally:
            begun.set()
            self.store.set()
            thread.join()
        assert not faults, faults
        return report

    def check(self, name: str, reference: dict[str, str] | None = None) -> None:
        """The corpus in the store is sound, and equal to the reference."""
        fetched = self.root / "fetched" / name
        fsspec.filesystem("s3").get(f"bucket/{name}/", f"{fetched}/", recursive=True)
        assert file_digests(fetched) == (reference or self.reference)
        assert verify_corpus(str(fetched), deep=True).sound


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("drills")
    write_samples(str(root / "sources"), 16, seed=1, size=(160, 120), pictures_per_tar=4)
    document = both_sources_document(root / "sources", shard_samples=2)
    report = build_corpus(parse_manifest(document), str(root / "reference"), cluster=IN_PROCESS)
    assert report.succeeded
    with running_store() as store, pytest.MonkeyPatch.context() as patch:
        for name, value in store.environment().items():
            patch.setenv(name, value)
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("PYTHONPATH", str(Path(__file__).parent.parent))
        patch.setitem(fsspec.config.conf, "s3", store.settings())
        filesystem = fsspec.filesystem("s3")
        filesystem.mkdir("bucket")
        filesystem.put(f"{root}/sources/", "bucket/sources/", recursive=True)
        document["sources"][0]["tars"] = "s3://bucket/sources/sa1b/sa_*.tar"
        document["sources"][1]["root"] = "s3://bucket/sources/coco"
        with running_nodes() as nodes:
            ray.init(nodes.address, log_to_driver=False, logging_level="error")
            yield World(root, store, nodes, document, file_digests(root / "reference"))
        type(filesystem).clear_instance_cache()


@pytest.fixture(autouse=True)
def two_nodes(world: World) -> Iterator[None]:
    """Every drill begins with two nodes, and a store without faults."""
    world.store.set()
    world.nodes.replace_all()
    yield


def kill_node_at_request(world: World, pattern: str) -> Trouble:
    """Kill the node that waits for the store's answer to a request of this pattern."""

    def trouble() -> None:
        world.store.set(held=pattern)
        while True:
            _, port = seen(lambda: world.store.done().holding)[0]
            process = process_at(port)
            node = process and world.nodes.node_of(process)
            if node is not None:
                break
            if process is not None:  # on the head, which stays: its work goes elsewhere
                process.kill()
            time.sleep(0.2)
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
    assert world.build(phase, trouble).succeeded
    world.check(phase)
