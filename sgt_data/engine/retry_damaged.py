"""Take the shards out of a corpus that name damage, so that a build makes them again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

from sgt_data.corpus.header import CorpusHeader
from sgt_data.corpus.reasons import has_nameless_damage
from sgt_data.corpus.receipt import Receipt
from sgt_data.corpus.revoking import revoke_shards
from sgt_data.records import Slice

_THREADS = 16

Receipts = dict[str, dict[str, Receipt]]
"""By folder of the corpus and shard."""


def revoke_damaged(
    root: str, header: CorpusHeader, receipts: Receipts, slices: Sequence[Slice]
) -> None:
    """Revoke the shards that name damage, and forget their receipts.

    Args:
        root: of the corpus.
        header: of the corpus, as one that is not complete.
        receipts: what is committed; changed.
        slices: in corpus order.

    Raises:
        SourceError, StorageError: the corpus cannot be read, or written.
    """
    retried = shards_to_retry(receipts, slices, _nameless(root, receipts, slices))
    places = [(folder, shard) for folder, shards in retried.items() for shard in shards]
    revoke_shards(root, header, receipts, places)


def _nameless(root: str, receipts: Receipts, slices: Sequence[Slice]) -> set[str]:
    """Shards of tars whose ledgers have damage without a key."""
    cut = _cut_while_read(slices)
    damaged = [
        (folder, shard)
        for folder, by_shard in receipts.items()
        for shard, receipt in by_shard.items()
        if receipt["damaged"] and (receipt["source"], receipt["slice"]) in cut
    ]
    with ThreadPoolExecutor(_THREADS) as threads:
        nameless = threads.map(lambda place: has_nameless_damage(root, *place), damaged)
        return {shard for (_, shard), is_so in zip(damaged, nameless, strict=True) if is_so}


def _cut_while_read(slices: Sequence[Slice]) -> set[tuple[str, str]]:
    """Source and name of the slices whose shards are not known beforehand."""
    return {(piece.source, piece.name) for piece in slices if piece.shards is None}


def shards_to_retry(
    receipts: Mapping[str, Mapping[str, Receipt]], slices: Sequence[Slice], nameless: Iterable[str]
) -> dict[str, list[str]]:
    """The shards to build again once what was damaged is mended, by folder.

    A shard is built again in the folders whose ledgers name damage. Where a tar lost inputs that
    nobody could name, the mended tar is cut at other places from there on: then all later shards
    of the tar are built again in every folder.

    Args:
        receipts: what is committed.
        slices: in corpus order.
        nameless: shards whose ledgers have damage without a key.
    """
    shifted = set(nameless)
    cut_while_read = _cut_while_read(slices)
    first: dict[tuple[str, str], tuple[int, str]] = {}
    for by_shard in receipts.values():
        for shard, receipt in by_shard.items():
            piece = receipt["source"], receipt["slice"]
            if piece in cut_while_read and (shard in shifted or receipt.get("lost")):
                place = len(shard), shard
                first[piece] = min(first.get(piece, place), place)
    retried: dict[str, list[str]] = {}
    for folder, by_shard in receipts.items():
        for shard, receipt in by_shard.items():
            begin = first.get((receipt["source"], receipt["slice"]))
            follows = begin is not None and (len(shard), shard) >= begin
            if receipt["damaged"] or receipt.get("lost") or follows:
                retried.setdefault(folder, []).append(shard)
    return retried
