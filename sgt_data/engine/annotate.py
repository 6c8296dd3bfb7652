"""A shard's inputs -> the same inputs with what an annotator says of them."""

from __future__ import annotations

from dataclasses import replace

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.annotators.batching import ShardAnnotator
from sgt_data.engine.tasks import ShardTask, SliceFailure
from sgt_data.errors import AnnotatorError, SourceError
from sgt_data.pictures.size_rule import SizeRule

_CPU_THREADS, _GPU_THREADS = 1, 8


def loaded(config: Annotator, setup: Setup) -> ShardAnnotator:
    """Load an annotator in this process, as the build has set it up.

    Raises:
        RequestError: the weights are not to be had here.
        AnnotatorError: device or weights here are others than those of the build.
    """
    from sgt_data.annotators.device import device_class
    from sgt_data.annotators.torchvision_operators import provide_torchvision_operators

    provide_torchvision_operators()
    path, _ = config.find_weights()
    here = device_class(setup.device), config.weights_digest(path)
    if here != (setup.device_class, setup.weights):
        raise AnnotatorError(
            f"annotators.{config.name}: this machine has device {here[0]!r} and weights "
            f"{here[1][:12]}, the build {setup.device_class!r} and {setup.weights[:12]}; one "
            "corpus is made by one kind of device and one model"
        )
    threads = config.threads or (_CPU_THREADS if setup.device == "cpu" else _GPU_THREADS)
    return ShardAnnotator.of(config.name, config.load(path, setup), setup, threads)


def annotate_shard(
    task: ShardTask, annotator: ShardAnnotator, rule: SizeRule, max_pixels: int
) -> ShardTask | SliceFailure:
    """Run an annotator over a shard; what it says travels with the inputs."""
    try:
        inputs = annotator.annotate(task.raw.inputs, rule, max_pixels)
    except (SourceError, AnnotatorError) as why:
        return SliceFailure(task.raw.source, task.raw.slice, str(why))
    return replace(task, raw=replace(task.raw, inputs=inputs))
