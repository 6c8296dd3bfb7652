"""A build that is limited to the first pictures of each source: which shards it makes.

The limit cuts at whole shards, so that every shard is that of the whole build, and the same output
can be continued without the limit. It is no part of what makes a build itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.listing import Listing
from sgt_data.engine.slice_tasks import SliceId, pending_tasks
from sgt_data.records import Inventory, Slice


def first_shards(listing: Listing, limit: int) -> dict[SliceId, int]:
    """How many of the first shards a limited build makes of each slice that it reads.

    Where the pictures of a tar are estimated, the numbers go by the estimate.

    Args:
        listing: of the whole build.
        limit: pictures of each source; rounded up to whole shards.
    """
    samples = listing.manifest.shard_samples
    counts: dict[SliceId, int] = {}
    for inventory in listing.inventories.values():
        left = limit
        for piece in inventory.slices:
            if left <= 0:
                break
            whole = _shards_in(piece, samples)
            count = min(whole, -(-left // samples))
            counts[piece.source, piece.name] = count
            left -= piece.pictures if count == whole else count * samples
    return counts


def limited_listing(listing: Listing, counts: Mapping[SliceId, int]) -> Listing:
    """The listing with what a limited build reads of it, for forecasts. It is no listing to build
    from: what makes a build itself is listed whole.

    Args:
        listing: of the whole build.
        counts: shards that are made of each slice.
    """
    samples = listing.manifest.shard_samples
    inventories = {
        name: _limited(inventory, counts, samples)
        for name, inventory in listing.inventories.items()
    }
    return replace(listing, inventories=inventories)


def reached_limit(
    listing: Listing,
    receipts: Mapping[str, Mapping[str, Receipt]],
    limit: int | None,
    earlier: int | None,
) -> int | None:
    """Of two limits, the larger one whose shards are all committed; None where there is none, or
    where nothing of the whole build is missing.

    Args:
        listing: of the whole build.
        receipts: what is committed, by folder and shard.
        limit: of this run; None where it has none, and is to make all.
        earlier: that the corpus had reached before; None where it had none.
    """
    if limit is None or not pending_tasks(listing.slices, listing.folders_of, receipts):
        return None
    for each in sorted({limit, earlier or limit}, reverse=True):
        wanted = first_shards(listing, each)
        if not pending_tasks(listing.slices, listing.folders_of, receipts, wanted):
            return each
    return None


def _shards_in(piece: Slice, samples: int) -> int:
    """Shards of a slice, where it is cut while it is read by its expected pictures."""
    return len(piece.shards) if piece.shards is not None else max(1, -(-piece.pictures // samples))


def _limited(inventory: Inventory, counts: Mapping[SliceId, int], samples: int) -> Inventory:
    slices: Sequence[Slice] = [
        _beginning(piece, counts[piece.source, piece.name], samples)
        for piece in inventory.slices
        if (piece.source, piece.name) in counts
    ]
    every = sum(piece.pictures for piece in inventory.slices)
    share = sum(piece.pictures for piece in slices) / max(1, every)
    return replace(inventory, slices=tuple(slices), unreadable=round(inventory.unreadable * share))


def _beginning(piece: Slice, shards: int, samples: int) -> Slice:
    """A slice as large as its first shards."""
    if shards >= _shards_in(piece, samples):
        return piece
    pictures = min(piece.pictures, shards * samples)
    nbytes = round(piece.nbytes * pictures / max(1, piece.pictures))
    names = None if piece.shards is None else piece.shards[:shards]
    return replace(piece, pictures=pictures, nbytes=nbytes, shards=names)
