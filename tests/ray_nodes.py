"""A cluster of several Ray nodes on this machine, and what becomes of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest
import ray
from ray._common import utils
from ray.cluster_utils import Cluster as RayCluster

_Seen = TypeVar("_Seen")

RAY = Path(sys.executable).parent / "ray"


def seen(look: Callable[[], _Seen], seconds: float = 120) -> _Seen:
    """What a look shows, once it shows something."""
    until = time.monotonic() + seconds
    while not (shown := look()):
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)
    return shown


class Nodes:
    """A head without CPUs, and nodes that come and go."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        """Start the head."""
        self._cluster = RayCluster(
            initialize_head=True,
            shutdown_at_exit=False,  # so that threads may start nodes, too
            head_node_args={
                "num_cpus": 0,
                "include_dashboard": False,
                "_system_config": {"health_check_period_ms": 1000},  # a dead node is noticed soon
            },
        )
        self.nodes: list[Any] = []

    @property
    def address(self) -> str:
        """Host and port of the head."""
        return str(self._cluster.address)

    def add(self, cpus: int = 1) -> Any:
        """Start a node."""
        self.nodes.append(self._cluster.add_node(num_cpus=cpus))
        return self.nodes[-1]

    @contextmanager
    def apart(self, folder: Path) -> Iterator[None]:
        """A further node, on which a disk of its own lies over a folder; it is there at the end of
        the block, too."""
        command = f"mount -t tmpfs none {folder} && exec {RAY} start --address {self.address} "
        with subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", f"{command} --num-cpus 1 --block"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
        ) as node:  # fmt: skip
            count = self.alive()
            try:
                seen(lambda: node.poll() is not None or self.alive() > count)
                if node.poll() is not None:
                    pytest.skip("no disk of its own can be mounted here")
                yield
            finally:
                for process in [*_children(psutil.Process(node.pid)), node]:
                    process.kill()
                seen(lambda: self.alive() == count)

    def alive(self) -> int:
        """How many nodes the head knows that are alive."""
        return sum(bool(node["Alive"]) for node in ray.nodes())

    def remove(self, node: Any, *, killed: bool = True) -> None:
        """Take a node away; killed like a machine that loses its power, or after its farewell."""
        self.nodes.remove(node)
        if killed:
            for process in [*self.workers(node), *_raylets(node)]:
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self._cluster.remove_node(node, allow_graceful=not killed)

    def replace_all(self, cpus: int = 1, count: int = 2) -> None:
        """Have so many nodes, whatever became of the earlier ones."""
        while len(self.nodes) > count:
            self.remove(self.nodes[-1], killed=False)
        while len(self.nodes) < count:
            self.add(cpus)

    def workers(self, node: Any, title: str = "ray::") -> list[psutil.Process]:
        """Worker processes of a node whose title, which tells what they do, begins so."""
        return [
            process
            for raylet in _raylets(node)
            for process in _children(raylet)
            if _title(process).startswith(title)
        ]

    def busy(self, stage: str) -> Callable[[], list[tuple[Any, psutil.Process]]]:
        """Looks for nodes, each with a worker of it, that work on a stage now."""
        titles = (f"ray::MapBatches({stage})", f"ray::MapWorker(MapBatches({stage})).submit")
        return lambda: [
            (node, process)
            for node in self.nodes
            for title in titles
            for process in self.workers(node, title)
        ]

    def node_of(self, process: psutil.Process) -> Any | None:
        """The node that a worker belongs to; None for the head's."""
        return next((node for node in self.nodes if process in self.workers(node)), None)

    def stop(self) -> None:
        """End all nodes, the head last."""
        if ray.is_initialized():
            ray.shutdown()
        self._cluster.shutdown()
        utils.reset_ray_address()


@contextmanager
def running_nodes(count: int = 2) -> Iterator[Nodes]:
    """A head and so many nodes of one CPU."""
    nodes = Nodes()
    try:
        for _ in range(count):
            nodes.add()
        yield nodes
    finally:
        nodes.stop()


def process_at(port: int) -> psutil.Process | None:
    """The worker that holds a connection from a port, if it lives."""
    for process in psutil.process_iter():
        if _title(process).startswith("ray::"):
            with suppress(psutil.NoSuchProcess):
                if any(each.laddr.port == port for each in process.net_connections()):
                    return process
    return None


def _raylets(node: Any) -> list[psutil.Process]:
    kept = node.all_processes.get("raylet", [])
    return [psutil.Process(each.process.pid) for each in kept if each.process.poll() is None]


def _children(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        return process.children(recursive=True)
    return []


def _title(process: psutil.Process) -> str:
    with suppress(psutil.NoSuchProcess, psutil.ZombieProcess, IndexError):
        return process.cmdline()[0]
    return ""
