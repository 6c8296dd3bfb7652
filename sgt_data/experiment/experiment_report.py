"""What `run_experiment` returns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sgt_data.experiment.measure.run_result import Split
from sgt_data.experiment.plan.experiment_plan import ExperimentKind
from sgt_data.result import Result


@dataclass(slots=True, kw_only=True, repr=False)
class ExperimentReport(Result):
    """What came of an experiment.

    Attributes:
        complete: every run has a result on the split that was asked for.
        failures: runs without a result on that split, as `RunFailure`.
        notes: what a reader must know about the plan.
        kind: what differs between the arms.
        folder: folder of the experiment.
        split: split of the page that was written; None where no run came to a result.
        runs: number of the plan's runs.
        measured: number of these that have a result on that split.
        digest: 16 hexadecimal digits of the experiment's configuration.
        findings: the main comparisons in words, each with its interval.
        page: path of the page that was written; None where no run came to a result.
    """

    kind: ExperimentKind
    folder: str
    runs: int
    measured: int
    digest: str
    split: Split | None = None
    findings: Sequence[str] = ()
    page: str | None = None
