"""Training keeps its word: exact after a kill, alike however a batch is divided, on any model."""

from __future__ import annotations

import io
import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from training_data import config_of

from sgt_data.corpus import sample as corpus_sample
from sgt_data.errors import RequestError
from sgt_data.training import pixel_cache
from sgt_data.training.batches import open_stream
from sgt_data.training.checkpoint import read_checkpoint
from sgt_data.training.collation import Collator
from sgt_data.training.config import TrainConfig, digest_of, document_of
from sgt_data.training.learner import Learner, TrainingBatch
from sgt_data.training.own_models import make_model
from sgt_data.training.train import Trained, train

torch.set_num_threads(1)


@pytest.fixture
def data(training_data: dict[str, Any]) -> dict[str, Any]:
    return training_data


def losses(trained: Trained) -> list[dict[str, float]]:
    return [
        {name: value for name, value in row.items() if name != "seconds"} for row in trained.curve
    ]


def written(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "curve.jsonl").read_text().splitlines()]


KILLED = """
import json, os, signal, sys, torch
torch.set_num_threads(1)
from sgt_data.training.config import parse_config
from sgt_data.training.train import train
def stop(progress):
    if progress.done == 6:  # after the checkpoint of step 4, in the middle of things
        os.kill(os.getpid(), signal.SIGKILL)
train(parse_config(json.loads(sys.argv[1])), sys.argv[2], progress=stop)
"""


@pytest.mark.parametrize(
    "settings", [[], ["model.settings.generation=flow", "model.settings.generator_layers=1"]]
)
def test_a_killed_run_goes_on_as_if_nothing_had_happened(
    data: dict[str, Any], tmp_path: Path, settings: list[str]
) -> None:
    config = config_of(data, *settings)
    undisturbed = train(config, tmp_path / "one")
    command = [sys.executable, "-c", KILLED, json.dumps(document_of(config)), f"{tmp_path}/two"]
    assert subprocess.run(command, timeout=120).returncode == -9
    assert len((tmp_path / "two/curve.jsonl").read_bytes().splitlines()) == 3
    resumed = train(config, tmp_path / "two")
    assert losses(resumed) == losses(undisturbed)
    weights, expected = resumed.model.state_dict(), undisturbed.model.state_dict()
    assert all(torch.equal(weights[name], expected[name]) for name in expected)
    assert [row["step"] for row in written(tmp_path / "two")] == [
        row["step"] for row in undisturbed.curve
    ]


def test_a_finished_run_is_not_trained_again(data: dict[str, Any], tmp_path: Path) -> None:
    config = config_of(data)
    first = train(config, tmp_path)
    kept = {path.name: path.stat().st_mtime_ns for path in first.checkpoint.parent.iterdir()}
    assert sorted(kept) == ["step-00000008.pt", "step-00000012.pt"]
    again: list[Any] = []
    second = train(config, tmp_path, progress=again.append)
    assert losses(second) == losses(first)
    assert second.checkpoint == first.checkpoint
    assert {report.done for report in again} == {0}
    assert kept == {
        path.name: path.stat().st_mtime_ns for path in first.checkpoint.parent.iterdir()
    }


def test_workers_change_nothing(data: dict[str, Any], tmp_path: Path) -> None:
    without = train(config_of(data), tmp_path / "0")
    assert losses(train(config_of(data, "workers=2"), tmp_path / "2")) == losses(without)


def test_another_configuration_does_not_go_on_in_the_folder(
    data: dict[str, Any], tmp_path: Path
) -> None:
    train(config_of(data, "steps=4"), tmp_path)
    with pytest.raises(RequestError, match=r"rate is 0\.005 there, 0\.1 here"):
        train(config_of(data, "steps=4", "rate=0.1"), tmp_path)


def test_nothing_in_a_checkpoint_is_executed(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> Any:
            return os.system, (f"touch {tmp_path}/pwned",)

    out = io.BytesIO()
    torch.save({"step": 1, "config": Evil()}, out)
    for name, content in {"a.pt": out.getvalue(), "b.pt": pickle.dumps(Evil())}.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(RequestError, match="no checkpoint of a run"):
            read_checkpoint(str(tmp_path / name))
    assert not (tmp_path / "pwned").exists()


def first_batch(config: TrainConfig) -> TrainingBatch:
    batch = Collator()(open_stream(config, 0, 1).batch(0))
    return batch.to(torch.device("cpu"))


@pytest.mark.parametrize(
    "make",
    [
        "model.make=sgt_data.training.example_learner:make",
        "model.settings.generation=flow",
        "model.settings.layers=3",
    ],
)
def test_models_keep_the_protocol(data: dict[str, Any], make: str) -> None:
    config = config_of(data, make)
    model = make_model(config)
    assert isinstance(model, Learner)
    batch = first_batch(config)
    assert batch.questions is not None and batch.drawings is not None
    losses_by_name = model.forward(batch)
    assert {"answers", "drawings"} <= set(losses_by_name)
    assert all(value.ndim == 0 for value in losses_by_name.values())
    pictures, texts = batch.drawings.pictures, batch.drawings.texts
    with torch.no_grad():
        scores = model.answer(pictures, texts, [["1", "2"], ["yes"]] * 3 + [["3", "4"]])
        assert scores.shape == (7, 2)
        assert scores.isneginf().tolist() == [[False, False], [False, True]] * 3 + [[False] * 2]
        drawn = model.draw(pictures, texts)
        assert drawn.shape == pictures.shape and drawn.abs().max() <= 1
        grid = model.features(pictures)
        assert grid.ndim == 4 and len(grid) == 7 and grid.shape[1] == grid.shape[2]
        attention = model.visual_attention(pictures, texts)
    for shares in (attention.shares, attention.uniform):
        assert shares.shape[-1] == 7 and ((shares >= 0) & (shares <= 1 + 1e-6)).all()


def test_the_example_of_an_own_model_is_short_and_trains(
    data: dict[str, Any], tmp_path: Path
) -> None:
    from sgt_data.training import example_learner as example

    assert len(Path(example.__file__).read_text().splitlines()) < 90
    config = config_of(
        data, "model.make=sgt_data.training.example_learner:make", "steps=60", "rate=0.02"
    )
    curve = train(config, tmp_path).curve
    assert curve[-1]["drawings"] < 0.9 * curve[0]["drawings"]


def test_a_frozen_trunk_stays_as_it_is(data: dict[str, Any], tmp_path: Path) -> None:
    trunk = train(config_of(data), tmp_path / "joint")
    settings = ["model.settings.shape=frozen", f"model.settings.trunk={trunk.checkpoint}"]
    frozen = train(config_of(data, *settings), tmp_path / "frozen")
    before, after = trunk.model.state_dict(), frozen.model.state_dict()
    changed = {name.split(".")[0] for name in before if not torch.equal(before[name], after[name])}
    assert "patches" in changed and changed <= {"patches", "generator_norm", "answers"}


def test_a_frozen_model_needs_a_trunk_that_fits(data: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="needs a checkpoint"):
        make_model(config_of(data, "model.settings.shape=frozen"))
    trunk = train(config_of(data), tmp_path).checkpoint
    settings = [f"model.settings.trunk={trunk}", "model.settings.shape=frozen"]
    with pytest.raises(RequestError, match="another model"):
        make_model(config_of(data, *settings, "model.settings.width=64"))


def test_a_blind_run_sees_no_picture_of_a_question_and_all_of_what_it_draws(
    data: dict[str, Any],
) -> None:
    batch = first_batch(config_of(data, "data.blind=true"))
    assert batch.questions is not None and batch.drawings is not None
    assert batch.questions.pictures.std() < 1e-6
    assert all(picture.std() > 0 for picture in batch.drawings.pictures)


@pytest.mark.parametrize("room", [1 << 28, 4000, 0])
def test_pictures_that_are_kept_are_those_that_are_decoded(
    data: dict[str, Any], monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    config = config_of(data)
    fresh = [Collator()(open_stream(config, 0, 1).batch(0)) for _ in range(2)][1]
    monkeypatch.setattr(pixel_cache, "CACHE_BYTES", room)
    stream, decoded = open_stream(config, 0, 1), list[int]()
    rgb_pixels = corpus_sample.rgb_pixels
    monkeypatch.setattr(
        corpus_sample,
        "rgb_pixels",
        lambda data, *more: decoded.append(len(data)) or rgb_pixels(data, *more),
    )
    stream.batch(0)
    first = len(decoded)
    again = Collator()(stream.batch(0))
    assert first > 0 and (len(decoded) == first) == (room == 1 << 28)
    for before, after in ((fresh.questions, again.questions), (fresh.drawings, again.drawings)):
        assert before is not None and after is not None
        assert torch.equal(before.pictures, after.pictures)
    assert torch.equal(fresh.drawings.targets, again.drawings.targets)  # type: ignore[union-attr]


def test_questions_and_drawings_come_in_exact_shares(data: dict[str, Any]) -> None:
    config = config_of(data, "questions=8", "drawings=16")
    stream = open_stream(config, 0, 1)
    for step in range(10):
        parts = [sample.get("proxy", "question") for sample in stream.batch(step)["samples"]]
        assert {name: parts.count(name) for name in set(parts)} == {
            "question": 8, "entity": 8, "panoptic": 8,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps=x", "steps: found 'x'"),
        ("data.proxy=1", "data.proxy: no such field"),
        ("checkpoint_every=3", "no multiple of log_every"),
        ("model.make=sgt_data.experiment.nothing:make", "model.make: found"),
        ("model.make=torch.nn:Identity", "answer is missing"),
        ("model.settings.picture=7", "a multiple of 8"),
        ("model.settings.colour=7", "model.settings.colour: no such field"),
        ("data.proxies=[nothing]", "has no proxy 'nothing'"),
        ("data.questions=/nowhere", "there is no /nowhere/train.jsonl"),
    ],
)
def test_what_is_wrong_with_a_configuration_is_said(
    data: dict[str, Any], tmp_path: Path, override: str, message: str
) -> None:
    with pytest.raises(RequestError, match=message):
        train(config_of(data, override), tmp_path)


def test_a_configurations_digest_is_of_all_its_values(data: dict[str, Any]) -> None:
    digests = {
        digest_of(document_of(config_of(data, override)))
        for override in ("seed=0", "seed=1", "rate=0.1", "data.fraction=0.5")
    }
    assert len(digests) == 4


def test_training_lowers_both_losses(data: dict[str, Any], tmp_path: Path) -> None:
    curve = train(config_of(data, "steps=60"), tmp_path).curve
    assert curve[-1]["drawings"] < 0.7 * curve[0]["drawings"]
    assert curve[-1]["answers"] < curve[0]["answers"]


def test_a_fraction_of_the_corpus_is_drawn_and_every_question_asked(data: dict[str, Any]) -> None:
    keys: dict[float, set[str]] = {}
    for fraction in (0.25, 0.5):
        stream = open_stream(config_of(data, f"data.fraction={fraction}"), 0, 1)
        keys[fraction] = {
            sample["key"]
            for step in range(30)
            for sample in stream.batch(step)["samples"]
            if "key" in sample
        }
    assert keys[0.25] < keys[0.5]
