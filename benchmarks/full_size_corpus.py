"""A corpus of SA-1B's full size, whose tars are holes: for commands that read no picture.

    python benchmarks/full_size_corpus.py FOLDER [--shards 44000] [--proxies 1]

Writes `FOLDER/corpus` through the package's own writers, as a build of `FOLDER/manifest.yaml` would
have left it: `corpus.json`, and for each shard receipt, index, quarantine ledger and tar. The
source is a list of links to tars that no server has, so a build lists it, goes on with the corpus
and can fetch nothing. Indexes have all columns, with sizes as SA-1B's at 1024 pixels; every eighth
shard has lost an input. The tars are sparse files of the right size that hold nothing but zeros
(their digests are made up): `verify` is content, `verify --deep` is not.

At full size (44,000 shards, 11.18 million samples) it takes 80 seconds on two cores and 1.6 GB of
the disk; the tars seem to take 4.5 TB.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from sgt_data.corpus.header import CorpusHeader, write_header
from sgt_data.corpus.identity import environment
from sgt_data.corpus.index import INDEX_SCHEMA, MEMBERS, index_bytes
from sgt_data.corpus.paths import index_path, quarantine_path, receipt_path, tar_path
from sgt_data.corpus.receipt import Receipt, add_up
from sgt_data.corpus.shard import BLOCK, file_digest, ledger_bytes, receipt_bytes, tar_size
from sgt_data.engine.build_plan import plan_build
from sgt_data.engine.in_process import InProcessEngine
from sgt_data.engine.listing import list_inputs
from sgt_data.files.urls import join
from sgt_data.files.writing import write_atomic
from sgt_data.manifest.manifest import load_manifest
from sgt_data.records import QuarantineRow, shard_name
from sgt_data.sources.sa1b import PICTURES_PER_TAR

SHARD_SAMPLES = 256
SHARDS_PER_TAR = -(-PICTURES_PER_TAR // SHARD_SAMPLES)
SHARDS = 1000 * SHARDS_PER_TAR
_SOURCE = "sa1b"
_LOSES_EVERY = 8
_RECEIPTS_AT_ONCE = 4 * SHARDS_PER_TAR
_PROXIES = (
    "{type: segmentation, variant: entity}", "{type: edge, method: sobel}", "{type: inpainting}",
)  # fmt: skip
_SIZES = {"input": (380_000, 90_000), "target": (26_000, 9_000), "instruction": (60, 20)}
"""Mean and standard deviation of a member's bytes."""

_FACTS_BYTES, _SEGMENT_BYTES = 900, 140
_SEGMENTS = (4.0, 0.8)
"""Mean and standard deviation of the logarithm of a picture's count of masks."""


@dataclass(frozen=True, slots=True)
class ShardPlace:
    """A shard of the source's tars: the tar's number, the shard's within it, and whether it is the
    tar's last."""

    tar: int
    number: int
    last: bool

    @property
    def slice(self) -> str:
        """Name of the tar, without its suffix."""
        return f"sa_{self.tar:06d}"

    @property
    def name(self) -> str:
        """Name of the shard."""
        return shard_name(_SOURCE, self.slice, self.number)

    @property
    def ids(self) -> range:
        """Numbers of its pictures, as SA-1B counts them."""
        first = self.number * SHARD_SAMPLES
        after = min(first + SHARD_SAMPLES, PICTURES_PER_TAR)
        begin = self.tar * PICTURES_PER_TAR + 1
        return range(begin + first, begin + after)


@dataclass(frozen=True, slots=True)
class ShardFolder:
    """The folder of a proxy in a corpus: the corpus' root, the proxy, and the build's fingerprint
    for it."""

    root: str
    proxy: str
    fingerprint: str

    def write(self, places: Sequence[ShardPlace]) -> list[Receipt]:
        """Write some shards; their receipts."""
        return [self._write_shard(place) for place in places]

    def _write_shard(self, place: ShardPlace) -> Receipt:
        """Write the files of a shard as `corpus.receipt.commit` does, without waiting for the
        disk."""
        seed = int.from_bytes(self.proxy.encode(), "little")
        chance = np.random.default_rng((place.tar, place.number, seed))
        shard, ids = place.name, list(place.ids)
        lost = ids[len(ids) // 2] if place.number % _LOSES_EVERY == 0 else None
        table, nbytes = _index(sorted(f"{_SOURCE}_{each}" for each in ids if each != lost), chance)
        index, ledger = index_bytes(table), _ledger(place, lost)
        receipt = {
            "version": 1, "proxy": self.proxy, "shard": shard, "source": _SOURCE,
            "slice": place.slice, "last": place.last, "source_bytes": int(nbytes * 2.5),
            "fingerprint": self.fingerprint, "inputs": len(ids), "samples": len(table),
            "damaged": len(ids) - len(table), "filtered": 0,
            "segments": int(table["segments"].to_numpy().sum()),
            "tar": {"bytes": nbytes, "sha256": chance.bytes(32).hex()},
            "index": file_digest(index), "quarantine": file_digest(ledger),
        }  # fmt: skip
        with open(join(self.root, tar_path(self.proxy, shard)), "wb") as tar:
            tar.truncate(nbytes)
        for path, data in (
            (index_path(self.proxy, shard), index),
            (quarantine_path(self.proxy, shard), ledger),
            (receipt_path(self.proxy, shard), receipt_bytes(receipt)),
        ):
            write_atomic(join(self.root, path), data, synced=False)
        return receipt


def shard_places(shards: int) -> list[ShardPlace]:
    """The first shards of SA-1B, tar by tar."""
    places = [divmod(shard, SHARDS_PER_TAR) for shard in range(shards)]
    return [
        ShardPlace(tar, number, number == SHARDS_PER_TAR - 1 or (tar, number) == places[-1])
        for tar, number in places
    ]


def write_full_size_corpus(folder: Path, shards: int = SHARDS, proxies: int = 1) -> str:
    """Write a corpus of so many shards for so many proxies (1 to 3), with its manifest and list of
    links; returns its path."""
    folder.mkdir(parents=True, exist_ok=True)
    places = shard_places(shards)
    links = (f"{piece}.tar\thttp://127.0.0.1:9/{piece}.tar" for piece in _slices(places))
    (folder / "links.tsv").write_text("\n".join(["file_name\tcdn_link", *links]) + "\n")
    listed = "\n".join(f"  - {proxy}" for proxy in _PROXIES[:proxies])
    (folder / "manifest.yaml").write_text(
        f"name: full-size\npictures: {{min_side: 512, max_side: 1024}}\n"
        f"shard_samples: {SHARD_SAMPLES}\nsources:\n"
        f"  - {{type: sa1b, name: {_SOURCE}, links: links.tsv}}\nproxies:\n{listed}\n"
    )
    listing = list_inputs(load_manifest(str(folder / "manifest.yaml")))
    plan = plan_build(listing, InProcessEngine().set_up)
    root, manifest = str(folder / "corpus"), listing.manifest
    runs = [
        places[first : first + _RECEIPTS_AT_ONCE]
        for first in range(0, len(places), _RECEIPTS_AT_ONCE)
    ]
    receipts: dict[str, list[Receipt]] = {}
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        for proxy in manifest.proxies:
            os.makedirs(join(root, proxy.name), exist_ok=True)
            fingerprint = plan.recipe.fingerprints[proxy.name]
            folder_of = ShardFolder(root, proxy.name, fingerprint)
            work = [workers.submit(folder_of.write, run) for run in runs]
            receipts[proxy.name] = [receipt for future in work for receipt in future.result()]
    totals = {proxy: add_up(written) for proxy, written in receipts.items()}
    shard_names, samples = (
        {proxy: tuple(each[field] for each in written) for proxy, written in receipts.items()}
        for field in ("shard", "samples")
    )
    write_header(
        root,
        CorpusHeader(
            manifest.name, manifest.resolved(), plan.identity, environment(), {_SOURCE: ()},
            plan.recipe.fingerprints, True, shard_names, samples, totals,
            {proxy: {_SOURCE: total} for proxy, total in totals.items()},
        ),
    )  # fmt: skip
    return root


def _slices(places: Sequence[ShardPlace]) -> list[str]:
    return list(dict.fromkeys(place.slice for place in places))


def _ledger(place: ShardPlace, lost: int | None) -> bytes:
    """The quarantine ledger of a shard that lost this picture, or none."""
    if lost is None:
        return b""
    key, member = f"{_SOURCE}_{lost}", f"./sa_{lost}.jpg"
    reason = "the picture is cut: image file is truncated (3 bytes not processed)"
    return ledger_bytes([QuarantineRow(key, _SOURCE, place.slice, member, "damaged", reason)])


def _index(keys: Sequence[str], chance: np.random.Generator) -> tuple[pa.Table, int]:
    """The index of a shard with these keys, and the bytes of its tar."""
    count = len(keys)
    segments = np.exp(chance.normal(*_SEGMENTS, count)).astype(np.int32) + 1
    sizes = np.empty((count, len(MEMBERS)), np.int64)
    for number, member in enumerate(MEMBERS):
        if member in _SIZES:
            mean, deviation = _SIZES[member]
            sizes[:, number] = np.maximum(chance.normal(mean, deviation, count), 20)
        else:
            sizes[:, number] = _FACTS_BYTES + _SEGMENT_BYTES * segments.astype(np.int64)
    offsets, nbytes = _offsets(sizes)
    is_tall = chance.random(count) < 0.25

    def same(value: str) -> pa.Array:
        return pa.array([value], pa.string()).take(pa.array(np.zeros(count, np.int64)))

    def side(long: int, short: int, turned: NDArray[np.bool_]) -> pa.Array:
        return pa.array(np.where(turned, short, long).astype(np.int32))

    columns: dict[str, pa.Array] = {
        "key": pa.array(keys, pa.string()),
        "source": same(_SOURCE),
        "member": pa.array([f"./sa_{key.rpartition('_')[2]}.jpg" for key in keys], pa.string()),
        "licence": same("SA-1B Dataset Research License"),
        "source_sha256": _digests(count, chance),
        "source_width": side(2250, 1500, is_tall),
        "source_height": side(2250, 1500, ~is_tall),
        "width": side(1024, 683, is_tall),
        "height": side(1024, 683, ~is_tall),
        "segments": pa.array(segments),
        "categories": pa.array([[]] * count, pa.list_(pa.string())),
        "target_extension": same("png"),
    }
    for number, member in enumerate(MEMBERS):
        columns[f"{member}_offset"] = pa.array(offsets[:, number])
        columns[f"{member}_size"] = pa.array(sizes[:, number])
        columns[f"{member}_crc32"] = pa.array(chance.integers(0, 2**32, count, np.uint32))
    return pa.table(columns, schema=INDEX_SCHEMA), nbytes


def _offsets(sizes: NDArray[np.int64]) -> tuple[NDArray[np.int64], int]:
    """Where members of `[samples, members]` bytes lie in a tar, and the bytes of the tar."""
    ends = np.cumsum(BLOCK - (-sizes // BLOCK) * BLOCK).reshape(sizes.shape)
    return ends - (-(-sizes // BLOCK) * BLOCK), tar_size(int(ends[-1, -1]))


def _digests(count: int, chance: np.random.Generator) -> pa.Array:
    """Strings as SHA-256 has them."""
    text = pa.py_buffer(chance.bytes(32 * count).hex().encode())
    ends = pa.py_buffer(64 * np.arange(count + 1, dtype=np.int32))
    return pa.Array.from_buffers(pa.string(), count, [None, ends, text])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--shards", type=int, default=SHARDS)
    parser.add_argument("--proxies", type=int, default=1, choices=range(1, len(_PROXIES) + 1))
    given = parser.parse_args()
    began = time.perf_counter()
    root = write_full_size_corpus(given.folder, given.shards, given.proxies)
    print(f"{root}: {given.shards:,} shards in {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
