"""What a build goes on with: the corpus at its output, where anything of it is committed."""

from __future__ import annotations

from sgt_data.corpus.committed_shards import ListedReceipts
from sgt_data.corpus.header import CorpusHeader
from sgt_data.files.reading import list_files
from sgt_data.files.urls import join
from sgt_data.names import INDEX, QUARANTINE


def is_uncommitted(root: str, header: CorpusHeader, listed: ListedReceipts) -> bool:
    """Whether a build was begun at `root` and wrote nothing but its `corpus.json`.

    Files of shards count as well as receipts: where receipts were lost, the shards are worth
    keeping. So does the header of a copy, which another command goes on with.

    Args:
        root: of the corpus.
        header: of the corpus.
        listed: its receipts.
    """
    if header.complete or any(header.shards.values()) or header.parent or header.left_out:
        return False
    if any(listed.values()):
        return False
    folders = (INDEX, QUARANTINE, *header.fingerprints)
    return not any(list_files(join(root, folder)) for folder in folders)
