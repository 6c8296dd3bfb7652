"""energon's index of a join: for each sample, where each of its parts lies.

energon makes it where `energon prepare` is run on a metadataset. An export has it from the start.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from sgt_data.errors import CorpusError
from sgt_data.exports.shard_tars import ShardTars

_SIGN = b"JIDX0001"


def join_name(identifiers: Sequence[str]) -> str:
    """File name of the index of a join, by which energon sees whether it is that of its folders.

    Args:
        identifiers: `index.uuid` of each folder, in the order of the join.
    """
    digest = hashlib.sha256()
    for identifier in identifiers:
        digest.update(b"\0uuid=" + identifier.encode() + b"\0excludes=\0nonmatch=error\0")
    return f"join_index_{digest.hexdigest()}.bin"


def join_pieces(joined: Sequence[ShardTars]) -> Iterator[bytes]:
    """The content of the index of a join, shard by shard.

    A row per sample has, for each folder, number of the tar, begin and length in bytes, as 64-bit
    numbers.

    Args:
        joined: the folders; the first one says which samples there are.

    Raises:
        CorpusError: a folder lacks a part of a sample, or its index is damaged.
        SourceError: an index cannot be read just now.
    """
    yield _SIGN + struct.pack("<q", len(joined))
    own = joined[0]
    for shard in own.samples:
        tar = own.read(shard)
        keys = tar.rows["key"].to_pylist()
        columns = [_places(own, shard)]
        columns += [_places(folder, shard) for folder in joined[1:]]
        rows = [[_place(column, key, own, shard) for column in columns] for key in keys]
        yield np.array(rows, "<i8").tobytes()


def _places(folder: ShardTars, shard: str) -> Mapping[str, tuple[int, int, int]]:
    """By key: number of the tar, begin and length of the sample."""
    if shard not in folder.samples:
        return {}
    tar, number = folder.read(shard), folder.numbers[shard]
    keys, starts, ends = tar.rows["key"].to_pylist(), tar.starts.tolist(), tar.ends.tolist()
    return {
        key: (number, start, end - start)
        for key, start, end in zip(keys, starts, ends, strict=True)
    }


def _place(
    column: Mapping[str, tuple[int, int, int]], key: str, own: ShardTars, shard: str
) -> tuple[int, int, int]:
    if key not in column:
        raise CorpusError(
            f"{own.corpus.url}: {own.folder}/{shard}, sample {key}: no picture; `sgt-data verify` "
            "says where it should be"
        )
    return column[key]
