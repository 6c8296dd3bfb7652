"""Check a subset file against the corpus that it was taken from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pyarrow.compute as pc

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import SgtDataError
from sgt_data.files.read_ahead import read_ahead, threads_for
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
            return int(pc.sum(subset.index(*shard, ["key", "segments"])["segments"]).as_py() or 0)
        except SgtDataError as error:
            return error

    segments = dict.fromkeys(subset.folders, 0)
    broken: set[str] = set()
    phase = "reading indexes"
    on_progress(Progress(0, len(shards), phase=phase))
    with closing(read_ahead(count_segments, shards, threads_for(subset.url))) as counts:
        for done, ((folder, shard), count) in enumerate(zip(shards, counts, strict=True), 1):
            if isinstance(count, SgtDataError):
                broken.add(folder)
                yield Finding(f"{folder}/{shard}", str(count))
            else:
                segments[folder] += count
            on_progress(Progress(done, len(shards), phase=phase))
    for folder, total in segments.items():
        stated = subset.header.totals[folder]["segments"]
        if folder not in broken and total != stated:
            yield Finding(folder, f"its rows have {total} segments, the subset promises {stated}")
