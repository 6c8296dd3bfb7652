"""Examine this machine, or a cluster: the function behind `sgt-data doctor`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from sgt_data.doctor.accelerators import accelerator_checks
from sgt_data.doctor.check import Check, Examination
from sgt_data.doctor.compile_now import compile_now
from sgt_data.doctor.machine import machine_checks
from sgt_data.doctor.packages import package_checks
from sgt_data.doctor.places import hub_check, output_checks, written_and_read
from sgt_data.engine.cluster import Cluster
from sgt_data.errors import BuildError
from sgt_data.files.urls import Location, absolute, plain
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.value_text import counted


def examine(
    *,
    output: Location | None = None,
    address: str | None = None,
    start_ray: bool = True,
    compile_code: bool = False,
    progress: ProgressTo = False,
) -> Examination:
    """Say what this machine or a cluster lacks, and what to do about it.

    Args:
        output: fsspec URL of a corpus that is to be built; a small file is written, read and
            deleted there, from every node of a cluster.
        address: of a running Ray cluster, whose nodes are asked too; None for this machine.
        start_ray: start a Ray on this machine, or connect to the cluster.
        compile_code: first compile all functions that are compiled on their first call, which
            takes half a minute where their code is not kept yet; as an image is built.
        progress: True shows what is looked at; a function is called with it.

    Raises:
        RequestError: `output` or `address` has a form that nothing takes.
    """
    cluster = Cluster(address)
    place = None if output is None else absolute(plain(output))
    with shown(progress, "checks") as on_progress:
        if compile_code:
            compile_now(lambda phase: on_progress(Progress(0, phase=phase)))
        return Examination(tuple(_checks(place, cluster, start_ray, on_progress)))


def _checks(
    output: str | None, cluster: Cluster, start_ray: bool, on_progress: OnProgress
) -> Iterator[Check]:
    on_progress(Progress(0, phase="looking at this machine"))
    yield from machine_checks()
    yield from package_checks()
    yield from accelerator_checks()
    yield hub_check()
    if output is not None:
        on_progress(Progress(0, phase="writing to the output"))
        yield from output_checks(output)
    if start_ray:
        where = "on this machine" if cluster.address is None else f"at {cluster.address}"
        on_progress(Progress(0, phase=f"starting Ray {where}"))
        yield from _ray_checks(output, cluster)


def _ray_checks(output: str | None, cluster: Cluster) -> Iterator[Check]:
    from sgt_data.engine.node_facts import ask_nodes, own_versions

    question = _nothing if output is None else partial(written_and_read, output)
    try:
        nodes = ask_nodes(cluster, question)
    except BuildError as why:
        yield Check("Ray", "lacks", str(why), "`sgt-data build --workers 0` builds without Ray")
        return
    own = own_versions()
    cpus, gpus = sum(node.cpus for node in nodes), sum(node.gpus for node in nodes)
    yield Check(
        "Ray",
        "good",
        f"{own['ray']}: {counted(len(nodes), 'node')}, {counted(cpus, 'CPU')}, "
        f"{counted(gpus, 'GPU')}",
    )
    for node in nodes:
        subject = f"node {node.host}"
        if node.problem:
            remedy = "install the same sgt-data there, or submit with `ray job submit`"
            yield Check(subject, "lacks", node.problem, remedy)
            continue
        other = {name: text for name, text in node.versions.items() if own.get(name) != text}
        if other:
            texts = [f"{name} {text} (here {own.get(name)})" for name, text in other.items()]
            remedy = "install the same versions on all nodes: bytes depend on them"
            yield Check(subject, "lacks", ", ".join(texts), remedy)
        else:
            yield Check(
                subject,
                "good",
                f"{counted(node.cpus, 'CPU')}, {counted(node.gpus, 'GPU')}, same versions",
            )
        if node.answer is not None and node.answer.state != "good":
            remedy = "every node must reach the output"
            yield Check(f"output from {node.host}", "lacks", node.answer.text, remedy)


def _nothing() -> None:
    """Ask nothing more of a node."""
