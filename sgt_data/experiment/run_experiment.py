"""Carry out an experiment from its plan to its page.

FOLDER/
  questions/ training*.subset.parquet labels-*/   what the runs learn from
  pair.json code.json                            the categories of the probe `pair`; the code that
                                                 the runs come from
  runs/RUN/                                      config, curve, checkpoints; validation.json and
                                                 test.json: what was measured
  config.json test_opened.json                   what the test split was opened for, and when
  validation/ test/                              of each: plan.yaml results.csv results.md plots/
                                                 index.html
"""

from __future__ import annotations

from pathlib import Path

from sgt_data.errors import RequestError
from sgt_data.experiment.confused_categories import choose_confused_categories
from sgt_data.experiment.parallel_runs import default_processes, locked_folder
from sgt_data.experiment.plan.arms import arms_of
from sgt_data.experiment.plan.experiment_plan import ExperimentKind, Plan
from sgt_data.experiment.plan.proxy_names import with_corpus_proxies
from sgt_data.experiment.prepare_data import prepare
from sgt_data.experiment.prepared_experiment import ExperimentReport, PreparedExperiment
from sgt_data.experiment.runs import find_instance_proxy
from sgt_data.files.output_place import check_output
from sgt_data.files.urls import Location, plain
from sgt_data.progress import Progress, ProgressTo
from sgt_data.progress_display import shown
from sgt_data.subsets.open_corpus import open_corpus


def run_experiment(
    kind: ExperimentKind,
    plan: Plan,
    corpus: Location,
    folder: Location,
    *,
    test_on: str | None = None,
    leave_out: bool = False,
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
        test_on: today, YYYY-MM-DD, to measure on the test split; None for validation.
        leave_out: leave out proxies of the plan that the corpus lacks, instead of raising.
        processes: number of runs at a time; by default one per CPU, or four per GPU.
        progress: True shows a bar; a function is called with training samples as units, before the
            runs with phases alone. A note for the reader of the results starts with `note: `.

    Raises:
        RequestError: plan and corpus do not fit; the test split was opened in this folder for
            another configuration; its runs come from other code than the present one; or another
            command is at work in it.
        CorpusError: a result of the test split is not the one that was sealed.
    """
    if processes is not None and processes < 1:
        raise RequestError(f"processes: found {processes}; must be 1 or more")
    corpus = plain(corpus)
    opened = open_corpus(corpus)
    opened.finished()
    folder = Path(check_output(folder, [opened.url]))
    plan, notes = with_corpus_proxies(plan, opened.header.manifest["proxies"], leave_out)
    with shown(progress, "training samples") as on_progress:
        for note in notes:
            on_progress(Progress(0, note=f"note: {note}"))
        with locked_folder(folder):
            data = prepare(kind, plan, corpus, folder, on_progress)
            arms = arms_of(kind, plan, data)
            on_progress(Progress(0, phase="choosing the categories of the fine-grained probe"))
            categories = choose_confused_categories(
                arms[0].config, corpus, find_instance_proxy(opened), folder
            )
            experiment = PreparedExperiment(
                kind=kind,
                plan=plan,
                corpus=corpus,
                opened=opened,
                folder=folder,
                data=data,
                arms=arms,
                categories=categories,
                notes=notes,
                processes=processes or default_processes(),
                on_progress=on_progress,
            )
            return experiment.validate() if test_on is None else experiment.test(test_on)
