"""An experiment with captions and rich scenes: what scores drawings is learnt once, every run draws
captions, the page shows some of the drawings, and rich scenes ask what training asks."""

from __future__ import annotations

import json
from base64 import b64encode
from pathlib import Path

import pytest
from making import built

from sgt_data.errors import RequestError
from sgt_data.experiment.experiment_report import ExperimentReport
from sgt_data.experiment.materials import Materials
from sgt_data.experiment.measure import make_scorer as making_scorer
from sgt_data.experiment.measure import scene_segmenter
from sgt_data.experiment.plan.experiment_plan import parse_plan
from sgt_data.experiment.report import outputs
from sgt_data.experiment.run_experiment import run_experiment
from sgt_data.scenes.write_samples import write_samples

pytest.importorskip("scipy")
pytest.importorskip("matplotlib")

PLAN = parse_plan("""
train:
  {steps: 2, questions: 4, drawings: 4, captions: 2, log_every: 2, checkpoint_every: 2,
   model: {picture: 32, settings: {width: 16, layers: 1, heads: 2, generator_layers: 1,
                                   flow_steps: 2}}}
proxies: [semantic]
seeds: [0]
from_scratch: true
arithmetic_share: 0
controls: []
primary: {arm: semantic, baseline: questions alone}
ratios: ["1:1"]
question_share: 0.4
held_out_share: 0.25
tasks: [presence]
""")


def scenes(root: Path, seed: int) -> str:
    """A corpus of drawn scenes, whose captions lie beside it."""
    write_samples(str(root), 48, size=(32, 32), scenes="simple", forms=["coco"], seed=seed)
    source = {"type": "coco", "root": f"{root}/coco", "annotations": ["instances"]}
    proxies = [
        {"type": "segmentation", "name": name, "variant": name} for name in ("semantic", "instance")
    ]
    built(root / "c", source, proxies, pictures={"min_side": 32, "max_side": 32})
    return str(root / "c")


@pytest.fixture(scope="module")
def corpora(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    root = tmp_path_factory.mktemp("captioned")
    return scenes(root / "simple", 1), scenes(root / "rich", 2)


@pytest.fixture(scope="module")
def materials(corpora: tuple[str, str]) -> Materials:
    captions = Path(corpora[0]).parent / "coco/annotations/captions_train2017.json"
    return Materials(captions=captions, rich=corpora[1])


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory) -> list[int]:
    """How many pictures each segmenter learnt from, in this module."""
    return []


@pytest.fixture(scope="module")
def report(
    corpora: tuple[str, str],
    materials: Materials,
    learnt: list[int],
    tmp_path_factory: pytest.TempPathFactory,
) -> ExperimentReport:
    """An experiment whose segmenter takes few steps; all else is as ever."""
    learn = scene_segmenter.train_segmenter

    def counted(pictures, labels, categories):  # type: ignore[no-untyped-def]
        learnt.append(len(pictures))
        return learn(pictures, labels, categories)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scene_segmenter, "STEPS", 4)
        patch.setattr(making_scorer, "train_segmenter", counted)
        patch.setattr(outputs, "figures_of", lambda *given: [])
        folder = tmp_path_factory.mktemp("experiment")
        report = run_experiment("ratio", PLAN, corpora[0], folder, materials=materials, processes=1)
    assert report.succeeded and report.runs == 2
    return report


def test_what_scores_drawings_is_learnt_once_and_every_run_is_scored(
    report: ExperimentReport, learnt: list[int]
) -> None:
    assert len(learnt) == 1 and learnt[0] > 20
    folder = Path(report.folder)
    assert len(list(folder.glob("generation-scorer-*.pt"))) == 1
    bounds = json.loads((folder / "validation/generation_bounds.json").read_bytes())["bounds"]
    assert bounds["ceiling"]["class map"]["mean"]["value"] > 0.9
    assert "mIoU" in bounds["picture_problem"]  # so few steps are not enough to read pictures
    for file in folder.glob("runs/*/validation.json"):
        generation = json.loads(file.read_bytes())["result"]["generation"]
        assert set(generation) == {"class map", "class map, captions shuffled"}
        assert 0 <= generation["class map"]["mean"]["value"] <= 1


def test_the_page_shows_what_both_arms_of_the_primary_contrast_drew(
    report: ExperimentReport,
) -> None:
    assert report.page is not None
    page = Path(report.page).read_text()
    sheets = sorted(Path(report.folder).glob("runs/*/validation-captions.png"))
    assert len(sheets) == 2
    for arm, sheet in zip(("questions alone", "semantic, 1:1"), sheets, strict=True):
        png = b64encode(sheet.read_bytes()).decode()
        assert f'alt="captions drawn by {arm}" src="data:image/png;base64,{png}"' in page
    markdown = (Path(report.folder) / "validation/results.md").read_text()
    for column in ("mean", "mean, captions shuffled", "mean, own less shuffled"):
        assert f"class map: {column}" in markdown
    assert "Captions drawn right: class map, captions shuffled" not in markdown


def test_a_page_of_runs_from_random_weights_names_no_pretrained_model(
    report: ExperimentReport,
) -> None:
    assert report.page is not None
    page = Path(report.page).read_text()
    assert "A model that begins with random weights is trained with batches" in page
    for words in ("A pretrained model is trained", "begin with one checkpoint"):
        assert words not in page


def test_rich_scenes_ask_what_training_asks(report: ExperimentReport) -> None:
    folder = Path(report.folder)

    def asked(file: str) -> set[tuple[str, str]]:
        turns = [json.loads(line)["conversations"] for line in (folder / file).open()]
        return {(question["value"], answer["value"]) for question, answer in turns}

    known = asked("questions/train.jsonl")
    for split in ("val", "test"):
        rich = asked(f"rich-questions/{split}.jsonl")
        assert rich and rich <= known
    for file in folder.glob("runs/*/validation.json"):
        assert set(json.loads(file.read_bytes())["result"]["others"]) == {"rich scenes"}


def test_rich_scenes_are_other_pictures(
    corpora: tuple[str, str], materials: Materials, tmp_path: Path
) -> None:
    same = Materials(captions=materials.captions, rich=corpora[0])
    with pytest.raises(RequestError, match=r"--rich: .*its pictures must be others"):
        run_experiment("ratio", PLAN, corpora[0], tmp_path, materials=same, processes=1)
