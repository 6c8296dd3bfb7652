"""All receipts of a corpus, and whether they are of one build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sgt_data.corpus.committed_shards import committed_shards, list_receipts
from sgt_data.corpus.receipt import Receipt
from sgt_data.errors import CorpusError


def read_receipts(root: str, folders: Iterable[str]) -> dict[str, dict[str, Receipt]]:
    """All receipts of these folders, by folder and shard.

    Raises:
        CorpusError: a receipt is damaged.
        SourceError: one cannot be read just now.
    """
    return committed_shards(root, folders, list_receipts(root)).receipts


def committed_receipts(root: str, fingerprints: Mapping[str, str]) -> dict[str, dict[str, Receipt]]:
    """All receipts of one build, by folder and shard.

    Args:
        root: of the corpus.
        fingerprints: of the build, by folder.

    Raises:
        CorpusError: a shard is of another build, or its receipt is damaged.
        SourceError: a receipt cannot be read just now.
    """
    receipts = read_receipts(root, fingerprints)
    check_one_build(root, receipts, fingerprints)
    return receipts


def check_one_build(
    root: str, receipts: Mapping[str, Mapping[str, Receipt]], fingerprints: Mapping[str, str]
) -> None:
    """Check that receipts are all of one build.

    Args:
        root: of the corpus.
        receipts: by folder and shard.
        fingerprints: of the build, by folder.

    Raises:
        CorpusError: a shard is of another build.
    """
    others = [
        f"{folder}/{shard}"
        for folder, by_shard in receipts.items()
        for shard, receipt in by_shard.items()
        if receipt["fingerprint"] != fingerprints[folder]
    ]
    if others:
        count = sum(map(len, receipts.values()))
        raise CorpusError(
            f"{root}: {len(others):,} of its {count:,} shards ({others[0]}, ...) were committed by "
            "another build: by another manifest, from other sources, or with other versions of the "
            "libraries that make the bytes. Use another --output; or put back the corpus.json of "
            "that build, which tells what differs"
        )
