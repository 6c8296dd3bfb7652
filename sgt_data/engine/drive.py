"""The loop that follows work on shards: outcomes in, counts, failures and progress out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from sgt_data.engine.outcomes import OWN_CODE, CommittedShard, Outcome, OutputRefused
from sgt_data.errors import OwnCodeError, StorageError
from sgt_data.progress import OnProgress, Progress
from sgt_data.result import Failure, Result


@dataclass(slots=True, kw_only=True, repr=False)
class ShardResult(Result):
    """What came of work that commits shards.

    Attributes:
        built_shards: shards that this run has committed, over all folders.
        found_shards: shards that earlier runs had committed, over all folders.
    """

    built_shards: int = 0
    found_shards: int = 0


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
        on_progress: called after every committed shard.

    Returns:
        `begun`, with all that has been done since.

    Raises:
        StorageError: the output cannot be written; what is committed is kept.
        OwnCodeError: own code of a user made a mistake; what is committed is kept.
    """
    progress = begun
    for outcome in outcomes:
        if isinstance(outcome, OutputRefused):
            raise StorageError(f"{outcome.message}; what is committed is kept")
        if isinstance(outcome, Failure) and outcome.part == OWN_CODE:
            raise OwnCodeError(f"{outcome.message}; what is committed is kept")
        if isinstance(outcome, Failure):
            result.failures.append(outcome)
            continue
        note(outcome)
        result.built_shards += len(outcome.receipts)
        tars = [receipt["tar"]["bytes"] for receipt in outcome.receipts if receipt["tar"]]
        progress = replace(
            progress,
            done=progress.done + max(receipt["inputs"] for receipt in outcome.receipts),
            shards=result.built_shards,
            nbytes=progress.nbytes + sum(tars),
        )
        on_progress(progress)
    return progress
