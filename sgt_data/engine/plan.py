"""What is there to do: pure functions from inventories and receipts to tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sgt_data.corpus.receipt import Receipt
from sgt_data.records import Slice

SliceId = tuple[str, str]
"""Source and slice name."""


@dataclass(frozen=True, slots=True)
class SliceTask:
    """One slice to read, and what of it is still to do.

    Attributes:
        slice: the slice.
        folders: the folders of the corpus (proxies, shared inputs) that it is drawn for.
        committed: for shards begun earlier: the folders that have them.
        excluded: by shard: keys that must not become samples, with the reason.
    """

    slice: Slice
    folders: tuple[str, ...]
    committed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def finished_shards(self) -> frozenset[str]:
        """Shards that every folder has: they need not be read."""
        return frozenset(
            shard for shard, done in self.committed.items() if set(self.folders) <= set(done)
        )

    def open_folders(self, shard: str) -> tuple[str, ...]:
        """The folders that lack a shard."""
        return tuple(one for one in self.folders if one not in self.committed.get(shard, ()))


def by_slice(receipts: Mapping[str, Receipt]) -> dict[SliceId, list[str]]:
    """One folder's committed shards, in order, by the slice they come from."""
    groups: dict[SliceId, list[str]] = defaultdict(list)
    for shard, receipt in receipts.items():
        groups[receipt["source"], receipt["slice"]].append(shard)
    for shards in groups.values():
        shards.sort(key=lambda shard: (len(shard), shard))
    return groups


def pending_tasks(
    slices: Sequence[Slice],
    folders_of: Mapping[str, tuple[str, ...]],
    receipts: Mapping[str, Mapping[str, Receipt]],
) -> list[SliceTask]:
    """The slices that are not yet committed in full, in corpus order.

    Args:
        slices: all slices, in corpus order.
        folders_of: by source: the folders that it is drawn for.
        receipts: what is committed, by folder and shard.
    """
    groups = {folder: by_slice(found) for folder, found in receipts.items()}
    tasks = []
    for piece in slices:
        folders = folders_of[piece.source]
        shards = {one: groups[one].get((piece.source, piece.name), []) for one in folders}
        if all(_whole(piece, shards[one], receipts[one]) for one in folders):
            continue
        begun = sorted({shard for names in shards.values() for shard in names})
        committed = {
            shard: tuple(one for one in folders if shard in shards[one]) for shard in begun
        }
        tasks.append(SliceTask(piece, folders, committed))
    return tasks


def corpus_order(
    slices: Sequence[Slice], sources: Collection[str], receipts: Mapping[str, Receipt]
) -> tuple[str, ...]:
    """All committed shards of one folder, in corpus order."""
    groups = by_slice(receipts)
    return tuple(
        shard
        for piece in slices
        if piece.source in sources
        for shard in groups.get((piece.source, piece.name), ())
    )


def _whole(piece: Slice, shards: Sequence[str], receipts: Mapping[str, Receipt]) -> bool:
    if piece.shards is not None:
        return list(piece.shards) == list(shards)
    if not shards or not receipts[shards[-1]]["last"]:
        return False
    return list(shards) == [piece.shard_name(number) for number in range(len(shards))]
