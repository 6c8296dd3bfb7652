"""The build in this process, one shard after the other: no Ray, no start-up, one core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from sgt_data.annotators.base import AnnotatorConfig, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.build.annotate import annotate_shard, loaded
from sgt_data.build.plan import SliceTask
from sgt_data.build.tasks import Outcome, ShardTask, SliceFailure
from sgt_data.build.work import Job, read_slice


class InlineEngine:
    """Runs annotators and tasks right here."""

    def set_up(self, annotator: AnnotatorConfig) -> Setup:
        from sgt_data.annotators.device import set_up

        return set_up(annotator)

    def run(self, tasks: Sequence[SliceTask], job: Job, root: str) -> Iterator[Outcome]:
        """Do the tasks in order; outcomes as they come."""

        @cache
        def annotator(name: str) -> ShardAnnotator:
            every = {one.name: one for task in tasks for one in _annotators(task, job)}
            return loaded(every[name], job.setups[name])

        for task in tasks:
            for shard in read_slice(task, job):
                done: ShardTask | SliceFailure = shard
                if isinstance(done, ShardTask):
                    for one in job.annotators_for(done.raw.source, done.folders):
                        if isinstance(done, ShardTask):
                            done = annotate_shard(done, annotator(one.name), *job.pictures)
                yield done if isinstance(done, SliceFailure) else job.finish(done, root)


def _annotators(task: SliceTask, job: Job) -> tuple[AnnotatorConfig, ...]:
    return job.annotators_for(task.slice.source, task.folders)
