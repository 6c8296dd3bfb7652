"""What the nodes of a Ray cluster are: each node is asked by a task that runs there."""

from __future__ import annotations

import os
import platform
import shutil
import socket
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from sgt_data.corpus.identity import codec_versions
from sgt_data.engine.cluster import Cluster
from sgt_data.engine.ray_session import ray_session, ray_words
from sgt_data.files.storage_options import StorageOptions, storage_options_in_use

_ANSWER_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """What a node says of itself.

    Attributes:
        host: its name.
        versions: of Python, of this package, of Ray, and of the codecs that change bytes.
        cpus: that Ray may use.
        gpus: that Ray may use.
        shared_memory: free bytes in /dev/shm; None where there is none.
        answer: what the function that was sent there returned.
        problem: why it gave no answer; empty where it did.
        clock_seconds: how far its clock is ahead of the one here, at least; 0 where the two agree
            as far as the time of the question tells.
    """

    host: str
    versions: Mapping[str, str]
    cpus: float
    gpus: float
    shared_memory: int | None
    answer: Any = None
    problem: str = ""
    clock_seconds: float = 0.0


def ask_nodes(cluster: Cluster, question: Callable[[], Any]) -> list[NodeFacts]:
    """Facts of every node that is alive, the head first.

    Args:
        cluster: the cluster, or this machine.
        question: called on every node; must be picklable.

    Raises:
        BuildError: Ray cannot be started, or the cluster does not answer.
    """
    with ray_session(cluster):
        nodes = alive_nodes()
        nodes.sort(key=lambda node: "node:__internal_head__" not in node["Resources"])
        return [_ask(node, question) for node in nodes]


def alive_nodes() -> list[dict[str, Any]]:
    """The nodes of the connected cluster that are alive, as Ray describes them."""
    return [node for node in cast(Any, ray).nodes() if node["Alive"]]


def host_of(node: Mapping[str, Any]) -> str:
    """Name of a node's machine, or its address."""
    host: str = node.get("NodeManagerHostname") or node["NodeManagerAddress"]
    return host


def on_node(node: Mapping[str, Any], function: Callable[..., Any]) -> Any:
    """A function as a Ray task that runs on this node and takes no CPU."""
    strategy = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
    return ray.remote(function).options(num_cpus=0, scheduling_strategy=strategy)


def own_versions() -> dict[str, str]:
    """Versions on this node that must be the same on all."""
    return {
        "Python": platform.python_version(),
        "sgt-data": version("sgt-data"),
        "ray": version("ray"),
        **codec_versions(),
    }


def _ask(node: Mapping[str, Any], question: Callable[[], Any]) -> NodeFacts:
    resources = node["Resources"]
    cpus, gpus = resources.get("CPU", 0.0), resources.get("GPU", 0.0)
    task, clock, host = on_node(node, _answer), on_node(node, _clock), host_of(node)
    try:
        facts = cast(Any, ray).get(
            task.remote(question, storage_options_in_use()), timeout=_ANSWER_SECONDS
        )
        asked = time.time()
        node_time = cast(Any, ray).get(clock.remote(), timeout=_ANSWER_SECONDS)
        ahead = clock_difference(node_time, asked, time.time())
    except (ray.exceptions.RayError, TimeoutError) as why:
        problem = ray_words(why).strip().splitlines()[-1]
        return NodeFacts(host, {}, cpus, gpus, None, problem=problem)
    return NodeFacts(
        facts["host"], facts["versions"], cpus, gpus, facts["shm"], facts["answer"],
        clock_seconds=ahead,
    )  # fmt: skip


def _clock() -> float:
    """On the node: the time, in seconds."""
    return time.time()


def clock_difference(clock_time: float, asked: float, answered: float) -> float:
    """How far a clock is ahead of another, at least; negative where it is behind.

    Args:
        clock_time: time of the clock, at some moment between the two others, in seconds.
        asked, answered: times of the other clock.
    """
    if clock_time > answered:
        return clock_time - answered
    return min(0.0, clock_time - asked)


def session_folder() -> Path:
    """On a node: where Ray keeps its session, and spills what does not fit into its memory."""
    node: Any = ray._private.worker._global_node
    return Path(tempfile.gettempdir() if node is None else node.get_session_dir_path())


def demands_token() -> bool:
    """Whether this process talks to Ray by a token, without which a cluster refuses."""
    return os.environ.get("RAY_AUTH_MODE", "").lower() in ("token", "k8s")


def _answer(question: Callable[[], Any], storage: StorageOptions) -> dict[str, Any]:
    """On the node."""
    del storage  # its arrival is its use
    shm = shutil.disk_usage("/dev/shm").free if os.path.isdir("/dev/shm") else None
    return {
        "host": socket.gethostname(), "versions": own_versions(), "shm": shm, "answer": question(),
    }  # fmt: skip
