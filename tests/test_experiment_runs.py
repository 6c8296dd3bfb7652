"""Arms differ by what they are named for and by nothing else; what is tested is never drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sgt_data
from sgt_data.errors import RequestError
from sgt_data.experiment.drawing_cost import drawing_cost
from sgt_data.experiment.materials import Materials
from sgt_data.experiment.measure.run_result import decode_result
from sgt_data.experiment.parallel_runs import run_jobs
from sgt_data.experiment.plan.arm_configs import whole_batch
from sgt_data.experiment.plan.arms import (
    BLIND,
    EQUAL_EPOCHS,
    LABELS,
    QUESTIONS_ALONE,
    SAME_COMPUTE,
    SAME_SAMPLES,
    UNTRAINED,
    Arm,
    TrainingData,
)
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.control_arms import equal_compute_questions
from sgt_data.experiment.plan.experiment_plan import Plan, parse_plan
from sgt_data.experiment.prepare_data import Prepared, prepare
from sgt_data.experiment.run_job import run_job
from sgt_data.experiment.runs import Measurement, jobs_of
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import ignore
from sgt_data.scenes.write_samples import write_samples
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys
from sgt_data.training.config import document_of

PLAN = """
train:
  {steps: 16, questions: 6, drawings: 6, captions: 3, log_every: 2, checkpoint_every: 2,
   model: {picture: 32, settings: {width: 16, layers: 1, heads: 2, generator_layers: 1}}}
proxies: [semantic, panoptic]
seeds: [0, 1]
from_scratch: true
ladder: [8, 16]
equal_epochs: [8]
ratios: ["2:1", "1:2"]
question_share: 0.4
held_out_share: 0.25
arithmetic_share: 0.1
tasks: [presence]
controls: ["questions alone, equal samples", "questions alone, equal compute",
  pictures of questions hidden, labels as questions, "semantic, wrong targets",
  "semantic, classified", base]
"""
CONTROLS = {SAME_SAMPLES, SAME_COMPUTE, BLIND, LABELS, UNTRAINED, "semantic, wrong targets",
            "semantic, classified"}  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("experiment")
    write_samples(str(root / "scenes"), 64, size=(32, 32), scenes="simple", forms=["coco"])
    document = {
        "name": "scenes",
        "pictures": {"min_side": 32, "max_side": 32},
        "sources": [{"type": "coco", "root": f"{root}/scenes/coco", "annotations": ["panoptic"]}],
        "proxies": [
            {"type": "segmentation", "name": name, "variant": name}
            for name in ("panoptic", "semantic")
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
def materials(corpus: str) -> Materials:
    captions = Path(corpus).parent / "scenes/coco/annotations/captions_train2017.json"
    return Materials(captions=captions)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture(scope="module")
def prepared(corpus: str, plan: Plan, materials: Materials, folder: Path) -> Prepared:
    first = prepare("scale", plan, corpus, materials, folder, ignore)
    assert prepare("scale", plan, corpus, materials, folder, ignore) == first  # reuses it all
    return first


@pytest.fixture(scope="module")
def data(prepared: Prepared) -> TrainingData:
    return replace(prepared.training, drawing_cost=1.5)


def keys_of(jsonl: Path) -> set[str]:
    return {json.loads(line)["key"] for line in jsonl.read_text().splitlines()}


def keys_in(corpus: str) -> set[str]:
    opened = sgt_data.open_corpus(corpus)
    return {sample.key for sample in opened.samples("semantic")}


def test_no_picture_that_is_tested_on_is_drawn_or_asked_about(
    corpus: str, folder: Path, data: TrainingData
) -> None:
    held_out = keys_of(folder / "questions/val.jsonl") | keys_of(folder / "questions/test.jsonl")
    assert held_out
    drawn = keys_in(data.corpus)
    captioned = {key for file in data.captions for key in keys_of(Path(file))}
    labelled = {key for file in data.labels.values() for key in keys_of(Path(file))}
    assert len(data.captions) == 2 and captioned and labelled
    for learnt in (drawn, captioned, labelled, keys_of(folder / "questions/train.jsonl")):
        assert not held_out & learnt
    for split in ("val", "test"):  # pictures are in one split, whatever is asked of them
        for name in ("captions-picture", "captions-class-map"):
            assert not keys_of(folder / name / f"{split}.jsonl") & (drawn | captioned)
    assert drawn | held_out <= keys_in(corpus) and len(drawn) == data.pictures


def test_labels_as_questions_are_of_the_very_pictures_that_are_drawn(
    folder: Path, data: TrainingData
) -> None:
    ((count, file),) = data.labels.items()
    assert count == 16
    subset = sgt_data.subset(data.corpus, 16 / data.pictures, file=str(folder / "x.subset.parquet"))
    assert keys_of(Path(file)) <= keys_in(subset.place)
    assert keys_in(subset.place) == keys_in(str(folder / "training-16.subset.parquet"))


def test_controls_may_have_seeds_of_their_own(data: TrainingData) -> None:
    plan = parse_plan(PLAN, ["seeds=[1, 2]", "control_seeds=[7]"])
    seeds = {arm.name: list(arm.seeds) for arm in arms_of("scale", plan, data)}
    assert {name for name, own in seeds.items() if own == [7]} == CONTROLS
    assert all(own == [1, 2] for name, own in seeds.items() if name not in CONTROLS)


def test_a_corpus_smaller_than_the_ladder_has_every_arm(corpus: str, tmp_path: Path) -> None:
    changes = ["ladder=[1000, 2000]", "equal_epochs=[1000]", "train.captions=0"]
    plan = parse_plan(
        PLAN, [*changes, f"controls=['{LABELS}']", f"settings={{'{LABELS}': {{rate: 0.5}}}}"]
    )
    data = prepare("scale", plan, corpus, Materials(), tmp_path, ignore).training
    assert list(data.labels) == [data.pictures]
    assert [arm.x for arm in arms_of("scale", plan, data) if arm.x] == [
        data.pictures, data.pictures,
    ]  # fmt: skip


def differing_fields(first: Arm, second: Arm) -> set[str]:
    """Fields in which the configurations of two arms differ."""

    def flat(document: dict[str, object], path: str = "") -> dict[str, object]:
        fields: dict[str, object] = {}
        for name, value in document.items():
            inner = flat(value, f"{path}{name}.") if isinstance(value, dict) else {}
            fields |= inner or {f"{path}{name}": value}
        return fields

    a, b = flat(document_of(first.config)), flat(document_of(second.config))
    return {name for name in a if a[name] != b[name]}


def test_arms_of_the_scale_experiment_differ_by_one_thing_each(
    plan: Plan, data: TrainingData
) -> None:
    arms = arms_of("scale", plan, data)
    name = "semantic and panoptic"
    assert [(arm.name, arm.x) for arm in arms] == [
        (QUESTIONS_ALONE, 0.0), (name, 8.0), (name, 16.0), (f"{name}{EQUAL_EPOCHS}", 8.0),
        (SAME_SAMPLES, None), (SAME_COMPUTE, None), (BLIND, None), (LABELS, 16.0),
        ("semantic, wrong targets", None), ("semantic, classified", None), (UNTRAINED, None),
    ]  # fmt: skip
    alone, few, many, epochs, samples, compute, blind, labels, wrong, classified, _ = arms
    assert differing_fields(few, many) == {"data.fraction"}
    pace_of_time = {"steps", "warm_up", "log_every", "checkpoint_every"}
    assert "steps" in differing_fields(few, epochs) <= pace_of_time
    assert differing_fields(alone, few) == {"drawings", "data.proxies", "data.fraction"}
    assert differing_fields(alone, samples) == {"questions"} == differing_fields(alone, compute)
    assert samples.config.questions == few.config.questions + few.config.drawings
    assert compute.config.questions == 6 + 1.5 * 6 == equal_compute_questions(plan, data)
    assert differing_fields(blind, alone) == {"data.blind"}
    assert differing_fields(labels, samples) == {"data.more_questions"}
    assert differing_fields(wrong, classified) == {"data.wrong_targets", "objective"}
    assert differing_fields(wrong, many) == {
        "data.wrong_targets", "data.proxies", "data.fraction",
    }  # fmt: skip
    assert {arm.config.captions for arm in arms} == {3}  # replayed in every arm
    assert (
        len({(*arm.config.data.captions, arm.config.data.more_questions[0]) for arm in arms}) == 1
    )


def test_every_picture_is_drawn_as_often_on_each_rung_of_equal_epochs(data: TrainingData) -> None:
    plan = parse_plan(PLAN, ["ladder=[4, 8, 16]", "equal_epochs=[4, 8]", "train.steps=64",
                             "train.checkpoint_every=8"])  # fmt: skip
    rungs = [arm for arm in arms_of("scale", plan, data) if arm.family.startswith("semantic and")]
    top = next(arm for arm in rungs if arm.label == arm.family)
    assert (top.pictures, top.config.steps) == (16, 64)
    epochs = {arm.pictures: arm for arm in rungs if arm.name.endswith(EQUAL_EPOCHS)}
    assert {count: arm.config.steps for count, arm in epochs.items()} == {4: 16, 8: 32}
    for arm in epochs.values():  # and their curves have as many points
        points = arm.config.steps / arm.config.checkpoint_every
        assert points == top.config.steps / top.config.checkpoint_every
    with pytest.raises(RequestError, match="equal_epochs: found 5; must be rungs of the ladder"):
        arms_of("scale", replace(plan, equal_epochs=(5,)), data)


def test_the_cost_of_a_drawing_is_counted_and_the_same_each_time(
    plan: Plan, prepared: Prepared
) -> None:
    config = whole_batch(plan, prepared.training)
    cost = drawing_cost(config)
    assert cost == drawing_cost(config)
    # two layers more than a question has, over all patches
    assert 1 < cost < 3
    flat = replace(config, model=replace(config.model, settings={
        **config.model.settings, "generator_layers": 0, "generation": "regression",
    }))  # fmt: skip
    assert drawing_cost(flat) < cost


def test_captions_that_a_plan_replays_must_be_there(corpus: str, tmp_path: Path) -> None:
    plan = parse_plan(PLAN, ["controls=[]"])
    data = prepare("scale", plan, corpus, Materials(), tmp_path, ignore).training
    with pytest.raises(RequestError, match=r"train\.captions: .*give --captions FILE"):
        arms_of("scale", plan, data)


def test_a_ladder_beyond_the_corpus_ends_with_all_of_it(plan: Plan, data: TrainingData) -> None:
    longer = parse_plan(PLAN, ["ladder=[8, 1000, 5000]"])
    arms = arms_of("scale", replace(longer, controls=(), equal_epochs=()), data)
    drawn = [arm for arm in arms if arm.name.startswith("semantic")]
    assert [arm.pictures for arm in drawn] == [8, data.pictures]
    assert drawn[-1].config.data.fraction is None


def test_proxies_have_the_same_pictures_and_budget(data: TrainingData) -> None:
    changes = ["proxies=[semantic, panoptic, [semantic, panoptic]]", "controls=[]"]
    arms = arms_of("proxies", parse_plan(PLAN, changes), data)
    names = [arm.name for arm in arms]
    assert names == [
        QUESTIONS_ALONE, "semantic", "panoptic", "semantic and panoptic",
    ]  # fmt: skip
    assert (
        differing_fields(arms[1], arms[2]) == {"data.proxies"} == differing_fields(arms[2], arms[3])
    )


def test_ratios_share_one_batch(plan: Plan, data: TrainingData) -> None:
    arms = arms_of("ratio", replace(plan, controls=()), data)
    assert [(arm.x, arm.config.drawings, arm.config.questions) for arm in arms] == [
        ("2:1", 8, 4), ("1:2", 4, 8), (None, 0, 12),
    ]  # fmt: skip


def test_settings_tuned_for_an_arm_are_its_alone(data: TrainingData) -> None:
    plan = parse_plan(PLAN, [f"settings={{'{SAME_COMPUTE}': {{rate: 0.5}}}}"])
    rates = {arm.name: arm.config.rate for arm in arms_of("scale", plan, data)}
    assert rates.pop(SAME_COMPUTE) == 0.5
    assert set(rates.values()) == {0.005}


@pytest.mark.parametrize(
    ("kind", "override", "message"),
    [
        ("scale", "ladder=[]", "ladder: a scale experiment needs"),
        ("ratio", "ratios=[x]", "ratios: found 'x'"),
        ("ratio", "ratios=['100:1']", "leaves one part empty"),
        ("scale", "settings={nobody: {rate: 1}}", "settings: found 'nobody'"),
        ("scale", "controls=['semantic, drawn']", "controls: found 'semantic, drawn'"),
        ("scale", "tuning_seed=1", "tuning_seed is 1, which is one of the seeds"),
        ("scale", "init_gate=false", "init_gate: .*written in the file of a plan"),
        ("scale", "train.stepps=1", "stepps: no such field"),
    ],
)
def test_an_error_in_a_plan_names_the_field(
    data: TrainingData, kind: str, override: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        arms_of(kind, parse_plan(PLAN, [override]), data)  # type: ignore[arg-type]


def test_runs_are_measured_once_and_found_again(
    corpus: str, plan: Plan, prepared: Prepared, data: TrainingData, tmp_path: Path
) -> None:
    wanted = (QUESTIONS_ALONE, "semantic and panoptic", "semantic, classified", UNTRAINED)
    arms = {arm.name: replace(arm, seeds=(0,)) for arm in arms_of("scale", plan, data)}
    # what scores drawings takes a minute to learn; test_experiment_captions.py learns it
    measurement = Measurement(further=replace(prepared.further, generation=None))
    jobs = jobs_of(
        [arms[name] for name in wanted], sgt_data.open_corpus(corpus), tmp_path / "runs",
        "validation", measurement,
    )  # fmt: skip
    assert run_jobs(jobs, 1, ignore) == []
    first = {job.name: job.result.read_bytes() for job in jobs}
    assert len(first) == 4
    written = {job.name: job.result.stat().st_mtime_ns for job in jobs}
    assert run_jobs(jobs, 1, ignore) == []
    assert {job.name: job.result.read_bytes() for job in jobs} == first
    for job in jobs:
        run_job(job)
    assert {job.name: job.result.stat().st_mtime_ns for job in jobs} == written
    for job in jobs:
        result = decode_result(job.result.read_bytes(), str(job.result))
        assert result.arm == job.arm.name and result.split == "validation"
        drawn = job.config.data.proxies if job.config.objective == "draw" else ()
        assert set(result.layout) == set(drawn)
        assert len(result.attention) == 1
        assert set(result.others) == {"arithmetic"}
        assert (result.samples.questions > 0) == job.arm.trained
        assert len(result.validation_curve) == (8 if job.arm.trained else 0)
        assert (result.plateau is not None) == job.arm.trained


def test_a_list_of_keys_becomes_a_subset_that_nests(corpus: str, tmp_path: Path) -> None:
    keys = sorted(keys_in(corpus))[::2]
    file = str(tmp_path / "keys.subset.parquet")
    write_subset_file(subset_of_keys(sgt_data.open_corpus(corpus), keys), file)
    assert keys_in(file) == set(keys)
    halves = [
        sgt_data.subset(file, fraction, file=f"{tmp_path}/{fraction}.subset.parquet").place
        for fraction in (0.25, 0.5)
    ]
    assert keys_in(halves[0]) < keys_in(halves[1]) < set(keys)
    with pytest.raises(RequestError, match="has no 'nobody'"):
        subset_of_keys(sgt_data.open_corpus(corpus), ["nobody"])
