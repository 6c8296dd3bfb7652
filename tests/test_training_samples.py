"""What a model is given: every turn of a conversation, captions, whole pictures, uint8 until the
device, and the controls that change targets."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from corpora import both_sources_document
from making import jpeg
from PIL import Image
from training_data import config_of, conversation, write_lines

import sgt_data
from sgt_data.errors import CorpusError, RequestError
from sgt_data.manifest.manifest import parse_manifest
from sgt_data.segmentation.target_png import decode_target
from sgt_data.training import categories
from sgt_data.training.batches import open_stream
from sgt_data.training.collation import Collator
from sgt_data.training.config import TrainConfig
from sgt_data.training.learner import TrainingBatch
from sgt_data.training.letterbox import content_box, letterboxed, letterboxed_labels
from sgt_data.training.wrong_targets import with_wrong_targets

CPU = torch.device("cpu")
ONLY_QUESTIONS = ("data.proxies=[]", "drawings=0")


def asked(config: TrainConfig, steps: range) -> list[tuple[str, str]]:
    """Texts and answers of the questions of some steps."""
    stream = open_stream(config, 0, 1)
    samples = [sample for step in steps for sample in stream.batch(step)["samples"]]
    return [(sample["text"], sample["answer"]) for sample in samples if "answer" in sample]


def batch_of(config: TrainConfig, step: int = 0) -> TrainingBatch:
    return Collator(config.data.wrong_targets)(open_stream(config, 0, 1).batch(step))


def file_of(folder: Path, *lines: dict[str, Any]) -> str:
    (folder / "a.jpg").write_bytes(jpeg(16, 16))
    return str(write_lines(folder / "v.jsonl", lines))


def talk(key: str, count: int, **fields: Any) -> dict[str, Any]:
    return conversation(key, *((f"Q{n}?", f"A{n}") for n in range(count)), **fields)


def test_every_turn_of_a_conversation_is_learnt_once_in_as_many_passes(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    sizes = {"a": 1, "b": 3, "c": 3, "d": 2}
    file = file_of(tmp_path, *(talk(f"k{key}", n, image="a.jpg") for key, n in sizes.items()))
    data = {**training_data, "questions": file}
    config = config_of(data, *ONLY_QUESTIONS, "questions=4")
    seen = Counter(answer for _, answer in asked(config, range(6)))
    # six passes: "a" six times its one turn, "b" and "c" each turn twice, "d" each three times
    assert seen == {"A0": 6 + 2 + 2 + 3, "A1": 2 + 2 + 3, "A2": 2 + 2}
    firsts = {answer for _, answer in asked(config_of(data, *ONLY_QUESTIONS), range(1))}
    assert asked(config, range(4, 6)) == asked(config, range(6))[16:]  # any step alone, the same
    assert len(firsts) > 1  # the first pass does not learn first turns alone


def test_further_questions_may_be_in_folders_and_in_files(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    more, file = tmp_path / "more", tmp_path / "free.jsonl"
    more.mkdir()
    write_lines(more / "train.jsonl", [conversation("a", ("Folder?", "yes"))])
    write_lines(more / "val.jsonl", [conversation("b", ("Held out?", "yes"))])
    write_lines(file, [conversation("c", ("File?", "yes"))])
    config = config_of(
        training_data, *ONLY_QUESTIONS, f"data.more_questions=[{more}, {file}]", "questions=100"
    )
    texts = {text for text, _ in asked(config, range(1))}
    assert texts == {"Folder?", "File?", "How many classes are there?", "Any?"}


def test_the_turns_before_a_question_are_its_text(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    line = talk("k", 3, image="a.jpg")
    line["conversations"][0]["value"] = "<image>\nQ0?"
    line["conversations"].insert(0, {"from": "system", "value": "Be brief."})
    data = {**training_data, "questions": file_of(tmp_path, line)}
    texts = dict(reversed(pair) for pair in asked(config_of(data, *ONLY_QUESTIONS), range(1)))
    assert texts == {
        "A0": "Be brief.\nQ0?",
        "A1": "Be brief.\nQuestion: Q0?\nAnswer: A0\nQuestion: Q1?",
        "A2": "Be brief.\nQuestion: Q0?\nAnswer: A0\nQuestion: Q1?\nAnswer: A1\nQuestion: Q2?",
    }


def test_a_conversation_without_a_picture_gets_a_grey_one(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    data = {**training_data, "questions": file_of(tmp_path, talk("k", 1))}
    questions = batch_of(config_of(data, *ONLY_QUESTIONS)).questions
    assert questions is not None and (questions.pictures == 127).all()


WRONG_TURNS = {
    "no answer": ([{"from": "human", "value": "Q"}], r"line 1: k: found turns from \['human'\]"),
    "two questions": ([{"from": "human", "value": "Q"}] * 2, "allowed: questions of human"),
    "a picture": (talk("k", 1)["conversations"][:1] + [{"from": "gpt", "value": "<image>"}],
                  "list the file in data.captions"),
}  # fmt: skip


@pytest.mark.parametrize(("turns", "message"), WRONG_TURNS.values(), ids=WRONG_TURNS)
def test_what_cannot_be_learnt_is_named_before_the_first_step(
    training_data: dict[str, Any], tmp_path: Path, turns: list[dict[str, Any]], message: str
) -> None:
    line = {"id": "k", "conversations": turns, "image": "a.jpg"}
    data = {**training_data, "questions": file_of(tmp_path, line)}
    with pytest.raises(CorpusError, match=message):
        open_stream(config_of(data, *ONLY_QUESTIONS), 0, 1)


def test_captions_are_drawn_from_their_text_alone(training_data: dict[str, Any]) -> None:
    config = config_of(training_data, "captions=4")
    batch = batch_of(config).to(CPU)
    assert batch.captions is not None and len(batch.captions.texts) == 4
    assert batch.captions.pictures.std() < 1e-6
    assert all(target.std() > 0 for target in batch.captions.targets)
    assert all(text.startswith("Draw a picture of: ") for text in batch.captions.texts)


def test_the_parts_of_a_batch_come_in_exact_shares(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    described = tmp_path / "described"
    described.mkdir()
    write_lines(described / "train.jsonl", [conversation("a", ("What is it?", "a red ball"))])
    numbers = ("questions=8", "captions=3", "descriptions=2", f"data.descriptions=[{described}]")
    stream = open_stream(config_of(training_data, *numbers), 0, 1)
    for step in range(10):
        samples = stream.batch(step)["samples"]
        parts = Counter(sample["part"] for sample in samples)
        assert parts == {"questions": 10, "drawings": 7, "captions": 3}
        answers = [sample["answer"] for sample in samples if sample["part"] == "questions"]
        assert answers.count("a red ball") == 2


def test_questions_are_no_captions(training_data: dict[str, Any]) -> None:
    data = {**training_data, "captions": [f"{training_data['questions']}/train.jsonl"]}
    with pytest.raises(CorpusError, match=r"train\.jsonl, line 1: 0: no caption: found 1 answer"):
        open_stream(config_of(data, "captions=1"), 0, 1)
    with pytest.raises(RequestError, match=r"data\.captions names no file"):
        config_of({**training_data, "captions": []}, "captions=1")


@pytest.mark.parametrize(("width", "height"), [(60, 40), (40, 60), (37, 100), (200, 3)])
def test_a_picture_stays_whole_and_undistorted_in_its_square(width: int, height: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    square = letterboxed(pixels, 32, Image.Resampling.NEAREST, (9, 8, 7))
    box = content_box(width, height, 32)
    assert max(box.width, box.height) == 32
    assert abs(box.width * height - box.height * width) <= max(width, height)
    oracle = Image.new("RGB", (32, 32), (9, 8, 7))
    small = Image.fromarray(pixels).resize((box.width, box.height), Image.Resampling.NEAREST)
    oracle.paste(small, ((32 - box.width) // 2, (32 - box.height) // 2))
    assert np.array_equal(square, np.asarray(oracle))
    assert np.array_equal(box.crop(square.transpose(2, 0, 1)), np.asarray(small).transpose(2, 0, 1))
    labels = letterboxed_labels(pixels[:, :, 0].astype(np.uint16) + 1, 32)
    inside = np.zeros((32, 32), bool)
    box.crop(inside)[:] = True
    assert (labels[inside] == square[inside][:, 0].astype(int) + 1).all() and not labels[
        ~inside
    ].any()


@pytest.mark.parametrize("side", [32, 64])
def test_a_square_picture_is_resized_as_ever(side: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    resized = np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))
    assert np.array_equal(letterboxed(pixels, side, Image.Resampling.BICUBIC), resized)


def test_targets_are_padded_with_what_means_nothing(training_data: dict[str, Any]) -> None:
    config = config_of(training_data, "drawings=14")
    drawings = batch_of(config).drawings
    assert drawings is not None
    box = content_box(320, 240, 32)
    assert box.top > 0
    above, below = drawings.targets[:, :, : box.top], drawings.targets[:, :, -box.top :]
    assert not above.any() and not below.any()  # the colour of what has no label
    assert (drawings.pictures[:, :, : box.top] == 127).all()


def test_pictures_are_bytes_until_they_are_on_the_device(training_data: dict[str, Any]) -> None:
    batch = batch_of(config_of(training_data, "captions=2"))
    parts = (batch.questions, batch.drawings, batch.captions)
    moved = batch.to(CPU)
    for part, there in zip(parts, (moved.questions, moved.drawings, moved.captions), strict=True):
        assert part is not None and there is not None
        assert part.pictures.dtype == torch.uint8
        expected = part.pictures.numpy().astype(np.float32) / np.float32(127.5) - 1
        assert np.allclose(there.pictures.numpy(), expected, atol=1e-6)
        assert there.pictures.is_contiguous(memory_format=torch.channels_last) or not expected.std()


def test_a_wrong_target_is_that_of_another_picture_of_the_same_proxy(
    training_data: dict[str, Any],
) -> None:
    true = open_stream(config_of(training_data), 0, 1).batch(0)["samples"]
    own = {
        (sample["proxy"], sample["key"]): sample["target"].tobytes()
        for sample in true
        if "proxy" in sample
    }
    drawings = [sample for sample in true if "proxy" in sample]
    wrong = with_wrong_targets(drawings)
    for before, after in zip(drawings, wrong, strict=True):
        name = after["proxy"], after["key"]
        assert all(after[field] is before[field] for field in ("picture", "text", "key"))
        assert after["target"].tobytes() in {
            target for (proxy, key), target in own.items() if proxy == name[0] and key != name[1]
        }
    given = Counter((sample["proxy"], sample["target"].tobytes()) for sample in wrong)
    assert given == Counter((sample["proxy"], sample["target"].tobytes()) for sample in drawings)
    batch = batch_of(config_of(training_data, "data.wrong_targets=true"))
    expected = np.stack([sample["target"] for sample in wrong])
    assert batch.drawings is not None
    assert np.array_equal(batch.drawings.targets.permute(0, 2, 3, 1).numpy(), expected)


def test_wrong_targets_need_another_picture(training_data: dict[str, Any]) -> None:
    with pytest.raises(RequestError, match=r"drawings is 3 for 2 proxies.*set drawings to 4"):
        open_stream(config_of(training_data, "data.wrong_targets=true", "drawings=3"), 0, 1)
    with pytest.raises(RequestError, match=r"on 2 processes.*set drawings to 8"):
        open_stream(config_of(training_data, "data.wrong_targets=true"), 0, 2)
    same = [{"proxy": "p", "key": key, "target": number} for number, key in enumerate("aaab")]
    with pytest.raises(CorpusError, match="3 are of the picture a"):
        with_wrong_targets(same)
    assert [sample["target"] for sample in with_wrong_targets(same[2:])] == [3, 2]


CLASSIFY = ("objective=classify", "data.proxies=[panoptic,semantic]")


def test_classes_are_the_categories_of_the_decoded_target(training_data: dict[str, Any]) -> None:
    config = config_of(training_data, *CLASSIFY, "drawings=8")
    stream = open_stream(config, 0, 1)
    corpus = sgt_data.open_corpus(training_data["corpus"])
    names = sorted({each.name for some in corpus.header.vocabulary.values() for each in some})
    stored = {
        (one.proxy, one.key): one
        for proxy in ("panoptic", "semantic")
        for one in corpus.samples(proxy)
    }
    drawings = [sample for sample in stream.batch(0)["samples"] if "proxy" in sample]
    for sample in drawings:
        one = stored[sample["proxy"], sample["key"]]
        decoded = decode_target(one.target, one.facts)
        numbers = [0, *(1 + names.index(segment["category"]) for segment in decoded.segments)]
        expected = letterboxed_labels(np.array(numbers)[decoded.labels], 32)
        assert np.array_equal(sample["classes"], expected) and expected.any()
    drawn = Collator()(stream.batch(0)).to(CPU).drawings
    assert drawn is not None and drawn.classes is not None and drawn.classes.dtype == torch.int64
    assert np.array_equal(drawn.classes.numpy(), np.stack([one["classes"] for one in drawings]))


def test_targets_without_categories_are_not_classified(
    training_data: dict[str, Any], sample_sources: Path, tmp_path: Path
) -> None:
    document = both_sources_document(sample_sources, shard_samples=6)
    document |= {"sources": document["sources"][:1], "max_quarantined": 1.0}
    document["proxies"] = [document["proxies"][0], {"type": "edge"}]
    place = str(tmp_path / "corpus")
    assert sgt_data.build_corpus(
        parse_manifest(document), place, cluster=sgt_data.IN_PROCESS
    ).succeeded
    for proxy in ("entity", "edge"):
        config = config_of({**training_data, "corpus": place}, "objective=classify")
        config = replace(config, data=replace(config.data, proxies=[proxy]))
        with pytest.raises(RequestError, match=f"those of {proxy} are none; draw a segmentation"):
            open_stream(config, 0, 1)
    settings = ("model.settings.classes=3", *CLASSIFY)
    with pytest.raises(RequestError, match=r"model\.settings\.classes is 3, and the corpus has"):
        open_stream(config_of(training_data, *settings), 0, 1)


def test_a_file_of_questions_is_not_parsed_as_a_whole_at_the_start(
    training_data: dict[str, Any], tmp_path: Path
) -> None:
    lines = [talk(f"k{number}", 1) for number in range(600)]
    file = Path(file_of(tmp_path, *lines))
    text = file.read_text().splitlines()
    text[500] = "no JSON"
    file.write_text("\n".join(text))
    config = config_of({**training_data, "questions": str(file)}, *ONLY_QUESTIONS, "questions=600")
    stream = open_stream(config, 0, 1)
    with pytest.raises(CorpusError, match="line 501"):
        stream.batch(0)


def test_a_blind_picture_is_the_grey_of_padding() -> None:
    image = Image.open(io.BytesIO(jpeg(16, 4)))
    square = letterboxed(np.asarray(image.convert("RGB")), 16, Image.Resampling.BICUBIC)
    assert (square[0] == 127).all() and (square[-1] == 127).all()


def test_the_number_of_categories_is_bounded(
    training_data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(categories, "CATEGORIES_MAX", 3)
    with pytest.raises(RequestError, match="classify reads at most 3 categories"):
        open_stream(config_of(training_data, *CLASSIFY), 0, 1)
