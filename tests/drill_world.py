"""What drills stand on: a cluster over a store, and a corpus as it has to become."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fsspec
import pytest
import ray
import yaml
from corpora import both_sources_document, file_digests
from faulty_store import Store, running_store
from ray_nodes import Nodes, running_nodes

from sgt_data import IN_PROCESS, build_corpus, verify_corpus
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.cluster import Cluster
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import Progress
from sgt_data.scenes.write_samples import write_samples

Trouble = Callable[[], object]


def calm() -> None:
    """No trouble."""


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

    def build(
        self, output: str, trouble: Trouble = calm, document: Mapping[str, Any] | None = None
    ) -> BuildReport:
        """Build while the trouble goes on, from when the workers start."""
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
                parse_manifest(dict(document or self.document)), output,
                cluster=Cluster(self.nodes.address), progress=watch,
            )  # fmt: skip
        finally:
            begun.set()
            self.store.set()
            thread.join()
            self.store.set()  # the trouble may have begun just now
        assert not faults, faults
        return report

    def command(self, output: str, *more: str) -> subprocess.Popen[str]:
        """The same build as a command in a process of its own."""
        manifest = self.root / "manifest.yaml"
        manifest.write_text(yaml.safe_dump(self.document))
        return subprocess.Popen(
            [sys.executable, "-m", "sgt_data", "build", str(manifest), "--output", output,
             "--address", self.nodes.address, *more],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def upload(self, folder: Path, name: str, below: Sequence[str]) -> None:
        """Put folders of a folder into the store."""
        filesystem = fsspec.filesystem("s3")
        for each in below:
            filesystem.put(f"{folder}/{each}/", f"bucket/{name}/{each}/", recursive=True)

    def receipts(self, output: str) -> list[str]:
        """Receipts of a corpus in the store."""
        filesystem = fsspec.filesystem("s3")
        filesystem.invalidate_cache()
        found: list[str] = filesystem.find(f"{output}/receipts")
        return found

    def check(self, output: str, reference: Mapping[str, str] | None = None) -> None:
        """The corpus in the store is sound, and equal to the reference."""
        fetched = self.root / "fetched" / output.rpartition("/")[2]
        fsspec.filesystem("s3").get(f"{output}/", f"{fetched}/", recursive=True)
        assert file_digests(fetched) == (reference or self.reference)
        assert verify_corpus(str(fetched), deep=True).sound


@contextmanager
def world_of(root: Path) -> Iterator[World]:
    """A store with drawn sources, two nodes, and a driver that is connected."""
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
