"""Engine of this process: one shard after the other, without Ray, on one core."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.engine.annotate_shard import annotate_shard, load_annotator
from sgt_data.engine.outcomes import Outcome
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import (
    AnnotateStage,
    ShardTask,
    Stages,
    finish_shard,
    read_slice,
)
from sgt_data.result import Failure


class InProcessEngine:
    """Runs annotators and tasks in this process."""

    def set_up(self, annotator: Annotator) -> Setup:
        """Look at an annotator's weights, and at the device of this machine.

        Raises:
            RequestError: the annotator cannot run.
        """
        from sgt_data.annotators.device import set_up

        return set_up(annotator)

    def run(self, tasks: Sequence[SliceTask], stages: Stages) -> Generator[Outcome, None, None]:
        """Do the tasks in order; outcomes as they come."""

        models: dict[str, ShardAnnotator] = {}

        def load_once(annotator: Annotator) -> ShardAnnotator:
            name = annotator.name
            if name not in models:
                models[name] = load_annotator(annotator, stages.annotate.setups[name])
            return models[name]

        for task in tasks:
            for shard in read_slice(task, stages):
                annotated = _annotated(shard, stages.annotate, load_once)
                if isinstance(annotated, Failure):
                    yield annotated
                else:
                    yield finish_shard(annotated, stages)


def _annotated(
    shard: ShardTask | Failure,
    stage: AnnotateStage,
    load_once: Callable[[Annotator], ShardAnnotator],
) -> ShardTask | Failure:
    """A shard with the results of all its annotators, or the first failure."""
    if isinstance(shard, Failure):
        return shard
    for annotator in stage.needed(shard.raw.source, shard.folders):
        annotated = annotate_shard(shard, load_once(annotator), stage)
        if isinstance(annotated, Failure):
            return annotated
        shard = annotated
    return shard
