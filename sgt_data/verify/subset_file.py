"""Check a subset file against the corpus that it is of."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from sgt_data.corpus.reader import Corpus
from sgt_data.errors import SgtDataError


def check_subset(
    subset: Corpus, on_shard: Callable[[int, int], None] | None = None
) -> Iterator[tuple[str, str]]:
    """Places and problems: every key that the file promises must be in the indexes, and segments
    must add up. Tars are the corpus's own affair."""
    places = [(folder, shard) for folder in subset.folders for shard in subset.shards(folder)]

    def look(place: tuple[str, str]) -> tuple[int, str | None]:
        try:
            return sum(subset.index(*place)["segments"].to_pylist()), None
        except SgtDataError as why:
            return 0, str(why)

    segments = dict.fromkeys(subset.folders, 0)
    broken: set[str] = set()
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        for done, (place, found) in enumerate(
            zip(places, threads.map(look, places), strict=True), 1
        ):
            folder, shard = place
            segments[folder] += found[0]
            if found[1] is not None:
                broken.add(folder)
                yield f"{folder}/{shard}", found[1]
            if on_shard:
                on_shard(done, len(places))
    for folder, count in segments.items():
        stated = subset.header.totals[folder]["segments"]
        if folder not in broken and count != stated:
            yield folder, f"its rows have {count} segments, the subset promises {stated}"
