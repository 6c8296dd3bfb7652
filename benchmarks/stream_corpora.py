"""Corpora for the stream benchmarks: drawn and built, or multiplied to any size.

A multiplied corpus repeats a few drawn samples, each under a key of its own. It is written by the
package's own writers and passes `verify --deep`. The tars of a linked corpus are hard links to one
tar: everything that the stream checks (places, checksums) is right, but members have the names of
that one tar.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

import sgt_data
from sgt_data.corpus.header import write_header
from sgt_data.corpus.index import INDEX_SCHEMA, MEMBERS
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import tar_path
from sgt_data.corpus.receipt import Receipt, add_up, commit
from sgt_data.corpus.shard import (
    EncodedSample,
    EncodedShard,
    ShardOrigin,
    ShardWriter,
    file_digest,
)
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.prompts.bank import choose_instruction, load_bank
from sgt_data.scenes.write_samples import write_samples
from sgt_data.subsets.open_corpus import open_corpus

PROXY = "entity"
_SCENES = 96
_SOURCE = "s0"
_WRITER_COLUMNS = {"key", "target_extension"} | {
    f"{member}_{field}" for member in MEMBERS for field in ("offset", "size", "crc32")
}
"""Columns of the index that the shard's writer fills."""


def drawn(folder: Path, samples: int, side: int = 512) -> str:
    """Build a corpus of drawn scenes, each several times under different keys; returns its path."""
    scenes = min(samples, _SCENES)
    write_samples(str(folder / "scenes"), scenes, size=(side, side))
    sources = [
        {"type": "sa1b", "name": f"s{number}", "tars": f"{folder}/scenes/sa1b/*.tar"}
        for number in range(-(-samples // scenes))
    ]
    manifest = parse_manifest(
        {
            "name": "benchmark",
            "pictures": {"min_side": side, "max_side": side},
            "sources": sources,
            "proxies": [{"type": "segmentation", "name": PROXY, "variant": "entity"}],
        }
    )
    report = sgt_data.build_corpus(manifest, str(folder / "corpus"), cluster=sgt_data.IN_PROCESS)
    assert report.succeeded
    return str(folder / "corpus")


def multiplied(folder: Path, samples: int, side: int = 64, shard_samples: int = 256) -> str:
    """Write a corpus of so many samples with small pictures; returns its path."""
    corpus = open_corpus(drawn(folder, _SCENES, side))
    models = _models(corpus)
    root = str(folder / "multiplied")
    receipts = []
    for first in range(0, samples, shard_samples):
        count = min(shard_samples, samples - first)
        rows = [models[(first + row) % len(models)] for row in range(count)]
        receipts.append(commit(root, _shard(corpus, first // shard_samples, rows)))
    _finish(corpus, root, receipts)
    return root


def linked(folder: Path, samples: int, side: int = 64, shard_samples: int = 256) -> str:
    """Write a corpus of so many samples, rounded down to whole shards, of which only one tar is
    written: the others are hard links to it. Every shard has an index and a receipt of its own.
    Returns its path."""
    corpus = open_corpus(drawn(folder, _SCENES, side))
    models = _models(corpus)
    root = str(folder / "linked")
    encoded = _shard(corpus, 0, [models[row % len(models)] for row in range(shard_samples)])
    first_receipt = commit(root, encoded)
    table = pq.read_table(io.BytesIO(encoded.index))
    receipts = [first_receipt]
    for number in range(1, samples // shard_samples):
        keys = pa.array([_key(number, row) for row in range(shard_samples)], pa.string())
        index = io.BytesIO()
        pq.write_table(table.set_column(0, INDEX_SCHEMA.field("key"), keys), index)
        receipt = {**first_receipt, "shard": _name(number), "index": file_digest(index.getvalue())}
        shard = EncodedShard(
            None, index.getvalue(), encoded.quarantine, orjson.dumps(receipt), receipt, ()
        )
        receipts.append(commit(root, shard))
        os.link(
            *(Path(root) / tar_path(PROXY, _name(shard_number)) for shard_number in (0, number))
        )
    _finish(corpus, root, receipts)
    return root


def _models(corpus: Corpus) -> list[EncodedSample]:
    """All samples of a corpus, encoded."""
    models = []
    for shard in corpus.shards(PROXY):
        for row in corpus.index(PROXY, shard).to_pylist():
            sample = corpus.sample(PROXY, shard, row["key"])
            columns = {name: row[name] for name in row if name not in _WRITER_COLUMNS}
            models.append(
                EncodedSample(
                    sample.key,
                    sample.input,
                    sample.target,
                    sample.extension,
                    sample.instruction,
                    sample.facts,
                    columns,
                )
            )
    return models


def _renamed(model: EncodedSample, key: str) -> EncodedSample:
    """The sample under another key, with the instruction that belongs to this key."""
    record = model.facts["instruction"]
    bank = load_bank(record["bank"])
    chosen = choose_instruction(bank, model.facts["seed"], key, record.get("words"))
    facts = {**model.facts, "key": key, "instruction": {**record, "line": chosen.line}}
    return replace(model, key=key, instruction=chosen.text, facts=facts)


def _shard(corpus: Corpus, number: int, models: Sequence[EncodedSample]) -> EncodedShard:
    samples = [_renamed(model, _key(number, row)) for row, model in enumerate(models)]
    fingerprint = corpus.header.fingerprints[PROXY]
    origin = ShardOrigin(PROXY, _name(number), _SOURCE, "sa_000000", False, 0, fingerprint)
    return ShardWriter(samples).encode(origin)


def _finish(corpus: Corpus, root: str, receipts: Sequence[Receipt]) -> None:
    totals = add_up(receipts)
    write_header(
        root,
        replace(
            corpus.header,
            shards={PROXY: tuple(receipt["shard"] for receipt in receipts)},
            samples={PROXY: tuple(receipt["samples"] for receipt in receipts)},
            totals={PROXY: totals},
            source_totals={PROXY: {_SOURCE: totals}},
        ),
    )


def _name(number: int) -> str:
    return f"{_SOURCE}-sa_000000-{number:05d}"


def _key(number: int, row: int) -> str:
    return f"{_SOURCE}_{number:05d}{row:05d}"
