"""The learner around a vision-language model of `transformers`: it learns, and scores as LLaVA."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn
from training_data import write_training_data

from sgt_data.errors import RequestError
from sgt_data.extras import install_hint, library_missing
from sgt_data.training import vlm_learner
from sgt_data.training.config import parse_config
from sgt_data.training.learner import Drawings, Learner, Questions, TrainingBatch
from sgt_data.training.train import train
from sgt_data.training.vlm_learner import VisionLanguage, make

torch.set_num_threads(1)

TINY = {"picture": 32, "width": 32}


@pytest.fixture(scope="module")
def model() -> VisionLanguage:
    torch.manual_seed(0)
    return make(TINY).eval()


def pictures(count: int, seed: int = 0) -> torch.Tensor:
    chance = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, 32, 32, generator=chance) * 2 - 1


def test_it_learns_free_text_answers_conversations_and_drawings(
    sample_sources: Path, tmp_path: Path
) -> None:
    data = write_training_data(sample_sources, tmp_path)
    answer = "There are two, as one and one are two: \u00e0 deux."
    lines = [
        {"conversations": turns("How many are one and one?", answer) * count} for count in (1, 2)
    ]
    free_text = tmp_path / "free-text.jsonl"
    free_text.write_text("".join(json.dumps(line) + "\n" for line in lines))
    config = parse_config({
        "data": {**data, "proxies": ["entity", "panoptic"], "more_questions": [str(free_text)]},
        "model": {
            "make": "sgt_data.training.vlm_learner:make", "picture": 32, "settings": {"width": 32},
        },
        "steps": 20, "questions": 3, "drawings": 2, "captions": 1, "log_every": 5,
        "checkpoint_every": 20, "optimiser": "adamw", "warm_up": 2,
    })  # fmt: skip
    trained = train(config, tmp_path / "run")
    first, last = trained.curve[0], trained.curve[-1]
    assert last["answers"] < 0.8 * first["answers"]
    assert last["drawings"] < first["drawings"] and "captions" in last
    scores = trained.model.eval().answer(pictures(1), ["How many are one and one?"],
                                         [[answer, "Vroom!! <<xyz>> &&&&"]])  # fmt: skip
    assert scores[0, 0] > scores[0, 1]
    assert isinstance(trained.model, Learner)


def turns(question: str, answer: str) -> list[dict[str, str]]:
    return [{"from": "human", "value": question}, {"from": "gpt", "value": answer}]


def test_a_choice_scores_as_transformers_own_loss_says(model: VisionLanguage) -> None:
    """One choice alone, its labels written by hand: bytes after the prompt, then the end."""
    seen, choice = pictures(1), "two brown dogs, \u00e9h?"
    with torch.inference_mode():
        score = model.answer(seen, ["What is it?"], [[choice, "no"]])[0, 0]
        prompt = "USER: What is it?\n" + "<image>" * 16 + " ASSISTANT:"
        ids = model.tokenizer(f"{prompt} {choice}</s>", return_tensors="pt").input_ids
        answer = len(f" {choice}".encode()) + 1
        assert ids.shape[1] == len("USER: What is it?\n ASSISTANT:") + 16 + answer
        labels = ids.clone()
        labels[:, :-answer] = -100
        clip = torch.tensor([0.48145466, 0.4578275, 0.40821073])[:, None, None]
        spread = torch.tensor([0.26862954, 0.26130258, 0.27577711])[:, None, None]
        loss = model.model(ids, ((seen + 1) / 2 - clip) / spread, labels=labels).loss
    assert float(score) == pytest.approx(-float(loss), rel=1e-4)


def test_answers_do_not_depend_on_what_else_is_in_the_batch(model: VisionLanguage) -> None:
    seen = pictures(3)
    texts = ["Why?", "How many balls are there in the picture?", "What <image> is it?"]
    choices = [["a long reason, told at length", "no"], ["1", "2", "3"], ["yes"]]
    with torch.inference_mode():
        together = model.answer(seen, texts, choices)
        assert together.shape == (3, 3)
        assert torch.isneginf(together).tolist() == [[False, False, True], [False] * 3,
                                                     [False, True, True]]  # fmt: skip
        for row, each in enumerate(choices):
            alone = model.answer(seen[row : row + 1], texts[row : row + 1], [each])[0]
            assert torch.allclose(together[row, : len(each)], alone, atol=1e-5)
        batch = TrainingBatch(Questions(seen, texts, [each[0] for each in choices]))
        assert float(model(batch)["answers"]) == pytest.approx(-float(together[:, 0].mean()))


def test_even_attention_is_the_baseline(model: VisionLanguage) -> None:
    """With queries of zero, each token attends alike to all that stand before it."""
    torch.manual_seed(0)
    even = make(TINY).eval()
    for layer in even.model.model.language_model.layers:
        nn.init.zeros_(layer.self_attn.q_proj.weight)
    texts = ["Why?", "How many balls are there?"]
    with torch.inference_mode():
        attention = even.visual_attention(pictures(2), texts)
        other = model.visual_attention(pictures(2), texts)
    tokens = [16 + len(f"USER: {text}\n ASSISTANT:") for text in texts]
    assert attention.uniform.tolist() == pytest.approx([16 / count for count in tokens])
    assert torch.allclose(attention.shares, attention.uniform.expand(2, -1), atol=1e-6)
    assert not torch.allclose(other.shares, attention.shares, atol=1e-4)


def test_what_is_drawn_depends_on_picture_and_text(model: VisionLanguage) -> None:
    seen = pictures(1)
    with torch.inference_mode():
        drawn = [model.draw(picture, [text]) for picture, text in (
            (seen, "depth"), (seen, "edges"), (pictures(1, seed=1), "depth"),
        )]  # fmt: skip
        assert model.features(seen).shape == (1, 4, 4, 32)
    assert drawn[0].shape == seen.shape and float(drawn[0].abs().max()) <= 1
    assert not torch.allclose(drawn[0], drawn[1], atol=1e-4)
    assert not torch.allclose(drawn[0], drawn[2], atol=1e-4)


def test_drawings_with_classes_are_classified(model: VisionLanguage) -> None:
    seen = pictures(2)
    classes = torch.randint(0, 100, (2, 32, 32))
    batch = TrainingBatch(
        drawings=Drawings(seen, ["a", "b"], seen, classes),
        captions=Drawings(seen, ["c", "d"], seen),
    )
    losses = model(batch)
    assert losses.keys() == {"drawings", "captions"}
    assert 3 < float(losses["drawings"].detach()) < 7  # that of guessing one of 161 is 5.1


def test_a_folder_in_llavas_form_is_read_with_its_tokenizer(
    model: VisionLanguage, tmp_path: Path
) -> None:
    model.model.save_pretrained(tmp_path)
    model.tokenizer.save_pretrained(tmp_path)
    read = make({"picture": 32, "pretrained": str(tmp_path)}).eval()
    question = pictures(2), ["Why?", "How?"], [["because"], ["so", "\u00e9"]]
    with torch.inference_mode():
        assert torch.allclose(read.answer(*question), model.answer(*question), atol=1e-5)
    with pytest.raises(RequestError, match=r"is 48; .*by 32 pixels: set model\.picture=32"):
        make({"picture": 48, "pretrained": str(tmp_path)})
    torch.save(model.model.state_dict(), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(RequestError, match="is no model in LLaVA's form"):
        make({"picture": 32, "pretrained": str(tmp_path)})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"picture": 32, "widht": 64}, "model.settings.widht: .*width"),
        ({"picture": 30}, "model.picture is 30, a multiple of 8"),
        ({"picture": 32, "width": 30}, "model.settings.width is 30"),
        ({"picture": 32, "pretrained": "/nowhere/at/all"}, "model.settings.pretrained: "),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(RequestError, match=message):
        make(settings)


def test_without_transformers_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(ImportError) as missing:
        make(TINY)
    assert str(library_missing(missing.value)) == (
        f"this needs transformers, which is not installed: {install_hint('annotate')}"
    )


def test_the_whole_learner_is_below_90_lines() -> None:
    assert len(Path(vlm_learner.__file__).read_text().splitlines()) < 90
