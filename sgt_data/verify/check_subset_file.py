"""Check a subset file against the corpus that it was taken from."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import SgtDataError
from sgt_data.progress import OnProgress, Progress
from sgt_data.verify.findings import Finding


def check_subset(subset: Corpus, on_progress: OnProgress) -> Iterator[Finding]:
    """All that a subset file promises and its corpus lacks.

    Every key that the file names must be in the indexes, and the segments must add up. Tars are not
    read; they are checked when the corpus is verified.
    """
    shards = [(folder, shard) for folder in subset.folders for shard in subset.shards(folder)]

    def count_segments(shard: tuple[str, str]) -> int | SgtDataError:
        try:
            return int(sum(subset.index(*shard)["segments"].to_pylist()))
        except SgtDataError as error:
            return error

    segments = dict.fromkeys(subset.folders, 0)
    broken: set[str] = set()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        counts = threads.map(count_segments, shards)
        for done, ((folder, shard), count) in enumerate(zip(shards, counts, strict=True), 1):
            if isinstance(count, SgtDataError):
                broken.add(folder)
                yield Finding(f"{folder}/{shard}", str(count))
            else:
                segments[folder] += count
            on_progress(Progress(done, len(shards)))
    for folder, total in segments.items():
        stated = subset.header.totals[folder]["segments"]
        if folder not in broken and total != stated:
            yield Finding(folder, f"its rows have {total} segments, the subset promises {stated}")
