"""Annotate the inputs of a shard: decode on threads, group by shape, run the model in batches.

Batches are formed within a shard, in the order of its inputs. So the shard alone decides which
pictures share a batch: neither the number of actors nor the rest of the build does.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from sgt_data.annotators.base import (
    LoadedModel,
    OutOfMemory,
    Setup,
    View,
)
from sgt_data.errors import AnnotatorError, InputError
from sgt_data.foreign_errors import in_words
from sgt_data.pictures.size_rule import SizeRule
from sgt_data.records import RawInput
from sgt_data.sources.fetch_input import fetched
from sgt_data.value_text import cut_text

_BATCHES_AHEAD = 3  # so many batches of pictures are decoded before they are needed


@dataclass(slots=True)
class ShardAnnotator:
    """Runs the model of an annotator over shards.

    Several threads may call `annotate`: while one of them uses the device, the others decode.

    Attributes:
        name: name of the annotator; its results are the layer `role(name)` of an input.
        model: the loaded model.
        batch_size: most pictures of a forward pass; halved whenever memory is too small.
        threads: threads that decode and resize pictures.
        device: lock of the device.
    """

    name: str
    model: LoadedModel
    batch_size: int
    threads: ThreadPoolExecutor
    device: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def of(cls, name: str, model: LoadedModel, setup: Setup, threads: int) -> ShardAnnotator:
        """An annotator with `threads` threads of its own."""
        return cls(name, model, setup.batch_size, ThreadPoolExecutor(threads))

    def annotate(
        self,
        inputs: Sequence[RawInput],
        rule: SizeRule,
        max_pixels: int,
        on_input: Callable[[int], None] | None = None,
    ) -> tuple[RawInput, ...]:
        """The inputs, each with its bytes and its new layer, or with the reason why it has none.

        Args:
            inputs: the inputs of a shard.
            rule: rule for the output size.
            max_pixels: most pixels of a picture.
            on_input: called with the number of inputs that the model has seen, or will not see.

        Raises:
            SourceError: an input cannot be fetched at present.
            AnnotatorError: the device cannot hold even one picture.
        """
        done: dict[int, RawInput] = {}
        finishing: dict[int, tuple[RawInput, Future[bytes]]] = {}
        waiting: dict[tuple[int, ...], list[tuple[int, RawInput, View]]] = defaultdict(list)
        for index, raw, view in self._prepared(inputs, rule, max_pixels):
            if isinstance(view, InputError):
                done[index] = self._without(raw, view)
            elif view is None:
                done[index] = raw
            else:
                bucket = waiting[view.pixels.shape]
                bucket.append((index, raw, view))
                if len(bucket) >= self.batch_size:
                    self._run(waiting.pop(view.pixels.shape), finishing)
            if on_input is not None:
                on_input(len(done) + len(finishing))
        for bucket in waiting.values():
            self._run(bucket, finishing)
            if on_input is not None:
                on_input(len(done) + len(finishing))
        for index, (raw, result) in finishing.items():
            try:
                layer_bytes = {**raw.layer_bytes, role(self.name): result.result()}
                done[index] = replace(raw, layer_bytes=layer_bytes)
            except InputError as why:
                done[index] = self._without(raw, why)
        return tuple(done[index] for index in range(len(inputs)))

    def _prepared(
        self, inputs: Sequence[RawInput], rule: SizeRule, max_pixels: int
    ) -> Iterator[tuple[int, RawInput, View | InputError | None]]:
        """Number, input and view of each input; instead of the view the error, or None where the
        source could not give the picture."""

        def prepare(raw: RawInput) -> tuple[RawInput, View | InputError | None]:
            raw = fetched(raw)
            if raw.problem:
                return raw, None
            try:
                return raw, self.model.prepare(raw.picture, rule, max_pixels)
            except InputError as why:
                return raw, why

        ahead = _BATCHES_AHEAD * self.batch_size + self.threads._max_workers
        futures = [self.threads.submit(prepare, raw) for raw in inputs[:ahead]]
        for index in range(len(inputs)):
            raw, view = futures[index].result()
            futures[index] = None  # type: ignore[call-overload]
            if len(futures) < len(inputs):
                futures.append(self.threads.submit(prepare, inputs[len(futures)]))
            yield index, raw, view

    def _run(
        self,
        batch: Sequence[tuple[int, RawInput, View]],
        finishing: dict[int, tuple[RawInput, Future[bytes]]],
    ) -> None:
        views = [view for _, _, view in batch]
        for (index, raw, view), result in zip(batch, self._results(views), strict=True):
            finishing[index] = raw, self.threads.submit(self.model.finish, view, result)

    def _results(self, views: Sequence[View]) -> list[Any]:
        results: list[Any] = []
        while len(results) < len(views):
            size = self.batch_size
            part = views[len(results) : len(results) + size]
            try:
                with self.device:
                    results += self.model.run(part)
            except OutOfMemory as why:
                if len(part) == 1:
                    shape = part[0].pixels.shape
                    raise AnnotatorError(
                        f"annotators.{self.name}: out of memory with one picture of "
                        f"{shape[1]}x{shape[0]} pixels: {cut_text(in_words(why), 200)}"
                    ) from why
                self.batch_size = min(self.batch_size, max(1, len(part) // 2))
        return results

    def _without(self, raw: RawInput, why: InputError) -> RawInput:
        return replace(raw, layer_problems={**raw.layer_problems, role(self.name): str(why)})


def role(annotator: str) -> str:
    """The role of an annotator's result among the layers of an input."""
    return f"annotator:{annotator}"
