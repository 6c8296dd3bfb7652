"""Large files appear in a store in one step, however many requests carry them."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from corpora import both_sources
from faulty_store import Store, running_store
from ray_nodes import seen

from sgt_data import IN_PROCESS, build_corpus, open_corpus
from sgt_data.errors import StorageError
from sgt_data.files import retries, troubles
from sgt_data.files.reading import read_bytes, read_range
from sgt_data.files.writing import write_atomic

LARGE = bytes(range(256)) * (101 << 12)
"""101 MiB, which the client of S3 sends in parts."""

PLACE = "s3://bucket/corpus/entity/shard.tar"


@pytest.fixture(scope="module")
def server() -> Iterator[Store]:
    with running_store() as store:
        yield store


@pytest.fixture
def store(server: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    server.set()
    monkeypatch.setitem(fsspec.config.conf, "s3", server.settings(read_timeout=20.0))
    filesystem = fsspec.filesystem("s3")
    if not filesystem.exists("bucket"):
        filesystem.mkdir("bucket")
    yield server
    server.set()
    filesystem.rm("bucket/corpus", recursive=True)
    type(filesystem).clear_instance_cache()


def listed() -> list[str]:
    filesystem = fsspec.filesystem("s3")
    filesystem.invalidate_cache()
    found: list[str] = filesystem.find("bucket/corpus")
    return found


def test_a_large_shard_is_not_there_until_all_its_parts_are(store: Store) -> None:
    write_atomic("s3://bucket/corpus/first", b"1")
    store.set(held="partNumber=3")
    writer = threading.Thread(target=write_atomic, args=(PLACE, LARGE))
    writer.start()
    place, _ = seen(lambda: store.done().holding)[0]
    assert place.startswith("PUT /bucket/corpus/entity/shard.tar")
    assert listed() == ["bucket/corpus/first"]
    store.set()
    writer.join()
    assert read_bytes(PLACE) == LARGE


def test_a_refusal_that_passes_is_survived_and_one_that_stays_is_quick(store: Store) -> None:
    write_atomic(PLACE, b"whole")
    troubles.take_troubles()
    store.set(share=1.0, kinds=("403",), at_most=sum(store.done().faults.values()) + 2)
    assert read_bytes(PLACE) == b"whole"
    assert troubles.take_troubles() == {"403": 2}
    before = store.done().requests
    store.set(share=1.0, kinds=("403",))
    with pytest.raises(Exception, match="the server answered 403"):
        read_bytes(PLACE)
    asked = store.done().requests - before
    assert asked.total() == retries.REFUSED_ATTEMPTS + asked["PUT"]


def test_a_corpus_on_a_store_that_lists_late_has_lost_nothing(
    store: Store, sample_sources: Path
) -> None:
    """Receipts are listed before their files are: these are asked for by their names."""
    manifest = both_sources(sample_sources, shard_samples=6)
    assert build_corpus(manifest, "s3://bucket/corpus", cluster=IN_PROCESS).succeeded
    opened = open_corpus("s3://bucket/corpus")
    filesystem = fsspec.filesystem("s3")
    names = [f"bucket/corpus/entity/{shard}.tar" for shard in opened.shards("entity")]
    store.set(hidden="/bucket/corpus/entity/")
    filesystem.invalidate_cache()
    assert names[0] not in filesystem.find("bucket/corpus/entity")
    again = build_corpus(manifest, "s3://bucket/corpus", cluster=IN_PROCESS)
    assert (again.complete, again.built_shards, again.notes) == (True, 0, [])
    filesystem.rm_file(names[0])
    mended = build_corpus(manifest, "s3://bucket/corpus", cluster=IN_PROCESS)
    assert (mended.complete, mended.built_shards) == (True, 1)


def test_a_part_that_comes_with_a_wrong_length_is_asked_for_again(store: Store) -> None:
    write_atomic(PLACE, bytes(range(100)))
    store.set(share=1.0, kinds=("length",), at_most=sum(store.done().faults.values()) + 2)
    assert read_range(PLACE, 10, 50) == bytes(range(10, 60))
    assert read_range(PLACE, 90, 50) == bytes(range(90, 100))


def test_what_the_clients_repeat_unseen_is_counted(store: Store) -> None:
    write_atomic(PLACE, b"whole")
    troubles.take_troubles()
    store.set(share=1.0, kinds=("503",), at_most=sum(store.done().faults.values()) + 3)
    assert read_bytes(PLACE) == b"whole"
    counts = troubles.take_troubles()
    assert counts == {"503": 3}
    assert troubles.troubles_text(counts) == "3 requests to stores were made again (503: 3)"


def test_an_upload_that_is_given_up_leaves_nothing_to_see(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Stands last: the client goes on with the other parts for a while."""
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.0)
    write_atomic("s3://bucket/corpus/first", b"1")
    store.set(share=1.0, kinds=("403",), only="partNumber=3")
    with pytest.raises(StorageError, match=r"cannot write .*shard\.tar: the server answered 403"):
        write_atomic(PLACE, LARGE)
    store.set()
    assert listed() == ["bucket/corpus/first"]
