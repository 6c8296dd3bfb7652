"""The stage that annotates: a shard's inputs in, the same inputs with a model's results out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.annotators.checked_model import loaded
from sgt_data.engine.outcomes import OWN_CODE
from sgt_data.engine.stage_times import Stopwatch, annotate_stage
from sgt_data.engine.stages import AnnotateStage, ShardTask, failure_at
from sgt_data.errors import AnnotatorError, OwnCodeError, SourceError
from sgt_data.result import Failure

_CPU_THREADS, _GPU_THREADS = 1, 8
"""Threads that decode and resize for one annotator, where the manifest does not say."""


def load_annotator(annotator: Annotator, setup: Setup) -> ShardAnnotator:
    """Load an annotator in this process, as it was set up for the build.

    Raises:
        RequestError: the weights are not on this machine and cannot be fetched.
        AnnotatorError: this machine's device or weights differ from those of the setup.
    """
    from sgt_data.annotators.device import device_class, digest_of_weights, weights_of
    from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

    provide_torchvision_operators()
    path, _ = weights_of(annotator)
    device, weights = device_class(setup.device), digest_of_weights(annotator, path)
    if (device, weights) != (setup.device_class, setup.weights):
        raise AnnotatorError(
            f"annotators.{annotator.name}: this machine has device {device!r} and weights "
            f"{weights[:12]}, the build {setup.device_class!r} and {setup.weights[:12]}; one "
            "corpus is made by one kind of device and one model"
        )
    threads = annotator.threads or (_CPU_THREADS if setup.device == "cpu" else _GPU_THREADS)
    return ShardAnnotator.of(annotator.name, loaded(annotator, path, setup), setup, threads)


def annotate_shard(
    shard: ShardTask,
    annotator: ShardAnnotator,
    stage: AnnotateStage,
    on_input: Callable[[int], None] | None = None,
) -> ShardTask | Failure:
    """Run one annotator over a shard; its results travel with the inputs.

    Args:
        shard: that needs it.
        annotator: the loaded annotator.
        stage: size of the pictures.
        on_input: called with the number of inputs that the model has seen.
    """
    watch = Stopwatch()
    try:
        inputs = annotator.annotate(shard.raw.inputs, stage.size_rule, stage.max_pixels, on_input)
    except (SourceError, AnnotatorError) as why:
        return failure_at(shard.part, why)
    except OwnCodeError as why:
        return Failure(OWN_CODE, str(why))
    watch.lap(annotate_stage(annotator.name))
    times = shard.times + watch.taken()
    return replace(shard, raw=replace(shard.raw, inputs=inputs), times=times)
