"""The folder of an experiment's runs: which jobs there are, and running those without a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.experiment.code_version import check_code
from sgt_data.experiment.parallel_runs import run_jobs
from sgt_data.experiment.plan.arms import Arm
from sgt_data.experiment.runs import Job, Measurement, RunFailure, Stage, jobs_of
from sgt_data.progress import OnProgress


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFolder:
    """The runs of an experiment.

    Attributes:
        opened: the corpus.
        folder: folder of the experiment.
        make: `module:function` that makes the model.
        measurement: what is measured of every run.
        processes: number of runs at a time.
        on_progress: called with training samples as units.
    """

    opened: Corpus
    folder: Path
    make: str
    measurement: Measurement
    processes: int
    on_progress: OnProgress

    def jobs(self, arms: Sequence[Arm], stage: Stage) -> list[Job]:
        """One job for every arm and each of its seeds, up to a stage."""
        return jobs_of(arms, self.opened, self.folder / "runs", stage, self.measurement)

    def run(self, jobs: Sequence[Job], on_progress: OnProgress | None = None) -> list[RunFailure]:
        """Run the jobs that have no result yet, with the code of the first runs alone.

        Raises:
            RequestError: the code has changed since the first runs.
        """
        if not all(job.result.exists() for job in jobs):
            self.check_code()
        return run_jobs(jobs, self.processes, on_progress or self.on_progress)

    def check_code(self) -> None:
        """Check that the code is that of the first runs.

        Raises:
            RequestError: it is not; names a file.
        """
        check_code(self.folder, self.make)
