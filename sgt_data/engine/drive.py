"""The loop that follows work on shards: outcomes in, counts, failures and progress out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from sgt_data.engine.outcomes import OWN_CODE, CommittedShard, InputsDone, Outcome, OutputRefused
from sgt_data.engine.shard_events import tell_committed, tell_failed
from sgt_data.engine.stage_times import added, slowest_stage
from sgt_data.errors import OwnCodeError, StorageError
from sgt_data.files.troubles import added_troubles, take_troubles, troubles_text
from sgt_data.progress import OnProgress, Progress
from sgt_data.result import Failure, Result


@dataclass(slots=True, kw_only=True, repr=False)
class ShardResult(Result):
    """What came of work that commits shards.

    Attributes:
        built_shards: shards that this run has committed, over all folders.
        found_shards: shards that earlier runs had committed, over all folders.
        built_inputs: inputs of the shards that this run has committed.
        stage_seconds: seconds of this run's workers, by stage (see `engine.stage_times`).
        codec_seconds: seconds within the stages that were those of codecs, by codec.
        troubles: requests to stores that failed and were made again, by kind: the HTTP status that
            the store answered, or what became of the connection.
    """

    built_shards: int = 0
    found_shards: int = 0
    built_inputs: int = 0
    stage_seconds: dict[str, float] = field(default_factory=dict)
    codec_seconds: dict[str, float] = field(default_factory=dict)
    troubles: dict[str, int] = field(default_factory=dict)

    def note_troubles(self, *counts: Mapping[str, int]) -> None:
        """Add counts of requests that were made again."""
        self.troubles = added_troubles((self.troubles, *counts))

    def tell_troubles(self) -> None:
        """At the end of the work: add those of this process, and a note on all, if any."""
        self.note_troubles(take_troubles())
        self.notes += filter(None, [troubles_text(self.troubles)])


def drive(
    outcomes: Iterable[Outcome],
    result: ShardResult,
    note: Callable[[CommittedShard], None],
    begun: Progress,
    on_progress: OnProgress,
) -> Progress:
    """Follow work on shards to its end.

    Args:
        outcomes: of the shards, as they come.
        result: takes the failures, and the number of committed shards.
        note: called with every committed shard.
        begun: what is done already and what there is to do, in inputs.
        on_progress: called after every outcome.

    Returns:
        `begun`, with all that has been done since.

    Raises:
        StorageError: the output cannot be written; what is committed is kept.
        OwnCodeError: own code of a user made a mistake; what is committed is kept.
    """
    progress = begun
    under_way: dict[str, int] = {}
    for outcome in outcomes:
        if isinstance(outcome, OutputRefused):
            raise StorageError(f"{outcome.message}; what is committed is kept")
        if isinstance(outcome, Failure) and outcome.part == OWN_CODE:
            raise OwnCodeError(f"{outcome.message}; what is committed is kept")
        if isinstance(outcome, Failure):
            result.failures.append(outcome)
            tell_failed(outcome)
            continue
        if isinstance(outcome, InputsDone):
            under_way[outcome.shard] = outcome.inputs
            note_now = outcome.note or troubles_text(result.troubles)
            progress = replace(progress, note=note_now)
        else:
            note(outcome)
            tell_committed(outcome)
            result.stage_seconds = added(result.stage_seconds, outcome.times.stages)
            result.codec_seconds = added(result.codec_seconds, outcome.times.codecs)
            under_way.pop(outcome.shard, None)
            result.note_troubles(outcome.troubles)
            progress = _committed(progress, outcome)
            slowest, note_now = slowest_stage(result.stage_seconds), troubles_text(result.troubles)
            progress = replace(progress, slowest=slowest, note=note_now)
            result.built_shards += len(outcome.receipts)
            result.built_inputs += max(receipt["inputs"] for receipt in outcome.receipts)
        on_progress(replace(progress, done=progress.done + sum(under_way.values())))
    return replace(progress, note="", slowest="")


def _committed(progress: Progress, shard: CommittedShard) -> Progress:
    tars = [receipt["tar"]["bytes"] for receipt in shard.receipts if receipt["tar"]]
    return replace(
        progress,
        done=progress.done + max(receipt["inputs"] for receipt in shard.receipts),
        shards=progress.shards + len(shard.receipts),
        nbytes=progress.nbytes + sum(tars),
    )
