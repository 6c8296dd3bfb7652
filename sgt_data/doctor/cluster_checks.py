"""Findings on a Ray cluster: each node by its own answer, and what must be the same on all."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from sgt_data.doctor.check import Check
from sgt_data.doctor.node_question import NodeQuestion, Wanted
from sgt_data.engine.cluster import Cluster
from sgt_data.errors import BuildError, SgtDataError
from sgt_data.files.unfinished import TEMPORARY
from sgt_data.files.urls import join
from sgt_data.files.writing import delete, write_atomic
from sgt_data.value_text import counted

if TYPE_CHECKING:
    from sgt_data.engine.node_facts import NodeFacts

_CLOCK_NOTE, _CLOCK_LACKS = 2.0, 300.0
"""Seconds: logs are hard to follow; stores refuse requests (S3 from 900 on) and tokens expire."""


def cluster_checks(cluster: Cluster, wanted: Wanted) -> Iterator[Check]:
    """Findings on the nodes of a cluster, or of a Ray that is started on this machine.

    Args:
        cluster: the cluster, or this machine.
        wanted: what a build needs of every node.
    """
    from sgt_data.engine.node_facts import ask_nodes, own_versions

    is_own = cluster.address in (None, "local")
    try:
        if is_own:  # this machine has answered all of it already
            nodes = ask_nodes(cluster, _nothing)
        else:
            with _written(wanted.output) as place:
                nodes = ask_nodes(cluster, NodeQuestion(wanted, place))
    except BuildError as why:
        yield Check("Ray", "lacks", str(why), "`sgt-data build --workers 0` builds without Ray")
        return
    own = own_versions()
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    size = f"{counted(len(nodes), 'node')}, {counted(cpus, 'CPU')}, {counted(gpus, 'GPU')}"
    yield Check("Ray", "good", f"{own['ray']}: {size}")
    if not is_own:
        yield _access()
    for number, node in enumerate(nodes, 1):
        yield from _of_node(node, _label(node, number, nodes), own)


@contextmanager
def _written(output: str | None) -> Iterator[str | None]:
    """URL of a file that lies below the output for the length of a block; None without output, and
    where it cannot be written, which a check of its own says."""
    if output is None:
        yield None
        return
    place = join(output, f"{TEMPORARY}doctor-{uuid.uuid4().hex}")
    try:
        write_atomic(place, b"written by sgt-data doctor")
    except (SgtDataError, OSError):
        yield None
        return
    try:
        yield place
    finally:
        delete(place)


def _access() -> Check:
    from sgt_data.engine.node_facts import demands_token

    if demands_token():
        return Check("access to Ray", "good", "by a token")
    return Check(
        "access to Ray",
        "note",
        "without a token: whoever reaches its ports can run programs on every node",
        "keep the ports in a closed network, or start the cluster with RAY_AUTH_MODE=token",
    )


def _label(node: NodeFacts, number: int, nodes: list[NodeFacts]) -> str:
    """The name of a node; with its number where several nodes share a machine."""
    hosts = [each.host for each in nodes]
    return node.host if hosts.count(node.host) == 1 else f"{node.host} ({number})"


def _of_node(node: NodeFacts, label: str, own: dict[str, str]) -> Iterator[Check]:
    """Findings on a node: one line where all is well, and one for each thing that is not."""
    if node.problem:
        remedy = "install the same sgt-data there, or submit with `ray job submit`"
        yield Check(f"node {label}", "lacks", node.problem, remedy)
        return
    other = {name: text for name, text in node.versions.items() if own.get(name) != text}
    if other:
        texts = [f"{name} {text} (here {own.get(name)})" for name, text in other.items()]
        remedy = "install the same versions on all nodes: bytes depend on them"
        yield Check(f"node {label}", "lacks", ", ".join(texts), remedy)
    else:
        text = f"{counted(node.cpus, 'CPU')}, {counted(node.gpus, 'GPU')}, same versions"
        answers = node.answer or []
        if answers:
            well = sum(check.state == "good" for check in answers)
            text += f"; {well} of {len(answers)} further checks are well"
        yield Check(f"node {label}", "good", text)
    yield from _clock(node, label)
    for check in node.answer or ():
        if check.state != "good":
            yield replace(check, subject=f"{check.subject}, node {label}")


def _clock(node: NodeFacts, label: str) -> Iterator[Check]:
    seconds = node.clock_seconds
    if abs(seconds) < _CLOCK_NOTE:
        return
    state = "lacks" if abs(seconds) >= _CLOCK_LACKS else "note"
    side = "ahead of" if seconds > 0 else "behind"
    text = f"its clock is {abs(seconds):,.0f} s {side} the one here"
    remedy = "let a time service (chrony, systemd-timesyncd) set the clocks of all nodes"
    yield Check(f"clock, node {label}", state, text, remedy)  # type: ignore[arg-type]


def _nothing() -> None:
    """Ask nothing more of a node."""
