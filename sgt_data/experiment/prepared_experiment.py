"""A prepared experiment: measure all runs on validation or on the test split, and report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.corpus.paths import INPUT
from sgt_data.errors import RequestError
from sgt_data.experiment.code_version import check_code
from sgt_data.experiment.measure.drawn_examples import DrawnExamples, read_drawn_examples
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.experiment.measure.run_result import Split, decode_result
from sgt_data.experiment.parallel_runs import run_jobs
from sgt_data.experiment.plan.arms import Arm, TrainingData
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.prepare_data import QUESTIONS_FOLDER
from sgt_data.experiment.report.description import ExperimentFacts
from sgt_data.experiment.report.outcome import Outcome
from sgt_data.experiment.report.outputs import write_outputs
from sgt_data.experiment.runs import (
    Job,
    RunFailure,
    Stage,
    find_instance_proxy,
    jobs_of,
)
from sgt_data.experiment.split_opening import (
    check_sealed,
    freeze,
    open_test_split,
    read_openings,
    seal,
)
from sgt_data.files.output_place import QUESTIONS_MARKER
from sgt_data.progress import OnProgress, Progress
from sgt_data.redaction import without_secrets
from sgt_data.result import Result
from sgt_data.training.config import digest_of

FORMAT_VERSION = 1


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
        digest: 16 hexadecimal digits of the experiment's configuration.
        findings: the main comparisons in words, each with its interval.
        page: path of the page that was written; None where no run came to a result.
    """

    kind: ExperimentKind
    folder: str
    runs: int
    digest: str
    split: Split | None = None
    findings: Sequence[str] = ()
    page: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedExperiment:
    """An experiment whose training data is prepared.

    Attributes:
        kind: what differs between the arms.
        plan: the plan, with the corpus' own names of proxies.
        corpus: URL of the corpus as the command named it.
        opened: the corpus.
        folder: folder of the experiment.
        data: what the runs learn from.
        arms: all arms.
        categories: the two categories of the probe `pair`; None for no such probe.
        notes: what a reader must know about the plan.
        processes: number of runs at a time.
        on_progress: called with training samples as units.
    """

    kind: ExperimentKind
    plan: Plan
    corpus: str
    opened: Corpus
    folder: Path
    data: TrainingData
    arms: Sequence[Arm]
    categories: tuple[str, str] | None
    notes: Sequence[str]
    processes: int
    on_progress: OnProgress

    def validate(self) -> ExperimentReport:
        """Train every run, and measure it on validation."""
        jobs = self._jobs("validation")
        failures = self._run(jobs)
        return self._report(jobs, failures)

    def test(self, today: str) -> ExperimentReport:
        """Train every run, and where all could be trained, measure each once on the test split."""
        freeze(str(self.folder), self._document())
        failures = self._run([job for job in self._jobs("training") if job.arm.trained])
        if failures:
            return self._report([], failures)
        jobs = {job.name: job for job in self._jobs("test")}
        opening, failures = self._opening(), list[RunFailure]()
        if opening is None or opening.missing:
            self._check_code()
            opening = open_test_split(str(self.folder), self._document(), list(jobs), today)

            def seal_and_report(progress: Progress) -> None:
                self._seal(jobs)
                self.on_progress(progress)

            missing = [jobs[name] for name in opening.missing]
            failures = run_jobs(missing, self.processes, seal_and_report)
            opening = self._seal(jobs)
        if list(opening.runs) != list(jobs):
            raise RequestError(
                f"{self.folder}: the test split was opened on {opening.date} for other runs of "
                "this plan; defaults of its settings have changed since. Take a new folder, and "
                "say so"
            )
        for name in opening.runs:
            if name not in opening.missing:
                check_sealed(opening, name, jobs[name].result_bytes())
        return self._report(list(jobs.values()), failures, opening)

    def _run(self, jobs: Sequence[Job]) -> list[RunFailure]:
        if not all(job.result.exists() for job in jobs):
            self._check_code()
        return run_jobs(jobs, self.processes, self.on_progress)

    def _check_code(self) -> None:
        check_code(self.folder, self.arms[0].config.model.make)

    def _seal(self, jobs: Mapping[str, Job]) -> Opening:
        """Seal the results that are measured and not sealed yet."""
        opening = self._opening()
        assert opening is not None
        for name in opening.missing:
            if jobs[name].result.exists():
                opening = seal(str(self.folder), opening.digest, name, jobs[name].result_bytes())
        return opening

    def _opening(self) -> Opening | None:
        digest = digest_of(self._document())
        openings = read_openings(str(self.folder))
        return next((opening for opening in openings if opening.digest == digest), None)

    def _jobs(self, stage: Stage) -> list[Job]:
        return jobs_of(
            self.arms, self.opened, self.folder / "runs", stage, self.categories,
            self.plan.keep_drawn,
        )  # fmt: skip

    def _report(
        self,
        jobs: Sequence[Job],
        failures: Sequence[RunFailure],
        opening: Opening | None = None,
    ) -> ExperimentReport:
        """Write tables, plots and page of the results that exist, and report."""
        report = ExperimentReport(
            complete=bool(jobs) and all(job.result.exists() for job in jobs),
            failures=list(failures),
            notes=list(self.notes),
            kind=self.kind,
            folder=str(self.folder),
            runs=sum(len(arm.seeds) for arm in self.arms),
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
            opening_number=self._opening_number(opening),
        )
        split = results[0].split
        report.split = split
        report.findings = tuple(write_outputs(self.folder / split, self._facts(split), outcome))
        report.page = str(self.folder / split / "index.html")
        return report

    def _opening_number(self, opening: Opening | None) -> int:
        if opening is None:
            return 1
        digests = [other.digest for other in read_openings(str(self.folder))]
        return 1 + digests.index(opening.digest)

    def _facts(self, split: Split) -> ExperimentFacts:
        return ExperimentFacts(
            kind=self.kind,
            plan=self.plan,
            corpus=without_secrets(self.corpus),
            folder=self.folder,
            data=self.data,
            arms=self.arms,
            confused_categories=self.categories,
            question_counts=self._questions()["splits"],
            notes=self.notes,
            test=split == "test",
        )

    def _examples(self, jobs: Sequence[Job]) -> dict[str, dict[str, DrawnExamples]]:
        """Generated targets of the first seed, by proxy and arm."""
        by_proxy: dict[str, dict[str, DrawnExamples]] = {}
        for job in jobs:
            if job.config.seed != self.plan.seeds[0]:
                continue
            for proxy in job.config.data.proxies:
                if (examples := read_drawn_examples(job.examples_file(proxy))) is not None:
                    by_proxy.setdefault(proxy, {})[job.arm.label] = examples
        return by_proxy

    def _document(self) -> dict[str, Any]:
        """The configuration for which the test split is opened: what is done, with which bytes.

        Proxies that the experiment does not use are no part of it, and nor is what is kept beside
        the results.
        """
        plan = asdict(self.plan)
        del plan["keep_drawn"]
        questions = self._questions()["corpus"]
        proxies = {
            *self.plan.proxy_names, questions["proxy"], questions["depth"],
            find_instance_proxy(self.opened), INPUT,
        }  # fmt: skip
        header = self.opened.header
        document: dict[str, Any] = orjson.loads(orjson.dumps({
            "version": FORMAT_VERSION,
            "kind": self.kind,
            "plan": plan,
            "corpus": {
                "name": header.name,
                "fingerprints": {
                    name: digest for name, digest in header.fingerprints.items() if name in proxies
                },
                "subset": header.identity.get("subset"),
            },
            "pair": self.categories,
        }))  # fmt: skip
        return document

    def _questions(self) -> dict[str, Any]:
        path = self.folder / QUESTIONS_FOLDER / QUESTIONS_MARKER
        questions: dict[str, Any] = orjson.loads(path.read_bytes())
        return questions
