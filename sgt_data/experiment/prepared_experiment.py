"""A prepared experiment: measure all runs on validation or on the test split, and report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgt_data.errors import RequestError
from sgt_data.experiment.experiment_report import ExperimentReport
from sgt_data.experiment.frozen_document import (
    Frozen,
    corpus_digest,
    frozen_document,
    questions_marker,
)
from sgt_data.experiment.measure.caption_prompts import read_prompts
from sgt_data.experiment.measure.drawn_examples import DrawnExamples, read_drawn_examples
from sgt_data.experiment.measure.generation_bounds import (
    BOUNDS_FILE,
    generation_bounds,
    write_generation_bounds,
)
from sgt_data.experiment.measure.make_scorer import make_scorer
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.experiment.measure.run_result import RunResult, Split, decode_result
from sgt_data.experiment.opening_ledger import read_ledger, record_opening
from sgt_data.experiment.opening_text import ledger_notes
from sgt_data.experiment.plan.arms import Arm, TrainingData
from sgt_data.experiment.report.comparisons import primary_groups
from sgt_data.experiment.report.description import ExperimentFacts
from sgt_data.experiment.report.groups import groups_of
from sgt_data.experiment.report.outcome import Outcome
from sgt_data.experiment.report.outputs import write_outputs
from sgt_data.experiment.run_folder import RunFolder
from sgt_data.experiment.run_job import PROMPTS_PER_TASK
from sgt_data.experiment.runs import Job, RunFailure
from sgt_data.experiment.split_opening import (
    check_sealed,
    freeze,
    open_test_split,
    read_openings,
    seal,
)
from sgt_data.progress import Progress
from sgt_data.redaction import without_secrets
from sgt_data.training.config import digest_of


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedExperiment:
    """An experiment whose training data is prepared and whose paces are chosen.

    Attributes:
        frozen: what its configuration is made of.
        corpus: URL of the corpus as the command named it.
        data: what the runs learn from.
        arms: the arms whose pace is known.
        planned: number of runs of all arms.
        untuned: trials of a pace that failed; the arms that wait for them are not in `arms`.
        runs: the folder of its runs.
        ledger: file in which openings of the test split are recorded; None where there is none.
        notes: what a reader must know about the plan.
    """

    frozen: Frozen
    corpus: str
    data: TrainingData
    arms: Sequence[Arm]
    planned: int
    untuned: Sequence[RunFailure]
    runs: RunFolder
    ledger: Path | None
    notes: Sequence[str]

    def validate(self) -> ExperimentReport:
        """Train every run, and measure it on validation."""
        jobs = self.runs.jobs(self.arms, "validation")
        return self._report(jobs, [*self.untuned, *self.runs.run(jobs)])

    def test(self, today: str) -> ExperimentReport:
        """Train every run, and where all could be trained, measure each once on the test split."""
        assert self.ledger is not None
        if self.untuned:
            return self._report([], self.untuned)
        freeze(str(self._folder), self._document())
        trained = [arm for arm in self.arms if arm.trained]
        if failures := self.runs.run(self.runs.jobs(trained, "training")):
            return self._report([], failures)
        jobs = {job.name: job for job in self.runs.jobs(self.arms, "test")}
        opening = self._opening()
        if opening is None or opening.missing:
            self.runs.check_code()
            opening = open_test_split(str(self._folder), self._document(), list(jobs), today)
            record_opening(self.ledger, self._ledger_entry(), opening)

            def seal_and_report(progress: Progress) -> None:
                self._seal(jobs)
                self.runs.on_progress(progress)

            failures = self.runs.run([jobs[name] for name in opening.missing], seal_and_report)
            opening = self._seal(jobs)
        if list(opening.runs) != list(jobs):
            raise RequestError(
                f"{self._folder}: the test split was opened on {opening.date} for other runs of "
                "this plan; defaults of its settings have changed since. Take a new folder, and "
                "say so"
            )
        for name in opening.runs:
            if name not in opening.missing:
                check_sealed(opening, name, jobs[name].result_bytes())
        return self._report(list(jobs.values()), failures, opening)

    @property
    def _folder(self) -> Path:
        return self.frozen.folder

    def _document(self) -> dict[str, Any]:
        return frozen_document(self.frozen)

    def _ledger_entry(self) -> dict[str, Any]:
        plan = self.frozen.plan
        return {
            "kind": self.frozen.kind,
            "folder": str(self._folder),
            "corpus": corpus_digest(self.frozen),
            "split": {"split_seed": plan.split_seed, "held_out_share": plan.held_out_share},
            "configuration": self._document(),
        }

    def _seal(self, jobs: Mapping[str, Job]) -> Opening:
        """Seal the results that are measured and not sealed yet."""
        opening = self._opening()
        assert opening is not None
        for name in opening.missing:
            if jobs[name].result.exists():
                data = jobs[name].result_bytes()
                opening = seal(str(self._folder), opening.digest, name, data)
        return opening

    def _opening(self) -> Opening | None:
        digest = digest_of(self._document())
        openings = read_openings(str(self._folder))
        return next((opening for opening in openings if opening.digest == digest), None)

    def _report(
        self,
        jobs: Sequence[Job],
        failures: Sequence[RunFailure],
        opening: Opening | None = None,
    ) -> ExperimentReport:
        """Write tables, plots and page of the results that exist, and report."""
        report = ExperimentReport(
            complete=bool(jobs) and not failures and all(job.result.exists() for job in jobs),
            failures=list(failures),
            notes=list(self.notes),
            kind=self.frozen.kind,
            folder=str(self._folder),
            runs=self.planned,
            measured=sum(job.result.exists() for job in jobs),
            digest=digest_of(self._document()),
        )
        results = [
            decode_result(job.result_bytes(), str(job.result))
            for job in jobs
            if job.result.exists()
        ]
        if not results:
            return report
        outcome = Outcome(
            results,
            missing=[str(failure) for failure in failures],
            examples=self._examples(jobs),
            opening=opening,
            sheets=self._sheets(jobs, results),
        )
        split = results[0].split
        self._write_generation_bounds(split)
        report.split = split
        report.findings = tuple(write_outputs(self._folder / split, self._facts(split), outcome))
        report.page = str(self._folder / split / "index.html")
        return report

    def _write_generation_bounds(self, split: Split) -> None:
        """Write ceiling and floor of generation, which are the same for all runs."""
        path = self._folder / split / BOUNDS_FILE
        data = self.frozen.further.generation
        if data is not None and not path.exists():
            prompts = read_prompts(data.captions, split, PROMPTS_PER_TASK, data.picture)
            scorer = make_scorer(data, self._folder)
            write_generation_bounds(path, generation_bounds(prompts, scorer, split))

    def _facts(self, split: Split) -> ExperimentFacts:
        entries = () if self.ledger is None else read_ledger(self.ledger)
        return ExperimentFacts(
            kind=self.frozen.kind,
            plan=self.frozen.plan,
            corpus=without_secrets(self.corpus),
            folder=self._folder,
            data=self.data,
            arms=self.arms,
            confused_categories=self.frozen.categories,
            question_counts=questions_marker(self._folder)["splits"],
            notes=[
                *self.notes,
                *map(str, self.frozen.paces),
                *ledger_notes(self.ledger, entries, corpus_digest(self.frozen)),
            ],
            test=split == "test",
        )

    def _examples(self, jobs: Sequence[Job]) -> dict[str, dict[str, DrawnExamples]]:
        """Generated targets of the first seed, by proxy and arm."""
        by_proxy: dict[str, dict[str, DrawnExamples]] = {}
        for job in jobs:
            if job.config.seed != self.frozen.plan.seeds[0]:
                continue
            for proxy in job.config.data.proxies:
                if (examples := read_drawn_examples(job.examples_file(proxy))) is not None:
                    by_proxy.setdefault(proxy, {})[job.arm.label] = examples
        return by_proxy

    def _sheets(self, jobs: Sequence[Job], results: Sequence[RunResult]) -> dict[str, bytes]:
        """What the first seeds of the primary contrast's arms drew of captions, by arm."""
        pair = primary_groups(self.frozen.plan.primary, groups_of(results)) or ()
        return {
            group.label: job.captions_sheet.read_bytes()
            for group in pair
            for job in jobs
            if (job.arm.label, job.config.seed) == (group.label, group.runs[0].seed)
            and job.captions_sheet.exists()
        }
