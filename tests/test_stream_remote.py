"""Corpora elsewhere: the same batches, kept in a bounded folder, with waits that end."""

from __future__ import annotations

import http.server
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from corpora import both_sources_document
from PIL import Image
from stream_options import grouped

import sgt_data
from sgt_data.corpus.sample import Sample
from sgt_data.corpus.sample_reader import RemoteTar
from sgt_data.errors import RequestError, SourceError
from sgt_data.files import fetching, reading, retries
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.stream.shard_cache import ShardCache
from sgt_data.trainers.bagel import BagelDataset


class Server(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, ranges too. Counts what it gave; can be told to be silent."""

    bytes_given: dict[str, int]
    silent: threading.Event
    pause = 0.0

    def do_GET(self) -> None:
        place = Path(self.translate_path(self.path))
        if self.silent.is_set():
            time.sleep(30)
            return
        if not place.is_file():
            self.send_error(404)
            return
        data = place.read_bytes()
        status, asked = 200, self.headers.get("Range")
        if asked:
            first, last = asked.removeprefix("bytes=").split("-")
            status, data = 206, data[int(first) : int(last) + 1 if last else None]
        self.bytes_given[self.path] = self.bytes_given.get(self.path, 0) + len(data)
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        for start in range(0, len(data), 4096):
            self.wfile.write(data[start : start + 4096])
            time.sleep(self.pause)

    def log_message(self, *arguments: Any) -> None:
        pass


@pytest.fixture(scope="module", params=["embedded", "shared"])
def corpus(
    request: pytest.FixtureRequest, sample_sources: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    document = {**both_sources_document(sample_sources, shard_samples=3), "inputs": request.param}
    place = tmp_path_factory.mktemp("remote") / "corpus"
    assert sgt_data.build_corpus(
        parse_manifest(document), str(place), cluster=sgt_data.IN_PROCESS
    ).succeeded
    return place


@pytest.fixture
def served(corpus: Path) -> Iterator[tuple[str, type[Server]]]:
    """URL of the corpus, and what serves it."""
    kind = type("Served", (Server,), {"bytes_given": {}, "silent": threading.Event()})
    handler = partial(kind, directory=str(corpus))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)  # type: ignore[arg-type]
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", kind
    server.shutdown()


def stream_of(url: str, **options: Any) -> sgt_data.Stream:
    return sgt_data.Stream(
        {url: ["entity", "panoptic"]}, batch_size=4, seed=1, **grouped(**options)
    )


def contents(stream: sgt_data.Stream) -> list[list[tuple[str, bytes, bytes]]]:
    return [[content(sample) for sample in batch["samples"]] for batch in stream]


def content(sample: Sample) -> tuple[str, bytes, bytes]:
    return sample.key, sample.input, sample.target


def wait_for(what: Any) -> None:
    end = time.monotonic() + 30
    while not what():
        assert time.monotonic() < end
        time.sleep(0.02)


def tars_of(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.tar"))


def test_a_cached_corpus_gives_the_same_batches_and_is_fetched_once(
    corpus: Path, served: tuple[str, type[Server]], tmp_path: Path
) -> None:
    url, server = served
    expected = contents(stream_of(str(corpus)))
    stream = stream_of(url, cache=str(tmp_path / "cache"))
    assert contents(stream) == expected
    shards = sum(1 for tar in corpus.glob("*/*.tar") if tar.parent.name != "instance")
    shards -= len(list(corpus.glob("semantic/*.tar")))
    wait_for(lambda: len(tars_of(tmp_path / "cache")) == shards)
    server.bytes_given.clear()
    assert contents(stream_of(url, cache=str(tmp_path / "cache"))) == expected
    assert not [path for path in server.bytes_given if path.endswith(".tar")], "all are here"
    assert not list((tmp_path / "cache").glob("*.part"))


class Bytes:
    """BAGEL's transform and tokenizer, which leave a picture and a text as they are."""

    stride = 1

    def __call__(self, picture: Image.Image) -> np.ndarray[Any, Any]:
        return np.asarray(picture).transpose(2, 0, 1)

    def encode(self, text: str) -> list[int]:
        return list(text.encode())


def test_bagels_feeder_keeps_shards_on_a_local_disk(
    corpus: Path, served: tuple[str, type[Server]], tmp_path: Path
) -> None:
    url, _ = served
    cache = tmp_path / "cache"

    def epoch(place: str, **options: Any) -> list[bytes]:
        data = BagelDataset(
            "sgt", Bytes(), Bytes(), Bytes(), [place], proxies=["entity"], num_workers=1, **options
        )
        assert len(data)
        samples = itertools.islice(pickle.loads(pickle.dumps(data)), len(data))
        return [sample["image_tensor_list"][1].tobytes() for sample in samples]

    expected = epoch(str(corpus))
    assert epoch(url, cache=str(cache)) == expected
    folders = ["entity"] + ["input"] * (corpus / "input").is_dir()
    shards = sum(len(list((corpus / folder).glob("*.tar"))) for folder in folders)
    wait_for(lambda: len(tars_of(cache)) == shards)
    for tar in tars_of(cache):
        os.utime(tar, (0, 0))
    assert epoch(url, cache=str(cache)) == expected
    assert all(tar.stat().st_mtime > 0 for tar in tars_of(cache)), "each copy was read"
    with pytest.raises(RequestError, match="cache_bytes"):
        epoch(url, cache=str(cache), cache_bytes=0)


def test_the_folder_stays_within_its_bound_and_the_batches_the_same(
    corpus: Path, served: tuple[str, type[Server]], tmp_path: Path
) -> None:
    url, _ = served
    sizes = [tar.stat().st_size for tar in corpus.glob("*/*.tar")]
    bound = 2 * max(sizes)
    stream = stream_of(url, cache=str(tmp_path), cache_bytes=bound, window=1)
    batches = []
    for batch in stream:
        batches.append([content(sample) for sample in batch["samples"]])
        assert sum(path.stat().st_size for path in tmp_path.iterdir() if path.exists()) <= bound
    assert batches == contents(stream_of(str(corpus), window=1))


def test_a_spoilt_copy_is_thrown_away_and_read_from_where_it_came(
    corpus: Path, served: tuple[str, type[Server]], tmp_path: Path
) -> None:
    url, _ = served
    expected = contents(stream_of(str(corpus)))
    list(stream_of(url, cache=str(tmp_path)))
    wait_for(lambda: len(tars_of(tmp_path)) > 2)
    time.sleep(0.2)
    for tar in tars_of(tmp_path):
        data = bytearray(tar.read_bytes())
        data[512::7] = bytes(len(data[512::7]))
        tar.write_bytes(data)
    assert contents(stream_of(url, cache=str(tmp_path))) == expected


KILLED = """
import sys, time, sgt_data
stream = sgt_data.Stream({sys.argv[1]: ["entity"]}, batch_size=4,
                         reading=sgt_data.Reading(cache=sys.argv[2]))
next(iter(stream))
print("reading", flush=True)
time.sleep(60)
"""


def test_a_killed_process_leaves_nothing_that_stays(
    served: tuple[str, type[Server]], tmp_path: Path
) -> None:
    url, server = served
    server.pause = 0.02
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, url, str(tmp_path)], stdout=subprocess.PIPE
    )
    wait_for(lambda: any(part.stat().st_size for part in tmp_path.glob("*.part")))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert list(tmp_path.glob("*.part"))
    server.pause = 0.0
    stream = stream_of(url, cache=str(tmp_path))
    list(stream)
    wait_for(lambda: tars_of(tmp_path) and not list(tmp_path.glob("*.part")))


def test_two_processes_do_not_fetch_one_shard_twice(tmp_path: Path) -> None:
    source, cache = tmp_path / "source.tar", tmp_path / "cache"
    source.write_bytes(os.urandom(1 << 20))
    shard = RemoteTar(f"file://{source}", "1")
    first, second = (ShardCache(str(cache), 1 << 30) for _ in range(2))
    fetch = first._fetch
    started, go_on = threading.Event(), threading.Event()

    def slow(url: str, path: str) -> None:
        started.set()
        go_on.wait(10)
        fetching.copy_to_file(url, path + "x")
        Path(path).write_bytes(Path(path + "x").read_bytes())
        Path(path + "x").unlink()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sgt_data.stream.shard_cache.fetch_file", slow)
        thread = threading.Thread(target=fetch, args=(shard, set()))
        thread.start()
        assert started.wait(10)
        second._fetch(shard, set())  # comes back at once, with nothing done
        assert not second.path(shard).exists()
        go_on.set()
        thread.join()
    assert first.read(shard, 10, 20) == source.read_bytes()[10:30]
    assert second.read(shard, 0, 5) == source.read_bytes()[:5]


def test_a_corpus_built_anew_at_its_place_is_fetched_anew(tmp_path: Path) -> None:
    cache = ShardCache(str(tmp_path), 1 << 30)
    assert cache.path(RemoteTar("s3://b/t.tar", "1")) != cache.path(RemoteTar("s3://b/t.tar", "2"))


def test_a_server_that_never_answers_is_an_error_and_no_wait_without_end(
    served: tuple[str, type[Server]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, server = served
    stream = stream_of(url)
    next(iter(stream))
    monkeypatch.setattr(reading, "RANGE_SECONDS", 0.3)
    monkeypatch.setattr(reading, "FILE_SECONDS", 0.3)
    monkeypatch.setattr(retries, "PAUSE_SECONDS", 0.01)
    server.silent.set()
    began = time.monotonic()
    with pytest.raises(SourceError, match="cannot read http"):
        next(iter(stream))
    assert time.monotonic() - began < 15
    fsspec.filesystem("http").clear_instance_cache()
