"""What is to be put back into a copy, and from where: a record and sources in, tasks out."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sgt_data.annotators.base import Annotator, Setup
from sgt_data.corpus.identity import of_proxies
from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT, LEFT_OUT_FILE
from sgt_data.engine.build_plan import Recipe, plan_build
from sgt_data.engine.listing import Listing
from sgt_data.engine.slice_tasks import SliceTask
from sgt_data.errors import CorpusError, CorpusMismatch
from sgt_data.files.claim import Difference, as_list, differences
from sgt_data.files.urls import join
from sgt_data.publish.left_out import ExpectedPictures, LeftOutRecord, reference_folders
from sgt_data.records import Slice
from sgt_data.value_text import counted


@dataclass(frozen=True, slots=True)
class JoinTask:
    """A slice to read.

    Attributes:
        slice_task: the slice, and the folders that lack shards of it.
        shards: names of these shards.
    """

    slice_task: SliceTask
    shards: frozenset[str]

    def slice_task_without(self, excluded: Mapping[str, Mapping[str, str]]) -> SliceTask:
        """The slice, without keys that must not become samples.

        Args:
            excluded: by shard: such keys, with the reason.
        """
        of_slice = {shard: excluded[shard] for shard in self.shards if shard in excluded}
        return replace(self.slice_task, excluded=of_slice)


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What is to be put back.

    Attributes:
        copy: the copy that lacks pictures.
        record: what it states of what it lacks.
        pictures: the pictures that it was made from.
        listing: what the sources hold.
        recipe: how the folders that it lacks are made.
        versions: libraries whose versions are others than those of the build.
    """

    copy: Corpus
    record: LeftOutRecord
    pictures: ExpectedPictures
    listing: Listing
    recipe: Recipe
    versions: tuple[str, ...]

    def lacking(self, present: Mapping[str, Collection[str]]) -> dict[str, frozenset[str]]:
        """The shards that are still to be put back, by folder.

        Args:
            present: shards that are put back, by folder.
        """
        shards = self.record.header.shards
        return {
            folder: frozenset(shards[folder]).difference(present.get(folder, ()))
            for folder in self.copy.header.left_out
        }

    def tasks(self, lacking: Mapping[str, frozenset[str]]) -> list[JoinTask]:
        """The slices that hold these shards, in corpus order.

        Args:
            lacking: names of shards by folder.

        Raises:
            CorpusMismatch: no slice holds one of the shards.
        """
        asked = frozenset[str]().union(*lacking.values())
        by_beginning: dict[str, set[str]] = {}
        for shard in asked:
            by_beginning.setdefault(shard.rpartition("-")[0], set()).add(shard)
        tasks = []
        for piece in self.listing.slices:
            if piece.shards is None:  # a tar: all its shards begin with its name
                beginning = piece.shard_name(0).rpartition("-")[0]
                shards = frozenset(by_beginning.get(beginning, ()))
            else:
                shards = asked.intersection(piece.shards)
            if shards:
                tasks.append(self._task(piece, shards, lacking))
        self._check_held(asked.difference(*(task.shards for task in tasks)))
        return tasks

    def _task(
        self, piece: Slice, shards: frozenset[str], lacking: Mapping[str, frozenset[str]]
    ) -> JoinTask:
        of_sources = self.record.header.source_totals
        folders = tuple(
            folder
            for folder, missing in lacking.items()
            if piece.source in of_sources[folder] and not shards.isdisjoint(missing)
        )
        # shards that nobody asks for count as committed; of a tar they are not known beforehand
        committed = dict.fromkeys(set(piece.shards or ()) - shards, folders)
        for shard in shards:
            committed[shard] = tuple(each for each in folders if shard not in lacking[each])
        return JoinTask(SliceTask(piece, folders, committed), shards)

    def _check_held(self, unknown: frozenset[str]) -> None:
        if unknown:
            raise CorpusMismatch(
                f"the sources hold no inputs of {counted(len(unknown), 'shard')} that "
                f"{self.copy.url} "
                f"lacks, such as {min(unknown)}; name the sources that the corpus was built from, "
                "with --source"
            )


def plan_join(
    copy: Corpus,
    record: LeftOutRecord,
    listing: Listing,
    set_up: Callable[[Annotator], Setup],
) -> JoinPlan:
    """Check that the sources are those of the build, and settle what is to be put back.

    Args:
        copy: a complete copy that lacks folders.
        record: what it states of them.
        listing: what the sources hold.
        set_up: looks at an annotator's weights, where a folder that is lacking needs one.

    Raises:
        CorpusError: copy and record are not of one corpus.
        CorpusMismatch: the sources are others; names what differs.
        RequestError: an annotator cannot run.
    """
    _check_record(copy, record)
    plan = plan_build(listing, set_up, record.header.identity)
    names = [name for name in copy.header.left_out if name != INPUT]
    versions = _check_identity(
        of_proxies(record.header.identity, names), of_proxies(plan.identity, names), copy.url,
        proven=bool(record.receipts),
    )  # fmt: skip
    pictures = ExpectedPictures(copy, reference_folders(copy.header), record.pictures)
    recipe = replace(plan.recipe, fingerprints=record.header.fingerprints)
    return JoinPlan(copy, record, pictures, listing, recipe, versions)


def _check_record(copy: Corpus, record: LeftOutRecord) -> None:
    whole, header = record.header, copy.header
    kept = {
        folder: fingerprint
        for folder, fingerprint in whole.fingerprints.items()
        if folder not in header.left_out
    }
    lacking = [folder for folder in header.left_out if folder not in whole.fingerprints]
    if lacking or kept != header.fingerprints:
        raise CorpusError(
            f"{join(copy.url, LEFT_OUT_FILE)} belongs to another corpus than the copy that it lies "
            "in; fetch the copy again"
        )


def _check_identity(
    built: Mapping[str, Any], now: Mapping[str, Any], where: str, *, proven: bool
) -> tuple[str, ...]:
    """Compare what makes the folders with what made them; the versions that differ.

    Raises:
        CorpusMismatch: anything else differs; or versions do, and nothing would prove that they
            change no byte.
    """
    built = {name: part for name, part in built.items() if name != "subset"}
    differing = differences(built, now)
    versions = [each for each in differing if _is_version(each)]
    others = [each for each in differing if not _is_version(each)]
    if others or (versions and not proven):
        raise CorpusMismatch(
            f"what was left out of {where} cannot be made from these sources; these differ:\n"
            f"{as_list([*others, *versions])}\nName the sources that the corpus was built from, "
            "with --source; where versions differ, install those of the corpus"
        )
    return tuple(each.of_corpus() for each in versions)


def _is_version(difference: Difference) -> bool:
    """Whether a library has another version, which may or may not change bytes."""
    path = difference.path
    return path.startswith("codecs.") or (path.startswith("makers.") and ".libraries." in path)
