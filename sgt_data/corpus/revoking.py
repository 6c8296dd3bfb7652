"""Take committed shards out of a corpus, so that the next work makes them again."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sgt_data.corpus.header import CorpusHeader, write_header
from sgt_data.corpus.receipt import Receipt, revoke


def revoke_shards(
    root: str,
    header: CorpusHeader,
    receipts: Mapping[str, dict[str, Receipt]],
    shards: Collection[tuple[str, str]],
) -> None:
    """Revoke shards, and forget their receipts.

    The header says first that the corpus is not complete: whenever this is interrupted, the next
    run does what is missing.

    Args:
        root: of the corpus.
        header: of the corpus, as one that is not complete.
        receipts: what is committed, by folder and shard; changed.
        shards: folder and name of each.

    Raises:
        StorageError: the corpus cannot be written.
    """
    if shards:
        write_header(root, header)
    for folder, shard in shards:
        revoke(root, folder, shard)
        del receipts[folder][shard]
