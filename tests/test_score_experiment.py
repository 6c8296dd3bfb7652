"""What a run of the experiment drew, scored from its files, has the figures of its result."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sgt_data
from sgt_data.experiment.materials import Materials
from sgt_data.experiment.measure import measure_run
from sgt_data.experiment.measure.drawn_examples import to_pixels
from sgt_data.experiment.measure.fidelity import GeneratedTarget
from sgt_data.experiment.measure.model_outputs import generate_targets
from sgt_data.experiment.measure.run_result import RunResult, decode_result
from sgt_data.experiment.plan.arms import Arm
from sgt_data.experiment.plan.arms_of_kind import arms_of
from sgt_data.experiment.plan.experiment_plan import parse_plan
from sgt_data.experiment.prepare_data import prepare
from sgt_data.experiment.run_job import run_job
from sgt_data.experiment.runs import Measurement, jobs_of
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.progress import ignore
from sgt_data.scenes.write_samples import write_samples
from sgt_data.subsets.subset_file import write_subset_file
from sgt_data.subsets.subset_of_keys import subset_of_keys

PLAN = """
train:
  {steps: 30, questions: 6, drawings: 12, log_every: 10, checkpoint_every: 30,
   model: {picture: 32, settings: {width: 32, layers: 1}}}
proxies: [[semantic, panoptic, depth, edge, denoise]]
seeds: [0]
held_out_share: 0.3
tasks: [presence]
keep_drawn: true
"""

AS_THE_EXPERIMENT = {
    "reject": None, "reach": 0, "speck": 0, "colours": "stated", "compare_at": "drawing",
    "fit_to": "clipped target", "resampling": "bicubic",
}  # fmt: skip
"""Parameters of decoding by which the experiment reads what its models draw."""

AS_CLOSE = 1e-4
"""Both figures are of the same 8-bit drawings; the grids that they are compared on are computed in
another order."""


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("scored-runs")
    write_samples(str(root / "scenes"), 32, size=(64, 64), forms="coco", scenes="simple")
    source = {
        "type": "coco", "root": f"{root}/scenes/coco", "annotations": ["panoptic"],
        "depth": f"{root}/scenes/depth",
    }  # fmt: skip
    document = {
        "name": "scenes",
        "pictures": {"min_side": 32, "max_side": 64},
        "sources": [source],
        "proxies": [
            {"type": "segmentation", "name": "semantic", "variant": "semantic"},
            {"type": "segmentation", "name": "panoptic", "variant": "panoptic"},
            {"type": "depth"},
            {"type": "edge"},
            {"type": "denoise"},
        ],
    }
    built = sgt_data.build_corpus(
        parse_manifest(document), str(root / "c"), cluster=sgt_data.IN_PROCESS
    )
    assert built.succeeded
    return str(root / "c")


def eight_bit_targets(*arguments: Any) -> list[GeneratedTarget]:
    """The targets that a model generates, of 8 bits a channel."""
    return [
        replace(target, generated=to_pixels(target.generated).transpose(2, 0, 1) / 127.5 - 1)
        for target in generate_targets(*arguments)
    ]


@pytest.mark.slow
def test_the_drawings_of_a_run_score_as_its_result_says(
    corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # the experiment measures the generated numbers themselves: let it measure what files hold of
    # them, as a model that has learnt little draws colours halfway between those of two classes
    monkeypatch.setattr(measure_run, "generate_targets", eight_bit_targets)
    plan = parse_plan(PLAN)
    data = prepare("proxies", plan, corpus, Materials(), tmp_path, ignore).training
    arm: Arm = next(arm for arm in arms_of("proxies", plan, data) if arm.config.drawings)
    opened = sgt_data.open_corpus(corpus)
    kept = Measurement(keep_drawn=True)
    (job,) = jobs_of([arm], opened, tmp_path / "runs", "validation", kept)
    run_job(job)
    result: RunResult = decode_result(job.result_bytes(), str(job.result))
    assert set(result.layout) == {"semantic", "panoptic", "depth", "edge", "denoise"}
    assert job.drawn_folder is not None
    keys = {path.stem for path in (job.drawn_folder / "semantic").glob("*.png")}
    assert keys and len(keys) < len(opened["semantic"])
    split = str(tmp_path / "validation.subset.parquet")
    write_subset_file(subset_of_keys(opened, keys), split)
    score = sgt_data.score(split, job.drawn_folder, decoding=AS_THE_EXPERIMENT, processes=1)
    for proxy, layout in result.layout.items():
        assert score[proxy].scored == score[proxy].samples == len(keys)
        for name, measured in layout.items():
            scored = score[proxy].measures[name]
            assert scored.value == pytest.approx(measured.value, abs=AS_CLOSE), (proxy, name)
            assert scored.count == measured.count
            ends = np.array([scored.low, scored.high]), np.array([measured.low, measured.high])
            assert np.allclose(*ends, atol=5 * AS_CLOSE), (proxy, name)
