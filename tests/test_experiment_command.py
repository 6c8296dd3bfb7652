"""One command from a corpus to a page: what it writes, what it does once, what stops it, and that
nothing is lost when it is stopped."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest
import yaml

import sgt_data
from sgt_data.cli.app import main
from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment import parallel_runs
from sgt_data.experiment.code_version import code_digests
from sgt_data.experiment.experiment_report import ExperimentReport
from sgt_data.experiment.plan.arms import SAME_SAMPLES, TrainingData
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.experiment_plan import Plan, parse_plan
from sgt_data.experiment.plan.load_plan import load_plan
from sgt_data.experiment.plan.proxy_names import with_corpus_proxies
from sgt_data.experiment.report import outputs
from sgt_data.experiment.run_experiment import run_experiment
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scenes.write_samples import write_samples
from sgt_data.training import example_learner as example

ROOT = Path(sgt_data.__file__).parent
TODAY = "2026-01-05"
PLAN = """
train:
  {steps: 6, questions: 4, drawings: 4, log_every: 2, checkpoint_every: 2,
   model: {picture: 32, settings: {width: 16, layers: 1, heads: 2, generator_layers: 1}}}
proxies: [semantic, referring]
seeds: [0, 1]
control_seeds: [0]
from_scratch: true
arithmetic_share: 0
controls: ["questions alone, equal samples", pictures of questions hidden, labels as questions,
  base]
primary: {arm: semantic and referring, baseline: questions alone}
ladder: [8]
equal_epochs: []
paces: []
ratios: ["1:1"]
question_share: 0.3
held_out_share: 0.3
tasks: [presence]
"""
SMALL = parse_plan(
    PLAN,
    ["seeds=[0]", "control_seeds=[]", "train.steps=2", "proxies=[semantic]", "controls=[]",
     "primary=null"],
)  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("scenes")
    write_samples(str(root), 90, size=(32, 32), scenes="simple", forms=["coco"])
    document = {
        "name": "scenes",
        "pictures": {"min_side": 32, "max_side": 32},
        "sources": [{"type": "coco", "root": f"{root}/coco", "annotations": ["panoptic"]}],
        "proxies": [
            {"type": "segmentation", "name": "semantic", "variant": "semantic"},
            {"type": "segmentation", "name": "instance", "variant": "instance"},
            {"type": "referring", "name": "referring"},
        ],
    }
    assert sgt_data.build_corpus(
        parse_manifest(document), str(root / "c"), cluster=sgt_data.IN_PROCESS
    ).succeeded
    return str(root / "c")


@pytest.fixture(scope="module")
def plan() -> Plan:
    return parse_plan(PLAN)


@pytest.fixture(scope="module")
def folder(corpus: str, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A scale experiment that came to its end, test split and all."""
    path = tmp_path_factory.mktemp("scale")
    for split, day in (("validation", None), ("test", TODAY)):
        report = run_experiment("scale", plan, corpus, path, test_on=day, processes=1)
        assert report.succeeded and report.split == split
    return path


@pytest.fixture
def plotless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages without plots, which take long; `folder` has them."""
    monkeypatch.setattr(outputs, "figures_of", lambda *given: [])


def results_in(folder: Path, split: str) -> dict[str, dict[str, Any]]:
    """Results by run, without their duration."""
    results = {}
    for file in sorted(folder.glob(f"runs/*/{split}.json")):
        result = json.loads(file.read_text())["result"]
        del result["seconds"]
        results[file.parent.name] = without_location(result)
    return results


def without_location(result: Mapping[str, Any]) -> dict[str, Any]:
    """A result without what depends on the folder's location."""
    config = {name: value for name, value in result["config"].items() if name != "data"}
    return {**result, "config": config, "digest": ""}


def bytes_in(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def copied(folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(folder, tmp_path / "copy"))


def page_of(report: ExperimentReport) -> str:
    assert report.page is not None
    return Path(report.page).read_text()


# --- what it writes ------------------------------------------------------------------------------


def test_an_experiment_leaves_its_plan_results_tables_plots_and_pages(
    folder: Path, plan: Plan
) -> None:
    for split in ("validation", "test"):
        output = folder / split
        assert parse_plan((output / "plan.yaml").read_text()) == plan
        rows = list(csv.DictReader((output / "results.csv").open()))
        assert [row["arm"] for row in rows] == [
            "questions alone", "semantic and referring", "questions alone, equal samples",
            "pictures of questions hidden", "labels as questions", "untrained",
        ]  # fmt: skip
        assert [row["seeds"] for row in rows] == ["2", "2", "1", "1", "1", "1"]
        names = {file.stem for file in (output / "plots").iterdir()}
        assert {"accuracy", "probes", "layout", "drawn", "attention", "training"} <= names
        for name in names:
            assert (output / f"plots/{name}.png").read_bytes().startswith(b"\x89PNG")
            assert b"<svg" in (output / f"plots/{name}.svg").read_bytes()
        assert len(results_in(folder, split)) == 8
        page = (output / "index.html").read_text()
        markdown = (output / "results.md").read_text()
        for text in (page, markdown):
            assert "semantic and referring, 8 less questions alone, 0: " in text
            assert "semantic and referring, 8" in text and "primary" in text
        for row in rows:
            assert f"<dt>{row['arm']}</dt>" in page
    validation, test = ((folder / split / "index.html").read_text() for split in
                        ("validation", "test"))  # fmt: skip
    assert "Measured on the validation split" in validation and "--test" not in validation
    assert f"Measured on the test split, opened on {TODAY}" in test and "--test" in test
    for run in results_in(folder, "test"):
        assert (folder / "runs" / run / "config.json").exists() or "untrained" in run


@pytest.mark.usefixtures("plotless")
def test_every_arm_is_probed_on_the_same_categories_that_no_training_chose(
    folder: Path, corpus: str, tmp_path: Path
) -> None:
    categories = json.loads((folder / "pair.json").read_text())["pair"]
    for split in ("validation", "test"):
        classes = {
            tuple(result["probes"]["pair"]["classes"])
            for result in results_in(folder, split).values()
        }
        assert classes == {tuple(sorted(categories))}
    text = (folder / "validation/index.html").read_text()
    assert f"(pair): {categories[0]} or {categories[1]}" in text
    other_plan = parse_plan(PLAN, ["seeds=[5]", "train.steps=4", "train.rate=0.5"])
    run_experiment("ratio", other_plan, corpus, tmp_path, processes=1)
    assert json.loads((tmp_path / "pair.json").read_text())["pair"] == categories


# --- the test split opens once -------------------------------------------------------------------


def test_what_was_measured_on_test_is_never_measured_again(
    folder: Path, corpus: str, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(job: Any) -> None:
        raise AssertionError(f"{job.name} is done again")

    monkeypatch.setattr(parallel_runs, "run_job", never)
    before = bytes_in(folder)
    report = run_experiment("scale", plan, corpus, folder, test_on="2026-02-01", processes=1)
    assert report.succeeded and report.split == "test"
    assert bytes_in(folder) == before
    with pytest.raises(RequestError, match=f"test split was opened on {TODAY}"):
        fewer_seeds = replace(plan, seeds=(0,), control_seeds=())
        run_experiment("scale", fewer_seeds, corpus, folder, test_on="2026-02-01", processes=1)
    assert bytes_in(folder) == before
    monkeypatch.setattr(outputs, "figures_of", lambda *given: [])
    moved = copied(folder, tmp_path)
    result = next(moved.glob("runs/*/test.json"))
    result.write_bytes(result.read_bytes().replace(b'"seconds":', b'"seconds": '))
    with pytest.raises(CorpusError, match="not the one that was sealed"):
        run_experiment("scale", plan, corpus, moved, test_on=TODAY, processes=1)
    result.unlink()
    with pytest.raises(CorpusError, match="cannot be read"):
        run_experiment("scale", plan, corpus, moved, test_on=TODAY, processes=1)


@pytest.mark.usefixtures("plotless")
def test_an_interrupted_test_continues_with_the_missing_runs(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    do, done = parallel_runs.run_job, list[str]()

    def stopped(job: Any) -> None:
        if job.stage == "test" and done:
            raise KeyboardInterrupt
        do(job)
        done.extend([job.name] if job.stage == "test" else [])

    monkeypatch.setattr(parallel_runs, "run_job", stopped)
    with pytest.raises(KeyboardInterrupt):
        run_experiment("ratio", SMALL, corpus, tmp_path, test_on=TODAY, processes=1)
    assert len(results_in(tmp_path, "test")) == 1
    stopped_at = {file: file.read_bytes() for file in tmp_path.glob("runs/*/test.json")}
    assert not (tmp_path / "test/index.html").exists()
    monkeypatch.setattr(parallel_runs, "run_job", do)
    report = run_experiment("ratio", SMALL, corpus, tmp_path, test_on="2026-01-06", processes=1)
    assert report.succeeded
    assert all(file.read_bytes() == data for file, data in stopped_at.items())
    text = page_of(report)
    assert f"opened on {TODAY}" in text and "went on after a stop on 2026-01-06" in text


@pytest.mark.usefixtures("plotless")
def test_another_plan_on_validation_does_only_what_it_changes(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_experiment("ratio", SMALL, corpus, tmp_path, processes=1)
    do, done = parallel_runs.run_job, list[str]()
    monkeypatch.setattr(parallel_runs, "run_job", lambda job: (done.append(job.arm.name), do(job)))
    tuned = replace(SMALL, settings={"questions alone": {"rate": 0.01}})
    assert run_experiment("ratio", tuned, corpus, tmp_path, processes=1).succeeded
    assert done == ["questions alone"]


# --- what stops it -------------------------------------------------------------------------------


@pytest.mark.usefixtures("plotless")
def test_a_killed_command_leaves_no_process_and_continues_to_the_same_results(
    folder: Path, corpus: str, plan: Plan, tmp_path: Path
) -> None:
    (tmp_path / "plan.yaml").write_text(PLAN)
    output = tmp_path / "killed"
    command = [
        sys.executable, "-c", "from sgt_data.cli.app import main; main()", "experiment", "scale",
        corpus, "--plan", str(tmp_path / "plan.yaml"), "--output", str(output), "--processes", "2",
        "--set", "seeds=[0]", "--set", "controls=[]",
    ]  # fmt: skip
    killed = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while len(list(output.glob("runs/*/checkpoints/*.pt"))) < 2:
        assert killed.poll() is None
        time.sleep(0.02)
    children = psutil.Process(killed.pid).children(recursive=True)
    assert children
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    psutil.wait_procs(children, timeout=10)
    assert not [item for item in children if item.is_running() and item.status() != "zombie"]
    assert len(results_in(output, "validation")) < 2
    less = replace(plan, seeds=(0,), control_seeds=(), controls=())
    assert run_experiment("scale", less, corpus, output, processes=1).succeeded
    whole, continued = (results_in(place, "validation") for place in (folder, output))
    assert continued == {name: whole[name] for name in continued} and len(continued) == 2


@pytest.mark.usefixtures("plotless")
def test_runs_of_changed_code_are_not_compared_with_older_runs(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plotless: None
) -> None:
    """A model that is edited in place; existing results can still be reported."""
    source = Path(example.__file__).read_text()
    home = tmp_path / "own"
    home.mkdir()
    (home / "edited_model.py").write_text(source)
    monkeypatch.syspath_prepend(str(home))
    own = replace(SMALL, train={**SMALL.train, "model": {"make": "edited_model:make"}})
    own.train["model"]["picture"] = 32
    first = run_experiment("scale", own, corpus, tmp_path / "out", processes=1)
    assert first.succeeded
    (home / "edited_model.py").write_text(source.replace("of convolutions", "of layers"))
    assert run_experiment("scale", own, corpus, tmp_path / "out", processes=1).succeeded
    more = replace(own, seeds=(0, 1))
    with pytest.raises(RequestError, match=r"edited_model\.py changed since its first runs"):
        run_experiment("scale", more, corpus, tmp_path / "out", processes=1)
    with pytest.raises(RequestError, match=r"edited_model\.py changed"):
        run_experiment("scale", own, corpus, tmp_path / "out", test_on=TODAY, processes=1)
    assert not (tmp_path / "out" / "test_opened.json").exists()
    (tmp_path / "out" / "code.json").unlink()
    assert run_experiment("scale", more, corpus, tmp_path / "out", processes=1).succeeded
    (tmp_path / "out" / "code.json").write_text("[1]")
    with pytest.raises(CorpusError, match=r"code\.json is damaged"):
        run_experiment("scale", own, corpus, tmp_path / "out", test_on=TODAY, processes=1)


def test_what_changes_a_run_counts_as_its_code_and_the_page_does_not() -> None:
    digests = code_digests("sgt_data.training.model:make")
    for room in ("training", "experiment/measure", "stream", "questions", "pictures"):
        files = (ROOT / room).rglob("*.py")
        assert {f"sgt_data/{file.relative_to(ROOT)}" for file in files} <= set(digests)
    assert not [name for name in digests if "/report/" in name]


@pytest.mark.usefixtures("plotless")
def test_an_arm_that_fails_is_named_and_stops_no_other(corpus: str, tmp_path: Path) -> None:
    broken = replace(
        SMALL,
        controls=(SAME_SAMPLES,),
        settings={SAME_SAMPLES: {"model": {"make": "nowhere:make"}}},
    )
    report = run_experiment("scale", broken, corpus, tmp_path, test_on=TODAY, processes=1)
    (failure,) = report.failures
    assert failure.arm == SAME_SAMPLES and "nowhere" in failure.message
    assert failure.part.startswith("questions-alone--equal-samples-seed0-")
    assert not report.succeeded and report.split is None and report.runs == 3
    assert len(list(tmp_path.glob("runs/*/training.json"))) == 2
    assert not (tmp_path / "test_opened.json").exists()
    report = run_experiment("scale", broken, corpus, tmp_path, processes=1)
    assert report.failures[0].part == failure.part and report.split == "validation"
    assert f"Missing: {failure.part}" in page_of(report)
    assert len(results_in(tmp_path, "validation")) == 2


def die(settings: object) -> None:
    os._exit(9)


@pytest.mark.usefixtures("plotless")
def test_a_process_that_is_killed_costs_its_own_run_alone(corpus: str, tmp_path: Path) -> None:
    make = f"{__name__}:die"
    broken = replace(SMALL, settings={"questions alone": {"model": {"make": make}}})
    report = run_experiment("ratio", broken, corpus, tmp_path, processes=2)
    (failure,) = report.failures
    assert failure.arm == "questions alone" and "was killed" in failure.message
    assert len(results_in(tmp_path, "validation")) == 1


def test_one_command_at_a_time_works_in_a_folder(corpus: str, tmp_path: Path) -> None:
    with (
        parallel_runs.locked_folder(tmp_path),
        pytest.raises(RequestError, match="another command is at work"),
    ):
        run_experiment("ratio", SMALL, corpus, tmp_path)


# --- which proxies are meant ---------------------------------------------------------------------


@pytest.mark.usefixtures("plotless")
def test_a_proxy_that_the_corpus_lacks_is_left_out_with_a_note_or_refused(
    corpus: str, tmp_path: Path
) -> None:
    plan = replace(SMALL, proxies=("semantic", "depth"))
    with pytest.raises(RequestError, match=r"'depth'; the corpus has semantic, instance, referr"):
        run_experiment("proxies", plan, corpus, tmp_path, processes=1)
    assert not list(tmp_path.iterdir())
    plan = replace(plan, leave_out_missing=True)
    notes: list[str] = []
    report = run_experiment(
        "proxies",
        plan,
        corpus,
        tmp_path,
        processes=1,
        progress=lambda progress: notes.append(progress.note),
    )
    assert report.succeeded and report.runs == 2
    note, how_to_add, *_ = report.notes
    assert note.startswith("depth: the corpus has no such proxy") and f"note: {note}" in notes
    assert how_to_add.endswith("\n  - {type: depth}")
    assert note in page_of(report)
    assert note in (tmp_path / "validation/results.md").read_text()


def test_plans_name_proxies_as_the_corpus_does_or_by_kind() -> None:
    proxies: list[dict[str, Any]] = [
        {"type": "segmentation", "name": "coco-semantic", "variant": "semantic"},
        {"type": "segmentation", "name": "things", "variant": "instance"},
        {"type": "edge", "name": "canny"},
        {"type": "edge", "name": "edge"},
        {"type": "depth", "name": "near"},
        {"type": "depth", "name": "far"},
    ]
    plan = replace(
        SMALL,
        proxies=("semantic", "edge", "depth", ["things", "semantic"], ["depth", "referring"]),
        settings={"semantic": {"rate": 1}, "things and semantic": {"rate": 2},
                  "depth and referring": {"rate": 3}, SAME_SAMPLES: {"rate": 4}},
        controls=("base", "depth, wrong targets", "referring, wrong targets"),
        leave_out_missing=True,
    )  # fmt: skip
    named, notes = with_corpus_proxies(plan, proxies)
    assert named.controls == ["base", "near, wrong targets"]
    assert named.proxies == ["coco-semantic", "edge", "near", ["things", "coco-semantic"]]
    assert {name: fields["rate"] for name, fields in named.settings.items()} == {
        "coco-semantic": 1, "things and coco-semantic": 2, SAME_SAMPLES: 4,
    }  # fmt: skip
    assert len(notes) == 4 and notes[0].startswith("referring: the corpus has no such")
    assert "semantic: drawn by the corpus' proxy coco-semantic" in notes
    with pytest.raises(RequestError, match="has none of reconstruction"):
        with_corpus_proxies(replace(plan, proxies=("reconstruction",)), proxies)


@pytest.mark.parametrize("variant", ["panoptic", "instance"])
def test_another_segmentation_with_categories_stands_in_for_semantic(variant: str) -> None:
    proxies = [{"type": "segmentation", "name": variant, "variant": variant}]
    plan = replace(SMALL, proxies=("semantic",), leave_out_missing=True)
    named, notes = with_corpus_proxies(plan, proxies)
    assert named.proxies == [variant]
    assert f"semantic: the corpus has no such proxy; {variant} is drawn in its place" in notes
    lines = yaml.safe_load(notes[-1].partition(":\n")[2])
    parse_manifest({
        "name": "added",
        "sources": [{"type": "coco", "root": "c", "annotations": ["instances", "panoptic"]}],
        "proxies": [*proxies, *lines],
    })  # fmt: skip
    with pytest.raises(RequestError, match=r"found 'semantic'.*What is missing can be added"):
        with_corpus_proxies(replace(plan, leave_out_missing=False), proxies)


def test_an_experiment_needs_categories() -> None:
    proxies = [{"type": "segmentation", "name": "entity", "variant": "entity"}]
    with pytest.raises(RequestError, match=r"the corpus has entity.*asks about categories"):
        with_corpus_proxies(replace(SMALL, leave_out_missing=True), proxies)


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        ("scale", None),
        ("proxies", None),
        ("ratio", None),
        ("scale", "scale-reduced"),
        ("scale", "scale-larger"),
    ],
)
def test_shipped_plans_are_plans_for_the_shipped_corpora(kind: Any, named: str | None) -> None:
    plan = load_plan(kind, None if named is None else Path(named))
    data = TrainingData(
        "corpus", 1_000_000, "questions", {100: "labels"}, ["captions"], ["arithmetic"], 1.5
    )
    assert arms_of(kind, plan, data)
    assert plan.primary is not None and plan.paces and not plan.from_scratch and plan.init_gate
    manifests = Path(__file__).parent.parent / "manifests"
    corpus = parse_manifest(yaml.safe_load((manifests / "experiment.yaml").read_text())).resolved()
    assert with_corpus_proxies(plan, corpus["proxies"])[1] == []
    for override, leaves_out in (("proxies=[a]", False), ("proxies.0=a", False),
                                 ("train.steps=3", True)):  # fmt: skip
        assert load_plan("scale", None, [override]).leave_out_missing == leaves_out


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("plotless")
def test_the_command_prints_one_line_of_json(
    corpus: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def sgt(*arguments: object) -> tuple[Any, str, str]:
        with pytest.raises(SystemExit) as ended:
            main(["experiment", *map(str, arguments)])
        return (ended.value.code, *capsys.readouterr())

    (tmp_path / "plan.yaml").write_text(PLAN)
    shared = ("ratio", corpus, "--plan", tmp_path / "plan.yaml", "--output", tmp_path / "out")
    few = (
        *("--set", "seeds=[0]", "--set", "controls=[]", "--set", "train.steps=2"),
        *("--processes", 1),
    )
    code, out, error = sgt(*shared, *few, "--test", "--json")
    assert code == 0, error
    (line,) = out.splitlines()
    report = json.loads(line)
    assert report["succeeded"] and report["split"] == "test" and report["runs"] == 2
    assert Path(report["page"]).exists()
    assert report["findings"][0].startswith("Primary contrast: semantic and referring, 1:1 less ")
    for arguments, message in (
        (("--set", "ratio=3"), "ratio: no such field (found 3)"),
        (("--plan", tmp_path / "no.yaml"), "no.yaml cannot be read"),
        (("--test",), "was opened on"),
    ):
        code, out, error = sgt(*shared, *arguments)
        assert (code, out) == (2, "") and message in error
    broken = f"settings={{'questions alone': {{model: {{make: '{__name__}:nothing'}}}}}}"
    code, out, error = sgt(*shared, "--output", tmp_path / "b", "--set", broken, *few)
    assert code == 1 and "1 of 2 runs on validation" in out
    assert "failed: questions-alone-seed0" in error and "(questions alone)" in error
