"""Own models of the bundled trainer: found in the current folder, checked before they learn."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from own_code import written

from sgt_data.errors import OwnCodeError, RequestError
from sgt_data.experiment.code_version import code_digests
from sgt_data.training.config import TrainConfig, parse_config
from sgt_data.training.learner import Drawings, Questions, TrainingBatch
from sgt_data.training.own_models import losses_of, make_model

PICTURES = torch.zeros(2, 3, 32, 32)
BATCH = TrainingBatch(
    Questions(PICTURES, ["a?"] * 2, ["yes", "no"], ["no", "yes"]),
    Drawings(PICTURES, ["b"] * 2, PICTURES),
    Drawings(PICTURES, ["c"] * 2, PICTURES),
)

MAKES = {
    "no colon": ("tiny", "the form is `package.module:function`"),
    "no file": ("tinny.py:make", "tinny.py cannot be read"),
    "no module": ("tinny:make", "no module tinny, neither installed nor as /.*tinny.py"),
    "no function": ("tiny.py:made", "has no function 'made'; did you mean make"),
    "no callable": ("tiny.py:annotations", "and no function"),
}

MISTAKES = {
    "make takes more": (
        "make(settings",
        "make(answers, settings",
        r"called with \(settings\), a d",
    ),
    "make returns nothing": ("return Tiny(", "Tiny(", "makes None"),
    "no module": ("class Tiny(nn.Module)", "class Tiny", "it is no torch.nn.Module"),
    "answer missing": ("def answer(", "def answers(", r"answer is missing: `def answer\(self, pi"),
    "draw missing": ("def draw(", "def _draw(", "draw is missing.*Generated pictures"),
    "forward missing": ("def forward(", "def step(", "forward is missing.*Losses of a batch"),
    "features missing": ("def features(", "def feats(", "features is missing"),
    "attention missing": ("def visual_attention(", "def attend(", "visual_attention is missing"),
    "settings misread": ('settings.get("width", 32)', "settings.width", "line 74: AttributeError"),
    "library missing": ("import torch\n", "import torchh\n", "line 8: ModuleNotFoundError"),
    "no Python": ("import torch\n", "import torch as\n", "line 8: this is not Python"),
    "loss alone": ("return losses", "return sum(losses.values())", "it returned a Tensor; right"),
    "loss lacking": ('losses["drawings"] = ', "_ = ", "drawings is missing, and the batch has"),
    "caption lacking": ('losses["captions"] = ', "_ = ", "captions is missing, and the batch has"),
    "loss unknown": (
        "return losses",
        "return losses | {'more': scores.sum()}",
        "'more' is no loss of this batch",
    ),
    "loss no mean": ("shown.targets)", 'shown.targets, reduction="none")', "and no scalar tensor"),
    "loss a number": ("shown.targets)", "shown.targets).item()", "and no scalar tensor"),
    "loss detached": ("shown.targets)", "shown.targets).detach()", "has no gradient"),
    "forward fails": ("asked.texts)", "asked.text)", "forward of tiny.py:make: .*AttributeError"),
    "sizes differ": ("nn.Linear(2 * width", "nn.Linear(width", "line 66: RuntimeError: mat1"),
}


def config_of(make: str) -> TrainConfig:
    data = {"corpus": "c", "questions": "q", "proxies": ["p"]}
    return parse_config({"data": data, "model": {"make": make, "picture": 32}})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("make", ["tiny.py:make", "tiny:make"])
def test_a_model_of_the_current_folder_is_found(folder: Path, make: str) -> None:
    written("model", folder)
    model = make_model(config_of(make))
    losses = losses_of(model, BATCH, make)
    assert losses.keys() == {"answers", "drawings", "captions"}


@pytest.mark.parametrize(("make", "message"), MAKES.values(), ids=MAKES)
def test_what_model_make_names_wrongly_is_said(folder: Path, make: str, message: str) -> None:
    written("model", folder)
    with pytest.raises(RequestError, match=message):
        make_model(config_of(make))


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_model_is_named(folder: Path, old: str, new: str, message: str) -> None:
    written("model", folder, (old, new))
    with pytest.raises((RequestError, OwnCodeError)) as caught:
        losses_of(make_model(config_of("tiny.py:make")), BATCH, "tiny.py:make")
    assert re.search(message, str(caught.value), re.DOTALL), str(caught.value)


def test_an_experiment_knows_the_file_of_its_model(folder: Path) -> None:
    file = written("model", folder)
    before = code_digests("tiny.py:make")
    assert "tiny.py" in before and code_digests("tiny:make") == before
    file.write_text(file.read_text() + "# changed\n")
    assert code_digests("tiny.py:make")["tiny.py"] != before["tiny.py"]
