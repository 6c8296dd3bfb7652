"""An experiment from its plan to its page: prepared, run, measured, told.

FOLDER/
  questions/ training*.subset.parquet labels-*/   what the runs learn from
  pair.json code.json                            the categories of the fine-grained probe; the
                                                 code that its runs come from
  runs/RUN/                                      config, curve, checkpoints; validation.json and
                                                 test.json: what was measured
  config.json test_opened.json                   what the test split was opened for, and when
  validation/ test/                              of each: plan.yaml results.csv results.md plots/
                                                 index.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from sgt_data.corpus.layout import INPUT
from sgt_data.corpus.reader import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.arms import (
    Arm,
    Kind,
    Material,
    Plan,
    arms_of,
)
from sgt_data.experiment.code_version import check_code
from sgt_data.experiment.confused_pair import pair_of
from sgt_data.experiment.measure.results import decode_result
from sgt_data.experiment.parallel_runs import (
    Failure,
    State,
    alone_in,
    default_processes,
    do_all,
)
from sgt_data.experiment.prepare import prepare
from sgt_data.experiment.proxy_names import with_proxies_of
from sgt_data.experiment.report.description import Setting
from sgt_data.experiment.report.drawn_examples import Examples, read_examples
from sgt_data.experiment.report.outputs import write_outputs
from sgt_data.experiment.runs import (
    Job,
    Split,
    Stage,
    individuals,
    jobs_of,
)
from sgt_data.experiment.split_opening import (
    Opening,
    check_sealed,
    freeze,
    open_test,
    openings,
    seal,
)
from sgt_data.subsets.opening import open_corpus
from sgt_data.training.config import digest_of

FORMAT_VERSION = 1


@dataclass(frozen=True, slots=True)
class ExperimentReport:
    """What became of an experiment.

    Attributes:
        kind, folder: as asked for.
        split: that the last page is of; None where no run came to a result.
        runs: of the plan.
        failures: runs without a result on that split.
        digest: of the experiment's configuration.
        notes: what a reader must know.
        findings: differences in words, each with its interval.
        page: the last page that was written.
    """

    kind: Kind
    folder: str
    split: Split | None
    runs: int
    failures: tuple[Failure, ...]
    digest: str
    notes: tuple[str, ...]
    findings: tuple[str, ...]
    page: str | None

    @property
    def succeeded(self) -> bool:
        return not self.failures


def run_experiment(
    kind: Kind,
    plan: Plan,
    corpus: str,
    folder: Path,
    *,
    test_on: str | None = None,
    leave_out: bool = False,
    processes: int | None = None,
    on_note: Callable[[str], None] = lambda note: None,
    on_state: Callable[[Stage, State], None] = lambda stage, state: None,
) -> ExperimentReport:
    """Do an experiment, or go on with it where it was; what is there is not done again.

    Runs are trained and measured on validation; or, with `test_on`, on the test split, which opens
    once for this configuration, provided that every run could be trained.

    Args:
        corpus: fsspec URL; its proxies draw, and its segments are asked about.
        test_on: today, YYYY-MM-DD, to measure on the test split.
        leave_out: leave out proxies of the plan that the corpus lacks, rather than refuse.
        processes: that train at a time; by default one for each CPU, or a few for each GPU.
        on_note: told what is being done, and what a reader must know.
        on_state: told of progress, by stage.

    Raises:
        RequestError: plan and corpus do not fit; the test split was opened in this folder for
            another configuration; its runs come from other code than is here; or another command
            is at work in it.
        CorpusError: a result of the test split is not the one that was sealed.
    """
    if processes is not None and processes < 1:
        raise RequestError(f"processes: found {processes}; must be 1 or more")
    opened = open_corpus(corpus)
    opened.finished()
    plan, notes = with_proxies_of(plan, opened.header.manifest["proxies"], leave_out)
    for note in notes:
        on_note(f"note: {note}")
    with alone_in(folder):
        material = prepare(kind, plan, corpus, folder, on_note)
        arms = arms_of(kind, plan, material)
        on_note("choosing the categories of the fine-grained probe")
        pair = pair_of(arms[0].config, corpus, individuals(opened), folder)
        document = _document(kind, plan, opened, folder, pair)
        if test_on is not None:
            freeze(str(folder), document)
        course = _Course(
            kind, plan, corpus, opened, folder, material, arms, pair, tuple(notes), document
        )
        processes = processes or default_processes()
        if test_on is None:
            return course.validated(processes, lambda state: on_state("validation", state))
        failures = course.trained(processes, lambda state: on_state("training", state))
        if failures:
            return course.report(failures)
        return course.tested(test_on, processes, lambda state: on_state("test", state))


@dataclass(frozen=True, slots=True)
class _Course:
    """An experiment that is prepared."""

    kind: Kind
    plan: Plan
    corpus: str
    opened: Corpus
    folder: Path
    material: Material
    arms: Sequence[Arm]
    pair: tuple[str, str] | None
    notes: tuple[str, ...]
    document: dict[str, Any]

    def validated(self, processes: int, on_state: Callable[[State], None]) -> ExperimentReport:
        jobs = self._jobs("validation")
        failures = self._do(jobs, processes, on_state)
        return self._told(jobs, failures, None, 1)

    def trained(self, processes: int, on_state: Callable[[State], None]) -> list[Failure]:
        """Every run trained, and none measured."""
        jobs = [job for job in self._jobs("training") if job.arm.trained]
        return self._do(jobs, processes, on_state)

    def tested(
        self, today: str, processes: int, on_state: Callable[[State], None]
    ) -> ExperimentReport:
        """Every run on the test split, each once; its result is sealed as soon as it is there."""
        folder = str(self.folder)
        jobs = {job.name: job for job in self._jobs("test")}
        opening, failures = self._opening(), list[Failure]()
        if opening is None or opening.missing:
            self._check_code()
            opening = open_test(folder, self.document, list(jobs), today)

            def sealed(state: State) -> None:
                self._seal(jobs)
                on_state(state)

            failures = do_all([jobs[name] for name in opening.missing], processes, sealed)
            opening = self._seal(jobs)
        if list(opening.runs) != list(jobs):
            raise RequestError(
                f"{folder}: the test split was opened on {opening.date} for other runs of this "
                "plan; defaults of its settings have changed since. Take a new folder, and say so"
            )
        for name in opening.runs:
            if name not in opening.missing:
                check_sealed(opening, name, jobs[name].result_bytes())
        number = 1 + [one.digest for one in openings(folder)].index(opening.digest)
        return self._told(list(jobs.values()), failures, opening, number)

    def _do(
        self, jobs: Sequence[Job], processes: int, on_state: Callable[[State], None]
    ) -> list[Failure]:
        if not all(job.result.exists() for job in jobs):
            self._check_code()
        return do_all(jobs, processes, on_state)

    def _check_code(self) -> None:
        check_code(self.folder, self.arms[0].config.model.make)

    def _seal(self, jobs: Mapping[str, Job]) -> Opening:
        """Seal what is measured and is not sealed yet."""
        opening = self._opening()
        assert opening is not None
        for name in opening.missing:
            if jobs[name].result.exists():
                opening = seal(str(self.folder), opening.digest, name, jobs[name].result_bytes())
        return opening

    def _opening(self) -> Opening | None:
        digest = digest_of(self.document)
        return next((one for one in openings(str(self.folder)) if one.digest == digest), None)

    def _jobs(self, stage: Stage) -> list[Job]:
        return jobs_of(self.arms, self.opened, self.folder / "runs", stage, self.pair)

    def _told(
        self, jobs: Sequence[Job], failures: Sequence[Failure], opening: Opening | None, number: int
    ) -> ExperimentReport:
        """Tables, plots and the page of what is there."""
        results = [
            decode_result(job.result_bytes(), str(job.result))
            for job in jobs
            if job.result.exists()
        ]
        report = self.report(failures)
        if not results:
            return report
        split = results[0].split
        asked = _questions(self.folder)["splits"]
        setting = Setting(
            self.kind, self.plan, self.corpus, self.folder, self.material, self.arms, self.pair,
            asked, self.notes, split == "test",
        )  # fmt: skip
        missing = [f"{one.run}: {one.message}" for one in failures]
        findings = write_outputs(
            self.folder / split, setting, results, self._examples(jobs), missing, opening, number
        )
        page = str(self.folder / split / "index.html")
        return replace(report, split=split, findings=tuple(findings), page=page)

    def report(self, failures: Sequence[Failure]) -> ExperimentReport:
        """Before anything is told."""
        runs = sum(len(arm.seeds) for arm in self.arms)
        return ExperimentReport(
            self.kind, str(self.folder), None, runs, tuple(failures), digest_of(self.document),
            self.notes, (), None,
        )  # fmt: skip

    def _examples(self, jobs: Sequence[Job]) -> dict[str, dict[str, Examples]]:
        """By proxy and arm, of the first seed."""
        found: dict[str, dict[str, Examples]] = {}
        for job in jobs:
            for proxy in job.proxies if job.config.seed == self.plan.seeds[0] else ():
                if (examples := read_examples(job.examples(proxy))) is not None:
                    found.setdefault(proxy, {})[job.arm.label] = examples
        return found


def _document(
    kind: Kind, plan: Plan, corpus: Corpus, folder: Path, pair: tuple[str, str] | None
) -> dict[str, Any]:
    """The experiment's configuration, for which the test split is opened: what is done, with which
    bytes. Proxies that play no part in it are no part of it."""
    asked = _questions(folder)["corpus"]
    named = {
        name for one in plan.proxies for name in ([one] if isinstance(one, str) else one)
    } | {asked["proxy"], asked["depth"], individuals(corpus), INPUT}  # fmt: skip
    prints = corpus.header.fingerprints
    found: dict[str, Any] = orjson.loads(orjson.dumps({
        "version": FORMAT_VERSION,
        "kind": kind,
        "plan": asdict(plan),
        "corpus": {
            "name": corpus.header.name,
            "fingerprints": {name: prints[name] for name in prints if name in named},
            "subset": corpus.header.identity.get("subset"),
        },
        "pair": pair,
    }))  # fmt: skip
    return found


def _questions(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((folder / "questions" / "questions.json").read_bytes())
    return found
