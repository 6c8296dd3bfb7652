"""Arms differ by what they are named for and by nothing else; what is tested is never drawn."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

import sgt_data
from sgt_data.errors import RequestError
from sgt_data.experiment.measure.run_result import decode_result
from sgt_data.experiment.parallel_runs import run_jobs
from sgt_data.experiment.plan.arms import (
    BLIND,
    LABELS,
    QUESTIONS_ALONE,
    SAME_COMPUTE,
    UNTRAINED,
    Arm,
    TrainingData,
    arms_of,
)
from sgt_data.experiment.plan.experiment_plan import Plan, parse_plan
from sgt_data.experiment.prepare_data import prepare
from sgt_data.experiment.runs import jobs_of, run_job
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import ignore
from sgt_data.scenes.write_samples import write_samples
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys
from sgt_data.training.config import document_of

PLAN = """
train:
  {steps: 4, questions: 6, drawings: 6, log_every: 2, checkpoint_every: 4,
   model: {picture: 32, settings: {width: 32, layers: 1}}}
proxies: [semantic, panoptic]
seeds: [0, 1]
ladder: [8, 16]
ratios: ["2:1", "1:2"]
question_share: 0.4
held_out_share: 0.25
tasks: [presence]
"""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("experiment")
    write_samples(str(root / "scenes"), 64, size=(96, 96))
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
def folder(corpus: str, plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("prepared")
    prepare("scale", plan, corpus, path, ignore)
    return path


@pytest.fixture(scope="module")
def data(corpus: str, plan: Plan, folder: Path) -> TrainingData:
    return prepare("scale", plan, corpus, folder, ignore)  # reuses what the fixture `folder` wrote


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
    assert not held_out & drawn
    assert not held_out & keys_of(folder / "questions/train.jsonl")
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
    controls = {SAME_COMPUTE, BLIND, LABELS, UNTRAINED}
    assert {name for name, own in seeds.items() if own == [7]} == controls
    assert all(own == [1, 2] for name, own in seeds.items() if name not in controls)


def test_a_corpus_smaller_than_the_ladder_has_every_arm(corpus: str, tmp_path: Path) -> None:
    plan = parse_plan(PLAN, ["ladder=[1000, 2000]", f"settings={{'{LABELS}': {{rate: 0.5}}}}"])
    data = prepare("scale", plan, corpus, tmp_path, ignore)
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
        (QUESTIONS_ALONE, 0.0), (name, 8.0), (name, 16.0), (SAME_COMPUTE, None), (BLIND, None),
        (LABELS, 16.0), (UNTRAINED, None),
    ]  # fmt: skip
    alone, few, many, compute, blind, labels, _ = arms
    assert differing_fields(few, many) == {"data.fraction"}
    assert differing_fields(alone, few) == {"drawings", "data.proxies", "data.fraction"}
    assert differing_fields(alone, compute) == {"questions"}
    assert compute.config.questions == few.config.questions + few.config.drawings
    assert differing_fields(blind, alone) == {"data.blind"}
    assert differing_fields(labels, compute) == {"data.more_questions"}


def test_a_ladder_beyond_the_corpus_ends_with_all_of_it(plan: Plan, data: TrainingData) -> None:
    longer = parse_plan(PLAN, ["ladder=[8, 1000, 5000]"])
    drawn = [arm for arm in arms_of("scale", longer, data) if arm.name.startswith("semantic")]
    assert [arm.pictures for arm in drawn] == [8, data.pictures]
    assert drawn[-1].config.data.fraction is None


def test_proxies_have_the_same_pictures_and_budget(data: TrainingData) -> None:
    plan = parse_plan(PLAN, ["proxies=[semantic, panoptic, [semantic, panoptic]]"])
    arms = arms_of("proxies", plan, data)
    names = [arm.name for arm in arms]
    assert names == [
        "semantic", "panoptic", "semantic and panoptic", QUESTIONS_ALONE, UNTRAINED,
    ]  # fmt: skip
    assert (
        differing_fields(arms[0], arms[1]) == {"data.proxies"} == differing_fields(arms[1], arms[2])
    )


def test_ratios_share_one_batch(plan: Plan, data: TrainingData) -> None:
    arms = arms_of("ratio", plan, data)
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
        ("scale", "train.stepps=1", "stepps: no such field"),
    ],
)
def test_an_error_in_a_plan_names_the_field(
    data: TrainingData, kind: str, override: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        arms_of(kind, parse_plan(PLAN, [override]), data)  # type: ignore[arg-type]


def test_runs_are_measured_once_and_found_again(
    corpus: str, plan: Plan, data: TrainingData, tmp_path: Path
) -> None:
    arms = [arm for arm in arms_of("scale", plan, data) if arm.x in (0.0, 8.0)]
    arms.append(arms_of("scale", plan, data)[-1])
    arms = [replace(arm, seeds=(0,)) for arm in arms]
    jobs = jobs_of(arms, sgt_data.open_corpus(corpus), tmp_path, "validation")
    assert run_jobs(jobs, 1, ignore) == []
    first = {job.name: job.result.read_bytes() for job in jobs}
    assert len(first) == 3
    written = {job.name: job.result.stat().st_mtime_ns for job in jobs}
    assert run_jobs(jobs, 1, ignore) == []
    assert {job.name: job.result.read_bytes() for job in jobs} == first
    for job in jobs:
        run_job(job)
    assert {job.name: job.result.stat().st_mtime_ns for job in jobs} == written
    for job in jobs:
        result = decode_result(job.result.read_bytes(), str(job.result))
        assert result.arm == job.arm.name and result.split == "validation"
        assert set(result.layout) == set(job.config.data.proxies)
        assert len(result.attention) == 1
        assert (result.samples.questions > 0) == job.arm.trained


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
