"""A data set of corpora for the registry of BAGEL's training code.

What to change in BAGEL (as published, or as SGT released it):

data/dataset_info.py
    from sgt_data.trainers.bagel import BagelDataset
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

BAGEL builds the classes of its registry with keywords, calls `set_epoch` and iterates; it does not
look at their base class, so this module does not import BAGEL. Pictures that were built with
`min_side: 512, max_side: 1024, multiple_of: 16` keep their size in BAGEL's transform, so the
colours of targets stay exact.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count as count_from
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.errors import RequestError
from sgt_data.seeds import generator
from sgt_data.stream.loader_worker import loader_worker
from sgt_data.stream.order import Order
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.trainers.bagel_sample import PictureTransform, Tokenizer, to_bagel

DEFAULT_SEED = 42
"""Seed of the order until `set_epoch` is called, as in BAGEL's own data sets."""


class BagelDataset:
    """Samples of corpora for one of BAGEL's data set groups, without end.

    A seed decides the order; over all ranks and workers together, every epoch gives every sample
    once.

    Each worker gives every `world_size * workers`-th sample and counts its samples in
    `data_indexes`, through all epochs. BAGEL keeps these counts by worker as `data_status`; with
    them the data set resumes after exactly that sample, given as many ranks and workers as before.
    (BAGEL's packing may hold samples back in a buffer of its own; at a checkpoint these are lost.)
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
            dataset_name: name of the group; each group has an order of its own.
            transform: applied to pictures to generate.
            vit_transform: applied to pictures to look at.
            tokenizer: makes tokens of instructions.
            data_dir_list: fsspec URLs of finished corpora.
            num_used_data: how many samples of each corpus to use; a number above its size means
                all. A smaller number's samples are among those of a larger one, for any seed.
            proxies: names of the proxies to take of each corpus; None for all.
            local_rank: rank of this process, from 0.
            world_size: number of processes.
            num_workers: number of the DataLoader's workers; 0 counts as one.
            data_status: this rank's last count by worker, from `data_indexes`.

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
            for shard in _used_shards(open_corpus(url), proxies, number)
        ]
        self.set_epoch(DEFAULT_SEED)
        if not len(self):
            raise RequestError(f"{dataset_name}: no sample is left to use")

    def __len__(self) -> int:
        """Number of samples of an epoch, over all ranks."""
        return sum(len(shard.rows) for shard in self._shards)

    def set_epoch(self, seed: int = DEFAULT_SEED) -> None:
        """Choose another order, before iterating; BAGEL calls it once, with its data seed."""
        self._seed = seed

    def __iter__(self) -> Iterator[dict[str, Any]]:
        # BAGEL makes the iterator before it sets the seed and starts workers, so all of this must
        # wait until the first sample is asked for
        worker, workers = loader_worker()
        if workers != self.num_workers:
            raise RequestError(
                f"{self.dataset_name}: num_workers is {self.num_workers}, the DataLoader has "
                f"{workers}"
            )
        counts = np.array([len(shard.rows) for shard in self._shards])
        order = Order(counts, self.dataset_name, self._seed)
        for number in count_from(self.data_status.get(worker, -1) + 1):
            position = (number * workers + worker) * self.world_size + self.local_rank
            places = order.places(position, position + 1)
            shard, row = self._shards[int(places.shards[0])], int(places.rows[0])
            sample = shard.read(self.dataset_name, row)
            packed = to_bagel(sample, self.tokenizer, self.transform, self.vit_transform)
            packed["data_indexes"] = {
                "data_indexes": number,
                "worker_id": worker,
                "dataset_name": self.dataset_name,
            }
            yield packed


@dataclass(frozen=True, slots=True)
class _UsedShard:
    """The samples of one shard that are used.

    Attributes:
        reader: reads samples of the corpus.
        proxy: name of the proxy.
        name: name of the shard.
        rows: [n] rows of the shard's index.
    """

    reader: SampleReader
    proxy: str
    name: str
    rows: NDArray[np.int64]

    def read(self, component: str, number: int) -> Sample:
        row = int(self.rows[number])
        return self.reader.read(self.proxy, self.name, row, component=component)


def _used_shards(
    corpus: Corpus, proxies: Sequence[str] | None, number: int | None
) -> Iterator[_UsedShard]:
    if number is not None and number < 1:
        raise RequestError(f"num_used_data: found {number} for {corpus.url}; from 1 on")
    reader = SampleReader(corpus)
    shards = [
        (proxy, shard, count)
        for proxy in corpus.finished(proxies)
        for shard, count in zip(corpus.shards(proxy), corpus.samples_per_shard(proxy), strict=True)
    ]
    rows_of_shards = _used_rows([count for _, _, count in shards], number)
    for (proxy, shard, _), rows in zip(shards, rows_of_shards, strict=True):
        yield _UsedShard(reader, proxy, shard, rows)


def _used_rows(counts: Sequence[int], number: int | None) -> list[NDArray[np.int64]]:
    """Rows to use of each shard: those of the first `number` samples in one fixed permutation of
    all, so that the samples of a smaller number are among those of a larger one."""
    total = sum(counts)
    used = np.ones(total, np.bool_)
    if number is not None and number < total:
        used[generator(0, "num_used_data").permutation(total)[number:]] = False
    ends = np.cumsum(counts, dtype=np.int64).tolist()
    starts = [0, *ends]
    return [np.flatnonzero(used[start:end]) for start, end in zip(starts, ends, strict=False)]
