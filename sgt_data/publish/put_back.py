"""Put shards back into a copy: they are made anew, and committed only where their bytes are those
of the original."""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from tempfile import TemporaryDirectory

from sgt_data.corpus.committed_receipts import read_receipts
from sgt_data.corpus.lost_files import lost_files
from sgt_data.corpus.paths import index_path, quarantine_path, receipt_path, tar_path
from sgt_data.corpus.receipt import Receipt, commit
from sgt_data.corpus.shard import EncodedShard, file_digest, receipt_bytes
from sgt_data.engine.build_stages import corpus_stages
from sgt_data.engine.render import render_shard
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.engine.stages import FinishedShard, ShardTask, Stages
from sgt_data.errors import CorpusError, SourceError
from sgt_data.files.reading import read_bytes
from sgt_data.files.urls import join
from sgt_data.publish.join_plan import JoinPlan
from sgt_data.subsets.shard_copy import ShardCopier


def join_stages(plan: JoinPlan, lacking: Mapping[str, frozenset[str]], root: str) -> Stages:
    """The stages that make what a copy lacks.

    Args:
        plan: what is to be put back.
        lacking: shards that are still to be put back, by folder.
        root: absolute URL of the copy.
    """
    stages = corpus_stages(plan.recipe, root)
    putter = _PutBack(plan, root, receipt_digests(plan))
    return replace(stages, read=partial(_read, stages, lacking), finish=putter.finish)


def receipt_digests(plan: JoinPlan) -> dict[tuple[str, str], str]:
    """SHA-256 of the receipts of what the copy lacks, by folder and shard, as far as stated."""
    shards = plan.record.header.shards
    return {
        (folder, shard): digest
        for folder, digests in plan.record.receipts.items()
        for shard, digest in zip(shards[folder], digests, strict=True)
    }


def present_shards(plan: JoinPlan, root: str) -> dict[str, list[str]]:
    """The shards of what the copy lacks that are put back already, by folder; without those whose
    files were lost since.

    Args:
        plan: what is to be put back.
        root: URL of the place; it need not exist.

    Raises:
        CorpusError, SourceError: a receipt is damaged, or cannot be read just now.
    """
    digests, fingerprints = receipt_digests(plan), plan.record.header.fingerprints
    receipts = read_receipts(root, plan.copy.header.left_out)
    lost = lost_files(root, receipts)
    return {
        folder: [
            shard
            for shard, receipt in by_shard.items()
            if receipt["fingerprint"] == fingerprints[folder]
            and digests.get((folder, shard), _sha256(receipt)) == _sha256(receipt)
            and (folder, shard) not in lost
        ]
        for folder, by_shard in receipts.items()
    }


def _sha256(receipt: Receipt) -> str:
    digest: str = file_digest(receipt_bytes(receipt))["sha256"]
    return digest


def _read(
    stages: Stages, lacking: Mapping[str, frozenset[str]], task: SliceTask
) -> Iterator[ShardTask]:
    """The shards of a slice that folders lack; a tar holds others too."""
    for shard in stages.read(task):
        folders = tuple(folder for folder in shard.folders if shard.raw.name in lacking[folder])
        if folders:
            yield replace(shard, folders=folders)


@dataclass(frozen=True, slots=True)
class _PutBack:
    """Makes and commits shards; it travels to every worker.

    Attributes:
        plan: what is to be put back.
        root: URL of the copy.
        digests: SHA-256 of receipts by folder and shard, as far as they are known.
    """

    plan: JoinPlan
    root: str
    digests: Mapping[tuple[str, str], str]

    def finish(self, shard: ShardTask) -> Generator[int, None, FinishedShard]:
        """Make and commit a shard; its inputs count as done once it is made."""
        rule = self.plan.record.header.identity.get("subset")
        try:
            made = self._whole(shard) if rule is None else self._cut(shard, bool(rule["whole"]))
        except CorpusError as why:
            raise SourceError(str(why)) from why
        for encoded in made:
            self._check(encoded)
        yield len(shard.raw.inputs)
        return FinishedShard(tuple(commit(self.root, encoded) for encoded in made))

    def _whole(self, shard: ShardTask) -> list[EncodedShard]:
        return render_shard(shard.raw, shard.folders, shard.excluded, self.plan.recipe, self.root)

    def _cut(self, shard: ShardTask, whole: bool) -> list[EncodedShard]:
        """The shard of a subset: cut out of the corpus' shard, as copies of subsets are."""
        name, keys = shard.raw.name, list(self.plan.pictures.of(shard.raw.name))
        if not whole:
            inputs = tuple(raw for raw in shard.raw.inputs if raw.key in set(keys))
            shard = replace(shard, raw=replace(shard.raw, inputs=inputs))
        with TemporaryDirectory(prefix="sgt-join-") as scratch:
            origin, cut = os.path.join(scratch, "corpus"), os.path.join(scratch, "subset")
            for encoded in self._whole(shard):
                commit(origin, encoded)
            copier = ShardCopier(origin, cut, whole)
            fingerprints = self.plan.record.header.fingerprints
            return [
                _encoded(copier.copy(folder, name, keys, fingerprints[folder]), cut)
                for folder in shard.folders
            ]

    def _check(self, encoded: EncodedShard) -> None:
        place = encoded.summary["proxy"], encoded.summary["shard"]
        expected = self.digests.get(place)
        if expected is None or file_digest(encoded.receipt)["sha256"] == expected:
            return
        versions = "; ".join(self.plan.versions)
        cause = (
            f"versions of libraries differ: {versions}. Install those of the corpus"
            if versions
            else "the sources hold inputs that were damaged or missing when the corpus was built, "
            "or annotations and depth files differ"
        )
        raise SourceError(
            f"{'/'.join(place)} would not be byte-identical to the original and is not written; "
            f"{cause}, and run the same command again"
        )


def _encoded(receipt: Receipt, root: str) -> EncodedShard:
    """The files of a committed shard."""
    folder, shard = receipt["proxy"], receipt["shard"]
    tar = read_bytes(join(root, tar_path(folder, shard))) if receipt["tar"] else None
    return EncodedShard(
        tar,
        read_bytes(join(root, index_path(folder, shard))),
        read_bytes(join(root, quarantine_path(folder, shard))),
        read_bytes(join(root, receipt_path(folder, shard))),
        receipt,
        (),
    )
