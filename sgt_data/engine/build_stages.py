"""The stages of a corpus build: slices of the sources in, committed shards of every proxy out."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from functools import partial

from sgt_data.corpus.receipt import commit
from sgt_data.engine.build_plan import Recipe
from sgt_data.engine.render import Rendering
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stage_times import COMMIT
from sgt_data.engine.stages import (
    AnnotateStage,
    FinishedShard,
    ShardTask,
    Stages,
    shards_to_do,
)
from sgt_data.sources.cameras import with_cameras
from sgt_data.sources.dense_files import with_files


def corpus_stages(recipe: Recipe, root: str) -> Stages:
    """The stages that make a corpus.

    Args:
        recipe: how samples are made.
        root: absolute URL of the corpus.
    """
    manifest = recipe.manifest
    rule = manifest.pictures
    return Stages(
        partial(_read, recipe),
        AnnotateStage(manifest.annotators_for, recipe.setups, rule, rule.max_pixels),
        partial(_finish, recipe, root),
        manifest.shard_samples,
        root,
    )


def _read(recipe: Recipe, task: SliceTask) -> Iterator[ShardTask]:
    """The shards of a slice, with the files beside their pictures that its proxies draw."""
    source = recipe.source(task.slice.source)
    layers = source.offers()
    beside = {proxy.name: proxy.files_beside(layers) for proxy in recipe.manifest.proxies}
    for shard in shards_to_do(task, source, recipe.manifest.shard_samples):
        wanted = frozenset[str]().union(*(beside.get(name, ()) for name in shard.folders))
        inputs = shard.raw.inputs
        for role, files in (("depth", recipe.depth), ("normals", recipe.normals)):
            if role in wanted and source.name in files:
                inputs = with_files(inputs, files[source.name], role)
        if "intrinsics" in wanted and source.name in recipe.cameras:
            inputs = with_cameras(inputs, recipe.cameras[source.name])
        yield replace(shard, raw=replace(shard.raw, inputs=inputs))


def _finish(recipe: Recipe, root: str, shard: ShardTask) -> Generator[int, None, FinishedShard]:
    """Draw the samples of every folder that lacks the shard, and commit them."""
    rendering = Rendering(shard.raw, shard.folders, recipe, root)
    yield from rendering.draw(shard.excluded)
    encoded = rendering.encode()
    receipts = tuple(commit(root, files) for files in encoded)
    rendering.watch.lap(COMMIT)
    may_repeat = not recipe.source(shard.raw.source).keys_differ
    keys = tuple(files.keys for files in encoded) if may_repeat else ()
    return FinishedShard(receipts, keys, rendering.watch.taken())
