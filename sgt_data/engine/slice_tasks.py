"""What there is to do: pure functions from slices and receipts to tasks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from sgt_data.corpus.receipt import Receipt
from sgt_data.engine.outcomes import part_name
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
        first_shards: how many of its first shards are wanted; None for all.
    """

    slice: Slice
    folders: tuple[str, ...]
    committed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    excluded: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    first_shards: int | None = None

    @property
    def part(self) -> str:
        """Name of the slice in the list of failures."""
        return part_name(self.slice.source, self.slice.name)

    @property
    def finished_shards(self) -> frozenset[str]:
        """Shards that every folder has: they need not be read."""
        return frozenset(
            shard for shard, holders in self.committed.items() if set(self.folders) <= set(holders)
        )

    @property
    def wanted_shards(self) -> frozenset[str] | None:
        """Names of the shards that are to be made and are not finished; None for all."""
        if self.first_shards is None:
            return None
        return frozenset(first_names(self.slice, self.first_shards)) - self.finished_shards

    def open_folders(self, shard: str) -> tuple[str, ...]:
        """The folders that lack a shard."""
        holders = self.committed.get(shard, ())
        return tuple(folder for folder in self.folders if folder not in holders)


def shards_by_slice(receipts: Mapping[str, Receipt]) -> dict[SliceId, list[str]]:
    """The committed shards of one folder by the slice they come from, in order.

    Args:
        receipts: of the folder, by shard.
    """
    shards_of: dict[SliceId, list[str]] = defaultdict(list)
    for shard, receipt in receipts.items():
        shards_of[receipt["source"], receipt["slice"]].append(shard)
    for shards in shards_of.values():
        shards.sort(key=lambda shard: (len(shard), shard))
    return shards_of


def pending_tasks(
    slices: Sequence[Slice],
    folders_of: Mapping[str, tuple[str, ...]],
    receipts: Mapping[str, Mapping[str, Receipt]],
    first_shards: Mapping[SliceId, int] | None = None,
) -> list[SliceTask]:
    """The slices that are not yet committed in full, in corpus order.

    Args:
        slices: all slices, in corpus order.
        folders_of: by source: the folders that it is drawn for.
        receipts: what is committed, by folder and shard.
        first_shards: how many of the first shards of each slice are wanted, where not all are;
            slices that it does not name are left out.
    """
    committed_of = {folder: shards_by_slice(by_shard) for folder, by_shard in receipts.items()}
    tasks = []
    for piece in slices:
        wanted = None
        if first_shards is not None:
            wanted = first_shards.get((piece.source, piece.name), 0)
        if wanted == 0:
            continue
        folders = folders_of[piece.source]
        shards = {
            folder: committed_of[folder].get((piece.source, piece.name), []) for folder in folders
        }
        if all(_is_whole(piece, shards[folder], receipts[folder], wanted) for folder in folders):
            continue
        begun = sorted({shard for names in shards.values() for shard in names})
        committed = {
            shard: tuple(folder for folder in folders if shard in shards[folder]) for shard in begun
        }
        tasks.append(SliceTask(piece, folders, committed, first_shards=wanted))
    return tasks


def kept_inputs(
    slices: Sequence[Slice],
    folders_of: Mapping[str, tuple[str, ...]],
    receipts: Mapping[str, Mapping[str, Receipt]],
) -> int:
    """How many inputs are committed in every folder that they are drawn for.

    Args:
        slices: all slices, in corpus order.
        folders_of: by source: the folders that it is drawn for.
        receipts: what is committed, by folder and shard.
    """
    kept = 0
    for source in {piece.source for piece in slices if folders_of[piece.source]}:
        first, *others = (receipts[folder] for folder in folders_of[source])
        kept += sum(
            receipt["inputs"]
            for shard, receipt in first.items()
            if receipt["source"] == source and all(shard in other for other in others)
        )
    return kept


def corpus_order(
    slices: Sequence[Slice], sources: Collection[str], receipts: Mapping[str, Receipt]
) -> tuple[str, ...]:
    """All committed shards of one folder, in corpus order.

    Args:
        slices: all slices, in corpus order.
        sources: names of the sources whose shards are meant.
        receipts: of the folder, by shard.
    """
    shards_of = shards_by_slice(receipts)
    return tuple(
        shard
        for piece in slices
        if piece.source in sources
        for shard in shards_of.get((piece.source, piece.name), ())
    )


def first_names(piece: Slice, count: int) -> tuple[str, ...]:
    """Names of the first shards of a slice."""
    if piece.shards is not None:
        return piece.shards[:count]
    return tuple(piece.shard_name(number) for number in range(count))


def _is_whole(
    piece: Slice, shards: Sequence[str], receipts: Mapping[str, Receipt], wanted: int | None
) -> bool:
    if wanted is not None and set(first_names(piece, wanted)) <= set(shards):
        return True
    if piece.shards is not None:
        return list(piece.shards) == list(shards)
    if not shards or not receipts[shards[-1]]["last"]:
        return False
    return list(shards) == [piece.shard_name(number) for number in range(len(shards))]
