"""The build in this process, one shard after the other: no Ray, no start-up, one core."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.engine.annotate import annotate_shard, loaded
from sgt_data.engine.plan import SliceTask
from sgt_data.engine.tasks import Outcome, ShardTask, SliceFailure
from sgt_data.engine.work import Job, read_slice


class InlineEngine:
    """Runs annotators and tasks right here."""

    def set_up(self, annotator: Annotator) -> Setup:
        from sgt_data.annotators.device import set_up

        return set_up(annotator)

    def run(self, tasks: Sequence[SliceTask], job: Job, root: str) -> Iterator[Outcome]:
        """Do the tasks in order; outcomes as they come."""

        @cache
        def loaded_once(annotator: Annotator) -> ShardAnnotator:
            return loaded(annotator, job.setups[annotator.name])

        for task in tasks:
            for shard in read_slice(task, job):
                done = _annotated(shard, job, loaded_once)
                yield done if isinstance(done, SliceFailure) else job.finish(done, root)


def _annotated(
    shard: ShardTask | SliceFailure,
    job: Job,
    loaded_once: Callable[[Annotator], ShardAnnotator],
) -> ShardTask | SliceFailure:
    """A shard with what all its annotators say, or the first failure."""
    if isinstance(shard, SliceFailure):
        return shard
    for annotator in job.annotators_for(shard.raw.source, shard.folders):
        done = annotate_shard(shard, loaded_once(annotator), *job.pictures)
        if isinstance(done, SliceFailure):
            return done
        shard = done
    return shard
