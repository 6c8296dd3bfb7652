"""Where long work runs: in this process, on a Ray of this machine, or on a Ray cluster."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass

from sgt_data import checks
from sgt_data.engine.cluster_probe import CONNECT_SECONDS, host_and_port
from sgt_data.errors import RequestError
from sgt_data.files.urls import lives_in_one_process

NAMED_ADDRESSES = ("auto", "local")
"""Addresses that Ray looks up itself: of the cluster of this machine; of a Ray that it starts."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Where long work runs, and on how many CPUs. It changes no byte of the result.

    Attributes:
        address: of a running Ray cluster; None for this machine.
        workers: CPUs of the Ray that is started on this machine; None for all of them. 0 works in
            this process, without Ray.
        connect_seconds: how long the cluster at `address` may take to answer.

    Raises:
        RequestError: `workers` is negative, or is given together with `address`; or `address` has
            no form that Ray knows.
    """

    address: str | None = None
    workers: int | None = None
    connect_seconds: float = CONNECT_SECONDS

    def __post_init__(self) -> None:
        if self.workers is not None:
            checks.whole_number("workers", self.workers, 0)
        if self.address is not None:
            checks.instance_of("address", self.address, str)
        if self.address is not None and self.workers is not None:
            raise RequestError(
                f"workers is {self.workers}, which counts CPUs of a Ray that is started on this "
                f"machine; the cluster at {self.address} has CPUs of its own"
            )
        if self.address not in (None, *NAMED_ADDRESSES):
            host_and_port(self.address or "")
        if not self.connect_seconds > 0:
            raise RequestError(f"connect_seconds is {self.connect_seconds}; allowed: above 0")

    @property
    def in_process(self) -> bool:
        """Whether work runs in this process, without Ray."""
        return self.workers == 0

    def check_reach(self, places: Iterable[str]) -> None:
        """Check that all processes of the cluster can reach these URLs.

        Raises:
            RequestError: one of them lies in the memory of this process alone.
        """
        for place in places:
            if lives_in_one_process(place) and not self.in_process:
                raise RequestError(
                    f"{place} lies in the memory of one process, which Ray's workers do not share; "
                    "use workers=0"
                )


THIS_MACHINE = Cluster()
"""This machine: little work in this process, more on a Ray that is started with all its CPUs."""

IN_PROCESS = Cluster(workers=0)
"""This process, without Ray: a few shards at a time, on threads."""


def cpus_of_this_process() -> int:
    """CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
