"""Ray Data on a Ray that was started for it on one machine: no metrics, no machines to ask for.

Ray Data starts an actor that keeps its metrics and one that asks for machines, each a process that
imports for a second of a core, and it gives out no work before the second has answered. On one
machine the answer is known, and nobody reads the metrics. No setting leaves the actors out, so they
are left out where Ray Data calls them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import ray
import ray.data
from ray.data._internal import stats
from ray.data._internal.execution import streaming_executor

from sgt_data.engine.replaced import replaced


@contextmanager
def one_machine() -> Iterator[None]:
    """In the block, Ray Data takes the machine as it is, and keeps no metrics.

    A version of Ray that has other names for its parts does as it does by itself.
    """
    keeper = stats._StatsManager
    changes: tuple[tuple[Any, str, Any], ...] = (
        (streaming_executor, "create_cluster_autoscaler", lambda *_, **__: _FixedSize()),
        (keeper, "register_dataset_to_stats_actor", staticmethod(_do_nothing)),
        (keeper, "update_execution_metrics", staticmethod(_do_nothing)),
        (keeper, "update_iteration_metrics", staticmethod(_do_nothing)),
    )
    with replaced(changes):
        yield


class _FixedSize:
    """What Ray Data asks for the size of a cluster, in its words: this one has a fixed size."""

    def __init__(self) -> None:
        resources = cast(Any, ray).cluster_resources()
        total: ray.data.ExecutionResources = ray.data.ExecutionResources.from_resource_dict(
            resources
        )
        self._total = total

    def try_trigger_scaling(self) -> None:
        """Ask for no machine."""

    def on_executor_shutdown(self) -> None:
        """Take back no request."""

    def get_total_resources(self) -> ray.data.ExecutionResources:
        """All that there is."""
        return self._total


def _do_nothing(*_: object, **__: object) -> None:
    """In place of a message to the actor that keeps metrics."""
