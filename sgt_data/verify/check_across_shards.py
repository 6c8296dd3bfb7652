"""Compare the shards of a corpus with one another, and add them up, while they come one by one.

Little is kept of a shard: its counts, and hashes of its keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import CORPUS_FILE, INPUT
from sgt_data.corpus.receipt import add_up, sum_totals
from sgt_data.value_text import counted
from sgt_data.verify.check_shard import CheckedShard
from sgt_data.verify.findings import Finding
from sgt_data.verify.repeated_keys import SeenKeys


def compare_folders(
    folders: Sequence[CheckedShard], *, has_inputs: bool, bases: Mapping[str, str]
) -> Iterator[tuple[CheckedShard, Finding]]:
    """All that is wrong between what several folders have of one shard, each with the folder's own
    part.

    Args:
        folders: the shard, as each folder has it, in the order of the corpus.
        has_inputs: whether the corpus has shared inputs; a copy of one may lack them.
        bases: by reversed proxy, the one whose pictures it takes.
    """
    yield from _check_alignment(folders)
    if has_inputs:
        own = [shard for shard in folders if shard.folder not in bases]
        yield from _check_shared_inputs(own)
    yield from _check_bases(folders, bases)


def _check_alignment(folders: Sequence[CheckedShard]) -> Iterator[tuple[CheckedShard, Finding]]:
    """A shard accounts for the same inputs in every folder."""
    committed = [shard for shard in folders if shard.receipt is not None]
    if not committed:
        return
    first = committed[0]
    first_inputs = sorted((*first.keys, *first.left_out))
    for shard in committed[1:]:
        inputs = sorted((*shard.keys, *shard.left_out))
        if inputs != first_inputs:
            differing = sorted(set(inputs) ^ set(first_inputs))
            yield (
                shard,
                Finding(
                    f"{shard.folder}/{shard.name}",
                    f"accounts for other inputs than {first.folder} does, such as {differing[:1]}",
                ),
            )


def _check_shared_inputs(
    folders: Sequence[CheckedShard],
) -> Iterator[tuple[CheckedShard, Finding]]:
    """Every sample without an input in its own tar has one among the shared inputs."""
    shared = {key for shard in folders if shard.folder == INPUT for key in shard.keys}
    for shard in folders:
        lacking = [key for key in shard.borrowing if key not in shared]
        if lacking:
            yield (
                shard,
                Finding(
                    f"{shard.folder}/{shard.name}",
                    f"no input for {counted(len(lacking), 'sample')}, such as {lacking[0]}",
                ),
            )


def _check_bases(
    folders: Sequence[CheckedShard], bases: Mapping[str, str]
) -> Iterator[tuple[CheckedShard, Finding]]:
    """Every sample of a reversed proxy has its pictures in the proxy that it reverses."""
    held = {shard.folder: frozenset(shard.keys) for shard in folders}
    for shard in folders:
        if (base := bases.get(shard.folder)) is None:
            continue
        lacking = [key for key in shard.keys if key not in held.get(base, ())]
        if lacking:
            yield (
                shard,
                Finding(
                    f"{shard.folder}/{shard.name}",
                    f"{base} has no pictures for {counted(len(lacking), 'sample')}, such as "
                    f"{lacking[0]}",
                ),
            )


class AddedShards:
    """What is kept of shards that were checked: their totals by folder, and hashes of keys."""

    def __init__(self, corpus: Corpus) -> None:
        """
        Args:
            corpus: whose shards.
        """
        self._corpus = corpus
        self._keys = SeenKeys()
        self._totals = {folder: add_up([]) for folder in corpus.folders}
        self._samples: dict[str, dict[str, int]] = {folder: {} for folder in corpus.folders}
        self._keys_in = dict.fromkeys(corpus.folders, 0)

    def add(self, folders: Sequence[CheckedShard]) -> None:
        """Take what several folders have of one shard."""
        for shard in folders:
            self._keys_in[shard.folder] += len(shard.keys)
            if (receipt := shard.receipt) is not None:
                totals = self._totals[shard.folder]
                self._totals[shard.folder] = sum_totals([totals, add_up([receipt])])
                self._samples[shard.folder][receipt["shard"]] = receipt["samples"]
        keys = {key for shard in folders for key in shard.keys}
        self._keys.add(folders[0].name, [shard.folder for shard in folders], list(keys))

    def samples_of(self, folder: str) -> int:
        """How many samples the indexes of a folder have."""
        return self._keys_in[folder]

    def check(self) -> Iterator[Finding]:
        """All that is wrong with the shards together: repeated keys, counts and totals."""
        yield from self._keys.repeated(self._keys_of)
        if self._corpus.header.complete:
            yield from self._check_totals()

    def _keys_of(self, folder: str, shard: str) -> list[str]:
        keys: list[str] = self._corpus.stored_index(folder, shard, ["key"])["key"].to_pylist()
        return keys

    def _check_totals(self) -> Iterator[Finding]:
        """Counts and totals of the header are those of the receipts."""
        header = self._corpus.header
        for folder, totals in self._totals.items():
            samples = self._samples[folder]
            counts = tuple(samples.get(shard) for shard in header.shards.get(folder, ()))
            if header.samples and counts != header.samples.get(folder):
                yield Finding(
                    CORPUS_FILE, f"samples per shard of {folder} are not those of receipts"
                )
            stated = header.totals.get(folder)
            if totals != stated:
                yield Finding(
                    CORPUS_FILE, f"totals of {folder} are {stated}; receipts add up to {totals}"
                )
