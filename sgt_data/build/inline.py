"""The build in this process, one shard after the other: no Ray, no start-up, one core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sgt_data.build.plan import SliceTask
from sgt_data.build.render import RenderSpec
from sgt_data.build.work import Outcome, SliceFailure, finish_shard, read_slice


def run_inline(tasks: Sequence[SliceTask], spec: RenderSpec, root: str) -> Iterator[Outcome]:
    """Do the tasks in order; outcomes as they come."""
    for task in tasks:
        for shard in read_slice(task, spec):
            yield shard if isinstance(shard, SliceFailure) else finish_shard(shard, spec, root)
