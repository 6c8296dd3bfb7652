"""Examine this machine, or a cluster: the function behind `sgt-data doctor`."""

from __future__ import annotations

from collections.abc import Iterator

from sgt_data.doctor.accelerators import accelerator_checks
from sgt_data.doctor.check import Check, Examination
from sgt_data.doctor.cluster_checks import cluster_checks
from sgt_data.doctor.compile_now import compile_now
from sgt_data.doctor.machine import machine_checks
from sgt_data.doctor.node_question import Wanted
from sgt_data.doctor.packages import package_checks
from sgt_data.doctor.places import hub_check
from sgt_data.engine.cluster import Cluster
from sgt_data.files.urls import Location, absolute, plain
from sgt_data.manifest.manifest import Manifest, load_manifest
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown


def examine(
    *,
    output: Location | None = None,
    manifest: Manifest | Location | None = None,
    address: str | None = None,
    start_ray: bool = True,
    compile_code: bool = False,
    progress: ProgressTo = False,
) -> Examination:
    """Say what this machine or a cluster lacks, and what to do about it.

    Args:
        output: fsspec URL of a corpus that is to be built; a small file is written, read and
            deleted there, from every node of a cluster.
        manifest: that is to be built, or the URL of its file: every place of its sources must be
            readable, and the weights of its annotators there, on every node.
        address: of a running Ray cluster, whose nodes are asked too; None for this machine.
        start_ray: start a Ray on this machine, or connect to the cluster.
        compile_code: first compile all functions that are compiled on their first call, which
            takes half a minute where their code is not kept yet; as an image is built.
        progress: True shows what is looked at; a function is called with it.

    Raises:
        RequestError: `output` or `address` has a form that nothing takes, or the manifest is wrong.
    """
    cluster = Cluster(address)
    place = None if output is None else absolute(plain(output))
    if manifest is not None and not isinstance(manifest, Manifest):
        manifest = load_manifest(manifest)
    wanted = Wanted.of(manifest, place)
    with shown(progress, "checks") as on_progress:
        if compile_code:
            compile_now(lambda phase: on_progress(Progress(0, phase=phase)))
        return Examination(tuple(_checks(wanted, cluster, start_ray, on_progress)))


def _checks(
    wanted: Wanted, cluster: Cluster, start_ray: bool, on_progress: OnProgress
) -> Iterator[Check]:
    on_progress(Progress(0, phase="looking at this machine"))
    yield from machine_checks()
    yield from package_checks()
    yield from accelerator_checks()
    yield hub_check()
    on_progress(Progress(0, phase="reading sources and writing to the output"))
    yield from wanted.checks()
    if start_ray:
        where = "on this machine" if cluster.address is None else f"at {cluster.address}"
        on_progress(Progress(0, phase=f"starting Ray {where}"))
        yield from cluster_checks(cluster, wanted)
