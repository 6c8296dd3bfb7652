"""A data set of corpora for the registry of BAGEL's training code.

What to change in BAGEL (as published, or as SGT released it):

data/dataset_info.py
    from sgt_data.trainers.bagel import BagelDataset
    DATASET_REGISTRY = {..., 'sgt': BagelDataset}
    DATASET_INFO = {..., 'sgt': {'sa1b': {'data_dir': 's3://bucket/corpus'}}}   # fsspec URLs
data/configs/<yours>.yaml
    sgt:
      dataset_names: [sa1b]
      plan: sgt                      # or edit: what the model is shown
      proxies: [segmentation]        # of every corpus; all where left out
      cache: /scratch/shards         # local copies of remote shards; none where left out
      image_transform_args: {image_stride: 16, max_image_size: 1024, min_image_size: 512}
      vit_image_transform_args: {image_stride: 14, max_image_size: 224, min_image_size: 224}
      is_mandatory: true
      num_used_data: [190000]        # samples, one number per corpus
      weight: 2.0

Pictures that were built with `min_side: 512, max_side: 1024, multiple_of: 16` keep their size in
BAGEL's transform, so the colours of targets stay exact. Questions are read by `BagelConversations`
(`sgt_data.trainers.bagel_conversations`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import SampleReader
from sgt_data.files.urls import absolute
from sgt_data.stream.mixture_components import CorpusShard
from sgt_data.stream.options import Reading
from sgt_data.stream.shard_cache import ShardCache
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.trainers.bagel_group import (
    BagelGroup,
    Reader,
    UsedShard,
    numbers_for,
    used_shards,
)
from sgt_data.trainers.bagel_sample import (
    PictureTransform,
    Plan,
    Tokenizer,
    checked_plan,
    to_bagel,
)


class BagelDataset(BagelGroup):
    """Samples of corpora for one of BAGEL's data set groups, without end; see `BagelGroup`."""

    def __init__(
        self,
        dataset_name: str,
        transform: PictureTransform,
        vit_transform: PictureTransform,
        tokenizer: Tokenizer,
        data_dir_list: Sequence[str],
        num_used_data: Sequence[int] | None = None,
        proxies: Sequence[str] | None = None,
        plan: Plan = "sgt",
        cache: str | None = None,
        cache_bytes: int = 50 << 30,
        local_rank: int = 0,
        world_size: int = 1,
        num_workers: int = 8,
        data_status: Mapping[int, int] | None = None,
    ) -> None:
        """
        Args:
            dataset_name: name of the group; each group has an order of its own.
            transform: applied to pictures for the VAE: those to generate, and in the plan `edit`
                the input as well.
            vit_transform: applied to pictures to look at.
            tokenizer: makes tokens of instructions.
            data_dir_list: fsspec URLs of finished corpora, or of subset files.
            num_used_data: how many samples of each corpus to use; a number above its size means
                all. A smaller number's samples are among those of a larger one, for any seed.
            proxies: names of the proxies to take of each corpus; None for all.
            plan: what comes before the target: `sgt`, the input seen by the ViT, as SGT trains;
                `edit`, the input seen by VAE and ViT, as BAGEL trains editing.
            cache: a folder on a local disk that keeps shards of remote corpora, for any number of
                processes; None reads single samples by byte ranges.
            cache_bytes: greatest size of that folder in bytes; the least recently used shards are
                removed first.
            local_rank: rank of this process, from 0.
            world_size: number of processes.
            num_workers: number of the DataLoader's workers; 0 counts as one.
            data_status: this rank's last count by worker, from `data_indexes`.

        Raises:
            RequestError: corpora, proxies, plan, numbers, cache and workers do not fit.
        """
        self.transform, self.vit_transform, self.tokenizer = transform, vit_transform, tokenizer
        self.plan = checked_plan(plan)
        reading = Reading(cache=cache, cache_bytes=cache_bytes)
        copies = (
            None
            if reading.cache is None
            else ShardCache(absolute(reading.cache), reading.cache_bytes)
        )
        numbers = numbers_for(num_used_data, data_dir_list, dataset_name)
        shards = [
            shard
            for url, number in zip(data_dir_list, numbers, strict=True)
            for shard in _corpus_shards(url, proxies, number, copies)
        ]
        reader = Reader(local_rank, world_size, max(1, num_workers), dict(data_status or {}))
        super().__init__(dataset_name, shards, reader, copies)

    def packed(self, sample: Sample) -> dict[str, Any]:
        return to_bagel(sample, self.tokenizer, self.transform, self.vit_transform, self.plan)


def _corpus_shards(
    url: str, proxies: Sequence[str] | None, number: int | None, copies: ShardCache | None
) -> list[UsedShard]:
    corpus = open_corpus(url)
    # BAGEL reads no facts of a sample, and to parse them takes longer than all else of reading it
    reader = SampleReader(corpus, copies=copies, late_facts=True)
    shards = [
        CorpusShard(reader, proxy, shard, count)
        for proxy in corpus.finished(proxies)
        for shard, count in zip(corpus.shards(proxy), corpus.samples_per_shard(proxy), strict=True)
    ]
    return used_shards(shards, number, corpus.url)
