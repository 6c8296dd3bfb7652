"""The reader of stored samples is asked by many threads at once, on a local disk too."""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from threading import Barrier
from typing import Any

import making
import pytest

from sgt_data import open_corpus
from sgt_data.corpus.sample_reader import SampleReader

THREADS = 8


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("threads")
    (root / "photos").mkdir()
    for number in range(12):
        (root / "photos" / f"p{number}.jpg").write_bytes(making.jpeg(64, 48, seed=number))
    source = {"type": "folder", "pictures": f"{root}/photos"}
    assert making.built(root / "out", source, [{"type": "edge"}]).succeeded
    return root / "out"


def test_many_threads_read_one_tar_through_one_reader(corpus: Path) -> None:
    """Of the file that two of them would open, one would be closed while the other reads it."""
    opened = open_corpus(str(corpus))
    shard = opened.shards("edge")[0]
    expected = list(SampleReader(opened).facts_of_shard("edge", shard))
    start = Barrier(THREADS)

    def read(reader: SampleReader, row: int) -> dict[str, Any]:
        start.wait()
        return reader.facts("edge", shard, row % len(expected))

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(THREADS) as threads:
            for _ in range(200):
                reader = SampleReader(opened)
                reader.count("edge", shard)  # the index is there, so all open the tar at once
                facts = threads.map(partial(read, reader), range(THREADS))
                assert list(facts) == [expected[row % len(expected)] for row in range(THREADS)]
    finally:
        sys.setswitchinterval(interval)
