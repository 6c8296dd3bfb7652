"""Stage 0 and its gate; the checkpoint that arms begin with; paces; the ledger of openings."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

import sgt_data
from sgt_data.errors import CorpusError, RequestError
from sgt_data.experiment.choose_paces import choose_paces
from sgt_data.experiment.measure.accuracy import AskedQuestion
from sgt_data.experiment.measure.answers import spread_out
from sgt_data.experiment.measure.held_out import HeldOutQuestion
from sgt_data.experiment.measure.opening_record import Opening
from sgt_data.experiment.measure.validation_curve import plateau_of, validation_curve
from sgt_data.experiment.opening_ledger import (
    LINE_BYTES_MAX,
    ledger_file,
    read_ledger,
    record_opening,
)
from sgt_data.experiment.opening_text import ledger_notes
from sgt_data.experiment.plan.arms import TrainingData
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.experiment_plan import Plan, parse_plan
from sgt_data.experiment.plan.paces import families
from sgt_data.experiment.pretraining import pretrain
from sgt_data.experiment.pretraining_gate import Gate, read_gate, verdict, write_gate
from sgt_data.experiment.runs import Job, Measurement, RunFailure
from sgt_data.experiment.start_checkpoint import check_unlearnt, read_start, with_start
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.scenes.write_samples import write_samples
from sgt_data.training.config import parse_config
from sgt_data.verify.check_corpus import verify_corpus

TODAY = "2026-01-05"


# --- stage 0


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A corpus for stage 0 and one for an experiment, of other seeds."""
    root = tmp_path_factory.mktemp("stages")
    built = []
    for name, seed in (("first", 1), ("second", 2)):
        write_samples(
            str(root / name), 40, size=(32, 32), scenes="simple", forms=["coco"], seed=seed
        )
        source = {"type": "coco", "root": f"{root}/{name}/coco", "annotations": ["instances"]}
        document = {
            "name": name,
            "pictures": {"min_side": 32, "max_side": 32},
            "sources": [source],
            "proxies": [
                {"type": "segmentation", "name": "semantic", "variant": "semantic"},
                {"type": "segmentation", "name": "instance", "variant": "instance"},
            ],
        }
        url = str(root / f"{name}-corpus")
        assert sgt_data.build_corpus(
            parse_manifest(document), url, cluster=sgt_data.IN_PROCESS
        ).succeeded
        built.append(url)
    return built[0], built[1]


@pytest.fixture(scope="module")
def pretrained(corpora: tuple[str, str]) -> Path:
    """A run of stage 0 that trained too little to pass its gate."""
    corpus = corpora[0]
    folder = Path(corpus).parent
    sgt_data.write_questions(corpus, f"{folder}/questions")
    made = pretrain(parse_config(stage_0(corpus)), folder / "run")
    assert not made.succeeded and not made.reused and not made.gate.passed
    return folder / "run"


def stage_0(corpus: str) -> dict[str, Any]:
    settings = {"width": 16, "layers": 1, "heads": 2, "generator_layers": 1}
    return {
        "data": {
            "corpus": corpus, "questions": f"{Path(corpus).parent}/questions",
            "proxies": ["semantic"],
        },
        "model": {"picture": 32, "settings": settings},
        "steps": 4, "questions": 4, "drawings": 2, "log_every": 2, "checkpoint_every": 2,
    }  # fmt: skip


def test_a_pretrained_run_is_measured_and_reused(
    pretrained: Path, corpora: tuple[str, str]
) -> None:
    gate = read_gate(pretrained)
    assert gate is not None and gate.questions > 10
    assert 0 < gate.chance < 1 and "0.65 on validation is needed" in gate.reason
    before = {file: file.read_bytes() for file in pretrained.rglob("*.pt")}
    again = pretrain(parse_config(stage_0(corpora[0])), pretrained)
    assert again.reused and again.gate == gate and "nothing was trained" in again.notes[0]
    assert {file: file.read_bytes() for file in pretrained.rglob("*.pt")} == before
    with pytest.raises(RequestError, match=r"another run's.*steps"):
        pretrain(parse_config({**stage_0(corpora[0]), "steps": 6}), pretrained)
    write_gate(pretrained, replace(gate, corpus={**gate.corpus, "semantic": "0" * 64}))
    with pytest.raises(RequestError, match="pretrained on another corpus"):
        pretrain(parse_config(stage_0(corpora[0])), pretrained)
    write_gate(pretrained, gate)


@pytest.mark.parametrize(
    ("validation", "training", "passes"),
    [(0.65, 0.75, True), (0.649, 0.7, False), (0.7, 0.81, False), (0.9, 0.6, True)],
)
def test_the_gate_needs_answers_that_are_not_learnt_by_heart(
    validation: float, training: float, passes: bool
) -> None:
    assert verdict(validation, training)[0] == passes


# --- the checkpoint that arms begin with


def plan_of(**fields: Any) -> Plan:
    return Plan(train={"steps": 8, "captions": 0}, proxies=["semantic"], ladder=[8], **fields)


def test_an_experiment_begins_with_a_checkpoint_that_passed_or_says_from_scratch(
    pretrained: Path, tmp_path: Path
) -> None:
    with pytest.raises(RequestError, match=r"--stage pretrain.*from_scratch: true"):
        read_start(plan_of(), None)
    with pytest.raises(RequestError, match="did not pass its gate: answers on validation"):
        read_start(plan_of(), pretrained)
    with pytest.raises(RequestError, match="holds no checkpoint"):
        read_start(plan_of(), tmp_path)
    with pytest.raises(RequestError, match=r"from_scratch: .*give one of the two"):
        read_start(plan_of(from_scratch=True), pretrained)
    assert read_start(plan_of(from_scratch=True), None) is None
    gate = read_gate(pretrained)
    assert gate is not None
    write_gate(pretrained, replace(gate, passed=True))
    assert read_start(plan_of(), pretrained) is not None
    write_gate(pretrained, replace(gate, passed=True, checkpoint="0" * 64))
    with pytest.raises(RequestError, match="of another checkpoint"):
        read_start(plan_of(), pretrained)
    (pretrained / "gate.json").unlink()
    with pytest.raises(RequestError, match=r"has no gate\.json"):
        read_start(plan_of(), pretrained)
    write_gate(pretrained, gate)


def test_the_model_of_the_checkpoint_is_that_of_every_arm(pretrained: Path) -> None:
    start = read_start(plan_of(init_gate=False), pretrained)
    plan = with_start(plan_of(), start)
    for arm in arms_of("scale", plan, TrainingData("c", 100, "q")):
        model = arm.config.model
        assert model.init == str(pretrained) and model.init_digest is not None
        assert (model.picture, model.settings["width"]) == (32, 16)
    assert with_start(plan, start) == plan  # a plan that was written beside a page
    for model_fields, field in (
        ({"picture": 48}, "picture"),
        ({"settings": {"width": 32}}, r"settings\.width"),
        ({"settings": {"rows": 512}}, r"settings\.rows"),
    ):
        other = replace(plan_of(), train={"steps": 8, "model": model_fields})
        with pytest.raises(RequestError, match=f"train.model.{field}: found"):
            with_start(other, start)


def test_no_checkpoint_learnt_from_what_an_experiment_asks_about(
    pretrained: Path, corpora: tuple[str, str]
) -> None:
    start = read_start(plan_of(init_gate=False), pretrained)
    first, second = map(sgt_data.open_corpus, corpora)
    check_unlearnt(start, second)
    keys = [sample.key for sample in first.samples("semantic")][:3]
    with pytest.raises(RequestError, match="learnt from 3 pictures of"):
        check_unlearnt(start, first, keys)
    check_unlearnt(start, first, [])


# --- paces


def test_the_best_pace_on_validation_is_that_of_the_whole_family(tmp_path: Path) -> None:
    plan = parse_plan("""
        train: {steps: 8}
        proxies: [semantic]
        ladder: [4, 8]
        from_scratch: true
        paces: [{matrix_rate: 0.1, rate: 0.01}, {matrix_rate: 0.2, rate: 0.02}]
        settings: {"questions alone": {rate: 0.5}}
    """)
    arms = arms_of("scale", plan, TrainingData("c", 8, "q"))
    assert [arm.label for arm in families(arms, plan)] == ["semantic, 8"]
    trials: list[Job] = []

    def jobs_of_trials(trial_arms: Any) -> list[Job]:
        trials.extend(
            Job(f"{number}", arm, replace(arm.config, seed=arm.seeds[0]), tmp_path, "c", None,
                "tuning", Measurement())
            for number, arm in enumerate(trial_arms)
        )  # fmt: skip
        return trials

    def run(jobs: Any) -> list[RunFailure]:
        for job, last in zip(jobs, (None, 0.7), strict=True):  # the first pace diverges
            rows = [{"step": step, "validation": 0.5} for step in range(1, 7)]
            rows += [{"step": step, "validation": last} for step in (7, 8)]  # type: ignore[dict-item]
            job.result.parent.mkdir()
            job.result.write_bytes(orjson.dumps(rows))
        return []

    tuned, (choice,), failures = choose_paces(arms, plan, tmp_path, jobs_of_trials, run)
    assert not failures and {job.config.seed for job in trials} == {100}
    assert choice.best.accuracy == pytest.approx(0.7) and choice.trials[0].accuracy is None
    rates = {arm.label: (arm.config.matrix_rate, arm.config.rate) for arm in tuned}
    assert rates["semantic, 4"] == rates["semantic, 8"] == (0.2, 0.02)
    assert rates["questions alone, 0"] == (0.02, 0.5)  # its own settings go before
    assert orjson.loads((tmp_path / "paces.json").read_bytes())["tuning_seed"] == 100
    failed, _, (failure,) = choose_paces(
        arms, plan, tmp_path, lambda _: trials, lambda _: [RunFailure("1", "broke", "semantic")]
    )
    assert failure.part == "1"
    assert [arm.name for arm in failed] == ["questions alone", "untrained"]


def test_a_plateau_is_read_from_the_last_quarters_of_a_curve() -> None:
    rows = [{"step": step, "validation": step / 100} for step in range(1, 9)]
    curve = validation_curve([*rows, {"step": 9}])
    assert len(curve) == 8 and plateau_of(curve[:7]) is None
    plateau = plateau_of(curve)
    assert plateau is not None and not plateau.reached
    assert plateau.accuracy == pytest.approx(0.075) and plateau.rise == pytest.approx(0.02)
    flat = plateau_of([(step, 0.7) for step in range(8)])
    assert flat is not None and flat.reached


def test_questions_while_training_are_spread_over_tasks_and_pictures() -> None:
    grey = np.zeros((1, 1, 3), np.uint8)
    questions = [
        HeldOutQuestion("?", grey, AskedQuestion(str(number), task, "yes", ("yes", "no")))
        for number in range(100)
        for task in ("count", "presence")
    ]
    some = spread_out(questions, 20)
    assert len(some) == 20
    for task in ("count", "presence"):
        keys = [int(each.asked.key) for each in some if each.asked.task == task]
        assert keys == list(range(0, 100, 10))


# --- the ledger


def entry(folder: Path, steps: int) -> dict[str, Any]:
    return {
        "kind": "scale", "folder": str(folder), "corpus": "c0", "split": {"split_seed": 0},
        "configuration": {"plan": {"steps": steps}},
    }  # fmt: skip


def test_a_ledger_keeps_every_opening_and_says_what_changed(tmp_path: Path) -> None:
    file = tmp_path / "corpus.test-openings.jsonl"
    first = Opening("a" * 16, TODAY, {})
    assert len(record_opening(file, entry(tmp_path / "one", 8), first)) == 1
    before = file.read_bytes()
    assert len(record_opening(file, entry(tmp_path / "one", 8), first)) == 1  # went on
    assert file.read_bytes() == before
    second = Opening("b" * 16, "2026-01-09", {})
    entries = record_opening(file, entry(tmp_path / "two", 16), second)
    assert file.read_bytes().startswith(before) and read_ledger(file) == entries
    assert entries[1].changed == ("plan.steps: 8 before, 16 now",)
    head, one, two = ledger_notes(file, entries, "c1")
    assert head.startswith("2 openings of the test split recorded in corpus.test-openings.jsonl")
    assert "another build of the corpus" in one and "the first" in one
    assert "changed since the one before: plan.steps: 8 before, 16 now" in two
    assert "scale in two, configuration" in two  # beside the ledger: no path of one machine
    elsewhere = tmp_path / "else" / "corpus.test-openings.jsonl"
    assert f"scale in {tmp_path / 'two'}, " in ledger_notes(elsewhere, entries, "c1")[2]
    file.write_bytes(before + b"{}\n")
    with pytest.raises(CorpusError, match=r"line 2 is no entry .*nobody knows how often"):
        record_opening(file, entry(tmp_path / "two", 16), second)


def test_a_ledger_lies_beside_the_corpus_and_the_corpus_keeps_its_bytes(
    corpora: tuple[str, str], tmp_path: Path
) -> None:
    corpus = corpora[1]
    file = ledger_file(corpus, None)
    assert str(file) == f"{corpus}.test-openings.jsonl"
    record_opening(file, entry(tmp_path, 8), Opening("a" * 16, TODAY, {}))
    assert verify_corpus(corpus).sound
    with pytest.raises(RequestError, match="name a local one with --ledger FILE"):
        ledger_file("s3://bucket/corpus", None)
    assert ledger_file("s3://bucket/corpus", tmp_path / "l.jsonl") == tmp_path / "l.jsonl"
    with pytest.raises(RequestError, match=r"cannot be written.*--ledger"):
        ledger_file("/nowhere/corpus", None)


def test_a_gate_that_is_damaged_is_no_gate(tmp_path: Path) -> None:
    write_gate(tmp_path, Gate(0.7, 0.7, 0.5, 9, True, "", "c", "d", {}))
    assert read_gate(tmp_path) is not None
    (tmp_path / "gate.json").write_text("{}")
    with pytest.raises(CorpusError, match=r"gate\.json is no gate"):
        read_gate(tmp_path)


def test_a_line_of_a_ledger_is_bounded(tmp_path: Path) -> None:
    file = tmp_path / "corpus.test-openings.jsonl"
    with file.open("wb") as lines:
        lines.truncate(1 << 30)  # a sparse file of one line
    with pytest.raises(CorpusError, match=f"line 1 .*longer than {LINE_BYTES_MAX} bytes"):
        read_ledger(file)
