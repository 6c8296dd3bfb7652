"""With which weights a run begins, and what validation does while it is trained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from training_data import config_of

from sgt_data.errors import RequestError
from sgt_data.training.config import document_of
from sgt_data.training.denormals import are_denormals_zero, denormals_as_zero
from sgt_data.training.initial_weights import with_init_digest
from sgt_data.training.own_models import make_model
from sgt_data.training.train import Row, train

torch.set_num_threads(1)

SHORT = ("steps=4", "questions=3", "drawings=2")


@pytest.fixture(scope="module")
def trained(training_data: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run."""
    folder = tmp_path_factory.mktemp("start") / "first"
    train(config_of(training_data, *SHORT), folder)
    return folder


def without_seconds(curve: list[Row]) -> list[Row]:
    return [{name: value for name, value in row.items() if name != "seconds"} for row in curve]


def test_a_model_begins_with_the_weights_of_a_checkpoint_or_of_a_run(
    training_data: dict[str, Any], trained: Path
) -> None:
    checkpoint = trained / "checkpoints/step-00000004.pt"
    expected = torch.load(checkpoint, weights_only=True)["model"]
    for place in (trained, checkpoint, checkpoint.parent):
        weights = make_model(config_of(training_data, f"model.init={place}", "seed=7")).state_dict()
        assert weights.keys() == expected.keys()
        assert all(torch.equal(weights[name], expected[name]) for name in expected)


def test_the_checkpoint_that_a_run_begins_with_is_part_of_the_run(
    training_data: dict[str, Any], trained: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "start.pt"
    moved.write_bytes((trained / "checkpoints/step-00000004.pt").read_bytes())
    config = config_of(training_data, *SHORT, f"model.init={trained}")
    stated = document_of(with_init_digest(config))["model"]["init_digest"]
    assert len(stated) == 64
    train(config, tmp_path / "run")
    assert stated in (tmp_path / "run/config.json").read_text()
    again = config_of(training_data, *SHORT, f"model.init={moved}")
    assert train(again, tmp_path / "run").curve[-1]["step"] == 4  # the same weights elsewhere
    other = train(config_of(training_data, *SHORT, "seed=3"), tmp_path / "other")
    moved.write_bytes(other.checkpoint.read_bytes())
    with pytest.raises(RequestError, match=r"model\.init_digest is another there than here"):
        train(again, tmp_path / "run")
    with pytest.raises(RequestError, match="it is another checkpoint"):
        train(config_of(training_data, f"model.init={moved}", f"model.init_digest={stated}"), "x")


OTHERS = {
    "shape": ("model.settings.width=64", r"patch_places has the shape \(16, 32\).*here \(16, 64\)"),
    "missing": ("model.settings.layers=3", r"trunk\.2\.\S+ is missing in the checkpoint"),
    "unexpected": ("model.settings.layers=1", r"trunk\.1\.\S+ is not in this model"),
    "settings": ("model.settings.layers=1", "model.settings.layers is 2 there, 1 here"),
}


@pytest.mark.parametrize(("override", "message"), OTHERS.values(), ids=OTHERS)
def test_weights_of_another_model_are_named(
    training_data: dict[str, Any], trained: Path, override: str, message: str
) -> None:
    with pytest.raises(RequestError) as why:
        make_model(config_of(training_data, f"model.init={trained}", override))
    assert re.search(message, str(why.value), re.DOTALL), str(why.value)


def test_a_missing_checkpoint_is_named(training_data: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"model\.init: .*nothing is no file, and no folder"):
        make_model(config_of(training_data, f"model.init={tmp_path}/nothing"))


def test_a_checkpoint_of_an_earlier_version_is_refused(
    training_data: dict[str, Any], trained: Path, tmp_path: Path
) -> None:
    fields = torch.load(trained / "checkpoints/step-00000004.pt", weights_only=True)
    fields.pop("format")
    (tmp_path / "checkpoints").mkdir()
    torch.save({**fields, "answers": ("yes", "no")}, tmp_path / "checkpoints/step-00000004.pt")
    with pytest.raises(RequestError, match=r"written by an earlier version.*in another folder"):
        train(config_of(training_data, *SHORT), tmp_path)


def test_validation_stands_in_the_rows_of_checkpoints_and_changes_nothing(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    flow = ("model.settings.generation=flow", "steps=10", "questions=3", "drawings=2")
    config = config_of(training_data, *flow)
    calls: list[bool] = []

    def validate(model: nn.Module) -> float:
        calls.append(model.training or torch.is_grad_enabled())
        torch.rand(3)
        return 0.25 * len(calls)

    plain = train(config, tmp_path / "plain")
    validated = train(config, tmp_path / "validated", validate=validate)
    rows = {row["step"]: row.pop("validation", None) for row in validated.curve}
    assert rows == {2: None, 4: 0.25, 6: None, 8: 0.5, 10: 0.75}
    assert without_seconds(validated.curve) == without_seconds(plain.curve)
    assert calls == [False] * 3 and validated.model.training
    again = train(config, tmp_path / "validated", validate=validate)
    assert [row.get("validation") for row in again.curve] == [None, 0.25, None, 0.5, 0.75]


def test_numbers_too_small_for_speed_are_zero_only_while_a_run_is_trained(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    """Denormal gradients of answers that are known made a step four times as long."""
    products = []

    def validate(model: nn.Module) -> float:
        products.append(float(torch.tensor(1e-30) * torch.tensor(1e-10)))
        return 0.0

    assert not are_denormals_zero()
    train(config_of(training_data, *SHORT), tmp_path / "run", validate=validate)
    assert products
    assert not any(products)
    assert not are_denormals_zero()


def test_a_caller_that_takes_denormal_numbers_for_zero_goes_on_to_do_so() -> None:
    torch.set_flush_denormal(True)
    try:
        with denormals_as_zero():
            assert are_denormals_zero()
        assert are_denormals_zero()
    finally:
        torch.set_flush_denormal(False)
    with pytest.raises(ValueError), denormals_as_zero():
        raise ValueError
    assert not are_denormals_zero()


def test_bfloat16_learns_on_a_cpu(training_data: dict[str, Any], tmp_path: Path) -> None:
    full = train(config_of(training_data, *SHORT), tmp_path / "fp32").curve
    half = train(config_of(training_data, *SHORT, "precision=bf16"), tmp_path / "bf16").curve
    assert half[0]["drawings"] == pytest.approx(full[0]["drawings"], rel=0.05)
    assert half[0]["drawings"] != full[0]["drawings"]
