"""Receipts that workers wrote and this machine cannot see: the corpus does not hold those shards.

A node that joined a cluster in the middle may write to a disk of its own; another person may remove
files while a build runs.
"""

from __future__ import annotations

from collections.abc import Mapping

from sgt_data.corpus.paths import receipt_path
from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.outcomes import OUTPUT
from sgt_data.files.reading import exists, forget_listings, list_files
from sgt_data.files.urls import is_local, join
from sgt_data.names import RECEIPTS
from sgt_data.result import Failure

_NAMED = 3


def forget_unseen(root: str, receipts: Mapping[str, dict[str, Receipt]]) -> list[Failure]:
    """Take the receipts out that are not to be seen; a failure that says how many, if any.

    Stores may list late, so a receipt that no listing names is asked for by its name.

    Args:
        root: of the corpus.
        receipts: noted as committed, by folder and shard; changed.

    Raises:
        SourceError: the output cannot be listed.
    """
    listed = list_files(join(root, RECEIPTS))
    places = {
        receipt_path(folder, shard): (folder, shard)
        for folder, by_shard in receipts.items()
        for shard in by_shard
    }
    forget_listings(root)
    unseen = [
        path
        for path in places
        if path.removeprefix(f"{RECEIPTS}/") not in listed and not exists(join(root, path))
    ]
    for path in unseen:
        folder, shard = places[path]
        del receipts[folder][shard]
    return [Failure(OUTPUT, _message(root, unseen, len(places)))] if unseen else []


def _message(root: str, unseen: list[str], count: int) -> str:
    why = (
        f"not all nodes that worked share the disk of {root}, or files were removed. Mount one "
        "disk there on all nodes, or give an --output on an object store"
        if is_local(root)
        else f"files were removed from {root} while it was built"
    )
    return (
        f"{len(unseen):,} of {count:,} receipts that were written cannot be seen from here "
        f"({', '.join(unseen[:_NAMED])}{', ...' if len(unseen) > _NAMED else ''}): {why}"
    )
