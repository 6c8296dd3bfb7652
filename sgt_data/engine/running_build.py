"""A build while it runs: passes over what is missing, until nothing is or until something fails."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

from sgt_data.corpus.committed_shards import Committed
from sgt_data.corpus.receipt import revoke
from sgt_data.engine.build_plan import BuildPlan
from sgt_data.engine.build_report import BuildReport
from sgt_data.engine.build_stages import corpus_stages
from sgt_data.engine.choose_engine import Engine
from sgt_data.engine.drive import drive
from sgt_data.engine.duplicates import repeated_keys
from sgt_data.engine.losses import again_note
from sgt_data.engine.outcomes import CommittedShard
from sgt_data.engine.receipt_roller import ReceiptRoller
from sgt_data.engine.shard_events import tell_quarantined
from sgt_data.engine.slice_tasks import SliceId, SliceTask, corpus_order, pending_tasks
from sgt_data.progress import OnProgress, Progress


@dataclass(slots=True)
class RunningBuild:
    """The state of one run of a build, and the passes that it makes.

    Attributes:
        plan: what is built.
        root: absolute URL of the corpus.
        committed: receipts and hashes of keys of all shards so far.
        roller: rolls the receipts of new shards.
        report: takes failures, counts and notes.
        progress: what is done already, in inputs.
        wanted: shards of each slice that a limited build makes; None for all.
        first_work: when the first shard began to be finished, on the monotonic clock.
    """

    plan: BuildPlan
    root: str
    committed: Committed
    roller: ReceiptRoller
    report: BuildReport
    progress: Progress
    wanted: Mapping[SliceId, int] | None
    first_work: float | None = None

    def work(self, engine: Engine, tasks: Sequence[SliceTask], on_progress: OnProgress) -> None:
        """Do the tasks."""
        if not tasks:
            return
        begun = replace(self.progress, phase="building")
        # closed here, also after an error: the engine's session may end before its error is dropped
        with closing(engine.run(tasks, corpus_stages(self.plan.recipe, self.root))) as outcomes:
            self.progress = drive(outcomes, self.report, self._note, begun, on_progress)

    def read_again(self, engine: Engine, on_progress: OnProgress) -> None:
        """Do the slices once more that failed for a reason that may have passed."""
        if not self.report.built_shards:
            return
        passing = {failure.part: failure for failure in self.report.failures if failure.may_pass}
        tasks = [task for task in self._pending() if task.part in passing]
        self.report.failures = [failure for failure in self.report.failures if not failure.may_pass]
        if tasks:
            self.report.notes.append(again_note(list(passing.values())))
            self.work(engine, tasks, on_progress)

    def _pending(self) -> list[SliceTask]:
        listing = self.plan.listing
        return pending_tasks(
            listing.slices, listing.folders_of, self.committed.receipts, self.wanted
        )

    def _note(self, shard: CommittedShard) -> None:
        if self.first_work is None:
            self.first_work = time.monotonic() - shard.seconds
        places = [(receipt["proxy"], receipt["shard"]) for receipt in shard.receipts]
        for (folder, name), receipt in zip(places, shard.receipts, strict=True):
            self.committed.receipts[folder][name] = receipt
        for place, hashes in zip(places, shard.key_hashes, strict=False):
            self.committed.hashes.add(*place, hashes)
        for place in places:
            self.roller.note(*place)
        tell_quarantined(self.root, shard.receipts)

    def revoke_duplicates(self, on_progress: OnProgress) -> list[SliceTask]:
        """Revoke the shards that repeat another's keys; the tasks that build them again.

        Waits until every slice is read: only then is it known which shard comes first.
        """
        listing, receipts = self.plan.listing, self.committed.receipts
        doubtful = [source for source in listing.manifest.typed_sources() if not source.keys_differ]
        if not doubtful or self.report.failures:
            return []
        holders: dict[str, tuple[str, ...]] = {}  # by shard: folders that hold it
        for source in doubtful:
            for folder in listing.folders_of[source.name]:
                for shard in corpus_order(listing.slices, {source.name}, receipts[folder]):
                    holders[shard] = (*holders.get(shard, ()), folder)

        def announce(phase: str, note: str) -> None:
            on_progress(replace(self.progress, phase=phase, note=note))

        announce("comparing the keys of all shards", "")
        excluded = repeated_keys(self.root, holders, self.committed.hashes, announce)
        for shard in excluded:
            for folder in holders[shard]:
                revoke(self.root, folder, shard)
                del receipts[folder][shard]
                self.committed.hashes.forget(folder, shard)
                self.report.built_shards -= 1
        return [replace(task, excluded=excluded) for task in self._pending()]
