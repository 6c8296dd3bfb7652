"""Samples for BAGEL's packed training, and a data set that its registry takes beside its own.

What to change in BAGEL (as published, or as SGT released it):

data/dataset_info.py
    from sgt_data.stream.bagel import BagelDataset
    DATASET_REGISTRY = {..., 'sgt': BagelDataset}
    DATASET_INFO = {..., 'sgt': {'sa1b': {'data_dir': 's3://bucket/corpus'}}}   # fsspec URLs
data/configs/<yours>.yaml
    sgt:
      dataset_names: [sa1b]
      proxies: [segmentation]        # of every corpus; all where left out
      image_transform_args: {image_stride: 16, max_image_size: 1024, min_image_size: 512}
      vit_image_transform_args: {image_stride: 14, max_image_size: 224, min_image_size: 224}
      is_mandatory: true
      num_used_data: [190000]        # samples, one number per corpus
      weight: 2.0

The registry's classes are built with keywords, told `set_epoch`, and iterated; nothing looks at
their base, so this one does not need BAGEL's to be importable. Pictures built with `min_side: 512,
max_side: 1024, multiple_of: 16` keep their size in BAGEL's transform, so that colours of targets
stay what they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sgt_data.corpus.reader import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.errors import RequestError
from sgt_data.seeds import generator
from sgt_data.stream.order import Order
from sgt_data.stream.stream import _worker
from sgt_data.subsets.opening import open_corpus

SEED = 42
"""Of the order until `set_epoch` is called: that of BAGEL's own data sets."""


class PictureTransform(Protocol):
    """BAGEL's `ImageTransform`: an RGB picture -> a tensor [3, H, W], its sides multiples of
    `stride` pixels, which is what one token covers."""

    stride: int

    def __call__(self, picture: Image.Image) -> Any: ...


class Tokenizer(Protocol):
    """A tokenizer of `transformers`."""

    def encode(self, text: str) -> list[int]: ...


def to_bagel(
    sample: Sample,
    tokenizer: Tokenizer,
    vae_transform: PictureTransform,
    vit_transform: PictureTransform,
) -> dict[str, Any]:
    """What BAGEL's `PackedDataset` packs, made anew for each call, as packing empties its lists.

    `image_tensor_list` holds input (ViT), target (VAE) and input (VAE), of which the plan uses the
    first two; `data_indexes` names the sample and is replaced where a data set counts.

    Raises:
        CorpusError: a picture cannot be decoded.
    """
    picture, target = sample.pictures()
    seen = vit_transform(picture)
    drawn = vae_transform(target)
    text = list(tokenizer.encode(sample.instruction))
    return {
        "image_tensor_list": [seen, drawn, vae_transform(picture)],
        "text_ids_list": [text],
        "num_tokens": (
            _tokens(seen, vit_transform.stride) + _tokens(drawn, vae_transform.stride) + len(text)
        ),
        "sequence_plan": [
            _step("vit_image"),
            _step("text", enable_cfg=1),
            _step("vae_image", loss=1),
        ],
        "data_indexes": {
            "data_indexes": sample.key,
            "worker_id": 0,
            "dataset_name": sample.component,
        },
    }


class BagelDataset:
    """Samples of corpora for one of BAGEL's data set groups: endless, in an order that a seed
    decides, every sample once an epoch over all ranks and workers together.

    Each worker gives every `world_size * workers`-th sample and counts what it gave in
    `data_indexes`, through all epochs. `data_status`, which BAGEL keeps of these counts by worker,
    resumes after exactly that sample, given as many ranks and workers as before. (BAGEL's packing
    may hold samples back in its own buffer; what is in it at a checkpoint is BAGEL's to lose.)
    """

    def __init__(
        self,
        dataset_name: str,
        transform: PictureTransform,
        vit_transform: PictureTransform,
        tokenizer: Tokenizer,
        data_dir_list: Sequence[str],
        num_used_data: Sequence[int] | None = None,
        proxies: Sequence[str] | None = None,
        local_rank: int = 0,
        world_size: int = 1,
        num_workers: int = 8,
        data_status: Mapping[int, int] | None = None,
    ) -> None:
        """
        Args:
            dataset_name: of the group; groups are shuffled apart.
            transform, vit_transform: of targets, and of pictures to look at.
            tokenizer: of instructions.
            data_dir_list: fsspec URLs of finished corpora.
            num_used_data: how many samples of each corpus to use; more than there are means all.
                A smaller number's samples are among those of a larger one, whatever the seed.
            proxies: to take of each corpus; all by default.
            local_rank, world_size: of this process.
            num_workers: of the DataLoader; 0 counts as one.
            data_status: this rank's counts by worker, from `data_indexes`.

        Raises:
            RequestError: corpora, proxies, numbers and workers do not fit.
        """
        self.dataset_name = dataset_name
        self.transform, self.vit_transform, self.tokenizer = transform, vit_transform, tokenizer
        self.local_rank, self.world_size = local_rank, world_size
        self.num_workers = max(1, num_workers)
        self.data_status = dict(data_status or {})
        if not 0 <= local_rank < world_size:
            raise RequestError(f"{dataset_name}: rank is {local_rank} of {world_size}")
        beyond = [worker for worker in self.data_status if worker >= self.num_workers]
        if beyond:
            raise RequestError(
                f"{dataset_name}: data_status has a worker {beyond[0]}, num_workers is "
                f"{num_workers}; resume with as many workers as before"
            )
        numbers = [None] * len(data_dir_list) if num_used_data is None else list(num_used_data)
        if len(numbers) != len(data_dir_list):
            raise RequestError(
                f"{dataset_name}: num_used_data has {len(numbers)} numbers for "
                f"{len(data_dir_list)} corpora"
            )
        self._shards = [
            shard
            for url, number in zip(data_dir_list, numbers, strict=True)
            for shard in _shards_of(open_corpus(url), proxies, number)
        ]
        self.set_epoch(SEED)
        if not len(self):
            raise RequestError(f"{dataset_name}: no sample is left to use")

    def __len__(self) -> int:
        """Samples of an epoch, over all ranks."""
        return sum(len(shard.rows) for shard in self._shards)

    def set_epoch(self, seed: int = SEED) -> None:
        """Take another order: before iterating, as BAGEL does once with its data seed."""
        self._seed = seed

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # BAGEL makes the iterator before it sets the seed and starts workers, so all of this must
        # wait for the first sample to be asked for
        worker, workers = _worker()
        if workers != self.num_workers:
            raise RequestError(
                f"{self.dataset_name}: num_workers is {self.num_workers}, the DataLoader has "
                f"{workers}"
            )
        counts = np.array([len(shard.rows) for shard in self._shards])
        order = Order(counts, self.dataset_name, self._seed)
        for number in count(self.data_status.get(worker, -1) + 1):
            position = (number * workers + worker) * self.world_size + self.local_rank
            place = order.places(position, position + 1)
            sample = self._shards[int(place.shards[0])].read(self.dataset_name, int(place.rows[0]))
            packed = to_bagel(sample, self.tokenizer, self.transform, self.vit_transform)
            packed["data_indexes"] = {
                "data_indexes": number,
                "worker_id": worker,
                "dataset_name": self.dataset_name,
            }
            yield packed


@dataclass(frozen=True, slots=True)
class _Shard:
    """The samples of one shard that are used: `rows` of its index."""

    reader: SampleReader
    proxy: str
    name: str
    rows: NDArray[np.int64]

    def read(self, component: str, number: int) -> Sample:
        row = int(self.rows[number])
        return self.reader.read(self.proxy, self.name, row, component=component)


def _shards_of(
    corpus: Corpus, proxies: Sequence[str] | None, number: int | None
) -> Iterator[_Shard]:
    if number is not None and number < 1:
        raise RequestError(f"num_used_data: found {number} for {corpus.url}; from 1 on")
    reader = SampleReader(corpus)
    listed = [
        (proxy, shard, held)
        for proxy in corpus.finished(proxies)
        for shard, held in zip(corpus.shards(proxy), corpus.samples_per_shard(proxy), strict=True)
    ]
    counts = [held for _, _, held in listed]
    for (proxy, shard, _), rows in zip(listed, _chosen(counts, number), strict=True):
        yield _Shard(reader, proxy, shard, rows)


def _chosen(counts: Sequence[int], number: int | None) -> list[NDArray[np.int64]]:
    """Rows to use of each shard: the first `number` of one fixed permutation of all samples, so
    that fewer lie within more."""
    total = sum(counts)
    used = np.ones(total, np.bool_)
    if number is not None and number < total:
        used[generator(0, "num_used_data").permutation(total)[number:]] = False
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    starts = [0, *ends]
    return [np.flatnonzero(used[start:end]) for start, end in zip(starts, ends, strict=False)]


def _tokens(tensor: Any, stride: int) -> int:
    """Tokens of a picture [3, H, W]."""
    height, width = tensor.shape[1:]
    return int(height) * int(width) // stride**2


def _step(kind: str, enable_cfg: int = 0, loss: int = 0) -> dict[str, Any]:
    """One step of BAGEL's sequence plan.

    Args:
        kind: what comes next in the sequence.
        enable_cfg: 1 where training may leave it out, for classifier-free guidance.
        loss: 1 where it is learnt.
    """
    return {
        "type": kind,
        "enable_cfg": enable_cfg,
        "loss": loss,
        "special_token_loss": 0,
        "special_token_label": None,
    }
