"""Carry out an experiment from its plan to its page.

FOLDER/
  questions/ captions-*/ arithmetic/ ...   what the runs learn from, see `prepare_data`
  pair.json code.json paces.json           the categories of the probe `pair`; the code that the
                                           runs come from; the paces that were tried and chosen
  runs/RUN/                                config, curve, checkpoints; validation.json and
                                           test.json: what was measured
  config.json test_opened.json             what the test split was opened for, and when
  validation/ test/                        of each: plan.yaml results.csv results.md plots/
                                           index.html
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from sgt_data.corpus.opened_corpus import Corpus
from sgt_data.errors import RequestError
from sgt_data.experiment.choose_paces import choose_paces
from sgt_data.experiment.confused_categories import choose_confused_categories
from sgt_data.experiment.drawing_cost import drawing_cost
from sgt_data.experiment.experiment_report import ExperimentReport
from sgt_data.experiment.frozen_document import Frozen
from sgt_data.experiment.materials import Materials
from sgt_data.experiment.measure.make_scorer import make_scorer
from sgt_data.experiment.opening_ledger import default_ledger, ledger_file
from sgt_data.experiment.parallel_runs import default_processes, locked_folder
from sgt_data.experiment.plan.arm_configs import whole_batch
from sgt_data.experiment.plan.arms import SAME_COMPUTE, TrainingData
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.control_arms import equal_compute_questions
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.plan.proxy_names import with_corpus_proxies
from sgt_data.experiment.prepare_data import Prepared, prepare
from sgt_data.experiment.prepared_experiment import PreparedExperiment
from sgt_data.experiment.run_folder import RunFolder
from sgt_data.experiment.runs import Measurement, find_instance_proxy
from sgt_data.experiment.start_checkpoint import check_unlearnt, read_start, with_start
from sgt_data.files.output_place import check_output
from sgt_data.files.urls import Location, plain
from sgt_data.progress import OnProgress, Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.subsets.open_corpus import open_corpus
from sgt_data.training.config import TrainConfig


def run_experiment(
    kind: ExperimentKind,
    plan: Plan,
    corpus: Location,
    folder: Location,
    *,
    materials: Materials | None = None,
    test_on: str | None = None,
    processes: int | None = None,
    progress: ProgressTo = False,
) -> ExperimentReport:
    """Carry out an experiment, or continue it where it was interrupted.

    Runs are trained and measured on validation. With `test_on` they are measured on the test split,
    which opens once for this configuration, and only where every run could be trained.

    Args:
        kind: what differs between the arms.
        plan: the plan.
        corpus: fsspec URL of the corpus whose proxies are drawn and whose segments are asked about.
        folder: folder of the experiment.
        materials: the checkpoint that all arms begin with, and what else is read.
        test_on: today, YYYY-MM-DD, to measure on the test split; None for validation.
        processes: number of runs at a time; by default one per CPU, or four per GPU.
        progress: True shows a bar; a function is called with training samples as units, before the
            runs with phases alone. A note for the reader of the results starts with `note: `.

    Raises:
        RequestError: plan, checkpoint and corpus do not fit; the test split was opened in this
            folder for another configuration; its runs come from other code than the present one; or
            another command is at work in it.
        CorpusError: a result of the test split is not the one that was sealed.
    """
    if processes is not None and processes < 1:
        raise RequestError(f"processes: found {processes}; must be 1 or more")
    corpus, materials = plain(corpus), materials or Materials()
    opened = open_corpus(corpus)
    opened.finished()
    folder = Path(check_output(folder, _read_places(opened, materials)))
    start = read_start(plan, materials.init)
    ledger = _ledger(opened, materials, test_on is not None)
    plan, notes = with_corpus_proxies(with_start(plan, start), opened.header.manifest["proxies"])
    with shown(progress, "training samples") as on_progress:
        for note in notes:
            on_progress(Progress(0, note=f"note: {note}"))
        with locked_folder(folder):
            prepared = prepare(kind, plan, corpus, materials, folder, on_progress)
            check_unlearnt(start, opened, prepared.held_out)
            if materials.rich is not None:
                check_unlearnt(start, open_corpus(materials.rich))
            data = _with_cost(plan, prepared.training, on_progress)
            arms = arms_of(kind, plan, data)
            measurement = _measurement(plan, opened, prepared, folder, on_progress, arms[0].config)
            runs = RunFolder(
                opened=opened,
                folder=folder,
                make=arms[0].config.model.make,
                measurement=measurement,
                processes=processes or default_processes(),
                on_progress=on_progress,
            )
            planned = sum(len(arm.seeds) for arm in arms)
            arms, paces, untuned = choose_paces(
                arms, plan, folder, lambda trials: runs.jobs(trials, "tuning"), runs.run
            )
            frozen = Frozen(
                kind=kind,
                plan=plan,
                opened=opened,
                folder=folder,
                categories=measurement.categories,
                paces=paces,
                further=prepared.further,
            )
            experiment = PreparedExperiment(
                frozen=frozen,
                corpus=corpus,
                data=data,
                arms=arms,
                planned=planned,
                untuned=untuned,
                runs=runs,
                ledger=ledger,
                notes=[*notes, *prepared.notes, *_cost_notes(plan, data)],
            )
            return experiment.validate() if test_on is None else experiment.test(test_on)


def _read_places(opened: Corpus, materials: Materials) -> list[str]:
    """Everything that is read, into which nothing may be written."""
    places = (materials.init, materials.captions, materials.rich)
    return [opened.url, *(plain(place) for place in places if place is not None)]


def _ledger(opened: Corpus, materials: Materials, needed: bool) -> Path | None:
    """The ledger of openings; for validation, None where the corpus has none."""
    if needed or materials.ledger is not None:
        return ledger_file(opened.url, materials.ledger)
    return default_ledger(opened.url)


def _with_cost(plan: Plan, data: TrainingData, on_progress: OnProgress) -> TrainingData:
    """The data with the cost of a drawing, where an arm needs it."""
    if SAME_COMPUTE not in plan.controls:
        return data
    on_progress(Progress(0, phase="counting the operations of a drawing and of a question"))
    config = whole_batch(plan, data)
    return replace(data, drawing_cost=drawing_cost(config))


def _cost_notes(plan: Plan, data: TrainingData) -> list[str]:
    if data.drawing_cost is None:
        return []
    return [
        f"a drawing takes {data.drawing_cost:.2f} times the operations of a question in training, "
        f"so `{SAME_COMPUTE}` asks {equal_compute_questions(plan, data)} questions a step"
    ]


def _measurement(
    plan: Plan,
    opened: Corpus,
    prepared: Prepared,
    folder: Path,
    on_progress: OnProgress,
    config: TrainConfig,
) -> Measurement:
    """What is measured of every run; what scores drawings is learnt here, once for all runs."""
    on_progress(Progress(0, phase="choosing the categories of the fine-grained probe"))
    categories = choose_confused_categories(config, opened.url, find_instance_proxy(opened), folder)
    if prepared.further.generation is not None:
        on_progress(Progress(0, phase="learning to score drawings of captions"))
        make_scorer(prepared.further.generation, folder)
    return Measurement(categories=categories, further=prepared.further, keep_drawn=plan.keep_drawn)
