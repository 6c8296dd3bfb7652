"""Whether the pictures of sources are those that targets were drawn from, by SHA-256."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Literal

from sgt_data.corpus.paths import INPUT
from sgt_data.engine.cluster import Cluster
from sgt_data.engine.duplicates import repeated_reason
from sgt_data.engine.outcomes import part_name
from sgt_data.engine.parallel import call_for_each
from sgt_data.engine.picture_digests import PictureDigest, picture_digests
from sgt_data.errors import CorpusError, SourceError
from sgt_data.progress import OnProgress, Progress
from sgt_data.publish.join_plan import JoinPlan, JoinTask
from sgt_data.result import Failure

DifferenceKind = Literal["missing", "differs"]


@dataclass(frozen=True, slots=True)
class PictureDifference:
    """A picture that is not the one that targets were drawn from.

    Attributes:
        source: name of its source.
        shard: name of its shard.
        key: of its samples.
        member: its name within the source.
        kind: the source lacks it or cannot give it, or has another one.
        detail: what was expected and what the source has, or why it cannot be read.
    """

    source: str
    shard: str
    key: str
    member: str
    kind: DifferenceKind
    detail: str

    def __str__(self) -> str:
        return f"{self.source}: {self.member} ({self.key}) {self.kind}: {self.detail}"


@dataclass(slots=True)
class CheckedPictures:
    """What came of the check.

    Attributes:
        checked: number of pictures that were compared.
        differing: those that are not the same.
        failures: slices that cannot be read.
        unexpected: by shard: keys of sound pictures that no sample was made of.
    """

    checked: int = 0
    differing: list[PictureDifference] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    unexpected: dict[str, list[str]] = field(default_factory=dict)


def check_pictures(
    plan: JoinPlan, tasks: Sequence[JoinTask], cluster: Cluster, on_progress: OnProgress
) -> CheckedPictures:
    """Compare the pictures of all shards that are to be put back.

    Args:
        plan: what is to be put back.
        tasks: slices with shards that are not put back yet.
        cluster: where to read.
        on_progress: called after every slice; counts pictures.

    Raises:
        BuildError: Ray failed.
    """
    total = sum(task.slice_task.slice.pictures for task in tasks)
    result = CheckedPictures()
    work = call_for_each(_Checker(plan).check, tasks, cluster, os.cpu_count() or 1)
    with closing(work) as parts:
        for part in parts:
            result.checked += part.checked
            result.differing += part.differing
            result.failures += part.failures
            result.unexpected |= part.unexpected
            exact = plan.listing.exact
            on_progress(Progress(result.checked, total, exact, phase="comparing pictures"))
    result.differing.sort(key=lambda each: (each.source, each.shard, each.key))
    return result


def repeated_keys(
    plan: JoinPlan, unexpected: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, str]]:
    """By shard: its keys that an earlier shard holds, with the reason to leave each out, as the
    build had it.

    Args:
        plan: what is to be put back.
        unexpected: by shard: keys of sound pictures that no sample was made of.

    Raises:
        CorpusError, SourceError: an index of the copy cannot be read.
    """
    doubtful = {key for keys in unexpected.values() for key in keys}
    earlier: dict[str, str] = {}
    excluded: dict[str, dict[str, str]] = {}
    for shard in plan.record.header.shards[INPUT] if doubtful else ():
        again = set(unexpected.get(shard, ()))
        for key in sorted(again & earlier.keys()):
            excluded.setdefault(shard, {})[key] = repeated_reason(earlier[key])
        held = doubtful & (again | plan.pictures.of(shard).keys())
        earlier |= dict.fromkeys(held, shard)
    return excluded


@dataclass(frozen=True, slots=True)
class _Checker:
    """Compares the pictures of one slice after the other; it travels to every worker."""

    plan: JoinPlan

    def check(self, task: JoinTask) -> CheckedPictures:
        manifest = self.plan.recipe.manifest
        piece = task.slice_task.slice
        source = self.plan.recipe.source(piece.source)
        result = CheckedPictures()
        lacking = set(task.shards)
        try:
            for shard, held in picture_digests(task.slice_task, source, manifest.shard_samples):
                if shard in lacking:
                    lacking.discard(shard)
                    self._compare(piece.source, shard, held, result)
            for shard in sorted(lacking):
                self._compare(piece.source, shard, {}, result)
        except (SourceError, CorpusError) as why:
            result.failures.append(Failure(part_name(piece.source, piece.name), str(why)))
        return result

    def _compare(
        self, source: str, shard: str, held: Mapping[str, PictureDigest], result: CheckedPictures
    ) -> None:
        """Compare the pictures of a shard that the source holds with those of the corpus."""
        expected = self.plan.pictures.of(shard)
        for key, (member, sha256) in expected.items():
            picture = held.get(key)
            kind: DifferenceKind = "missing"
            if picture is None:
                detail = "the source has no such picture"
            elif picture.sha256 is None:
                detail = str(picture.problem)
            elif picture.sha256 != sha256:
                kind, detail = "differs", f"its SHA-256 is {picture.sha256}, not {sha256}"
            else:
                continue
            result.differing.append(PictureDifference(source, shard, key, member, kind, detail))
        result.checked += len(expected)
        sound = [key for key, picture in held.items() if picture.sha256 and key not in expected]
        if sound:
            result.unexpected[shard] = sound
