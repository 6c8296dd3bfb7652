"""Reversed tars read by hand, joined with those of their base; and bases with swapped samples."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pyarrow.parquet as pq

from sgt_data.corpus.index import index_bytes
from sgt_data.corpus.shard import file_digest

Retold = Callable[[dict[str, Any], str], tuple[dict[str, Any], str]]
"""Makes other JSON and another instruction of a sample's."""


def joined(root: Path, proxy: str, base: str) -> dict[str, dict[str, object]]:
    """The samples of a reversed proxy, by the `webdataset` package alone."""
    import webdataset as wds

    samples = {}
    for tar in sorted((root / proxy).glob("*.tar")):
        texts = wds.WebDataset(str(tar), shardshuffle=False).decode()
        pictures = wds.WebDataset(str(root / base / tar.name), shardshuffle=False)
        by_key = {sample["__key__"]: sample for sample in pictures}
        for text in texts:
            picture = by_key[text["__key__"]]
            target = picture.get("target.png", picture.get("target.jpg"))
            samples[text["__key__"]] = {
                "input": target, "target": picture["input.jpg"], "instruction": text["txt"],
            }  # fmt: skip
    return samples


def swap_samples(root: Path, proxy: str, shard: str, first: str, second: str) -> None:
    """Let two samples of a shard change places, with their JSON but for its key: a shard that is
    sound by itself."""
    members, rows = _read(root, proxy, shard)
    names = [name for name in members if name.startswith((f"{first}.", f"{second}."))]
    other = {first: second, second: first}
    swapped = dict(members)
    for name in names:
        key, _, part = name.partition(".")
        if part.startswith(("input", "target")):
            swapped[name] = members[f"{other[key]}.{part}"]
    _write(root, proxy, shard, rows, swapped)


def retell(root: Path, proxy: str, shard: str, key: str, change: Retold) -> None:
    """Change JSON and instruction of a sample, with all that vouches for them."""
    members, rows = _read(root, proxy, shard)
    facts, text = change(orjson.loads(members[f"{key}.json"]), members[f"{key}.txt"].decode())
    members |= {f"{key}.json": orjson.dumps(facts), f"{key}.txt": text.encode()}
    _write(root, proxy, shard, rows, members)


def _read(root: Path, proxy: str, shard: str) -> tuple[dict[str, bytes], list[dict[str, object]]]:
    """The members of a tar by name, and the rows of its index."""
    with tarfile.open(root / proxy / f"{shard}.tar") as tar:
        members = {
            member.name: tar.extractfile(member).read()  # type: ignore[union-attr]
            for member in tar.getmembers()
        }
    return members, pq.read_table(root / "index" / proxy / f"{shard}.parquet").to_pylist()


def _write(
    root: Path, proxy: str, shard: str, rows: list[dict[str, object]], members: dict[str, bytes]
) -> None:
    import zlib

    import pyarrow as pa

    from sgt_data.corpus.index import INDEX_SCHEMA
    from sgt_data.corpus.shard import append_member, end_tar, member_names

    out = io.BytesIO()
    for row in rows:
        for part, name in member_names(row).items():
            data = members[name]
            row[f"{part}_offset"] = append_member(out, name, data)
            row[f"{part}_size"], row[f"{part}_crc32"] = len(data), zlib.crc32(data)
    tar, index = end_tar(out), index_bytes(pa.Table.from_pylist(rows, schema=INDEX_SCHEMA))
    (root / proxy / f"{shard}.tar").write_bytes(tar)
    (root / "index" / proxy / f"{shard}.parquet").write_bytes(index)
    receipt = root / "receipts" / proxy / f"{shard}.json"
    stated = orjson.loads(receipt.read_bytes())
    stated |= {"tar": file_digest(tar), "index": file_digest(index)}
    receipt.write_bytes(orjson.dumps(stated))
